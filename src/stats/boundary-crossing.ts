/**
 * The probability that ordered uniforms cross a lower boundary anywhere: P(U₍ᵢ₎ ≤ bᵢ for some i ≤ m), for n uniforms
 * and b₁ ≤ b₂ ≤ … ≤ b_m.
 *
 * With N(t) the number of uniforms up to t the event is N(bᵢ) ≥ i for some i, so it is the sum over i of the
 * probability to cross there *first*: from a count below i − 1 at bᵢ₋₁, that was never above, by a binomial number of
 * the uniforms left. Counts that have not crossed are carried from step to step (the forward recursion of Noé 1972,
 * "The calculation of distributions of two-sided Kolmogorov–Smirnov type statistics", and of Moscovich and Nadler
 * 2017, "Fast calculation of boundary crossing probabilities for Poisson processes"), but the crossings are added up
 * and not taken from 1: every term is positive, and a probability of 1e-200 is as accurate as one of ½.
 *
 * @module
 */
import { exp, log1p } from './portable.js';

/**
 * P(U₍ᵢ₎ ≤ bᵢ for some i), to about 1e-12, and never less by more than rounding: mass that is too small to carry is
 * counted as crossing.
 *
 * Cost: about 20·m^1.5 loops of 25 steps; 0.6 ms at m = 250, 40 ms at m = 2000.
 *
 * @param n number of uniforms
 * @param boundary b₁ ≤ b₂ ≤ … ≤ b_m < 1, m ≤ n
 * @param least a number of which the answer is known to be larger, above 1e-250
 */
export function crossingProbability(n: number, boundary: Float64Array, least: number): number {
	const m = boundary.length;
	// At most so many pieces of mass are dropped, one for each step and count, twice.
	const negligible = (1e-13 * least) / ((m + 1) * (m + 1));
	let counts = new Float64Array(m + 1);
	let next = new Float64Array(m + 1);
	counts[0] = 1;
	let lowest = 0;
	let highest = 0;
	let crossed = 0;
	let dropped = 0;
	let last = 0;
	for (let i = 1; i <= m; i++) {
		const here = boundary[i - 1]!;
		const share = (here - last) / (1 - last);
		last = here;
		const odds = share / (1 - share);
		next.fill(0, lowest, i);
		let stay = exp((n - lowest) * log1p(-share));
		for (let count = lowest; count <= highest; count++) {
			let mass = counts[count]! * stay;
			stay /= 1 - share;
			if (counts[count]! <= negligible) {
				dropped += counts[count]!;
				continue;
			}
			for (let to = count; ; to++) {
				if (to < i) next[to]! += mass;
				else crossed += mass;
				const ratio = ((n - to) / (to - count + 1)) * odds;
				if (ratio <= 0.5 && mass <= negligible) {
					// Ratios fall: the rest is at most mass·(½ + ¼ + …).
					dropped += mass;
					break;
				}
				mass *= ratio;
			}
		}
		[counts, next] = [next, counts];
		highest = i - 1;
		while (lowest < highest && counts[lowest]! <= negligible) dropped += counts[lowest++]!;
		while (highest > lowest && counts[highest]! <= negligible) dropped += counts[highest--]!;
	}
	return Math.min(1, crossed + dropped);
}
