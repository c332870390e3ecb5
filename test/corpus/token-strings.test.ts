/** Which token strings of an API are tokens of ours. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { textOfIds, tokensAfter } from '../../src/corpus/token-strings.js';
import { embeddedPrompts, embeddedTokenizer } from '../../src/generate/embedded.js';

const tokenizer = embeddedTokenizer();
const prompts = embeddedPrompts().slice(0, 200);
/** Beginnings of real sentences, cut at tokens. */
const prefixes = fc
	.tuple(fc.constantFrom(...prompts), fc.integer({ min: 1, max: 15 }))
	.map(([prompt, length]) => tokenizer.encode(prompt).slice(0, length))
	.filter((ids) => textOfIds(tokenizer, ids) !== null);
const runs = { numRuns: 300, seed: 20261125 };

describe('the text of ids', () => {
	it('encodes to them, or there is none', () => {
		const ids = fc.array(fc.nat(tokenizer.vocabSize - 1), { minLength: 1, maxLength: 6 });
		fc.assert(
			fc.property(ids, (some) => {
				const text = textOfIds(tokenizer, some);
				if (text !== null) expect(tokenizer.encode(text)).toEqual(some);
			}),
			runs,
		);
	});
	it('is not there for special tokens, nor for ids that the tokenizer would have merged', () => {
		expect(textOfIds(tokenizer, [tokenizer.specialTokens[0], 300])).toBeNull();
		const [t, h] = ['t', 'h'].map((letter) => tokenizer.encode(letter)[0]);
		expect(tokenizer.encode('th')).toHaveLength(1);
		expect(textOfIds(tokenizer, [t, h])).toBeNull();
	});
});

describe('aligned strings', () => {
	it('are exactly those that add one token to the prefix', () => {
		fc.assert(
			fc.property(prefixes, fc.nat(tokenizer.vocabSize - 1), (prefix, next) => {
				const before = tokenizer.decode(prefix);
				const string = tokenizer.decode([...prefix, next]).slice(before.length);
				const expected =
					string !== '' && !string.includes('\ufffd') && textOfIds(tokenizer, [...prefix, next]) !== null;
				expect(tokensAfter(tokenizer, prefix, [string])).toEqual([expected ? next : null]);
			}),
			runs,
		);
	});
	it('leaves out strings of another vocabulary: two tokens of ours, half characters, the same string twice', () => {
		const prefix = tokenizer.encode('It was a dark');
		const listed = [' night', ' nightingale', '\ufffd', ' day', ' day', ''];
		const [night] = tokenizer.encode(' night');
		expect(tokensAfter(tokenizer, prefix, listed)).toEqual([night, null, null, null, null, null]);
	});
});
