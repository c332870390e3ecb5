/**
 * The tail of a weighted sum of two gamma variables with the same integer shape: the p-value of a score that
 * mixes two keys, a·(sum of n Exp(1)) + b·(another sum of n Exp(1)).
 *
 * With scales s < l and r = s/l, an exponential of mean l is a geometric(r) sum of exponentials of mean s
 * (Rényi 1956, "A characterization of Poisson processes"; random sums in Feller II, chapter II.4), so l·Gamma(n)
 * is s·Gamma(n + K) with K ~ NegBin(n, r), and
 *
 *     P(sG₁ + lG₂ ≥ x) = Σ_k NB(k; n, r) · Q(2n + k, x/s),    Q(m, y) = P(Gamma(m) ≥ y) = P(Poisson(y) < m)
 *
 * (the case of two scales of Moschopoulos, "The distribution of the sum of independent gamma random variables"
 * (1985)). All terms are positive. Both factors are log-concave in k, hence the terms too: beyond any term the
 * rest is at most a geometric series with the ratio there. The sum starts below the terms that matter, goes up,
 * and ends above them; bounds of both rests are added. Nothing is subtracted on the way: Q rises with m by adding
 * point probabilities. Below the mean the same is done for the other tail, downwards.
 *
 * @module
 */

import { distanceFromMean, logBinomialPmf, logPoissonPmf } from './pmf.js';
import { exp, ln, log1p } from './portable.js';
import { log1mExp, logGammaLowerTail, logGammaUpperTail, MAX_COUNT } from './tails.js';

/** The largest number of scores; accuracy is tested up to here. */
const MAX_SCORES = 1e9;

/** More terms than this are not summed: the Chernoff bound is given instead. */
const MAX_TERMS = 1e7;

/** The sum starts at a term this many e-folds below the largest. */
const START_DEPTH = 42;

/** And not more than this many, which a double could not hold. */
const OVERFLOW_DEPTH = 600;

/** Checks what both tails of this kind of sum take. */
export function checkGammaSum(n: number, a: number, b: number, x: number): void {
	if (!Number.isInteger(n) || n < 0 || n > MAX_SCORES) {
		throw new RangeError(`n must be an integer from 0 to ${MAX_SCORES}, not ${n}`);
	}
	if (!(a >= 0 && b >= 0 && a + b > 0 && a + b < Infinity)) {
		throw new RangeError(`scales must be finite, ≥ 0 and not both 0, not ${a} and ${b}`);
	}
	if (!(x > -Infinity && x < Infinity)) throw new RangeError(`x must be a finite number, not ${x}`);
}

/** One direction of summation. */
interface Walk {
	/** ln of the factor that is not the negative binomial's. */
	logTail(shape: number, y: number): number;
	/** +1 for the upper tail, whose factor is built by additions upwards; −1 for the lower tail. */
	readonly direction: 1 | -1;
}

const UPWARDS: Walk = { logTail: logGammaUpperTail, direction: 1 };
const DOWNWARDS: Walk = { logTail: logGammaLowerTail, direction: -1 };

/**
 * ln of the sum over k of NB(k) times a gamma tail, or undefined where that takes too many terms.
 *
 * @param middle a k near the largest term
 */
function logMixture(n: number, r: number, y: number, middle: number, walk: Walk): number | undefined {
	const up = walk.direction === 1;
	const logTerm = (k: number) => logBinomialPmf(n, n + k, r) + ln(n / (n + k)) + walk.logTail(2 * n + k, y);
	const top = logTerm(middle);
	// Narrower than the terms that matter: the spread of K given the sum. Widened until the start is deep enough.
	let width = 9 * Math.sqrt(1 / (1 / (middle + 1) + 1 / (2 * n + middle) - 1 / (n + middle + 1)));
	let narrowed = false;
	for (let attempt = 0; attempt < 100 && width <= MAX_TERMS; attempt++) {
		const start = Math.round(up ? Math.max(0, middle - width) : middle + width);
		if (2 * n + start > MAX_COUNT) return undefined;
		const first = logTerm(start);
		// The sum is in units of its first term.
		if (top - first > OVERFLOW_DEPTH && start !== middle) {
			width /= 2;
			narrowed = true;
			continue;
		}
		if (narrowed || start === 0 || top - first >= START_DEPTH) {
			const sum = up ? sumUpwards(n, r, y, start, first) : sumDownwards(n, r, y, start, first);
			if (sum === undefined || sum > -Infinity) return sum;
		}
		width *= 1.6;
	}
	return undefined;
}

/**
 * ln Σ_{k ≥ start} NB(k)·Q(2n+k, y), with bounds of the rests; −∞ where the start was not deep enough, undefined
 * where there are too many terms. `first` is ln of the first term.
 *
 * The ratio of neighbouring terms is (1 − drop)(1 + hazard), where 1 − drop = (1−r)(n+k)/(k+1) is the negative
 * binomial's and hazard = P(Poisson(y) = m)/Q(m, y). Its distance from 1, small near the mean, is formed from
 * these two to full precision, so that long sums do not add up roundings of one constant (as in `tails.ts`).
 */
