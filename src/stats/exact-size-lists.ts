/**
 * Weighted sums over one list of exact size: T = Σ W_t·B_t over k tokens of a vocabulary of V, of which a uniformly
 * random set of g is green, γ = g/V. With weights of one sign, independent Bernoulli(γ) scores bound E e^(θT), since
 * the B_t are negatively associated (Joag-Dev and Proschan 1983, "Negative association of random variables"). With
 * mixed signs they do not: what one token loses, another gains.
 *
 * Both laws are exchangeable, so their ratio depends on the number of green tokens alone:
 *
 *     ρ_j = P(j green of k, without replacement) / P(Binomial(k, γ) = j) = Bin(g−j; V−k, γ) / Bin(g; V, γ).
 *
 * With κ_B(θ) = Σ ln(1 − γ + γe^(θW_t)) and P_θ the independent law tilted by e^(θT), J the number of green tokens,
 *
 *     ln E e^(θT) = κ_B(θ) + ln E_θ[ρ_J]                                                                          (1)
 *
 * 1. Few tokens: (1) as it stands, the law of J by convolution, positive terms only.
 * 2. ρ is log-concave, largest at j = ⌊γ(k−1)⌋ + 1. So for any f ≥ 0, its expectation without replacement is at most
 *    max ρ times the independent one: a bound for tails as well. ln max ρ is about k/(2V).
 * 3. (1) over the whole vocabulary, where ρ_J = 1{J = g}/Bin(g; V, γ), for weights W_t − c with any c (which takes c·g
 *    from T): P_θ(J = g) ≤ (1/2π)∫ Π|1 − p̃ + p̃e^(iu)| du ≤ (1/2π)∫ e^(−S(1−cos u)) du = e^(−S)·I₀(S), S = Σ p̃(1 − p̃).
 *
 * Hoeffding's bound (1963, "Probability inequalities for sums of bounded random variables", section 6: without
 * replacement is below with replacement in convex order), g·ln((1/V)Σe^(θW_t)), has the variance 1/(1 − γ) times too
 * large. Independence times V/(V − 1) in the exponent, which bounds the variance, does not bound E e^(θT): for one green
 * token of 3 and W = (1, −½, −½) ln E e^T is 0.2704, and 3/2 of the independent value 0.2575.
 *
 * @module
 */
import { logBinomialPmf } from './pmf.js';
import { exp, ln } from './portable.js';
import { type ExactLists, logBernoulliMoment } from './score-law.js';

/** Tokens up to which the law of J is convolved. */
const FEW = 48;
/** More than rounding can be in what a list adds. */
const ROUNDING = 1e-13;

/** ln max ρ: by how much any expectation of k tokens' colours can exceed the independent one. */
export function logListExcess(k: number, { green, of }: ExactLists): number {
	if (k <= 1 || green === 0 || green === of) return 0;
	const gamma = green / of;
	// At a whole γ(k−1) its neighbour is as large; rounding may give either.
	const j = Math.min(k, green, Math.floor(gamma * (k - 1)) + 1);
	const logRatio = (hits: number) =>
		hits < 0 || green - hits > of - k
			? -Infinity
			: logBinomialPmf(green - hits, of - k, gamma) - logBinomialPmf(green, of, gamma);
	return Math.max(0, logRatio(j), logRatio(j - 1)) + ROUNDING;
}

/** ρ_0 … ρ_k. */
function ratios(k: number, { green, of }: ExactLists): Float64Array {
	const out = new Float64Array(k + 1);
	let drawn = 1;
	for (let i = 0; i < k; i++) drawn *= of / (of - i);
	let hits = drawn;
	for (let j = 0; j <= k; j++) {
		out[j] = hits;
		hits *= Math.max(0, green - j) / green;
	}
	let misses = 1;
	for (let j = k; j >= 0; j--) {
		out[j] = out[j] * misses;
		misses *= Math.max(0, of - green - (k - j)) / (of - green);
	}
	return out;
}

