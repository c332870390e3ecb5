/**
 * The upper tail of a weighted sum of independent yes/no scores, T = Σ wᵢBᵢ with Bᵢ ~ Bernoulli(pᵢ): SynthID's
 * weighted mean over layers, green lists weighted by entropy.
 *
 * - One weight and one probability: exactly binomial. One weight, several probabilities: not above the binomial
 *   with the mean probability, for thresholds of at least its mean + 1 (Hoeffding 1956, "On the distribution of the
 *   number of successes in independent trials").
 * - Few scores whose weights are multiples of one unit: exact, by convolution (`lattice-sum.ts`).
 * - Otherwise the Chernoff bound with what it gives away taken back, as far as the Berry–Esseen theorem proves it.
 *   With κ(θ) = Σ ln(1 − pᵢ + pᵢe^(θwᵢ)), and P_θ the law tilted by e^(θT), of mean κ′ and variance σ² = κ″,
 *
 *       P(T ≥ x) = e^(κ(θ) − θx) · E_θ[e^(−θ(T−x)); T ≥ x],    E_θ[…] = ∫₀^∞ θe^(−θu) P_θ(x ≤ T ≤ x+u) du.
 *
 *   E_θ[…] ≤ 1 gives Chernoff's bound (1952), for any θ ≥ 0. By Berry–Esseen P_θ(x ≤ T ≤ x+u) is at most its
 *   normal value + 2·0.56·L, L = Σ E_θ|wᵢ(Bᵢ−p̃ᵢ)|³/σ³ (0.56: Shevtsova 2010, "An improvement of convergence rate
 *   estimates in the Lyapunov theorem"); the normal value at a threshold d standard deviations off the mean is at
 *   most that at the mean + |d|/√(2π). So
 *
 *       E_θ[…] ≤ m(θσ)/√(2π) + 0.4·|d| + 1.12·L,    m(λ) = (1 − Φ(λ))/φ(λ) ≤ 4/(3λ + √(λ² + 8))
 *
 *   (Sampford 1953, "Some inequalities on Mill's ratio and related functions"). Bahadur and Rao (1960) is the
 *   asymptotic form of this. Valid for every n, and for every θ: an optimum found to a few digits is no less rigorous.
 *
 * @module
 */

import { findLattice, latticeCost, logLatticeUpperTail } from './lattice-sum.js';
import { exp, expm1, ln, log1p } from './portable.js';
import { checkCount, checkProbability, logBinomialUpperTail } from './tails.js';

/** `count` independent Bernoulli(`p`) scores of one weight. */
export interface BernoulliGroup {
	/** Any finite number. */
	readonly weight: number;
	/** From 0 to 1. */
	readonly p: number;
	/** An integer from 0 to 1e12. */
	readonly count: number;
}

/** Lowers a threshold by this share of the largest possible sum, more than rounding can have raised the sum. */
const ROUNDING = 1e-12;

/** Updates of one lattice point that an exact convolution may take; about 10 ms. */
const MAX_CONVOLUTION = 2 ** 22;

/** Weights below this share of the heaviest are taken to hit: far less than {@link ROUNDING}. */
const NEGLIGIBLE = 1e-100;

/** Groups with weights from 0 to 1 and 0 < p < 1, and a threshold, of the same tail. */
interface Positive {
	readonly groups: readonly BernoulliGroup[];
	readonly threshold: number;
	readonly largest: number;
}

/** In units of the heaviest. A negative weight is a positive one of the complement: wB = w + |w|(1 − B). */
function toPositive(groups: readonly BernoulliGroup[], x: number): Positive {
	const heaviest = groups.reduce((most, { weight }) => Math.max(most, Math.abs(weight)), 0) || 1;
	const merged = new Map<string, BernoulliGroup>();
	let threshold = Math.max(-1e300, Math.min(1e300, x / heaviest));
	let scale = Math.abs(threshold);
	let largest = 0;
	for (const { weight, p, count } of groups) {
		const size = Math.abs(weight) / heaviest;
		const chance = weight < 0 ? 1 - p : p;
		scale += size * count;
		if (weight < 0) threshold += size * count;
		if (chance === 1 || size < NEGLIGIBLE) threshold -= size * count;
		else if (chance > 0 && count > 0) {
			largest += size * count;
			const key = `${size} ${chance}`;
			merged.set(key, { weight: size, p: chance, count: count + (merged.get(key)?.count ?? 0) });
		}
	}
	return { groups: [...merged.values()], threshold: threshold - ROUNDING * scale, largest };
}

function check(groups: readonly BernoulliGroup[], x: number): void {
	if (!(Math.abs(x) < Infinity)) throw new RangeError(`x must be a finite number, not ${x}`);
	for (const { weight, p, count } of groups) {
		if (!(Math.abs(weight) < Infinity)) throw new RangeError(`weight must be finite, not ${weight}`);
		checkProbability('p', p);
		checkCount('count', count);
	}
}

