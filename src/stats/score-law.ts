/**
 * Laws of one score under the null, and for each an upper bound of its cumulant generating function
 * κ(a) = ln E e^(a·x) for a of either sign: a weight may be negative, and a law that is only dominated from above
 * says nothing there.
 *
 * - Yes/no scores: exact, Σ ln(1 − p + p·e^(a·w)).
 * - Exponential scores, a ≥ 0: x lies stochastically below Exp(1) + shift, so κ(a) ≤ a·shift − ln(1 − a), a < 1.
 * - Exponential scores, a = −b < 0: x = −ln c, rounded down, where c = 1 − u for a uniform u on a grid. Of the N
 *   values of c (N = 2^32 here, 2^24 in the systems that are read too) the k-th is at most (k + ½)/N: it is k/N with
 *   2^32 words and with Meta's 24 bits, and (k + ½)/N bounds vLLM's single-precision numbers. So with V uniform on
 *   (0, 1) and k = ⌈NV⌉, c ≤ min(1, V + d) for d = 2^-23. Scores are lowered by less than 2^-30 in all (`fixed-log.ts`,
 *   and two products for two keys). Hence x lies stochastically above −ln min(1, V + d) − 2^-30, and
 *
 *       E e^(−bx) ≤ e^(b·2^-30)·E min(1, V + d)^b ≤ e^(b·2^-30)·(1/(1 + b) + d).
 *
 * A test goes through all 2^24 values of either grid of 24 bits.
 *
 * @module
 */
import { exp, expm1, ln, log1p } from './portable.js';
import { checkCount, checkProbability } from './tails.js';

/** Lists of exact size: `green` of `of` tokens, every such set equally likely. */
export interface ExactLists {
	/** An integer from 0 to `of`. */
	readonly green: number;
	/** Size of the vocabulary, an integer from 1 to 1e12. */
	readonly of: number;
}

/**
 * The law of one score under the null; scores are independent, but for those of one list of exact size.
 *
 * - `bernoulli`: successes among `trials` of probability `p`. With `lists`, `trials` is 1, p is `green`/`of`, and the
 *   scores of tokens of one list are drawn without replacement.
 * - `weighted-bernoulli`: Σ weights[i]·Bᵢ, independent Bernoulli(`p`).
 * - `exponential`: ≥ 0, stochastically below Exp(1) + `shift`, and above −ln min(1, V + 2^-23) − 2^-30, V uniform.
 * - `two-exponentials`: `a` and `b` times two such, independent: below with `shift` in all, above with 2^-30 in all.
 */
export type ScoreLaw =
	| { readonly kind: 'bernoulli'; readonly p: number; readonly trials: number; readonly lists?: ExactLists }
	| { readonly kind: 'weighted-bernoulli'; readonly p: number; readonly weights: readonly number[] }
	| { readonly kind: 'exponential'; readonly shift: number }
	| { readonly kind: 'two-exponentials'; readonly a: number; readonly b: number; readonly shift: number };

/** d of the module comment: how far a complement lies above the uniform that it stands for. */
const GRID_EXCESS = 2 ** -23;
/** More than rounding takes off a score. */
const LOWERED = 2 ** -30;

/** ln(1 − p + p·e^a), for any a and p from 0 to 1. */
export function logBernoulliMoment(p: number, a: number): number {
	if (p === 1) return a;
	if (a > 30) return a + ln(p + (1 - p) * exp(-a));
	return a < -30 ? ln(1 - p + p * exp(a)) : log1p(p * expm1(a));
}

/** The bound for one exponential score times a scale, without shift and lowering; z is a times the scale. */
function logExponentialMoment(z: number): number {
	if (z < 0) return Math.min(0, log1p(GRID_EXCESS * (1 - z)) - log1p(-z));
	// Near 1 the rounding of the products in z counts: it is put back.
	const raised = z * (1 + 6e-16);
	return raised < 1 ? -log1p(-raised) : Infinity;
}

/**
 * An upper bound of κ(a) = ln E e^(a·x) of one score; exact for yes/no scores. For lists of exact size that of a
 * token on a list of its own.
 *
 * @param a any finite number
 * @returns nats; +∞ where a reaches the domain's end, {@link largestTilt}
 */
