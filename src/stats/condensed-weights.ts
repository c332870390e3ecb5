/**
 * Many weights as a few, for sums Σ κ(θ·Wᵢ) that must be taken at many θ: each weight becomes a mixture of the two
 * knots beside it, with its mean kept. κ is convex, so κ(θW) ≤ (1−s)·κ(θ·knot) + s·κ(θ·next knot) for every θ, and the
 * sum over knots is an upper bound; it stays one where κ itself is bounded from above at the knots.
 *
 * Knots lie 1 % apart. A chord over [w, 1.01·w] is above κ(θw) by at most (0.01·θw)²·κ″/8: about 2.5e-5 of what the
 * weight has above its mean, and less than 1 % of it where an exponential score is tilted to 0.97 of the end of κ.
 *
 * @module
 */
import { exp, ln } from './portable.js';

/** Σ masses·f(weights) stands for Σ f(Wᵢ). No weight is 0. */
export interface CondensedWeights {
	readonly weights: Float64Array;
	readonly masses: Float64Array;
}

/** Distinct weights up to which nothing is condensed. */
const FEW = 4096;
const LN_STEP = ln(1.01);
/** Knots a sign, down to 1e-8 of the heaviest; below that a weight is a mixture of the last knot and 0. */
const KNOTS = 1852;

const ROUNDING = 1e-13;

/** Equal weights together; 0 is left out. In the order of their first occurrence. */
export function countWeights(weights: ArrayLike<number>): Map<number, number> {
	const counts = new Map<number, number>();
	for (let i = 0; i < weights.length; i++) {
		const weight = weights[i];
		if (weight !== 0) counts.set(weight, (counts.get(weight) ?? 0) + 1);
	}
	return counts;
}

/** Condenses; exact where there are few distinct weights. */
export function condenseWeights(counts: ReadonlyMap<number, number>): CondensedWeights {
	if (counts.size <= FEW) {
		return { weights: Float64Array.from(counts.keys()), masses: Float64Array.from(counts.values()) };
	}
	let heaviest = 0;
	for (const weight of counts.keys()) heaviest = Math.max(heaviest, Math.abs(weight));
	const knots = Float64Array.from({ length: KNOTS + 1 }, (_, k) =>
		k === 0 ? heaviest : k === KNOTS ? 0 : heaviest * exp(-k * LN_STEP),
	);
	const at = (k: number) => knots[k];
	const masses = [new Float64Array(KNOTS + 1), new Float64Array(KNOTS + 1)] as const;
	for (const [weight, count] of counts) {
		const size = Math.abs(weight);
		let k = Math.min(KNOTS - 1, Math.max(0, Math.floor(ln(heaviest / size) / LN_STEP)));
		// Rounding may have put it beside its cell.
		while (k > 0 && size > at(k)) k--;
		while (k < KNOTS - 1 && size < at(k + 1)) k++;
		const exact = (at(k) - size) / (at(k) - at(k + 1));
		// Rounded so that the mean is not lowered: scores are ≥ 0, so κ rises with the weight.
		const share = weight < 0 ? Math.min(1, exact + ROUNDING) : Math.max(0, exact - ROUNDING);
		const signed = weight < 0 ? masses[1] : masses[0];
		signed[k] = signed[k] + count * (1 - share);
		signed[k + 1] = signed[k + 1] + count * share;
	}
	const kept: [number, number][] = [];
	masses.forEach((signed, sign) => {
		signed.forEach((mass, k) => {
			if (mass > 0 && k < KNOTS) kept.push([sign === 0 ? at(k) : -at(k), mass]);
		});
	});
	return {
		weights: Float64Array.from(kept, ([weight]) => weight),
		masses: Float64Array.from(kept, ([, mass]) => mass),
	};
}
