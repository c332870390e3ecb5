/**
 * One e-value of several. E is an e-value when its expectation under the null is at most 1.
 *
 * - The average, with weights that were fixed beforehand, is one whatever the dependence: expectations add up (Vovk and
 *   Wang 2021, "E-values: calibration, combination and applications"; no symmetric rule is better where nothing is known
 *   of the dependence).
 * - The product is one when the e-values are independent (separate keys, or disjoint pairs under one key), or when
 *   each has expectation at most 1 given those before: E[E₁E₂] = E[E₁·E[E₂ | E₁]] ≤ E[E₁]. Two tests of the same
 *   pairs under the same key are neither.
 * - At looks: where the k-th look has an e-value E_k, which may use all scores so far and new weights (made without the
 *   key), π_τ·E_τ is an e-value for any rule τ of when to stop, if Σπ_k ≤ 1:
 *
 *       E[π_τE_τ] = Σ_k π_k·E[E_k; τ = k] ≤ Σ_k π_k·E[E_k] ≤ 1.
 *
 *   π_k = 1/(k(k+1)) adds up to exactly 1; 6/(π²k²) is larger at the first look only.
 *
 * @module
 */
import { logMean } from './log-mean.js';
import { ln } from './portable.js';

function check(logEs: readonly number[]): void {
	for (const logE of logEs)
		if (!(logE < Infinity)) throw new RangeError(`logE must be a logarithm below Infinity, not ${logE}`);
}

/** ln of the average of e-values; valid whatever their dependence. Of none, 0. */
export function logAverageE(logEs: readonly number[]): number {
	check(logEs);
	return logEs.length === 0 ? 0 : logMean(logEs);
}

/**
 * ln of the product of e-values; valid if they are independent, or each is an e-value given those before. The caller
 * answers for that. Of none, 0.
 */
export function logProductE(logEs: readonly number[]): number {
	check(logEs);
	return logEs.reduce((sum, logE) => sum + logE, 0);
}

/**
 * ln of the e-value of the `look`-th look, whenever looking stops: ln E_k − ln k(k+1).
 *
 * @param logE of all scores so far, made as if there were no other look
 * @param look 1, 2, 3, …; every look counts, also those that were not to one's liking
 */
export function logEAtLook(logE: number, look: number): number {
	check([logE]);
	if (!Number.isInteger(look) || look < 1) throw new RangeError(`look must be an integer ≥ 1, not ${look}`);
	return logE - ln(look) - ln(look + 1);
}
