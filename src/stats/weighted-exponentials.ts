/**
 * What the Berry–Esseen theorem takes back of Chernoff's bound for T = Σ Wᵢxᵢ of exponential scores, as
 * `weighted-bernoulli.ts` has it for yes/no scores: P(T ≥ t) ≤ e^(κ(θ) − θt)·(m(θσ)/√(2π) + 0.4·|d| + 1.12·L).
 *
 * T lies stochastically below T′, in which x is Exp(1) + shift where W > 0, and Y = −ln min(1, V + d), d = 2^-23, less
 * 2^-30, where W < 0 (`score-law.ts`). Under the tilt by θ the first is exponential of mean 1/(1 − θW). Of the second,
 * with b = θ|W| and μ = 1/(1 + b), the law is that of Exp(1 + b) cut at −ln d, with an atom at 0 of
 * π ≤ 1.01·d·(1 + b). So its mean lies between μ(1 − π − 2e-6) and μ, its variance within μ²(1 ± (2π + 1e-4)), and its
 * third absolute central moment is at most (12/e − 2)·μ³·(1 + 5π + 1e-4), 12/e − 2 being that of Exp(1).
 *
 * @module
 */
import type { ScoreLaw } from './score-law.js';
import { tiltedFactor } from './weighted-bernoulli.js';

/** E|X − 1|³ of X ~ Exp(1). */
const THIRD = 12 / Math.E - 2;
const GRID_EXCESS = 2 ** -23;

/**
 * The factor for Chernoff's bound at θ, not cut at 1; ∞ where no more is known.
 *
 * @param counts distinct weights, none of them 0
 * @param theta > 0, with θW below the end of κ for every weight
 */
export function exponentialFactor(
	law: ScoreLaw & { kind: 'exponential' | 'two-exponentials' },
	counts: ReadonlyMap<number, number>,
	t: number,
	theta: number,
): number {
	const scales = law.kind === 'exponential' ? [1] : [law.a, law.b];
	let mean = 0;
	let variance = 0;
	let third = 0;
	/** How far the mean may lie above. */
	let unsure = 0;
	for (const [weight, count] of counts) {
		if (weight > 0) mean += count * weight * law.shift;
		else unsure += count * -weight * 2 ** -30;
		for (const scale of scales) {
			const tilted = (weight * scale) / (1 - theta * weight * scale);
			const atom = weight > 0 ? 0 : 1.01 * GRID_EXCESS * (1 - theta * weight * scale);
			if (!(atom <= 1e-3)) return Infinity;
			const size = count * tilted * tilted;
			const slack = weight > 0 ? 0 : 1e-4;
			mean += count * tilted;
			if (weight < 0) unsure -= count * tilted * (atom + 2e-6);
			variance += size * (1 - 2 * atom - slack);
			third += THIRD * size * Math.abs(tilted) * (1 + 5 * atom + slack);
		}
	}
	const sigma = Math.sqrt(variance);
	return sigma > 0
		? tiltedFactor(theta * sigma, (Math.abs(t - mean) + unsure) / sigma, third / variance / sigma)
		: Infinity;
}
