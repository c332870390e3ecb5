/**
 * Where to start searches for quantiles: normal approximations. No result depends on them, only how soon it is found.
 *
 * @module
 */
import { expm1, ln } from './portable.js';

/**
 * The z at which the normal upper tail has the given logarithm, to about 5e-4 for ordinary levels.
 *
 * @see Abramowitz and Stegun 26.2.23 (Hastings 1955)
 */
export function normalStart(logTail: number): number {
	if (logTail > -Math.LN2) return -normalStart(Math.min(-Math.LN2, ln(-expm1(logTail))));
	const t = Math.sqrt(-2 * logTail);
	return (
		t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)))
	);
}

/** Near the x that lies z standard deviations out in Gamma(shape). Wilson and Hilferty 1931; > 0. */
export function gammaStart(shape: number, z: number): number {
	const cube = Math.max(1 - 1 / (9 * shape) + z / (3 * Math.sqrt(shape)), 0.05);
	return shape * cube * cube * cube;
}

/** Near the p under which `hits` of `trials` lie z standard deviations off. Wilson 1927; from 0 to 1. */
export function probabilityStart(hits: number, trials: number, z: number): number {
	const share = hits / trials;
	const z2 = (z * z) / trials;
	return (share + z2 / 2 - z * Math.sqrt((share * (1 - share) + z2 / 4) / trials)) / (1 + z2);
}
