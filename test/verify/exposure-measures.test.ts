/** The measures: what each sees, and that no weight of theirs depends on the order of two texts. */
import { describe, expect, it } from 'vitest';
import { nonNegativeLeastSquares } from '../../src/stats/least-squares.js';
import {
	containmentMeasure,
	type Likelihood,
	likelihoodMeasure,
	type MeasuredTexts,
	similarityMeasure,
} from '../../src/verify/exposure-measures.js';
import { refusal } from '../refusal.js';
import { randomSource } from '../stats/random.js';

const random = randomSource(21);
const word = () => String.fromCharCode(97 + Math.floor(26 * random()));
const sentence = (length: number) => Array.from({ length }, word).join('');
const PAIRS: MeasuredTexts[] = Array.from({ length: 60 }, (_, i) => ({
	prompt: `question ${i}`,
	a: sentence(20 + Math.floor(20 * random())),
	b: sentence(20 + Math.floor(20 * random())),
}));

/** A model to which each character has a fixed surprise. */
const model =
	(surprise: (code: number) => number): Likelihood =>
	(texts) =>
		texts.map(({ text }) => [...text].map((character) => -surprise(character.charCodeAt(0))));
const reference = model((code) => 1 + (code % 5));
const other = model((code) => 1 + (code % 3));

describe('likelihood', () => {
	it('takes out what references predict', () => {
		const memorised = new Set(PAIRS.map(({ a }) => a));
		const suspect: Likelihood = (texts) =>
			reference(texts).map((logs, i) =>
				logs.map((log) => 0.8 * log + (memorised.has(texts[i].text) ? 0.1 : 0)),
			);
		const plain = likelihoodMeasure(suspect, [])(PAIRS).filter(({ a, b }) => a > b).length;
		const adjusted = likelihoodMeasure(suspect, [reference, other])(PAIRS).filter(({ a, b }) => a > b).length;
		expect(plain).toBeLessThan(45);
		expect(adjusted).toBeGreaterThan(55);
	});

	it('weighs references alike when the texts of a pair change places', () => {
		const suspect = model((code) => 1 + (code % 7));
		const swapped = PAIRS.map(({ prompt, a, b }, i) =>
			i % 3 === 0 ? { prompt, a: b, b: a } : { prompt, a, b },
		);
		for (const options of [{}, { per: 'token' }, { clip: 1 }] as const) {
			const measure = likelihoodMeasure(suspect, [reference, other], options);
			measure(swapped).forEach(({ a, b }, i) => {
				const original = measure(PAIRS)[i];
				const [first, second] = i % 3 === 0 ? [original.b, original.a] : [original.a, original.b];
				expect(a).toBeCloseTo(first, 9);
				expect(b).toBeCloseTo(second, 9);
			});
		}
	});

	it('clips single tokens, if models share a tokenizer', () => {
		const wild = model((code) => (code === 97 ? 1e6 : 1));
		const [found] = likelihoodMeasure(wild, [], { clip: 2 })([{ prompt: '', a: 'aab', b: 'b' }]);
		expect(found).toEqual({ a: -5, b: -1 });
		const halves: Likelihood = (texts) => texts.map(() => [-1]);
		expect(refusal(() => likelihoodMeasure(wild, [halves], { clip: 2 })(PAIRS))).toMatch(/share a tokenizer/);
	});

	it('has no negative weights', () => {
		const target = [1, 2, 3, 4];
		expect(nonNegativeLeastSquares([target.map((x) => 2 * x)], target)[0]).toBeCloseTo(0.5, 9);
		expect(nonNegativeLeastSquares([target.map((x) => -x), [0, 0, 0, 0]], target)).toEqual([0, 0]);
		const [x, y] = nonNegativeLeastSquares(
			[
				[1, 1, 0, 1],
				[0, 1, 1, 2],
			],
			[2, 5, 3, 8],
		);
		expect([x, y]).toEqual([expect.closeTo(2, 6), expect.closeTo(3, 6)]);
	});
});

describe('similarity', () => {
	it.each(['levenshtein', 'n-grams'] as const)(
		'%s finds the answer that is repeated nearly word for word',
		(kind) => {
			const answers = PAIRS.map(({ prompt, a }) => ({ prompt, text: `${a.slice(0, 14)}x${a.slice(15)}` }));
			const found = similarityMeasure(answers, kind)(PAIRS);
			for (const { a, b } of found) {
				expect(a).toBeGreaterThan(b);
				expect(a).toBeLessThanOrEqual(1);
				expect(b).toBeGreaterThanOrEqual(0);
			}
			const unasked = similarityMeasure([{ prompt: 'another', text: PAIRS[0].a }], kind)(PAIRS);
			expect(unasked.every(({ a, b }) => a === 0 && b === 0)).toBe(true);
		},
	);
});

describe('containment', () => {
	it('says which answer a data set holds, whole, in part, or short', () => {
		const pairs = [
			{ prompt: '', a: 'a'.repeat(10) + sentence(40), b: sentence(40) },
			{ prompt: '', a: sentence(60), b: sentence(60) },
			{ prompt: '', a: 'Yes.', b: 'No, never.' },
			{ prompt: '', a: '', b: sentence(30) },
		];
		const { read, measure } = containmentMeasure(pairs);
		read(`before ${pairs[0].a} after`);
		read(pairs[1].b.slice(0, 42));
		read('and he said No, never. And left.');
		const found = measure(pairs);
		expect(found[0]).toEqual({ a: 1, b: 0 });
		expect(found[1]).toEqual({ a: 0, b: 19 / 37 });
		expect(found[2]).toEqual({ a: 0, b: 1 });
		expect(found[3]).toEqual({ a: 0, b: 0 });
	});
});
