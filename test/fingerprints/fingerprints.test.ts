/** Fingerprints of texts: what stays the same, what they hide, and what a copy of twelve words keeps. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
	bindSalt,
	decodeFingerprints,
	encodedFingerprints,
	fingerprintsOf,
} from '../../src/fingerprints/index.js';
import { digestsOf, ROW, shingleCount } from '../../src/fingerprints/shingles.js';
import { wordsOf } from '../../src/fingerprints/words.js';
import { plainChacha8 } from '../../src/prf/chacha8.js';

const salt = bindSalt(new Uint8Array(32).fill(1));
const splitted = (text: string) => {
	const words = wordsOf(text);
	return Array.from({ length: words.count }, (_, i) => words.text.slice(words.starts[i], words.ends[i]));
};
const Word = fc.stringMatching(/^[a-z]{1,9}$/);
const Text = fc.array(Word, { minLength: 20, maxLength: 120 });

describe('words', () => {
	it('are runs of letters and digits, whatever the language', () => {
		expect(splitted('“Don’t!” she said—twice, in 1999.')).toEqual([
			'Don’t',
			'she',
			'said',
			'twice',
			'in',
			'1999',
		]);
		expect(splitted('Größe ﬁne Ελλάδα हिन्दी')).toEqual(['Größe', 'fine', 'Ελλάδα', 'हिन्दी']);
		expect(splitted('我们 ok ひらがな')).toEqual(['我', '们', 'ok', 'ひ', 'ら', 'が', 'な']);
		expect(splitted('𝒳 😀 𠀋a')).toEqual(['X', '𠀋', 'a']);
	});
	it('are the same after changes of case, punctuation and spacing', () => {
		const hashes = (text: string) => [...wordsOf(text).hashes];
		expect(hashes("It's  the END,\nmy friend...")).toEqual(hashes('its the end my friend'));
		fc.assert(
			fc.property(Text, (words) => {
				const shouted = words.map((word, i) => (i % 3 === 0 ? word.toUpperCase() : word)).join(' -- ');
				expect(hashes(`(${shouted})!`)).toEqual(hashes(words.join(' ')));
			}),
		);
	});
	it('differ where texts differ', () => {
		const seen = new Set<string>();
		for (let i = 0; i < 20_000; i++) seen.add([...wordsOf(`word${i}`).hashes].join());
		expect(seen.size).toBe(20_000);
	});
});

describe('shingles', () => {
	it('have a digest that depends on their five words and their order, and on nothing else', () => {
		fc.assert(
			fc.property(Text, Text, (one, other) => {
				const middle = ['alpha', 'beta', 'gamma', 'delta', 'epsilon'];
				const digestAt = (words: string[], at: number) =>
					digestsOf(wordsOf(words.join(' '))).slice(at * ROW, (at + 1) * ROW);
				const here = digestAt([...one, ...middle, ...other], one.length);
				expect(here).toEqual(digestAt([...other, ...middle, ...one], other.length));
				expect(here).not.toEqual(digestAt([...one, ...middle.reverse(), ...other], one.length));
			}),
		);
	});
});

describe('fingerprints', () => {
	it('are 48 bits of the hardened generator under the salt', () => {
		const text = 'The quick brown fox jumps over the lazy dog';
		const [{ word, more }] = fingerprintsOf(text, salt);
		const rows = digestsOf(wordsOf(text));
		const prf = plainChacha8(new Uint8Array(32).fill(1));
		const all = Array.from({ length: shingleCount(wordsOf(text)) }, (_, i) => {
			const digest = rows.subarray(i * ROW, i * ROW + 4);
			return [prf.field(digest, 0, 32), prf.field(digest, 1, 32) & 0xffff];
		});
		expect(all).toContainEqual([word, more]);
	});
	it('survive the log', () => {
		fc.assert(
			fc.property(Text, (words) => {
				const text = words.join(' ');
				expect(decodeFingerprints(encodedFingerprints(text, salt))).toEqual(fingerprintsOf(text, salt));
			}),
		);
		expect(encodedFingerprints('only four words here', salt)).toBe('');
	});
	it('whoever copies twelve words in a row copies one', () => {
		fc.assert(
			fc.property(Text, fc.nat(), (words, begin) => {
				const at = begin % (words.length - 11);
				const copied = wordsOf(words.slice(at, at + 12).join(' '));
				const rows = digestsOf(copied);
				const out = new Uint32Array(shingleCount(copied));
				salt.words(rows, out);
				const known = new Set(fingerprintsOf(words.join(' '), salt).map(({ word }) => word));
				expect([...out].some((word) => known.has(word))).toBe(true);
			}),
		);
	});
	it('leave out what the author was given', () => {
		const given = 'please repeat these words after me and then say something of your own about rivers';
		const own = 'rivers carry silt to the sea and build deltas where the water slows down near the coast';
		const withGiven = fingerprintsOf(`${given} ${own}`, salt, given);
		const quoted = new Set(fingerprintsOf(given, salt).map(({ word }) => word));
		expect(withGiven.length).toBeGreaterThan(0);
		expect(withGiven.some(({ word }) => quoted.has(word))).toBe(false);
	});
	it('say nothing under another salt, and their salt cannot be read back', () => {
		const text = Array.from({ length: 300 }, (_, i) => `w${i * i}`).join(' ');
		const other = bindSalt(new Uint8Array(32).fill(2));
		const mine = new Set(fingerprintsOf(text, salt).map(({ word }) => word));
		expect(fingerprintsOf(text, other).filter(({ word }) => mine.has(word))).toEqual([]);
		expect(Object.keys(salt).sort()).toEqual(['id', 'more', 'words']);
		expect(salt.id).not.toBe(createHash('sha256').update(new Uint8Array(32).fill(1)).digest('hex'));
	});
});
