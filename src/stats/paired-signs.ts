/**
 * Tests of paired differences whose signs are fair coins: given the magnitudes |d|, each sign is + or − with
 * probability ½, independently (Fisher's randomisation test, "The Design of Experiments" 1935). Whatever is computed
 * from the magnitudes alone (ranks, weights, scales) may be used without losing exactness.
 *
 * @module
 */
import { exp, ln, log1p } from './portable.js';
import { logBinomialUpperTail } from './tails.js';
import { logWeightedBernoulliUpperTail } from './weighted-bernoulli.js';

/** One difference that is not zero. */
export interface SignedPair {
	/** Whether the difference is positive. */
	readonly positive: boolean;
	/** |d| > 0, finite. */
	readonly magnitude: number;
}

function check(pairs: readonly SignedPair[]): void {
	for (const { magnitude } of pairs)
		if (!(magnitude > 0 && magnitude < Infinity))
			throw new RangeError(`magnitude must be a finite number > 0, not ${magnitude}`);
}

/** The sign test: ln P(Bin(n, ½) ≥ positives). */
export function logSignTest(pairs: readonly SignedPair[]): number {
	check(pairs);
	return logBinomialUpperTail(pairs.filter(({ positive }) => positive).length, pairs.length, 0.5);
}

/**
 * Wilcoxon's signed-rank test, "Individual comparisons by ranking methods" (1945): ln P(Σ rank·B ≥ the sum of the ranks
 * of the positive differences), B fair coins; equal magnitudes share their mean rank. Exact by convolution up to about
 * 250 pairs, a rigorous bound beyond (`logWeightedBernoulliUpperTail`).
 */
export function logSignedRankTest(pairs: readonly SignedPair[]): number {
	check(pairs);
	return logWeightedSigns(pairs, midranks(pairs.map(({ magnitude }) => magnitude)));
}

/** The same with magnitudes themselves as weights, none above `cap` medians. */
export function logClippedSumTest(pairs: readonly SignedPair[], cap: number): number {
	check(pairs);
	const magnitudes = pairs.map(({ magnitude }) => magnitude);
	const most = cap * median(magnitudes);
	return logWeightedSigns(
		pairs,
		magnitudes.map((magnitude) => Math.min(magnitude, most)),
	);
}

function logWeightedSigns(pairs: readonly SignedPair[], weights: readonly number[]): number {
	if (pairs.length === 0) return 0;
	const sum = weights.reduce((total, weight, i) => total + (pairs[i].positive ? weight : 0), 0);
	const counts = new Map<number, number>();
	for (const weight of weights) counts.set(weight, (counts.get(weight) ?? 0) + 1);
	const groups = [...counts].map(([weight, count]) => ({ weight, count, p: 0.5 }));
	return logWeightedBernoulliUpperTail(groups, sum);
}

/** Ranks from 1; equal values share the mean of theirs. */
export function midranks(values: readonly number[]): number[] {
	const order = values.map((_, i) => i).sort((a, b) => values[a] - values[b]);
	const ranks = new Array<number>(values.length);
	for (let from = 0; from < order.length; ) {
		let to = from;
		while (to < order.length && values[order[to]] === values[order[from]]) to++;
		for (let at = from; at < to; at++) ranks[order[at]] = (from + 1 + to) / 2;
		from = to;
	}
	return ranks;
}

/** The lower median; 0 for no values. */
function median(values: readonly number[]): number {
	const sorted = [...values].sort((a, b) => a - b);
	return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}

/** What a bet is made of: |d| in medians, none above a cap, times a strength. Fixed before any data were seen. */
export const CAPS = [1, 2, 5] as const;
export const STRENGTHS = [0.25, 0.5, 1, 2, 4] as const;

/** ln of one bet, 2 / (1 + e^(−k·w)) on the sign that came, or 2 / (1 + e^(k·w)) on the other. */
export function logBet(positive: boolean, exponent: number): number {
	return Math.LN2 - log1p(exp(positive ? -exponent : exponent));
}

/** Bets on pairs as they come. */
export interface SignBets {
	/** ln of the e-value so far; 0 before the first pair. */
	readonly logE: number;
	/** Pairs so far. */
	readonly count: number;
	/** Takes one more pair. @returns the new `logE` */
	add(pair: SignedPair): number;
}

/**
 * An e-process over pairs. For normal differences of mean μ and variance σ², the likelihood ratio of a sign given |d| is
 * 2 / (1 + e^(−k·s·|d|/σ)) against ½, with k = 2μ/σ. The two values of such a factor add up to 2, so its expectation
 * under a fair sign is 1 whatever k and the scale, as long as neither depends on this sign or a later one. The process is
 * the mean of 15 products: |d| in medians, cut at 1, 2 or 5 of them, times k from ¼ to 4. By Ville's inequality it ever
 * reaches 1/α with probability at most α.
 *
 * @param magnitudes all of them, where they are known before the first sign: their median is the scale. Without, it is
 *   the median of those so far, the present one included.
 */
export function newSignBets(magnitudes?: readonly number[]): SignBets {
	const logs = new Float64Array(CAPS.length * STRENGTHS.length);
	const seen: number[] = [];
	const fixed = magnitudes === undefined ? undefined : median(magnitudes);
	let count = 0;
	let logE = 0;
	return {
		get logE() {
			return logE;
		},
		get count() {
			return count;
		},
		add(pair) {
			check([pair]);
			count++;
			if (fixed === undefined) insert(seen, pair.magnitude);
			const scale = fixed ?? seen[Math.floor((seen.length - 1) / 2)];
			let i = 0;
			for (const cap of CAPS) {
				const weight = Math.min(cap, pair.magnitude / scale);
				for (const strength of STRENGTHS) logs[i++] += logBet(pair.positive, strength * weight);
			}
			const largest = logs.reduce((most, log) => Math.max(most, log), -Infinity);
			logE = largest + ln(logs.reduce((sum, log) => sum + exp(log - largest), 0) / logs.length);
			return logE;
		},
	};
}

/** Puts a value in its place in an ascending list. */
function insert(sorted: number[], value: number): void {
	let low = 0;
	let high = sorted.length;
	while (low < high) {
		const middle = (low + high) >>> 1;
		if (sorted[middle] < value) low = middle + 1;
		else high = middle;
	}
	sorted.splice(low, 0, value);
}

/** ln of the e-value of all pairs at once, scaled by the median of all magnitudes. */
export function logESigns(pairs: readonly SignedPair[]): number {
	const bets = newSignBets(pairs.map(({ magnitude }) => magnitude));
	for (const pair of pairs) bets.add(pair);
	return bets.logE;
}
