/**
 * The sequential test under optional stopping: an innocent student's answers, a fresh key for every test, stopped at the
 * first answer that reaches the level.
 *
 * @module
 */
import { createMarker } from '../src/embed/marker.js';
import { randomStream } from '../src/embed/random.js';
import {
	type EmbeddedModel,
	embeddedModel,
	embeddedPrompts,
	embeddedTokenizer,
} from '../src/generate/embedded.js';
import { sampleTexts } from '../src/generate/sample.js';
import { bindMark } from '../src/marks/mark.js';
import type { MarkSpec } from '../src/marks/mark-spec.js';
import { newSequentialTest, type SequentialAnswer } from '../src/verify/sequential.js';
import { freshKey } from './fresh-marks.js';

/** Levels of the rule "e ≥ 20" and "e ≥ 100". */
export const SEQUENTIAL_LEVELS = [0.05, 0.01];

/** Answers of a shipped model to the last of the shipped prompts, without any mark on their sampling. */
export function studentAnswers(model: EmbeddedModel, answers: number, maxTokens: number) {
	const transformer = embeddedModel(model);
	const tokenizer = embeddedTokenizer();
	const samples = sampleTexts({
		model: transformer,
		tokenizer,
		marker: createMarker({
			marks: [],
			vocabSize: transformer.vocabSize,
			specialTokens: tokenizer.specialTokens,
		}),
		prompts: embeddedPrompts().slice(-answers),
		maxTokens,
		seed: 'sequential',
	});
	return [...samples].map(({ promptTokens, tokens }) => ({ prompt: [...promptTokens], answer: [...tokens] }));
}

/**
 * Shares of tests that ever reach each level, looked at after every answer.
 *
 * @param tests each under a key of its own
 */
export function sequentialRates(
	answers: readonly SequentialAnswer[],
	spec: MarkSpec,
	tests: number,
	seed: string,
): { tests: number; rates: { level: number; rate: number }[] } {
	const random = randomStream(`sequential/${seed}`);
	const reached = SEQUENTIAL_LEVELS.map(() => 0);
	for (let test = 0; test < tests; test++) {
		const sequential = newSequentialTest(bindMark(spec, freshKey(spec, random)));
		// −log10 p is that of the largest e so far: a test that stopped at a crossing has crossed.
		for (const answer of answers) sequential.add(answer);
		const { log10P } = sequential.result();
		SEQUENTIAL_LEVELS.forEach((level, i) => {
			if (log10P <= Math.log10(level)) reached[i]++;
		});
	}
	return { tests, rates: SEQUENTIAL_LEVELS.map((level, i) => ({ level, rate: reached[i] / tests })) };
}
