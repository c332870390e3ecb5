/**
 * E-values: evidence that may be looked at after every score. Under the null the expected value is at most
 * 1 at each fixed time, and the process (one new score a step) is a martingale, so by Ville's inequality
 * the chance that it *ever* reaches 1/α is at most α. Stopping early costs nothing and proves nothing less.
 *
 * Both are mixtures of likelihood ratios over a prior that was fixed before any score (the "method of
 * mixtures": Robbins 1970; Howard, Ramdas, McAuliffe and Sekhon 2021), in closed form.
 *
 * @module
 */

import { logBinomialPmf, logPoissonPmf } from './pmf.js';
import { expm1, ln, log1p } from './portable.js';
import { checkCount, logBinomialLowerTail, logGammaLowerTail } from './tails.js';

/**
 * ln of the e-value of `hits` out of `trials`, null: each trial hits with probability γ (or less, given
 * the past), alternative: more, uniformly spread.
 *
 * The likelihood ratio of hit probability q against γ is q^h (1−q)^(n−h) / (γ^h (1−γ)^(n−h)). Mixed over
 * q uniform on (γ, 1):
 *
 *     e = ∫_γ^1 q^h (1−q)^(n−h) dq / ((1−γ) γ^h (1−γ)^(n−h)).
 *
 * The integral is B(h+1, n−h+1) · P(Beta(h+1, n−h+1) > γ); the Beta function of integers is
 * 1/((n+1) C(n,h)), and the (h+1)-th smallest of n+1 uniforms exceeds γ when at most h of them are below
 * it: P(Bin(n+1, γ) ≤ h). With C(n,h) γ^h (1−γ)^(n−h) = P(Bin(n, γ) = h),
 *
 *     e = P(Bin(n+1, γ) ≤ h) / ((n+1) (1−γ) P(Bin(n, γ) = h)).
 *
 * Each factor of the likelihood ratio rises with the hit (q > γ), so e rises with `hits`, and a null with
 * a smaller hit probability only lowers its expectation.
 *
 * @param hits an integer from 0 to `trials`
 * @param trials an integer from 0 to 1e12 − 1
 * @param gamma the null's hit probability, 0 < γ < 1
 * @returns a natural logarithm, never overflows; absolute error below 1e-13 + 2e-15 × |ln P(Bin(n, γ) = h)|
 */
export function logEBernoulli(hits: number, trials: number, gamma: number): number {
	checkCount('trials', trials);
	checkCount('hits', hits);
	if (hits > trials) throw new RangeError(`hits (${hits}) must not exceed trials (${trials})`);
	if (!(gamma > 0 && gamma < 1)) throw new RangeError(`gamma must lie between 0 and 1, not ${gamma}`);
	return (
		logBinomialLowerTail(hits, trials + 1, gamma) -
		logBinomialPmf(hits, trials, gamma) -
		ln(trials + 1) -
		log1p(-gamma)
	);
}

/**
 * ln of the e-value of `n` scores that add up to `sum`, null: each score is Exp(1) (or stochastically
 * smaller, given the past), alternative: exponential with a larger mean 1/θ, 0 < θ ≤ 1.
 *
 * The likelihood ratio of rate θ against rate 1 is Π θ e^((1−θ)xᵢ) = θ^n e^((1−θ)S). Mixed over θ with the
 * prior Gamma(1, 1), density e^(−θ), cut to (0, 1] and divided by its mass there, 1 − 1/e:
 *
 *     e = e^S / (1 − 1/e) · ∫_0^1 θ^n e^(−θ(S+1)) dθ.
 *
 * With u = θ(S+1) the integral is n! P(Gamma(n+1) ≤ S+1) / (S+1)^(n+1). With
 * P(Poisson(S+1) = n) = e^(−(S+1)) (S+1)^n / n! that becomes
 *
 *     e = P(Gamma(n+1) ≤ S+1) / ((e − 1) (S+1) P(Poisson(S+1) = n)).
 *
 * The factor e^((1−θ)xᵢ) does not fall with xᵢ for any θ ≤ 1, so e rises with the sum, and scores that are
 * stochastically smaller than Exp(1) only lower its expectation: that is why the prior stops at 1.
 *
 * @param sum the sum of the scores, finite, ≥ 0
 * @param n how many, an integer from 0 to 1e12 − 1
 * @returns a natural logarithm, never overflows; absolute error below 1e-13 + 2e-15 × |ln P(Poisson(S+1) = n)|
 */
export function logEExponential(sum: number, n: number): number {
	checkCount('n', n);
	if (!(sum >= 0 && sum < Infinity)) throw new RangeError(`sum must be a finite number ≥ 0, not ${sum}`);
	return logGammaLowerTail(n + 1, sum + 1) - logPoissonPmf(n, sum + 1) - ln(sum + 1) - ln(expm1(1));
}
