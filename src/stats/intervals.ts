/**
 * Exact confidence intervals for effect sizes: each covers the truth with at least the stated probability,
 * with equal tails. Endpoints are found to the last bit and rounded outwards.
 *
 * @module
 */

import { lastBelow } from './bisect.js';
import { ln } from './portable.js';
import { exponentialCritical } from './power.js';
import { remembered } from './remembered.js';
import { gammaStart, normalStart, probabilityStart } from './starts.js';
import { checkCount, logBinomialLowerTail, logBinomialUpperTail, logGammaLowerTail } from './tails.js';

/** ln of the probability that may lie beyond each end. */
function logTailLevel(confidence: number): number {
	if (!(confidence > 0 && confidence < 1)) {
		throw new RangeError(`confidence must lie between 0 and 1, not ${confidence}`);
	}
	return ln(1 - confidence) - Math.LN2;
}

/**
 * The interval for a hit probability, given `hits` out of `trials` (up to 1e12), of Clopper and Pearson,
 * "The use of confidence or fiducial limits" (1934): the probabilities that neither tail refutes.
 *
 * @returns [low, high] within [0, 1]; [0, 1] when there are no trials
 */
export function bernoulliInterval(
	hits: number,
	trials: number,
	confidence: number,
): [low: number, high: number] {
	checkCount('trials', trials);
	checkCount('hits', hits);
	if (hits > trials) throw new RangeError(`hits (${hits}) must not exceed trials (${trials})`);
	const level = logTailLevel(confidence);
	const z = normalStart(level);
	// A hundredth of the interval, or of a hit.
	const step = (0.05 * z * Math.sqrt((hits * (trials - hits)) / trials) + 0.01) / trials;
	const end = (inside: 0 | 1, excess: (p: number) => number) => {
		const hitsNear = hits + (inside - 0.5);
		return lastBelow(
			inside,
			1 - inside,
			excess,
			probabilityStart(hitsNear, trials, inside === 0 ? z : -z),
			step,
		);
	};
	return [
		hits === 0 ? 0 : end(0, (p) => logBinomialUpperTail(hits, trials, p) - level),
		hits === trials ? 1 : end(1, (p) => logBinomialLowerTail(hits, trials, p) - level),
	];
}

/** Quantiles of Gamma(n, 1) that leave e^level beyond each. */
const pivots = remembered((n: number, level: number): readonly [smallest: number, largest: number] => {
	const largest = exponentialCritical(n, level);
	// The lower quantile lies below the upper one, so that one brackets it.
	const smallest = lastBelow(
		0,
		largest,
		(pivot) => logGammaLowerTail(n, pivot) - level,
		gammaStart(n, -normalStart(level)),
		0.01 * Math.sqrt(n),
	);
	return [smallest, largest];
});

/**
 * The interval for the mean of `n` independent exponential scores that add up to `sum` ≥ 0. Exact, from
 * the pivot sum/mean ~ Gamma(n, 1).
 *
 * @returns [low, high] within [0, ∞]; [0, ∞] when there are no scores
 */
export function exponentialMeanInterval(
	sum: number,
	n: number,
	confidence: number,
): [low: number, high: number] {
	checkCount('n', n);
	if (!(sum >= 0 && sum < Infinity)) throw new RangeError(`sum must be a finite number ≥ 0, not ${sum}`);
	const level = logTailLevel(confidence);
	if (n === 0) return [0, Infinity];
	if (sum === 0) return [0, 0];
	const [smallestPivot, largestPivot] = pivots(n, level);
	return [sum / largestPivot, sum / smallestPivot];
}
