/**
 * Logarithms of the binomial and Poisson point probabilities, accurate however deep they lie.
 *
 * The saddle-point (deviance) form of C. Loader, "Fast and accurate computation of binomial
 * probabilities" (2000): a point probability is a Stirling correction times the exponential of minus a
 * deviance, and the deviance is a sum of terms of one sign, so nothing cancels. ln n! is never formed:
 * at n = 1e9 it is 2e10, and a difference of three such numbers keeps only six digits after the point.
 *
 * One change to Loader: the distance from the mean, x − np, is formed from the exact product np (Dekker
 * 1971), because at n = 1e9 a rounded np spoils the last digits near the mean.
 *
 * @module
 */
import { ln, log1p } from './portable.js';

const HALF_LOG_TWO_PI = 0.9189385332046728;

/** δ(n) for n = 0..15, from 60-digit arithmetic, rounded; the entry for 0 is never used. */
const STIRLING_ERROR = [
	0, 0.08106146679532726, 0.0413406959554093, 0.02767792568499834, 0.020790672103765093, 0.016644691189821193,
	0.013876128823070748, 0.01189670994589177, 0.010411265261972096, 0.009255462182712733, 0.00833056343336287,
	0.007573675487951841, 0.00694284010720953, 0.006408994188004207, 0.0059513701127588475,
	0.005554733551962801,
];

/**
 * δ(n) = ln n! − ln(√(2πn) (n/e)^n), n > 0, whole or not (n! is Γ(n+1) then). Absolute error below 2e-16 for
 * integers, about 1e-14 for others.
 *
 * @see Loader 2000, section 2; the series is Stirling's (Abramowitz and Stegun 6.1.41), cut after 1/n^9.
 *   Below 16 it is reached by δ(n) − δ(n+1) = (n + ½) ln(1 + 1/n) − 1, which is (n+1)! = (n+1) n!.
 */
function stirlingError(n: number): number {
	if (n < STIRLING_ERROR.length) {
		if (Number.isInteger(n)) return STIRLING_ERROR[n]!;
		return (n + 0.5) * log1p(1 / n) - 1 + stirlingError(n + 1);
	}
	const n2 = n * n;
	return (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - 1 / 1188 / n2) / n2) / n2) / n2) / n;
}

/**
 * Half the deviance, x ln(x/mean) + mean − x ≥ 0, to a few units in the last place.
 *
 * `distance` is x − mean, from the caller, who knows it better than a subtraction of the rounded mean.
 * Close arguments use Loader's series in v = (x − mean)/(x + mean), whose leading term is the distance
 * times v; the plain formula would cancel there.
 *
 * @see Loader 2000, section 3 (`bd0`).
 */
export function halfDeviance(x: number, mean: number, distance: number): number {
	const v = distance / (x + mean);
	if (Math.abs(v) < 0.25) {
		const v2 = v * v;
		let power = 2 * x * v;
		let sum = distance * v;
		for (let odd = 3; ; odd += 2) {
			power *= v2;
			const next = sum + power / odd;
			if (next === sum) return sum;
			sum = next;
		}
	}
	const ratio = x / mean;
	return x * (Number.isFinite(ratio) ? ln(ratio) : ln(x) - ln(mean)) - distance;
}

/** The two halves (at most 27 and 26 bits) that add up to `a`. Veltkamp's splitting, in Dekker 1971. */
function split(a: number): [high: number, low: number] {
	const c = 134217729 * a;
	const high = c - (c - a);
	return [high, a - high];
}

/** x − n·p, rounded as if once: the product's own rounding error is put back (Dekker 1971). */
export function distanceFromMean(x: number, n: number, p: number): number {
	const product = n * p;
	const [nHigh, nLow] = split(n);
	const [pHigh, pLow] = split(p);
	const rest = nLow * pLow - (product - nHigh * pHigh - nLow * pHigh - nHigh * pLow);
	return x - product - rest;
}

/**
 * ln P(X = x) for X ~ Binomial(n, p); integers 0 ≤ x ≤ n ≤ 1e12, 0 ≤ p ≤ 1. Arguments are not checked.
 *
 * Relative error of the logarithm about 1e-15 where it is large, absolute about 1e-15 where it is not.
 *
 * @see Loader 2000, equation 4.
 */
export function logBinomialPmf(x: number, n: number, p: number): number {
	if (p === 0) return x === 0 ? 0 : -Infinity;
	if (p === 1) return x === n ? 0 : -Infinity;
	if (x === 0) return n * log1p(-p);
	if (x === n) return n * ln(p);
	const distance = distanceFromMean(x, n, p);
	const misses = n - x;
	return (
		stirlingError(n) -
		stirlingError(x) -
		stirlingError(misses) -
		halfDeviance(x, n * p, distance) -
		halfDeviance(misses, n * (1 - p), -distance) -
		HALF_LOG_TWO_PI -
		0.5 * ln((x / n) * misses)
	);
}

/**
 * ln P(N = k) for N ~ Poisson(mean); an integer 0 ≤ k ≤ 1e12, mean > 0. Arguments are not checked. For other
 * k > 0 it is ln(mean^k e^−mean / Γ(k+1)), the first term of an incomplete gamma function.
 *
 * Accuracy as for {@link logBinomialPmf}.
 *
 * @see Loader 2000, equation 6.
 */
export function logPoissonPmf(k: number, mean: number): number {
	if (k === 0) return -mean;
	return -stirlingError(k) - halfDeviance(k, mean, k - mean) - HALF_LOG_TWO_PI - 0.5 * ln(k);
}
