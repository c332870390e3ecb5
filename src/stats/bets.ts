/**
 * Bets on one number a context: X_c of which no more is known than that its mean under the null is at most 0, given
 * all other contexts (independent, or given those before), and that X_c ≥ −b_c; b_c does not depend on the key. Matched
 * scores are such numbers: what the provider's own model would shift under the key. Their law is heavy-tailed and
 * unknown, but for λ_c in [0, 1/b_c) fixed without the key every factor of
 *
 *     e = Π (1 + λ_c·X_c)
 *
 * is positive and of mean at most 1, so e is an e-value (a capital process: Shafer and Vovk 2019, "Game-theoretic
 * foundations for probability and finance"; Waudby-Smith and Ramdas 2024, "Estimating means of bounded random
 * variables by betting"; 1/e is a p-value, with no other assumption).
 *
 * Growth is about λμ − λ²v/2 a context, best at λ = μ/v (Kelly 1956). Where a context's effect μ_c is in proportion to
 * its variance v_c, as for weights that are expected effects, one λ serves all; its size is not known, so e is averaged
 * over λ_c = min(½/b_c, z/√Σv_c) for z = ½·60^(j/20), j = 0 … 20, the multiples that `weighted-sum.ts` has. Where
 * effects are in proportion to standard deviations, divide X_c and b_c by √v_c first.
 *
 * @module
 */
import { DEVIATES } from './deviates.js';
import { logMean } from './log-mean.js';
import { log1p } from './portable.js';
import { checkLists, type ExactLists } from './score-law.js';

/** What is known of a context's X without the key. */
export interface Bet {
	/** X ≥ −bound; finite, ≥ 0. Where it is 0, X is 0 almost surely, and nothing is bet. */
	readonly bound: number;
	/** Variance of X under the null, ≥ 0; only the size of the bet depends on it, no validity. */
	readonly variance: number;
}

/** Lets X lie below −bound by this share of it, for rounding. */
const SLACK = 1e-9;

/**
 * ln of the e-value.
 *
 * @param values X_c, finite
 * @param bets of the same contexts, computed without the key
 * @throws RangeError for numbers out of range, and for an X below −bound: the bound was wrong, and no e-value follows
 */
export function logEBets(values: ArrayLike<number>, bets: readonly Bet[]): number {
	if (values.length !== bets.length)
		throw new RangeError(`there are ${values.length} values for ${bets.length} bets`);
	let variance = 0;
	bets.forEach((bet, c) => {
		const value = values[c];
		if (!(bet.bound >= 0 && bet.bound < Infinity && bet.variance >= 0 && bet.variance < Infinity))
			throw new RangeError(`bet ${c} must have a finite bound and variance ≥ 0`);
		if (!(value >= -bet.bound * (1 + SLACK) && value < Infinity))
			throw new RangeError(`value ${c} must be finite and at least -${bet.bound}, not ${value}`);
		variance += bet.variance;
	});
	if (!(variance > 0)) return 0;
	const deviation = Math.sqrt(variance);
	return logMean(
		DEVIATES.map((z) => {
			const even = z / deviation;
			let log = 0;
			bets.forEach(({ bound }, c) => {
				if (bound > 0) log += log1p(Math.min(0.5 / bound, even) * values[c]);
			});
			// Rounding of n logarithms is far below this.
			return log - 1e-14 * bets.length;
		}),
	);
}

/**
 * The bet on X = Σ W_t·(G_t − g/V), over tokens of one list of exact size: its mean is exactly 0, its least value is
 * that of the g lightest of all V tokens, its variance γ(1−γ)·(V·ΣW² − (ΣW)²)/(V − 1), γ = g/V.
 *
 * @param weights of distinct tokens, finite, at most `lists.of` of them
 */
export function listBet(weights: ArrayLike<number>, lists: ExactLists): Bet {
	checkLists(lists);
	const { green, of } = lists;
	if (weights.length > of) throw new RangeError(`there are ${weights.length} weights for ${of} tokens`);
	const ascending = Float64Array.from(weights).sort();
	const negative = ascending.filter((weight) => weight < 0).subarray(0, green);
	const zeros = of - ascending.filter((weight) => weight !== 0).length;
	const positive = ascending
		.filter((weight) => weight > 0)
		.subarray(0, Math.max(0, green - negative.length - zeros));
	let least = 0;
	for (const weight of [...negative, ...positive]) least += weight;
	let total = 0;
	let squares = 0;
	for (const weight of ascending) {
		total += weight;
		squares += weight * weight;
	}
	const gamma = green / of;
	const spread = of === 1 ? 0 : (of * squares - total * total) / (of - 1);
	return {
		bound: Math.max(0, gamma * total - least),
		variance: Math.max(0, gamma * (1 - gamma) * spread),
	};
}