/** κ(θ), its first two derivatives, and Σ E_θ|w(B − p̃)|³. */
function cumulants(groups: readonly BernoulliGroup[], theta: number) {
	let log = 0;
	let mean = 0;
	let variance = 0;
	let third = 0;
	for (const { weight, p, count } of groups) {
		const z = theta * weight;
		const miss = (1 - p) * exp(-z);
		const hit = p / (p + miss);
		const spread = (hit * miss) / (p + miss);
		log += count * (z < 30 ? log1p(p * expm1(z)) : z + ln(p + miss));
		mean += count * weight * hit;
		variance += count * weight * weight * spread;
		third += count * weight * weight * weight * spread * (1 - 2 * spread);
	}
	return { log, mean, variance, third };
}

/** A θ ≥ 0 with κ′(θ) near the threshold: Newton's steps, kept inside a bracket by bisection. */
function tiltTo(groups: readonly BernoulliGroup[], threshold: number): number {
	const lightest = groups.reduce((least, { weight }) => Math.min(least, weight), Infinity);
	const heaviest = groups.reduce((most, { weight }) => Math.max(most, weight), 0);
	// Where even the lightest score is certain to hit, no θ does more.
	const highest = 60 / lightest + 1 / heaviest;
	let low = 0;
	let high = 1 / heaviest;
	while (high < highest && cumulants(groups, high).mean < threshold) {
		low = high;
		high = Math.min(highest, 2 * high);
	}
	let theta = low;
	for (let step = 0; step < 100; step++) {
		const { mean, variance } = cumulants(groups, theta);
		const off = threshold - mean;
		if (off > 0) low = theta;
		else high = theta;
		if (Math.abs(off) <= 1e-9 * Math.sqrt(variance) || high - low <= 1e-14 * high) break;
		const next = theta + off / variance;
		theta = next > low && next < high ? next : (low + high) / 2;
	}
	return theta;
}

/**
 * The bound of E_θ[…] of the module comment, not cut at 1.
 *
 * @param lambda θσ
 * @param distance |d|
 * @param lyapunov L
 */
export function tiltedFactor(lambda: number, distance: number, lyapunov: number): number {
	const mills = 4 / (3 * lambda + Math.sqrt(lambda * lambda + 8));
	return mills / Math.sqrt(2 * Math.PI) + 0.4 * distance + 1.12 * lyapunov;
}

/** The bound of the module comment at one θ. */
function logTiltedBound(groups: readonly BernoulliGroup[], threshold: number, theta: number): number {
	const { log, mean, variance, third } = cumulants(groups, theta);
	// What the difference may have lost to rounding is put back.
	const chernoff = log - theta * threshold + 1e-15 * (log + theta * threshold);
	const sigma = Math.sqrt(variance);
	if (!(sigma > 0)) return chernoff;
	const factor = tiltedFactor(theta * sigma, Math.abs((threshold - mean) / sigma), third / variance / sigma);
	return factor < 1 ? chernoff + ln(factor) : chernoff;
}

/**
 * ln of an upper bound of P(Σ wᵢBᵢ ≥ x): exact (binomial, or by convolution) where the module comment says so,
 * otherwise within about 20 % + 8/√N·(distance in standard deviations) of p itself for N scores of similar weight.
 * Below the mean, where it is not exact, 0.
 *
 * The threshold is lowered by 1e-12 of the largest |sum|, so that no rounding in the caller's sum makes p smaller.
 *
 * Cost: a few µs for 30 groups, whatever the counts; up to 10 ms where the convolution is done.
 *
 * @param groups weights of any sign; a group may be empty
 * @param x a finite number
 * @returns a natural logarithm, ≤ 0; −∞ where x lies above the largest possible sum
 * @throws RangeError for a weight or x that is not finite, a p outside [0, 1], or a count that is no integer from 0
 *   to 1e12
 */
export function logWeightedBernoulliUpperTail(groups: readonly BernoulliGroup[], x: number): number {
	check(groups, x);
	const { groups: kept, threshold, largest } = toPositive(groups, x);
	if (threshold <= 0) return 0;
	if (threshold > largest) return -Infinity;
	const weight = kept[0]!.weight;
	const trials = kept.reduce((sum, { count }) => sum + count, 0);
	const alike = kept.every((group) => group.weight === weight);
	const hits = Math.min(trials, Math.ceil(threshold / weight));
	if (kept.length === 1) return logBinomialUpperTail(hits, trials, kept[0]!.p);
	const mean = kept.reduce((sum, group) => sum + group.weight * group.count * group.p, 0);
	const theta = threshold > mean ? tiltTo(kept, threshold) : 0;
	const lattice = findLattice(kept);
	if (lattice !== undefined && latticeCost(lattice) <= MAX_CONVOLUTION) {
		return logLatticeUpperTail(lattice, threshold, theta);
	}
	if (theta === 0) return 0;
	const bound = Math.min(0, logTiltedBound(kept, threshold, theta));
	const p = Math.min(1, (mean / weight / trials) * (1 + 1e-14));
	return alike && hits >= trials * p + 1 ? Math.min(bound, logBinomialUpperTail(hits, trials, p)) : bound;
}
