/** A shipped student against the very texts that it was trained on, made again from their seeds. */
import { describe, expect, it } from 'vitest';
import { createMarker } from '../../src/embed/marker.js';
import {
	type EmbeddedModel,
	embeddedModel,
	embeddedPrompts,
	embeddedTokenizer,
} from '../../src/generate/embedded.js';
import { sampleTexts } from '../../src/generate/sample.js';
import { tokenLogProbabilities } from '../../src/model/likelihood.js';
import { newExposure } from '../../src/verify/exposure.js';
import { type Likelihood, likelihoodMeasure } from '../../src/verify/exposure-measures.js';

const PAIRS = 64;
const tokenizer = embeddedTokenizer();
const teacher = embeddedModel('teacher');

/** As `models/README.md` and `bench/distillation/README.md` say that training texts were made. */
function sample(seed: string) {
	const { vocabSize } = teacher;
	const marker = createMarker({ marks: [], vocabSize, specialTokens: tokenizer.specialTokens });
	const prompts = embeddedPrompts().slice(0, PAIRS);
	return [...sampleTexts({ model: teacher, tokenizer, marker, prompts, maxTokens: 113, seed })];
}

const likelihood = (name: EmbeddedModel): Likelihood => {
	const model = embeddedModel(name);
	return (texts) =>
		tokenLogProbabilities(
			model,
			texts.map(({ prompt, text }) => ({ prompt: tokenizer.encode(prompt), answer: tokenizer.encode(text) })),
		);
};

describe('a transformer student', () => {
	it('is found to know the texts that it was trained on; one that was trained on others is not', () => {
		const served = sample('train-unmarked');
		const redrawn = sample('redrawn');
		const pairs = served.map(({ id, prompt, text }, i) => {
			const [a, b] = [text, redrawn[i].text].sort();
			return { id, account: null, prompt, a, b };
		});
		const coins = pairs.map(({ id, a }, i) => ({
			id,
			served: a === served[i].text ? ('a' as const) : ('b' as const),
		}));
		const trial = newExposure({ pairs, retrospective: true });
		const references = [likelihood('teacher'), likelihood('base')];
		const test = (name: EmbeddedModel) =>
			trial.measure(likelihoodMeasure(likelihood(name), references)).open(coins);
		const student = test('student-unmarked');
		expect(student.verdict).toBe('exposed');
		expect(student.servedPreferred).toBeGreaterThan(55);
		expect(student.log10E).toBeGreaterThan(6);
		const innocent = test('student-marked');
		expect(innocent.verdict).toBe('too-little-data');
		expect(innocent.log10P).toBeGreaterThan(-3);
	});
});
