/**
 * Exact tail probabilities in natural logarithms: binomial, and gamma with an integer shape (a Poisson
 * sum). Every p-value of this project comes from here, and none from a normal approximation.
 *
 * A tail is its first point probability (`pmf.ts`) times 1 + r₁ + r₁r₂ + …, the ratios of neighbouring
 * point probabilities, in the direction in which they fall. All terms are positive. The tail on the other
 * side of the mean is the complement, by {@link log1mExp}, and is never close to 1 where that is used.
 *
 * Accuracy, against 70-digit references (test/vectors/tails.json): the relative error of the logarithm is
 * below 1e-15 at log10 p of −10 and deeper (−5000, −1e8, …), below 2e-14 near the mean of 1e9 trials. Only
 * where p is so close to 1 that its logarithm is −1e-250 is it as much as 3e-13. Cost: at most about 9
 * standard deviations of steps (1 ms at 1e9 trials, 30 ms at 1e12), a handful in the far tails.
 *
 * @module
 */

import { distanceFromMean, logBinomialPmf, logPoissonPmf } from './pmf.js';
import { exp, expm1, ln, log1p } from './portable.js';

/** The largest count (trials, shape) that the functions take; accuracy is tested up to here. */
export const MAX_COUNT = 1e12;

export function checkCount(name: string, value: number, smallest = 0): void {
	if (!Number.isInteger(value) || value < smallest || value > MAX_COUNT) {
		throw new RangeError(`${name} must be an integer from ${smallest} to ${MAX_COUNT}, not ${value}`);
	}
}

export function checkProbability(name: string, value: number): void {
	if (!(value >= 0 && value <= 1)) throw new RangeError(`${name} must be from 0 to 1, not ${value}`);
}

/**
 * ln(1 − e^x) for x ≤ 0, to about one unit in the last place; −∞ at 0.
 *
 * @see M. Mächler, "Accurately computing log(1 − exp(−|a|))" (2012), equation 7.
 */
export function log1mExp(x: number): number {
	if (!(x <= 0)) throw new RangeError(`log1mExp takes a number ≤ 0, not ${x}`);
	// The + 0 makes 0 of −0, which log1p gives when e^x underflows.
	return (x > -Math.LN2 ? ln(-expm1(x)) : log1p(-exp(x))) + 0;
}

/**
 * 1 + r₁ + r₁r₂ + … up to r₁…r_last, where 1 − r_k = (a + k) / (b + c·k).
 *
 * Both families have ratios of this form. Working with 1 − r_k, which is small near the mean and known to
 * full relative precision, keeps 1e5 steps from adding up 1e5 roundings of the same ratio; the sum is
 * compensated (Kahan 1965). Ratios fall with k (both families are log-concave), so what is left out after
 * a term is at most term · r/(1 − r).
 */
export function sumOfFallingTerms(last: number, a: number, b: number, c: number): number {
	let sum = 1;
	let lost = 0;
	let term = 1;
	for (let k = 1; k <= last; k++) {
		const drop = (a + k) / (b + c * k);
		term -= term * drop;
		const addend = term - lost;
		const next = sum + addend;
		lost = next - sum - addend;
		sum = next;
		if (term <= 1e-18 * drop * sum) break;
	}
	return sum;
}

/** ln P(X ≥ x), for x above the mean: 0 < p < 1, np < x ≤ n. r_k = (n−x−k+1)p / ((x+k)q). */
function binomialAbove(x: number, n: number, p: number): number {
	const q = 1 - p;
	const sum = sumOfFallingTerms(n - x, distanceFromMean(x, n, p) - p, x * q, q);
	return Math.min(0, logBinomialPmf(x, n, p) + ln(sum));
}

/** ln P(X ≤ x), for x below the mean: 0 < p < 1, 0 ≤ x < np. r_k = (x−k+1)q / ((n−x+k)p). */
function binomialBelow(x: number, n: number, p: number): number {
	const sum = sumOfFallingTerms(x, -distanceFromMean(x, n, p) - (1 - p), (n - x) * p, p);
	return Math.min(0, logBinomialPmf(x, n, p) + ln(sum));
}

