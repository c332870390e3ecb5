/**
 * What evidence of an account a token has on average, from the distribution that it is drawn from: no key and no text.
 *
 * A token of probability p that a keyed Gumbel draw chose has u with density u^(1/p − 1)/p. An account's symbol is right with
 * it and, under the null, one of q; so its bet at λ grows by λ f(u) − ln (1/q) Σ over s of e^(λ f(frac(u + s/q))), f(u) =
 * −ln(1 − u). The mean over the tokens of a step, at the λ that is best for the whole text, is what tests of that text can
 * expect. Two tokens at one position of the code are counted as if each had its own, which is a little too much.
 *
 * @module
 */
import { ACCOUNT_CODE } from '../src/marks/account-code.js';

/** Values of λ that are tried. */
const LAMBDAS = Array.from({ length: 16 }, (_, i) => 0.15 * 1.17 ** i);
const LEAST_LN = Math.log(1e-6);
const STEPS = 140;
const POINTS = 2000;

/** Mean growth of a token of probability e^lnP at λ. */
function growth(lnP: number, lambda: number): number {
	const { symbols } = ACCOUNT_CODE;
	const p = Math.exp(lnP);
	let total = 0;
	for (let i = 0; i < POINTS; i++) {
		const below = -Math.expm1(p * Math.log((i + 0.5) / POINTS));
		let sum = below ** -lambda;
		for (let s = 1; s < symbols; s++) sum += ((below + 1 - s / symbols) % 1 || 1) ** -lambda;
		total += -lambda * Math.log(below) - Math.log(sum / symbols);
	}
	return total / POINTS;
}

/** Growth at each λ, by ln p. */
const TABLE = LAMBDAS.map((lambda) =>
	Float64Array.from({ length: STEPS + 1 }, (_, i) => growth(LEAST_LN * (1 - i / STEPS), lambda)),
);

/** Mean growth of one step at each λ. @param probabilities of the tokens */
export function stepEvidence(probabilities: ArrayLike<number>): Float64Array {
	const sums = new Float64Array(LAMBDAS.length);
	for (let token = 0; token < probabilities.length; token++) {
		const p = probabilities[token];
		if (p <= 0) continue;
		const place = Math.max(0, STEPS * (1 - Math.log(p) / LEAST_LN));
		const low = Math.min(STEPS - 1, Math.floor(place));
		const part = place - low;
		for (let k = 0; k < sums.length; k++)
			sums[k] += p * ((1 - part) * TABLE[k][low] + part * TABLE[k][low + 1]);
	}
	return sums;
}

/** What a pair that nobody drew takes away on average: its u is uniform, as that of a token which was certain. */
const FOREIGN = stepEvidence([1]);

/**
 * Evidence that a text can be expected to have, nats.
 *
 * @param steps of its tokens, from {@link stepEvidence}
 * @param share of them that the account layer draws and that the text still has
 * @param foreign pairs of the account layer's contexts that it did not draw, as a share of the steps
 */
export function expectedEvidence(steps: readonly Float64Array[], share: number, foreign: number): number {
	return Math.max(
		0,
		...LAMBDAS.map((_, k) => steps.reduce((sum, step) => sum + share * step[k] + foreign * FOREIGN[k], 0)),
	);
}
