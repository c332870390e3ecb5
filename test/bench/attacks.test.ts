import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
	deleted,
	disguised,
	inserted,
	lowered,
	mixed,
	sentencesOf,
	shuffled,
	substituted,
	unpunctuated,
	withSynonyms,
	wordsOf,
} from '../../bench/robustness/attacks.js';
import { lostShare } from '../../bench/robustness/damage.js';
import { ATTACKS, type Means, pointsAt } from '../../bench/robustness/grid.js';
import { synonymsOf } from '../../bench/robustness/synonyms.js';
import { randomStream } from '../../src/embed/random.js';
import { embeddedTokenizer } from '../../src/generate/embedded.js';

const LEXICON = ['alpha', 'beta', 'gamma', 'delta'];

const word = fc.oneof(
	fc.stringMatching(/^[a-z]{1,8}$/),
	fc.constantFrom('the', 'Said', 'don’t', 'house', 'élan', '42'),
);
const gap = fc.constantFrom(' ', ', ', '. ', '! ', '; ', ' — ', '\n');
/** Words with what lies between them. */
const text = fc
	.tuple(fc.array(fc.tuple(word, gap), { maxLength: 60 }), word)
	.map(([parts, last]) => `${parts.flat().join('')}${last}.`);
const share = fc.double({ min: 0, max: 1, noNaN: true });
const seed = fc.string();

/** Counts of each item. */
function countsOf(items: readonly string[]): Map<string, number> {
	const counts = new Map<string, number>();
	for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1);
	return counts;
}

/** Whether `some` is `all` with items left out. */
function isSubsequence(some: readonly string[], all: readonly string[]): boolean {
	let at = 0;
	for (const item of all) if (at < some.length && some[at] === item) at++;
	return at === some.length;
}

describe('attacks on words', () => {
	it('substitute exactly their share of the words, and nothing between them', () => {
		fc.assert(
			fc.property(text, share, seed, (given, part, name) => {
				const before = wordsOf(given);
				const after = substituted(given, part, LEXICON, randomStream(name));
				const changed = wordsOf(after).filter((one, i) => one !== before[i]);
				expect(wordsOf(after)).toHaveLength(before.length);
				expect(changed).toHaveLength(Math.round(part * before.length));
				expect(changed.every((one) => LEXICON.includes(one))).toBe(true);
			}),
		);
	});

	it('delete exactly their share, and leave the others in order and apart', () => {
		fc.assert(
			fc.property(text, share, seed, (given, part, name) => {
				const before = wordsOf(given);
				const after = wordsOf(deleted(given, part, randomStream(name)));
				expect(after).toHaveLength(before.length - Math.round(part * before.length));
				expect(isSubsequence(after, before)).toBe(true);
			}),
		);
	});

	it('insert exactly their share, and keep what was there in order', () => {
		fc.assert(
			fc.property(text, share, seed, (given, part, name) => {
				const before = wordsOf(given);
				const after = wordsOf(inserted(given, part, LEXICON, randomStream(name)));
				expect(after).toHaveLength(before.length + Math.round(part * before.length));
				expect(isSubsequence(before, after)).toBe(true);
			}),
		);
	});

	it('take synonyms for exactly their share of the words that have one', () => {
		fc.assert(
			fc.property(
				fc.array(fc.constantFrom('House', 'old', 'zebra', 'said', 'don’t')),
				share,
				seed,
				(list, part, name) => {
					const given = list.join(' ');
					const known = list.filter((one) => synonymsOf(one) !== undefined);
					const after = withSynonyms(given, part, randomStream(name));
					const kept = countsOf(wordsOf(after));
					const gone =
						known.length -
						[...countsOf(known)].reduce((sum, [one, n]) => sum + Math.min(n, kept.get(one) ?? 0), 0);
					expect(gone).toBe(Math.round(part * known.length));
					for (const one of ['zebra', 'don’t']) expect(kept.get(one)).toBe(countsOf(list).get(one));
				},
			),
		);
		expect(withSynonyms('House', 1, randomStream('a'))).toMatch(/^(Home|Dwelling)$/);
	});
});

