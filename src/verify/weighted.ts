/**
 * The test of T = Σ W·x: weights that were fixed without the key, scores under it.
 *
 * @module
 */
import { badInput } from '../errors.js';
import { heldOutKey } from '../keys/derive.js';
import { bindMark, type Mark } from '../marks/mark.js';
import type { MarkSpec } from '../marks/mark-spec.js';
import { SCORE_UNIT } from '../schemes/fixed-log.js';
import {
	bernoulliPower,
	newWeightedSum,
	type ScoreLaw,
	type WeightedSum,
	weightedScore,
} from '../stats/index.js';
import { ln } from '../stats/portable.js';
import { givenPairs, newEffectivePairs } from './effective-pairs.js';
import type { HeldOutSample } from './held-out.js';
import type { GivenWindows } from './pairs.js';
import type { PairWeights } from './residuals.js';
import { newRowSet } from './row-set.js';
import { type Decision, resultOf, type TestResult } from './test-result.js';

const NOTHING_GIVEN: GivenWindows = { rows: new Uint32Array(0), size: 0 };

/** Distinct effective pairs with their weights; several windows of one pair have one score, and their weights add up. */
interface EffectiveWeights {
	readonly rows: Uint32Array;
	readonly weights: Float64Array;
	/** Which list each pair is from. */
	readonly lists: readonly number[];
}

function effectiveWeights(
	{ rows, weights, contextWidth }: PairWeights,
	mark: Mark,
	given: GivenWindows,
): EffectiveWeights {
	if (isWindowed(mark)) return { rows, weights, lists: [] };
	const copied = givenPairs(mark, given);
	const pairs = newEffectivePairs(mark);
	const sums: number[] = [];
	for (let i = 0; i < weights.length; i++)
		for (const pair of pairs.enter(rows, i * (contextWidth + 1), copied))
			sums[pair] = (sums[pair] ?? 0) + weights[i];
	const { data, size, words } = pairs.rows;
	return { rows: data.subarray(0, size * words), weights: Float64Array.from(sums), lists: pairs.lists() };
}

/** Whether windows are effective pairs, whatever the key. */
function isWindowed({ scheme, spec }: Mark): boolean {
	return scheme.effective === undefined && spec.selector === 'all';
}

/**
 * The law of one score, for weights of either sign and for scores that come one after another.
 *
 * @throws TouchmarkError `bad-input` for a mark of which such sums have no proven bound
 */
export function scoreLaw({ spec, scheme }: Mark): ScoreLaw {
	const law = scheme.null;
	const refuse = (why: string) => badInput(`mark ${spec.prf} ${spec.scheme.name}: ${why}`);
	if (law.kind === 'held-out') throw refuse('no law of its scores is known; it cannot be weighted');
	// A table is sampled without replacement, and bits of google-deepmind's hash pass for independent in few pairs only.
	if (scheme.mostPairs !== undefined || spec.prf === 'transformers-synthid-v1')
		throw refuse(
			'weights of either sign, or scores one after another, have no proven bound under this generator; use the closed test ' +
				'without references',
		);
	return law;
}

/** One key's score of the weights. */
interface Observed {
	readonly sum: WeightedSum;
	readonly observed: number;
	readonly scored: number;
	/** Standard deviations of T above its mean under the null. */
	readonly deviations: number;
}

/** Scores weights under any key of one mark; the law of T is made before a score is known. */
function observerOf(pairs: PairWeights, spec: MarkSpec, given: GivenWindows): (mark: Mark) => Observed {
	if (pairs.contextWidth !== spec.contextWidth)
		throw badInput(
			`weights are for contexts of ${pairs.contextWidth} ids, but the mark's have ${spec.contextWidth}`,
		);
	const window = pairs.contextWidth + 1;
	const distinct = newRowSet(window);
	distinct.addRows(pairs.rows, pairs.weights.length);
	if (distinct.size * window !== pairs.rows.length)
		throw badInput('weights must have one window each, all distinct: no score may be counted twice');
	let shared: WeightedSum | undefined;
	return (mark) => {
		const { rows, weights, lists } = effectiveWeights(pairs, mark, given);
		const law = scoreLaw(mark);
		const sum =
			shared ?? newWeightedSum(law, weights, law.kind === 'bernoulli' && law.lists ? lists : undefined);
		if (isWindowed(mark)) shared = sum;
		const scores = new Float64Array(weights.length);
		mark.scheme.scores(rows, weights.length, scores);
		for (let i = 0; i < scores.length; i++) scores[i] /= SCORE_UNIT;
		const observed = weightedScore(weights, scores);
		const deviations = sum.deviation > 0 ? (observed - sum.mean) / sum.deviation : 0;
		return { sum, observed, scored: weights.length, deviations };
	};
}