function sumUpwards(n: number, r: number, y: number, start: number, first: number): number | undefined {
	const rise = 1 - distanceFromMean(n, n + start, r);
	let m = 2 * n + start;
	let hazard = exp(logPoissonPmf(m, y) - logGammaUpperTail(m, y));
	let sum = 1;
	let lost = 0;
	let term = 1;
	let before = 0;
	for (let j = 0; j <= MAX_TERMS; j++) {
		const drop = (rise + r * j) / (start + j + 1);
		const growth = hazard - drop - drop * hazard;
		if (j === 0 && start > 0) {
			// All that lies before is at most a geometric series with ratio 1/(1 + growth).
			if (growth <= 0) return -Infinity;
			before = 1 / growth;
		}
		if (growth < 0 && term * (1 + growth) <= -1e-17 * growth * sum) {
			const after = (term * (1 + growth)) / -growth;
			return before > 1e-15 * sum ? -Infinity : first + ln(sum + before + after);
		}
		term += term * growth;
		const addend = term - lost;
		const next = sum + addend;
		lost = next - sum - addend;
		sum = next;
		m++;
		hazard *= y / m / (1 + hazard);
	}
	return undefined;
}

/** The same for Σ_{k ≤ start} NB(k)·P(Gamma(2n+k) ≤ y), which is built by additions downwards. */
function sumDownwards(n: number, r: number, y: number, start: number, first: number): number | undefined {
	const excess = distanceFromMean(n, n + start, r) - (1 - r);
	let m = 2 * n + start;
	let hazard = exp(logPoissonPmf(m - 1, y) - logGammaLowerTail(m, y));
	let sum = 1;
	let lost = 0;
	let term = 1;
	let before = 0;
	for (let j = 0; j < start && j <= MAX_TERMS; j++) {
		const drop = (excess + r * j) / ((1 - r) * (n + start - j - 1));
		const growth = hazard - drop - drop * hazard;
		if (j === 0) {
			if (growth <= 0) return -Infinity;
			before = 1 / growth;
		}
		if (growth < 0 && term * (1 + growth) <= -1e-17 * growth * sum) break;
		term += term * growth;
		const addend = term - lost;
		const next = sum + addend;
		lost = next - sum - addend;
		sum = next;
		m--;
		hazard *= m / y / (1 + hazard);
		if (j === MAX_TERMS) return undefined;
	}
	return before > 1e-15 * sum ? -Infinity : first + ln(sum + before);
}

/**
 * The Chernoff bound min_θ e^(−θx)/((1−lθ)(1−sθ))^n, at the θ that solves a quadratic; any θ gives a bound. What
 * rounding could have taken off is put back.
 *
 * @param mean x/(l·n), above 1 + r
 * @param rest 1 − lθ
 */
function logChernoff(n: number, r: number, mean: number, rest: number): number {
	const lean = (1 - rest) * mean;
	const logs = ln(rest) + log1p(-r * (1 - rest));
	return Math.min(0, n * (-lean - logs + 1e-15 * (1 + lean - logs)));
}

/**
 * ln P(a·G₁ + b·G₂ ≥ x) for independent G₁, G₂ ~ Gamma(n, 1).
 *
 * Exact, with a relative error of the logarithm below 1e-12, unless it takes more
 * than 1e7 terms, which happens for scales of very different size (a ratio below about 1e-5·√n, far tails of
 * n ~ 1e9): then the Chernoff bound, too large by a factor of about √(2π) times the distance from the mean in
 * standard deviations, or 0 (p ≤ 1) below the mean. It is an upper bound in either case.
 *
 * Cost: about 20 standard deviations of K in terms of 10 ns; 2 ms at n = 1e6, a = 3b.
 *
 * @param n an integer from 0 to 1e9
 * @param a scale ≥ 0
 * @param b scale ≥ 0, not both 0
 * @param x a finite number; ≤ 0 gives 0
 * @returns a natural logarithm, ≤ 0
 * @throws RangeError outside these ranges
 */
export function logGammaSumUpperTail(n: number, a: number, b: number, x: number): number {
	checkGammaSum(n, a, b, x);
	if (x <= 0) return 0;
	if (n === 0) return -Infinity;
	const small = Math.min(a, b);
	const large = Math.max(a, b);
	// A quotient that overflows is lowered, which raises the tail.
	const inLarge = Math.min(x / large, 1e300);
	if (small === 0) return logGammaUpperTail(n, inLarge);
	if (small === large) return logGammaUpperTail(2 * n, inLarge);
	const r = small / large;
	const y = x / small;
	const mean = inLarge / n;
	// 1/(1−u) + r/(1−ru) = mean for u = lθ, solved for 1 − u.
	const c = mean * (1 - r) - 2 * r;
	const root = Math.hypot(mean * (1 - r), 2 * r);
	const rest = c > 0 ? (2 * (1 - r)) / (c + root) : (root - c) / (2 * mean * r);
	// Under the tilt by θ, K is NegBin(n, r·rest/(1 − r + r·rest)).
	const middle = Math.round((n * (1 - r)) / (r * rest));
	const above = mean > 1 + r;
	if (y < Infinity && 2 * n + middle <= MAX_COUNT) {
		const exact = logMixture(n, r, y, middle, above ? UPWARDS : DOWNWARDS);
		if (exact !== undefined) return above ? Math.min(0, exact) : log1mExp(Math.min(0, exact));
	}
	return above ? logChernoff(n, r, mean, rest) : 0;
}
