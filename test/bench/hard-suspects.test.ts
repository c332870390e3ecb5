import { describe, expect, it } from 'vitest';
import { between } from '../../bench/distillation/hard-suspects.js';
import { alignedPlaces, predictTranslated } from '../../bench/distillation/other-tokenizer.js';
import type { Tokenizer } from '../../src/corpus/tokenizer.js';
import { embeddedModel, embeddedTokenizer } from '../../src/generate/embedded.js';
import { predictAlong } from '../../src/model/predict.js';

const tokenizer = embeddedTokenizer();
const base = embeddedModel('base');
const texts = [
	'It was the best of times, it was the worst of times',
	'He looked at the house — and went',
].map((text) => tokenizer.encode(text));

describe('a neutralised suspect', () => {
	it('lies between its two models', () => {
		const student = embeddedModel('student-marked');
		const ids = Int32Array.of(17);
		const logits = (share: number) => [...between(student, base, share).newBatch(1).step(ids)];
		expect(logits(0)).toEqual([...student.newBatch(1).step(ids)]);
		expect(logits(1)).toEqual([...base.newBatch(1).step(ids)]);
		const half = logits(0.5);
		expect(half[40]).toBeCloseTo((logits(0)[40] + logits(1)[40]) / 2, 4);
	});
});

describe('a suspect with another tokenizer', () => {
	it('says the same as ever when its tokenizer is ours', () => {
		const expected = new Map<string, number>();
		predictAlong([base], [texts[0]], 1e-3, (text, at, [own]) => {
			expected.set(`${text} ${at}`, own.of(texts[text][at]));
		});
		const found = new Map<string, number>();
		const visit: Parameters<typeof predictTranslated>[4] = ({ text, at }, [{ open, grey }]) => {
			found.set(`${text} ${at}`, open.of(texts[text][at]));
			expect(grey.tokens.length).toBeLessThanOrEqual(20);
		};
		predictTranslated(tokenizer, tokenizer, [base], [texts[0]], visit, () => true);
		expect([...found.keys()]).toEqual([...expected.keys()]);
		for (const [place, probability] of found)
			if ((expected.get(place) as number) > 1e-3)
				expect(probability).toBeCloseTo(expected.get(place) as number);
	});

	it('is read only where both cut the text', () => {
		const words: Tokenizer = {
			...tokenizer,
			// One token a word with the space before it.
			encode: (text) => text.split(/(?= )/).map((_, i) => i),
			decode: (ids) => ids.map((id) => tokenizer.decode(texts[0]).split(/(?= )/)[id]).join(''),
		};
		const isAligned = alignedPlaces(tokenizer, words, [texts[0]]);
		const ends = texts[0].map((_, at) => tokenizer.decode(texts[0].slice(at, at + 1)).startsWith(' '));
		for (let at = 1; at < texts[0].length; at++) expect(isAligned({ text: 0, at })).toBe(ends[at]);
	});

	it('leaves out texts whose tokens are parts of characters', () => {
		const isAligned = alignedPlaces(tokenizer, tokenizer, texts);
		expect(texts[1].some((_, at) => isAligned({ text: 1, at }))).toBe(
			texts[1].every((id) => !tokenizer.decode([id]).includes('\uFFFD')),
		);
	});
});