/** (1), by the law of J. */
function logByConvolution(weights: Float64Array, lists: ExactLists, theta: number): number {
	const gamma = lists.green / lists.of;
	const k = weights.length;
	const law = new Float64Array(k + 1);
	law[0] = 1;
	let log = 0;
	for (let i = 0; i < k; i++) {
		const z = theta * weights[i];
		const [miss, hit] = z > 0 ? [(1 - gamma) * exp(-z), gamma] : [1 - gamma, gamma * exp(z)];
		const share = hit / (hit + miss);
		const rest = miss / (hit + miss);
		log += logBernoulliMoment(gamma, z);
		for (let j = i + 1; j > 0; j--) law[j] = law[j] * rest + law[j - 1] * share;
		law[0] = law[0] * rest;
	}
	const rho = ratios(k, lists);
	let sum = 0;
	for (let j = 0; j <= k; j++) sum += law[j] * rho[j];
	return log + ln(sum);
}

/**
 * An upper bound of e^(−S)·I₀(S), at most 1. With s = 1 − cos u it is (1/π√2)·∫₀² e^(−Ss)·s^(−½)·(1−s/2)^(−½) ds;
 * (1−s/2)^(−½) ≤ 1 + s/4 + 0.1643·s² up to s = 1, and beyond it the integral is at most e^(−S)/2.
 */
export function logPeakBound(S: number): number {
	if (!(S > 0)) return 0;
	const near = (1 + 1 / (8 * S) + 0.1233 / (S * S)) / Math.sqrt(2 * Math.PI * S);
	return Math.min(0, ln(near + exp(-S) / 2));
}

/** Bound 3, with c the mean weight over the vocabulary. */
function logByPeak(weights: Float64Array, { green, of }: ExactLists, theta: number): number {
	const gamma = green / of;
	const mean = weights.reduce((sum, weight) => sum + weight, 0) / of;
	let log = theta * mean * green;
	let spread = 0;
	const add = (weight: number, count: number) => {
		const z = theta * (weight - mean);
		const [miss, hit] = z > 0 ? [(1 - gamma) * exp(-z), gamma] : [1 - gamma, gamma * exp(z)];
		log += count * logBernoulliMoment(gamma, z);
		spread += (count * ((hit / (hit + miss)) * miss)) / (hit + miss);
	};
	for (const weight of weights) add(weight, 1);
	add(0, of - weights.length);
	return log + logPeakBound(spread * (1 - 1e-12)) - logBinomialPmf(green, of, gamma);
}

/**
 * An upper bound of ln E e^(θT), T = Σ W_t·B_t over distinct tokens of one list: exact for up to 48 tokens, and within
 * about 3/(16·Vγ(1−γ)) + Σ(θW_t)²/(8V) of it for more, while |θW_t| ≤ 1.
 *
 * @param weights of distinct tokens, at most `lists.of` of them, finite
 * @param theta any finite number
 */
export function logListMoment(weights: Float64Array, lists: ExactLists, theta: number): number {
	const { green, of } = lists;
	const k = weights.length;
	if (k > of) throw new RangeError(`there are ${k} weights for ${of} tokens`);
	if (k === 0 || green === 0) return 0;
	if (green === of) return theta * weights.reduce((sum, weight) => sum + weight, 0);
	const gamma = green / of;
	if (k === 1) return logBernoulliMoment(gamma, theta * weights[0]);
	if (k <= FEW) {
		const exact = logByConvolution(weights, lists, theta);
		return exact + ROUNDING;
	}
	const independent = weights.reduce((sum, weight) => sum + logBernoulliMoment(gamma, theta * weight), 0);
	const oneSign = weights.every((weight) => weight >= 0) || weights.every((weight) => weight <= 0);
	if (oneSign) return independent;
	return (
		Math.min(independent + logListExcess(k, lists), logByPeak(weights, lists, theta)) + ROUNDING * (1 + k)
	);
}
