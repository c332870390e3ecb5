/**
 * The moment-matched gamma approximation of a weighted sum of two gamma variables, which vLLM's detector for two
 * keys reports. It is here to reproduce that number; it is no upper bound and no p-value of ours is made of it
 * (`gamma-sum.ts` has the exact tail).
 *
 * A gamma law with the same mean and variance (Satterthwaite 1946, "An approximate distribution of estimates of
 * variance components") has a shape that is no integer, so the incomplete gamma function comes by Legendre's
 * continued fraction right of the mean and by its series left of it (Press et al., Numerical Recipes, section 6.2;
 * Abramowitz and Stegun 6.5.31 and 6.5.29), each times its first term in Loader's form (`pmf.ts`).
 *
 * @module
 */

import { checkGammaSum } from './gamma-sum.js';
import { logPoissonPmf } from './pmf.js';
import { ln } from './portable.js';
import { log1mExp, sumOfFallingTerms } from './tails.js';

/**
 * Γ(shape, x) / (x^shape e^−x) = 1/(x+1−shape − 1(1−shape)/(x+3−shape − 2(2−shape)/(…))), for x > shape, by the
 * modified algorithm of Lentz (1976).
 */
function legendreFraction(shape: number, x: number): number {
	let b = x + 1 - shape;
	let c = Infinity;
	let d = 1 / b;
	let fraction = d;
	for (let i = 1; ; i++) {
		const factor = i * (shape - i);
		b += 2;
		d = 1 / (b + factor * d);
		c = b + factor / c;
		const change = c * d;
		fraction *= change;
		if (Math.abs(change - 1) < 4e-16) return fraction;
	}
}

/** ln P(G ≥ x) for G ~ Gamma(shape, 1), any shape ≥ 1, x > 0. */
function logRealGammaUpperTail(shape: number, x: number): number {
	const first = logPoissonPmf(shape, x);
	if (x < shape + 1) {
		const lower = first + ln(sumOfFallingTerms(Infinity, shape - x, shape, 1));
		return log1mExp(Math.min(0, lower));
	}
	return Math.min(0, first + ln(shape * legendreFraction(shape, x)));
}

/**
 * ln P(Γ ≥ x) for the gamma variable Γ that has the mean n(a + b) and the variance n(a² + b²) of
 * a·G₁ + b·G₂, G₁, G₂ ~ Gamma(n, 1). Absolute error of the logarithm below 1e-12 + 1e-15 times its size.
 *
 * An approximation, too small in the far tail where a ≠ b: not a p-value.
 *
 * @param n an integer from 0 to 1e9
 * @param a scale ≥ 0
 * @param b scale ≥ 0, not both 0
 * @param x a finite number; ≤ 0 gives 0
 * @returns a natural logarithm, ≤ 0
 * @throws RangeError outside these ranges
 */
export function logGammaMomentMatchedUpperTail(n: number, a: number, b: number, x: number): number {
	checkGammaSum(n, a, b, x);
	if (x <= 0) return 0;
	if (n === 0) return -Infinity;
	const share = Math.min(a, b) / Math.max(a, b);
	const scale = (1 + share * share) / (1 + share);
	const shape = (n * (1 + share)) / scale;
	return logRealGammaUpperTail(shape, Math.min(x / Math.max(a, b) / scale, 1e300));
}