export function logMomentBound(law: ScoreLaw, a: number): number {
	switch (law.kind) {
		case 'bernoulli':
			return law.trials * logBernoulliMoment(law.p, a);
		case 'weighted-bernoulli':
			return law.weights.reduce((sum, weight) => sum + logBernoulliMoment(law.p, a * weight), 0);
		case 'exponential':
			return shifted(law.shift, a, logExponentialMoment(a));
		case 'two-exponentials':
			return shifted(law.shift, a, logExponentialMoment(a * law.a) + logExponentialMoment(a * law.b));
	}
}

/** Scores are at least 0, so a negative weight never costs. */
function shifted(shift: number, a: number, log: number): number {
	return a >= 0 ? log + a * shift : Math.min(0, log - a * LOWERED);
}

/** The a > 0 at which the bound becomes infinite; ∞ for yes/no scores. */
export function largestTilt(law: ScoreLaw): number {
	switch (law.kind) {
		case 'bernoulli':
		case 'weighted-bernoulli':
			return Infinity;
		case 'exponential':
			return 1;
		case 'two-exponentials':
			return 1 / Math.max(law.a, law.b);
	}
}

/** The first three cumulants of a tilted score, P_a ∝ e^(a·x)·P; those of exponentials without grid and shift. */
export function tiltedCumulants(
	law: ScoreLaw,
	a: number,
): { log: number; mean: number; variance: number; third: number } {
	const sum = { log: 0, mean: 0, variance: 0, third: 0 };
	const bernoulli = (p: number, weight: number, count: number) => {
		const z = a * weight;
		const [miss, hit] = z > 0 ? [(1 - p) * exp(-z), p] : [1 - p, p * exp(z)];
		const share = hit / (hit + miss);
		const spread = (hit / (hit + miss)) * (miss / (hit + miss)) * count;
		sum.log += count * logBernoulliMoment(p, z);
		sum.mean += count * weight * share;
		sum.variance += weight * weight * spread;
		sum.third += weight * weight * weight * spread * (1 - 2 * share);
	};
	const exponential = (scale: number) => {
		const mean = scale / (1 - a * scale);
		sum.log -= log1p(-a * scale);
		sum.mean += mean;
		sum.variance += mean * mean;
		sum.third += 2 * mean * mean * mean;
	};
	switch (law.kind) {
		case 'bernoulli':
			bernoulli(law.p, 1, law.trials);
			break;
		case 'weighted-bernoulli':
			for (const weight of law.weights) bernoulli(law.p, weight, 1);
			break;
		case 'exponential':
			exponential(1);
			break;
		case 'two-exponentials':
			exponential(law.a);
			exponential(law.b);
			break;
	}
	return sum;
}

/** @throws RangeError for lists that cannot be */
export function checkLists({ green, of }: ExactLists): void {
	checkCount('of', of, 1);
	checkCount('green', green);
	if (green > of) throw new RangeError(`a list of ${green} of ${of} tokens cannot be`);
}

/** @throws RangeError for a law whose numbers are out of range */
export function checkLaw(law: ScoreLaw): void {
	if (law.kind === 'bernoulli' || law.kind === 'weighted-bernoulli') checkProbability('p', law.p);
	if (law.kind === 'bernoulli') checkCount('trials', law.trials, 1);
	if (law.kind === 'bernoulli' && law.lists !== undefined) {
		checkLists(law.lists);
		const { green, of } = law.lists;
		if (law.trials !== 1 || Math.abs(law.p - green / of) > 1e-15)
			throw new RangeError(
				`lists of exact size need trials 1 and p = ${green}/${of}, not ${law.trials} and ${law.p}`,
			);
	}
	const numbers =
		law.kind === 'weighted-bernoulli'
			? law.weights
			: law.kind === 'exponential'
				? [law.shift]
				: law.kind === 'two-exponentials'
					? [law.a, law.b, law.shift]
					: [];
	for (const value of numbers)
		if (!(value >= 0 && value < Infinity))
			throw new RangeError(`a law's numbers must be finite and ≥ 0, not ${value}`);
	if (law.kind === 'two-exponentials' && law.a + law.b === 0)
		throw new RangeError('one of the two exponentials must have a scale above 0');
}
