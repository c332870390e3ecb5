/**
 * From a tally to a p-value: one test, one result schema for everything that ends in a p-value.
 *
 * @module
 */

import { z } from 'zod';
import type { Mark } from '../marks/mark.js';
import { bonferroniLog } from '../stats/index.js';
import { exp, ln, log10 } from '../stats/portable.js';
import { effectOf, logEValue, logPValue, powerOf, type Strength } from './null-law.js';
import { scoreOf, type Tally } from './tally.js';

/** What a test can say. `no-evidence` never means "not distilled" or "not marked". */
export const Verdict = z.enum(['marked', 'trained-on-marked', 'exposed', 'no-evidence', 'too-little-data']);
export type Verdict = z.infer<typeof Verdict>;

/** Rank of the true key among keys that were never deployed. */
export const HeldOut = z.object({
	count: z.int().min(1),
	/** 1 = the true key scores highest; ties count against it. */
	rank: z.int().min(1),
	/** Monte-Carlo p-value rank / (count + 1), valid without any theory. */
	pValue: z.number(),
});
export type HeldOut = z.infer<typeof HeldOut>;

/** One test of one mark. */
export const TestResult = z.object({
	/** Id of the mark. */
	mark: z.string(),
	scheme: z.string(),
	channel: z.enum(['shape', 'choice']),
	/**
	 * What was tested: the sum of the scores; for edited gumbel text the truncated goodness of fit; green lists with
	 * weights from token entropies; a sum with weights that were fixed without the key (score in standard deviations); or an alignment, which is never evidence by itself.
	 */
	statistic: z.enum(['sum', 'weighted-sum', 'goodness-of-fit', 'entropy-weighted', 'alignment']),
	/** Distinct effective pairs scored. */
	scored: z.int().min(0),
	/** Sum of the scores: green pairs, nats for gumbel, ones for tournaments. */
	score: z.number(),
	/** Upper bound of the probability of such a score under the null; 0 when below 1e-308, see `log10P`. */
	pValue: z.number().min(0).max(1),
	log10P: z.number().max(0),
	/** log10 of a mixture e-value. */
	log10E: z.number(),
	/** Tests that the verdict is corrected for. */
	hypotheses: z.int().min(1),
	/** Bits of key space that a search could have gone through, when the key was not committed beforehand. */
	searchBits: z.int().min(0),
	/** log10P after correction for both. */
	log10PCorrected: z.number().max(0),
	effect: z.object({
		/** Mean score of a pair, its value under the null, and a 95 % interval of the mean. */
		mean: z.number().nullable(),
		expected: z.number(),
		ci95: z.tuple([z.number(), z.number()]).nullable(),
	}),
	/** Probability of a verdict at this level, had the text the nominal strength. */
	power: z.number().min(0).max(1),
	heldOut: HeldOut.optional(),
});
export type TestResult = z.infer<typeof TestResult>;

/** How a verdict is reached. */
export interface Decision {
	/** Family-wise error rate, e.g. 1e-6. */
	readonly level: number;
	readonly hypotheses: number;
	readonly searchBits: number;
}

/** Default level. */
export const DEFAULT_LEVEL = 1e-6;

/** What one kind of test has to say; the rest of a result follows. */
export interface Outcome {
	readonly statistic: TestResult['statistic'];
	readonly scored: number;
	readonly score: number;
	/** ln of the p-value, ≤ 0. */
	readonly logP: number;
	/** ln of an e-value; 0 when there is none. */
	readonly logE?: number;
	readonly effect: TestResult['effect'];
	readonly power?: number;
}

/** The result of a test, corrected. */
export function resultOf(mark: Mark, decision: Decision, outcome: Outcome): TestResult {
	const { logP, logE = 0, statistic, scored, score, effect, power = 0 } = outcome;
	const { hypotheses, searchBits } = decision;
	return {
		mark: mark.id,
		scheme: mark.spec.scheme.name,
		channel: mark.spec.channel,
		statistic,
		scored,
		score,
		pValue: exp(logP),
		log10P: toLog10(logP),
		log10E: toLog10(logE),
		hypotheses,
		searchBits,
		log10PCorrected: toLog10(bonferroniLog(logP, hypotheses, searchBits)),
		effect,
		power,
	};
}

/**
 * Tests a tally against the law of its mark.
 *
 * @param strength what the power is stated for
 */
export function testTally(tally: Tally, mark: Mark, decision: Decision, strength: Strength): TestResult {
	const law = mark.scheme.null;
	const logLevel = ln(decision.level / decision.hypotheses) - decision.searchBits * Math.LN2;
	return resultOf(mark, decision, {
		statistic: 'sum',
		scored: tally.scored,
		score: scoreOf(tally),
		logP: Math.min(0, logPValue(tally, law)),
		logE: logEValue(tally, law),
		effect: effectOf(tally, law),
		power: powerOf(tally.scored, mark, strength, logLevel),
	});
}

/**
 * Bits of key space that a verdict pays for, when the keys were not committed beforehand: the same for all marks, or
 * one number a mark.
 */
export type SearchBits = number | ((mark: Mark) => number);

/** The bits for one mark; 0 unless given. */
export function searchBitsOf(searchBits: SearchBits | undefined, mark: Mark): number {
	return typeof searchBits === 'function' ? searchBits(mark) : (searchBits ?? 0);
}

/** Whether a test reaches the level after correction. */
export function isFound(test: Pick<TestResult, 'log10PCorrected'>, level: number): boolean {
	return test.log10PCorrected <= log10(level);
}

/** Whether a verdict says that something was found. */
export function isFinding(verdict: Verdict): boolean {
	return verdict !== 'no-evidence' && verdict !== 'too-little-data';
}

/** log10 of exp(x), with no negative zero. */
export function toLog10(x: number): number {
	return x / Math.LN10 + 0;
}
