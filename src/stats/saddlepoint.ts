/**
 * The saddlepoint estimate of a tail (Lugannani and Rice 1980, "Saddle point approximation for the distribution of the
 * sum of independent random variables"): with κ′(θ) = x, w = √(2(θx − κ(θ))), u = θ√κ″(θ),
 *
 *     P(T ≥ x) ≈ 1 − Φ(w) + φ(w)·(1/u − 1/w).
 *
 * Its relative error is small (a few percent for tens of scores, for lattice sums half a step), but it is no bound, so
 * it is an estimate in all that we print. Near the mean, where 1/u − 1/w cancels, the first Edgeworth term is used.
 *
 * @module
 */
import type { CondensedWeights } from './condensed-weights.js';
import { exp, ln } from './portable.js';
import { largestTilt, type ScoreLaw, tiltedCumulants } from './score-law.js';

const HALF_LOG_TWO_PI = 0.9189385332046728;

/** Mills' ratio (1 − Φ(w))/φ(w), w ≥ 0: by the series of Φ − ½ below 3, by Laplace's continued fraction above. */
export function millsRatio(w: number): number {
	if (w < 3) {
		let term = w;
		let sum = w;
		for (let odd = 3; term > 1e-17 * sum; odd += 2) {
			term *= (w * w) / odd;
			sum += term;
		}
		return 0.5 * exp(HALF_LOG_TWO_PI + (w * w) / 2) - sum;
	}
	let fraction = w;
	for (let k = 80; k >= 1; k--) fraction = w + k / fraction;
	return 1 / fraction;
}

/** The chance that a standard normal is at most x. */
export function normalLowerTail(x: number): number {
	const size = Math.abs(x);
	const tail = millsRatio(size) * exp(-(size * size) / 2 - HALF_LOG_TWO_PI);
	return x < 0 ? tail : 1 - tail;
}

/** κ and its derivatives of T at θ. */
function cumulantsAt(law: ScoreLaw, { weights, masses }: CondensedWeights, theta: number) {
	const sum = { log: 0, mean: 0, variance: 0, third: 0 };
	for (let i = 0; i < weights.length; i++) {
		const weight = weights[i];
		const mass = masses[i];
		const one = tiltedCumulants(law, theta * weight);
		sum.log += mass * one.log;
		sum.mean += mass * weight * one.mean;
		sum.variance += mass * weight * weight * one.variance;
		sum.third += mass * weight * weight * weight * one.third;
	}
	return sum;
}

/** The θ > 0 below `limit` at which κ′ is x: Newton's steps, kept inside a bracket by bisection. */
function tiltTo(
	law: ScoreLaw,
	weights: CondensedWeights,
	x: number,
	limit: number,
	start: number,
): number | undefined {
	let low = 0;
	let high = limit;
	let theta = Math.min(start, limit / 2);
	for (let step = 0; step < 200; step++) {
		const { mean, variance } = cumulantsAt(law, weights, theta);
		if (mean < x) low = theta;
		else high = theta;
		if (Math.abs(mean - x) <= 1e-9 * Math.sqrt(variance)) return theta;
		const next = theta + (x - mean) / variance;
		theta = next > low && next < high ? next : high === Infinity ? 2 * low : (low + high) / 2;
		if (!(theta < 1e300)) return undefined;
	}
	return theta;
}

/**
 * ln of the estimate of P(Σ Wᵢxᵢ ≥ x), ≤ 0; −∞ from the largest possible sum on. Exponential scores count as exactly
 * exponential, lists of exact size as independent.
 */
export function saddlepointLogTail(law: ScoreLaw, weights: CondensedWeights, x: number): number {
	const none = cumulantsAt(law, weights, 0);
	if (none.variance === 0) return x > none.mean ? -Infinity : 0;
	const z = (x - none.mean) / Math.sqrt(none.variance);
	if (z < 0.2) {
		const skewness = none.third / none.variance / Math.sqrt(none.variance);
		const density = exp(-(z * z) / 2 - HALF_LOG_TWO_PI);
		const half = density * millsRatio(Math.abs(z));
		const tail = (z < 0 ? 1 - half : half) + (density * skewness * (z * z - 1)) / 6;
		return ln(Math.min(1, Math.max(tail, 1e-300)));
	}
	const heaviest = weights.weights.reduce((most, weight) => Math.max(most, weight), 0);
	const limit = heaviest > 0 ? largestTilt(law) / heaviest : Infinity;
	const theta = tiltTo(law, weights, x, limit, z / Math.sqrt(none.variance));
	if (theta === undefined) return -Infinity;
	const { log, variance } = cumulantsAt(law, weights, theta);
	const w = Math.sqrt(2 * Math.max(0, theta * x - log));
	const u = theta * Math.sqrt(variance);
	if (!(u > 0)) return -Infinity;
	const factor = millsRatio(w) + 1 / u - 1 / w;
	return factor > 0 ? Math.min(0, -(w * w) / 2 - HALF_LOG_TWO_PI + ln(factor)) : -Infinity;
}