describe('attacks on whole texts', () => {
	it('shuffle sentences and lose none', () => {
		fc.assert(
			fc.property(text, seed, (given, name) => {
				expect(sentencesOf(given).join('')).toBe(given);
				const trimmed = (some: readonly string[]) => countsOf(some.map((one) => one.trim()));
				expect(trimmed(sentencesOf(shuffled(given, randomStream(name))))).toEqual(
					trimmed(sentencesOf(given)),
				);
			}),
		);
		expect(sentencesOf('“Go!” he said. Then what? All.')).toEqual([
			'“Go!” ',
			'he said. ',
			'Then what? ',
			'All.',
		]);
	});

	it('hide one stretch of the text in a host of the rest of its length', () => {
		fc.assert(
			fc.property(text, share, seed, (given, part, name) => {
				const own = wordsOf(given);
				const host = own.map((_, i) => `HOST${i}`).join(' ');
				const after = wordsOf(mixed(given, host, part, randomStream(name)));
				const kept = Math.round(part * own.length);
				const marked = after.filter((one) => !one.startsWith('HOST'));
				expect(after).toHaveLength(own.length);
				expect(marked).toHaveLength(kept);
				const at = after.findIndex((one) => !one.startsWith('HOST'));
				if (kept > 0) expect(after.slice(at, at + kept)).toEqual(marked);
				expect(` ${own.join(' ')} `).toContain(` ${marked.join(' ')}`.replace(/ $/, ''));
			}),
		);
	});

	it('normalise', () => {
		expect(lowered('The “Old” House')).toBe('the “old” house');
		expect(unpunctuated('Don’t—he said, “go”!')).toBe('Dont he said go ');
	});

	it('disguise exactly their share of the letters that have a look-alike', () => {
		fc.assert(
			fc.property(fc.stringMatching(/^[a-z ]{0,60}$/), share, seed, (given, part, name) => {
				const after = [...disguised(given, part, randomStream(name))];
				const known = [...given].filter((letter) => 'aceopxy'.includes(letter)).length;
				expect(after).toHaveLength(given.length);
				expect(after.filter((letter, i) => letter !== given[i])).toHaveLength(Math.round(part * known));
			}),
		);
	});
});

describe('the grid', () => {
	const tokenizer = embeddedTokenizer();
	const means = (name: string): Means => ({
		random: randomStream(name),
		host: 'An unmarked text of somebody else, which is long enough for what is hidden in it.',
		lexicon: LEXICON,
		tokenizer,
		other: { tokenizer, through: (given) => given },
	});
	const given =
		'He said that the old man was in the house, and looked from the room. She saw it. They went away!';

	it('does the same for the same seed, and for another seed mostly something else', () => {
		for (const { point } of pointsAt(400))
			expect(point.attack(given, means('one'))).toBe(point.attack(given, means('one')));
		const random = pointsAt(400).filter(({ attack }) =>
			['substitution', 'deletion', 'insertion', 'copy-paste'].includes(attack),
		);
		const same = random.filter(
			({ point }) => point.attack(given, means('one')) === point.attack(given, means('two')),
		);
		expect(same.length).toBeLessThan(random.length / 4);
	});

	it('loses more of a text the stronger an attack is', () => {
		const ids = tokenizer.encode(given.repeat(4));
		for (const name of ['substitution', 'deletion', 'insertion']) {
			const { points } = ATTACKS.find((attack) => attack.name === name) ?? { points: [] };
			const losses = points.map((point) =>
				lostShare(ids, tokenizer.encode(point.attack(tokenizer.decode(ids), means(name))), 5),
			);
			expect(losses[0]).toBeLessThan(losses[2]);
			expect(losses[2]).toBeLessThan(losses[4]);
		}
	});

	it('truncates to so many tokens', () => {
		const { points } = ATTACKS.find(({ name }) => name === 'truncation') ?? { points: [] };
		const ids = tokenizer.encode(given.repeat(8));
		expect(tokenizer.encode(points[0].attack(given.repeat(8), means('any')))).toEqual(
			ids.slice(0, points[0].at),
		);
	});
});
