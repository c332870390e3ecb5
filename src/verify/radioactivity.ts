/**
 * Did this suspect model inherit the mark? The closed-model test: only what the suspect wrote is known.
 *
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { z } from 'zod';
import { badInput } from '../errors.js';
import type { Mark } from '../marks/mark.js';
import { canonicalBytes } from '../marks/mark-spec.js';
import { type HeldOutSample, heldOutSample } from './held-out.js';
import { newPairSet } from './pairs.js';
import { tallyPairs } from './tally.js';
import { DEFAULT_LEVEL, HeldOut, isFound, TestResult, testTally, Verdict } from './test-result.js';

/** One exchange with the suspect, as token ids. */
export interface Exchange {
	readonly prompt: readonly number[];
	readonly answer: readonly number[];
}

/** The headline is the shape channel's test (the only one, for marks of one channel). */
export const RadioactivityResult = TestResult.extend({
	mode: z.literal('closed'),
	/** SHA-256 of the exchanges in canonical JSON. */
	corpusDigest: z.string(),
	level: z.number(),
	heldOut: HeldOut,
	/** Other explanations that the test cannot rule out. */
	alternatives: z.array(z.enum(['relay'])),
	verdict: Verdict,
	tests: z.array(TestResult),
});
export type RadioactivityResult = z.infer<typeof RadioactivityResult>;

/** How to test. */
export interface RadioactivityOptions {
	/** Default 1e-6, corrected for the number of marks. */
	readonly level?: number;
	/** Bits of key space to pay for when the keys were not committed beforehand. Default 0. */
	readonly searchBits?: number;
	/** Keys never deployed that the true key is ranked against. Default 99. */
	readonly heldOutKeys?: number;
}

/**
 * Tests what a suspect wrote for inherited marks.
 *
 * Contexts of each prompt are excluded from its answer, and each distinct pair is scored once over all answers.
 *
 * @param marks one of each channel at most
 * @returns the result, and the null sample behind `heldOut` for each mark
 * @throws TouchmarkError `bad-input` for two marks of one channel, or none
 */
export function radioactivity(
	exchanges: readonly Exchange[],
	marks: readonly Mark[],
	options: RadioactivityOptions = {},
): { result: RadioactivityResult; nulls: HeldOutSample[] } {
	const { level = DEFAULT_LEVEL, searchBits = 0, heldOutKeys = 99 } = options;
	const shape = marks.find((mark) => mark.spec.channel === 'shape');
	const choice = marks.find((mark) => mark.spec.channel === 'choice');
	const tested = [shape, choice].filter((mark) => mark !== undefined);
	if (tested.length !== marks.length || tested.length === 0)
		throw badInput('give one shape mark, one choice mark, or one of each');
	const corpusDigest = bytesToHex(sha256(canonicalBytes(exchanges)));
	const decision = { level, hypotheses: tested.length, searchBits };

	const nulls: HeldOutSample[] = [];
	const tests = tested.map((mark): TestResult => {
		const pairs = newPairSet(mark.spec);
		for (const { prompt, answer } of exchanges) pairs.add(answer, prompt);
		// A relay of the marked model would show the choice channel at full strength.
		const strength = mark === choice && shape !== undefined ? 'marked-text' : 'student';
		const test = testTally(tallyPairs(pairs, mark), mark, decision, strength);
		const sample = heldOutSample(pairs, mark, corpusDigest, heldOutKeys);
		nulls.push(sample);
		return { ...test, heldOut: sample.heldOut };
	});
	const [headline, other] = tests as [TestResult, TestResult?];
	const verdict = verdictOf(headline, other, level);
	return {
		result: {
			...headline,
			mode: 'closed',
			corpusDigest,
			level,
			heldOut: headline.heldOut as HeldOut,
			alternatives: verdict === 'trained-on-marked' ? ['relay'] : [],
			verdict,
			tests,
		},
		nulls,
	};
}

/**
 * With one channel, a finding cannot tell a student from a relay. With two: choice found means that the text
 * itself is marked; shape alone means training, if the choice test would have seen a relay.
 */
function verdictOf(shape: TestResult, choice: TestResult | undefined, level: number): Verdict {
	if (choice !== undefined && isFound(choice, level)) return 'marked';
	if (isFound(shape, level))
		return choice === undefined || choice.power >= 0.5 ? 'trained-on-marked' : 'too-little-data';
	return shape.power >= 0.5 ? 'no-evidence' : 'too-little-data';
}
