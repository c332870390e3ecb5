/** Log-probabilities of given texts: against single steps, and by a cut that no other text changes. */
import { describe, expect, it } from 'vitest';
import { embeddedModel } from '../../src/generate/embedded.js';
import { tokenLogProbabilities } from '../../src/model/likelihood.js';
import { refusal } from '../refusal.js';

const model = embeddedModel('teacher');
const { vocabSize, maxLength } = model;
const ids = (from: number, count: number) =>
	Array.from({ length: count }, (_, i) => (from + 37 * i) % vocabSize);

/** The definition, one text and one step at a time. */
function slowly(prompt: readonly number[], answer: readonly number[]): number[] {
	const batch = model.newBatch(1);
	let logits = new Float32Array(0);
	for (const id of prompt) logits = batch.step(Int32Array.of(id)).slice();
	return answer.map((id) => {
		const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
		const found = logits[id] - Math.log(total);
		logits = batch.step(Int32Array.of(id)).slice();
		return found;
	});
}

describe('log-probabilities', () => {
	it('are those of single steps, whatever stands beside in a batch', () => {
		const texts = [
			{ prompt: ids(5, 16), answer: ids(90, 20) },
			{ prompt: ids(11, 3), answer: ids(7, 1) },
			{ prompt: ids(400, 30), answer: ids(1, 9) },
		];
		const all = tokenLogProbabilities(model, texts);
		texts.forEach(({ prompt, answer }, i) => {
			expect(all[i]).toHaveLength(answer.length);
			slowly(prompt, answer).forEach((value, t) => {
				expect(all[i][t]).toBeCloseTo(value, 4);
			});
			expect(tokenLogProbabilities(model, [texts[i]])[0]).toEqual(all[i]);
		});
	});

	it('stop where the window ends, and begin where something precedes', () => {
		const long = { prompt: ids(3, 16), answer: ids(50, 4 * maxLength) };
		const [cut] = tokenLogProbabilities(model, [long]);
		expect(cut).toHaveLength(maxLength + 1 - 16);
		const full = tokenLogProbabilities(model, [{ prompt: ids(3, 16), answer: ids(50, 20) }])[0];
		expect(cut.slice(0, 20)).toEqual(full);
		const [late] = tokenLogProbabilities(model, [{ prompt: ids(3, 9 * maxLength), answer: ids(50, 5) }]);
		expect(late).toHaveLength(5);
		const bare = tokenLogProbabilities(model, [
			{ prompt: [], answer: ids(50, 5) },
			{ prompt: [], answer: [] },
		]);
		expect(bare.map((logs) => logs.length)).toEqual([4, 0]);
	});

	it('are refused for ids that the model does not have', () => {
		const texts = [{ prompt: [1], answer: [vocabSize] }];
		expect(refusal(() => tokenLogProbabilities(model, texts))).toMatch(/outside the model's vocabulary/);
	});
});
