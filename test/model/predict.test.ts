/** Predictions along texts: every position once, the same as single steps, and answers without what the prompt gave. */
import { describe, expect, it } from 'vitest';
import { embeddedModel } from '../../src/generate/embedded.js';
import { predictAlong, predictAnswers } from '../../src/model/predict.js';
import { refusal } from '../refusal.js';

const teacher = embeddedModel('teacher');
const base = embeddedModel('base');
const { vocabSize, maxLength } = teacher;
const ids = (from: number, count: number) =>
	Array.from({ length: count }, (_, i) => (from + 37 * i) % vocabSize);

/** The definition: one model, one text, one step at a time. */
function slowly(model: typeof teacher, prefix: readonly number[]): Float64Array {
	const batch = model.newBatch(1);
	let logits = new Float32Array(0);
	for (const id of prefix) logits = batch.step(Int32Array.of(id)).slice();
	const odds = Float64Array.from(logits, Math.exp);
	const total = odds.reduce((sum, value) => sum + value, 0);
	return odds.map((value) => value / total);
}

describe('along texts', () => {
	it('each model shows its own distribution, listed from a least probability on', () => {
		const texts = [ids(5, 9), ids(100, 4), ids(7, 1), []];
		let shown = 0;
		predictAlong([teacher, base], texts, 0.01, (text, at, predictions) => {
			shown++;
			[teacher, base].forEach((model, j) => {
				const want = slowly(model, texts[text].slice(0, at));
				const { tokens, of } = predictions[j];
				for (let token = 0; token < vocabSize; token += 101) expect(of(token)).toBeCloseTo(want[token], 5);
				expect([...tokens].every((token) => of(token) >= 0.01)).toBe(true);
				const listed = [...want].filter((p) => p >= 0.0101).length;
				expect(tokens.length).toBeGreaterThanOrEqual(listed);
				expect(tokens.length).toBeLessThanOrEqual([...want].filter((p) => p >= 0.0099).length);
			});
		});
		expect(shown).toBe(8 + 3);
	});

	it.each([1, 2, maxLength, maxLength + 1, maxLength + 2, 3 * maxLength + 5])(
		'every position of a text of %i ids but the first is shown once',
		(length) => {
			const shown: number[] = [];
			predictAlong([teacher], [ids(3, length)], 1, (_, at) => shown.push(at));
			expect(shown.sort((a, b) => a - b)).toEqual(Array.from({ length: length - 1 }, (_, i) => i + 1));
		},
	);

	it('positions that nobody wants are not shown', () => {
		const shown: number[][] = [];
		const wanted = (text: number, at: number) => text === 1 && at % 2 === 0;
		predictAlong([base], [ids(3, 6), ids(9, 7)], 1, (text, at) => shown.push([text, at]), wanted);
		expect(shown).toEqual([
			[1, 2],
			[1, 4],
			[1, 6],
		]);
	});

	it('models of several vocabularies are refused', () => {
		const other = { ...base, vocabSize: 17 };
		expect(refusal(() => predictAlong([teacher, other], [[1, 2]], 1, () => undefined))).toMatch(
			/vocabularies of different sizes/,
		);
	});
});

describe('along answers', () => {
	/** What is shown, as "context>token". */
	const shown = (prompt: number[], answer: number[], width: number) => {
		const seen: string[] = [];
		predictAnswers([base], [{ prompt, answer }], width, 1, (context, token) => {
			seen.push(`${context.join()}>${token}`);
		});
		return seen;
	};
	it('contexts lie in the answer', () => {
		expect(shown([1, 2], [3, 4, 5, 6], 1)).toEqual(['3>4', '4>5', '5>6']);
		expect(shown([1, 2], [3, 4, 5, 6], 2)).toEqual(['3,4>5', '4,5>6']);
		expect(shown([1, 2], [3, 4], 2)).toEqual([]);
	});
	it('and do not occur in the prompt, at its end either', () => {
		expect(shown([1, 4], [3, 4, 5, 1, 6], 1)).toEqual(['3>4', '5>1']);
		expect(shown([4, 5, 1], [3, 4, 5, 1, 6], 2)).toEqual(['3,4>5']);
		// Those of another exchange do.
		const seen: string[] = [];
		const exchanges = [
			{ prompt: [4], answer: [3, 4, 5] },
			{ prompt: [3], answer: [3, 4, 5] },
		];
		predictAnswers([base], exchanges, 1, 1, (context, token) => seen.push(`${context.join()}>${token}`));
		expect(seen.sort()).toEqual(['3>4', '4>5']);
	});
	it('without a context: tokens that the prompt does not hold', () => {
		expect(shown([1, 4], [3, 4, 5, 1, 6], 0)).toEqual(['>3', '>5', '>6']);
		expect(shown([], [3, 4], 0)).toEqual(['>4']);
	});
	it('predictions see the prompt', () => {
		const found: number[] = [];
		for (const prompt of [[9], [10]])
			predictAnswers([teacher], [{ prompt, answer: [3, 4] }], 1, 0.5, (_, token, [prediction]) => {
				found.push(Math.log(prediction.of(token)));
			});
		expect(found[0]).toBeCloseTo(Math.log(slowly(teacher, [9, 3])[4]), 4);
		expect(found[1]).toBeCloseTo(Math.log(slowly(teacher, [10, 3])[4]), 4);
		expect(found[0]).not.toBeCloseTo(found[1], 1);
	});
});
