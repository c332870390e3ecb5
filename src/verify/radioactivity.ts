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
import {
	DEFAULT_LEVEL,
	HeldOut,
	isFound,
	type SearchBits,
	searchBitsOf,
	TestResult,
	testTally,
	Verdict,
} from './test-result.js';

/** One exchange with the suspect, as token ids. */
export interface Exchange {
	readonly prompt: readonly number[];
	readonly answer: readonly number[];
}

/** The headline is the strongest test of the shape channel, or of the choice channel where there is no other. */
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
	/** Default 0: every key was committed beforehand. */
	readonly searchBits?: SearchBits;
	/** Keys never deployed that the true key is ranked against. Default 99. */
	readonly heldOutKeys?: number;
}

/**
 * Tests what a suspect wrote for inherited marks.
 *
 * Contexts of each prompt are excluded from its answer, and each distinct pair is scored once over all answers.
 *
 * @param marks any of either channel; the verdict is corrected for their number
 * @returns the result, and the null sample behind `heldOut` for each mark
 * @throws TouchmarkError `bad-input` for no mark, or one that is found by alignment
 */
export function radioactivity(
	exchanges: readonly Exchange[],
	marks: readonly Mark[],
	options: RadioactivityOptions = {},
): { result: RadioactivityResult; nulls: HeldOutSample[] } {
	const { level = DEFAULT_LEVEL, searchBits, heldOutKeys = 99 } = options;
	if (marks.length === 0) throw badInput('give a mark to look for');
	if (marks.some((mark) => mark.scheme.align !== undefined))
		throw badInput('a mark that is found by alignment is no evidence of training; leave it out');
	const hasShape = marks.some((mark) => mark.spec.channel === 'shape');
	const corpusDigest = bytesToHex(sha256(canonicalBytes(exchanges)));

	const nulls: HeldOutSample[] = [];
	const tests = marks.map((mark): TestResult => {
		const decision = { level, hypotheses: marks.length, searchBits: searchBitsOf(searchBits, mark) };
		const pairs = newPairSet(mark.spec);
		for (const { prompt, answer } of exchanges) pairs.add(answer, prompt);
		// A relay of the marked model would show the choice channel at full strength.
		const strength = mark.spec.channel === 'choice' && hasShape ? 'marked-text' : 'student';
		const test = testTally(tallyPairs(pairs, mark), mark, decision, strength);
		const sample = heldOutSample(pairs, mark, corpusDigest, heldOutKeys);
		nulls.push(sample);
		return { ...test, heldOut: sample.heldOut };
	});
	const strongest = (some: readonly TestResult[]): TestResult =>
		some.reduce((best, test) => (test.log10P < best.log10P ? test : best));
	const shapes = tests.filter((test) => test.channel === 'shape');
	const choices = tests.filter((test) => test.channel === 'choice');
	const headline = strongest(hasShape ? shapes : choices);
	const verdict = verdictOf(headline, hasShape ? choices : [], level);
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
function verdictOf(headline: TestResult, choices: readonly TestResult[], level: number): Verdict {
	if (choices.some((choice) => isFound(choice, level))) return 'marked';
	if (isFound(headline, level))
		return choices.every((choice) => choice.power >= 0.5) ? 'trained-on-marked' : 'too-little-data';
	return headline.power >= 0.5 ? 'no-evidence' : 'too-little-data';
}