/** ln P(N ≥ k), N ~ Poisson(mean), for k above the mean: 0 < mean < k. r_j = mean / (k+j). */
function poissonAbove(k: number, mean: number): number {
	const sum = sumOfFallingTerms(Infinity, k - mean, k, 1);
	return Math.min(0, logPoissonPmf(k, mean) + ln(sum));
}

/** ln P(N ≤ k), N ~ Poisson(mean), for k below the mean: 0 ≤ k < mean. r_j = (k−j+1) / mean. */
function poissonBelow(k: number, mean: number): number {
	const sum = sumOfFallingTerms(k, mean - k - 1, mean, 0);
	return Math.min(0, logPoissonPmf(k, mean) + ln(sum));
}

/**
 * ln P(X ≥ hits) for X ~ Binomial(trials, p): the p-value of that many hits or more.
 *
 * Also an upper bound for lists of exact size, for `hits` ≥ trials·p + 1: of k distinct tokens under one context a
 * hypergeometric number is green, whose law is that of independent trials of unequal probabilities (Vatutin and
 * Mikhailov 1982, "Limit theorems for the number of empty cells in an equiprobable scheme for group allocation of
 * particles"), so a sum over contexts is too; and that has no larger upper tail than the binomial with the mean
 * probability, from its mean + 1 on (Hoeffding 1956, "On the distribution of the number of successes in independent
 * trials"). `test/stats/exact-size-lists.test.ts` enumerates small cases.
 *
 * @param hits an integer ≥ 0; more than `trials` gives −∞
 * @param trials an integer from 0 to 1e12
 * @param p the probability of a hit, from 0 to 1, taken as the exact value of the double
 * @returns a natural logarithm, ≤ 0
 *
 * @example
 * logBinomialUpperTail(575_900, 1_000_000, 0.5) / Math.LN10 // −5025.686…
 */
export function logBinomialUpperTail(hits: number, trials: number, p: number): number {
	checkCount('trials', trials);
	checkCount('hits', hits);
	checkProbability('p', p);
	if (hits === 0) return 0;
	if (hits > trials || p === 0) return -Infinity;
	if (p === 1) return 0;
	return distanceFromMean(hits, trials, p) > 0
		? binomialAbove(hits, trials, p)
		: log1mExp(binomialBelow(hits - 1, trials, p));
}

/**
 * ln P(X ≤ hits) for X ~ Binomial(trials, p). Ranges as for {@link logBinomialUpperTail}; `hits` of
 * `trials` or more gives 0.
 */
export function logBinomialLowerTail(hits: number, trials: number, p: number): number {
	checkCount('trials', trials);
	checkCount('hits', hits);
	checkProbability('p', p);
	if (hits >= trials || p === 0) return 0;
	if (p === 1) return -Infinity;
	return distanceFromMean(hits, trials, p) < 0
		? binomialBelow(hits, trials, p)
		: log1mExp(binomialAbove(hits + 1, trials, p));
}

function checkGamma(shape: number, x: number): void {
	checkCount('shape', shape);
	if (!(x >= 0 && x < Infinity)) throw new RangeError(`x must be a finite number ≥ 0, not ${x}`);
}

/**
 * ln P(G ≥ x) for G ~ Gamma(shape, 1), the sum of `shape` independent Exp(1) scores: the p-value of a sum
 * of x or more. Equal to ln P(Poisson(x) < shape).
 *
 * @param shape an integer from 0 to 1e12; with 0 the sum is 0 for certain
 * @param x a finite number ≥ 0
 * @returns a natural logarithm, ≤ 0
 */
export function logGammaUpperTail(shape: number, x: number): number {
	checkGamma(shape, x);
	if (x === 0) return 0;
	if (shape === 0) return -Infinity;
	return shape - 1 < x ? poissonBelow(shape - 1, x) : log1mExp(poissonAbove(shape, x));
}

/**
 * ln P(G ≤ x) for G ~ Gamma(shape, 1). Equal to ln P(Poisson(x) ≥ shape). Ranges as for
 * {@link logGammaUpperTail}.
 */
export function logGammaLowerTail(shape: number, x: number): number {
	checkGamma(shape, x);
	if (shape === 0) return 0;
	if (x === 0) return -Infinity;
	return shape > x ? poissonAbove(shape, x) : log1mExp(poissonBelow(shape - 1, x));
}
