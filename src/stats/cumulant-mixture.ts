/**
 * A mixture e-value for sums of independent scores whose cumulant generating function is known: the average of
 * e^(θ·score − n·κ(θ)) over a grid of θ that was fixed beforehand. Each term has expectation 1 under the null (at
 * most 1 where scores are stochastically below the law that κ belongs to), so their average does too (Wald 1945;
 * Robbins 1970 for mixtures).
 *
 * @module
 */
import { exp, ln } from './portable.js';

/** Points of the grid; θ·scale = 2^(−k/2), k = 1 … 24. */
const POINTS = 24;

/**
 * ln of the e-value.
 *
 * @param score sum of the scores
 * @param n number of scores
 * @param scale the largest scale of a score: κ must exist for θ < 1/scale
 * @param cumulant κ(θ) of one score
 */
export function logECumulant(
	score: number,
	n: number,
	scale: number,
	cumulant: (theta: number) => number,
): number {
	const logs = Array.from({ length: POINTS }, (_, k) => {
		const theta = Math.sqrt(2 ** -(k + 1)) / scale;
		return theta * score - n * cumulant(theta);
	});
	const top = Math.max(...logs);
	return top + ln(logs.reduce((sum, log) => sum + exp(log - top), 0) / POINTS);
}