/** One set of weights, to be tested under keys of one mark. */
export interface WeightedTest {
	/**
	 * Tests the weights under a key. `score` of the result is in standard deviations of T under the null, and so is
	 * `effect.mean`.
	 */
	test(mark: Mark, decision: Decision): TestResult;
	/**
	 * Ranks a result among keys that were never deployed, by standard deviations of T.
	 *
	 * @param result of `test` for this mark
	 * @param corpusDigest hexadecimal; with the mark it fixes the keys
	 */
	heldOut(result: TestResult, mark: Mark, corpusDigest: string, count: number): HeldOutSample;
}

/**
 * Prepares the test of weights.
 *
 * @param given windows of the suspect's prompts: effective pairs that occur there are not scored, where an effective
 *   pair is less than its window
 * @throws TouchmarkError `bad-input` for weights of another context width, a window that occurs twice, or, under a key, a
 *   mark whose weighted sums have no proven bound
 */
export function newWeightedTest(
	pairs: PairWeights,
	spec: MarkSpec,
	given: GivenWindows = NOTHING_GIVEN,
): WeightedTest {
	const observe = observerOf(pairs, spec, given);
	return {
		test(mark, decision) {
			const { sum, observed, scored, deviations } = observe(mark);
			const logLevel = ln(decision.level / decision.hypotheses) - decision.searchBits * Math.LN2;
			return resultOf(mark, decision, {
				statistic: 'weighted-sum',
				scored,
				score: deviations,
				logP: scored === 0 ? 0 : sum.logP(observed),
				logE: sum.logE(observed),
				effect: { mean: scored === 0 ? null : deviations, expected: 0, ci95: null },
				power: weightedPower(pairs.weights, logLevel),
			});
		},
		heldOut(result, mark, corpusDigest, count) {
			const nulls = Array.from({ length: count }, (_, index) =>
				observe(bindMark(mark.spec, heldOutKey(mark.spec, mark.id, corpusDigest, index))),
			);
			const rank = 1 + nulls.filter(({ deviations }) => deviations >= result.score).length;
			return {
				heldOut: { count, rank, pValue: rank / (count + 1) },
				log10Ps: nulls.map(({ sum, observed }) => sum.estimateLogP(observed) / Math.LN10),
			};
		},
	};
}

/** Tests weights under one key: {@link newWeightedTest}. */
export function testWeighted(pairs: PairWeights, mark: Mark, decision: Decision): TestResult {
	return newWeightedTest(pairs, mark.spec).test(mark, decision);
}

/** Correlation of weight and score that power is stated for: on the bench, of a student with 5 % marked text. */
const NOMINAL_CORRELATION = 0.03;

/**
 * Probability of reaching a level at the nominal correlation r: T then lies r·Σ|W|/√ΣW² standard deviations high, as
 * the sum of (Σ|W|)²/ΣW² scores of equal weight does.
 *
 * @param logLevel natural logarithm
 */
function weightedPower(weights: Float64Array, logLevel: number): number {
	let sizes = 0;
	let squares = 0;
	for (const weight of weights) {
		sizes += Math.abs(weight);
		squares += weight ** 2;
	}
	if (!(squares > 0)) return 0;
	return bernoulliPower(Math.floor(sizes ** 2 / squares), 0.5, 0.5 + NOMINAL_CORRELATION / 2, logLevel);
}
