/** Texts as two tokenizers cut them: places that both have, and strings of the one as tokens of the other. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sharedBoundaries } from '../../src/corpus/shared-boundaries.js';
import { tiktokenTokenizer } from '../../src/corpus/tiktoken.js';
import { textOfIds, tokenStrings, tokensAfter } from '../../src/corpus/token-strings.js';
import { tokenizerOf } from '../../src/corpus/tokenizer.js';
import { embeddedPrompts, embeddedTokenizer } from '../../src/generate/embedded.js';
import { cutTokenizer } from '../cut-vocabulary.js';

const tokenizer = embeddedTokenizer();
const cut = tokenizerOf(new TextEncoder().encode(cutTokenizer(1024)), 'cut');
const tiktoken = await tiktokenTokenizer('cl100k_base');
const words = fc.constantFrom(
	...embeddedPrompts()
		.slice(0, 200)
		.flatMap((line) => line.split(/(?= )/)),
);
const text = fc
	.array(fc.oneof({ weight: 5, arbitrary: words }, fc.string({ unit: 'grapheme', maxLength: 5 })), {
		minLength: 1,
		maxLength: 25,
	})
	.map((parts) => parts.join(''))
	.filter((joined) => joined !== '' && !joined.includes('\ufffd'));

describe('places', () => {
	it.each([
		['a smaller vocabulary', cut],
		['one that was made elsewhere', tiktoken],
	])('%s: all that both have, and no other', (_what, other) => {
		fc.assert(
			fc.property(text, (joined) => {
				const [ids, otherIds] = [tokenizer.encode(joined), other.encode(joined)];
				const found = sharedBoundaries({ tokenizer, ids }, { tokenizer: other, ids: otherIds });
				// The definition: so many ids of either decode to the same beginning of the text.
				const ends = new Map<string, number>();
				for (let at = 1; at < otherIds.length; at++) ends.set(other.decode(otherIds.slice(0, at)), at);
				const want: [number, number][] = [];
				for (let at = 1; at < ids.length; at++) {
					const before = tokenizer.decode(ids.slice(0, at));
					const there = ends.get(before);
					if (!before.endsWith('\ufffd') && there !== undefined) want.push([at, there]);
				}
				expect(found).toEqual(want);
			}),
			{ numRuns: 300 },
		);
	});
});

describe('strings', () => {
	it.each([
		['our own', tokenizer],
		['another tokenizer', cut],
	])('%s: every token of a text follows what is before it', (_what, one) => {
		const strings = tokenStrings(one);
		fc.assert(
			fc.property(text, fc.nat(), (joined, where) => {
				const ids = one.encode(joined);
				const at = where % ids.length;
				const string = strings[ids[at]];
				const prefix = ids.slice(0, at);
				fc.pre(textOfIds(one, prefix) !== null && !string.includes('\ufffd'));
				const before = one.decode(prefix);
				fc.pre(one.encode(before + string).length === at + 1);
				expect(tokensAfter(one, prefix, [string, 'no such thing'])).toEqual([ids[at], null]);
			}),
			{ numRuns: 300 },
		);
	});
	it('what stands for a token goes on the text with exactly that token', () => {
		const strings = tokenStrings(tiktoken).filter((string) => /^ ?[a-z]{1,6}$/.test(string));
		fc.assert(
			fc.property(
				text,
				fc.shuffledSubarray(strings.slice(0, 3000), { minLength: 50, maxLength: 50 }),
				(joined, some) => {
					const prefix = tokenizer.encode(joined);
					tokensAfter(tokenizer, prefix, some).forEach((token, i) => {
						const ids = tokenizer.encode(joined + some[i]);
						expect(token).toBe(
							ids.length === prefix.length + 1 && ids.slice(0, -1).join() === prefix.join()
								? ids[prefix.length]
								: null,
						);
					});
				},
			),
			{ numRuns: 100 },
		);
	});
	it('parts of characters, strings that occur twice and empty ones are no token', () => {
		const prefix = tokenizer.encode('It was');
		expect(tokensAfter(tokenizer, prefix, ['\ufffd', '', ' the', ' the', ' a'])).toEqual([
			...[null, null, null, null],
			tokenizer.encode(' a')[0],
		]);
	});
	it('special tokens have no text', () => {
		const strings = tokenStrings(tokenizer);
		for (const id of tokenizer.specialTokens) expect(strings[id]).toBe('');
		expect(strings.filter((string) => string === '')).toHaveLength(tokenizer.specialTokens.length);
	});
});
