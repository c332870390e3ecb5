/**
 * What a mark scheme is: how it changes sampling, how a (context, token) pair is scored, and the law of
 * that score when the key had no influence.
 *
 * To add a scheme: write a file beside this one, add its parameters to `SchemeParams` and its row to
 * `bindScheme` in `marks/mark.ts`, and give it vectors and a row in the calibration bench.
 *
 * @module
 */
import { z } from 'zod';
import type { Prf } from '../prf/prf.js';

/** Which side of sampling carries the mark: the distribution itself, or the draw from it. */
export type Channel = 'shape' | 'choice';

/**
 * The law of one score under the null hypothesis, for one distinct (effective context, token).
 *
 * - `bernoulli`: 1 with probability `p`, else 0, exactly.
 * - `exponential`: stochastically below Exp(1) + `shift` (nats); scores of distinct pairs are independent.
 */
export type NullLaw =
	| { readonly kind: 'bernoulli'; readonly p: number }
	| { readonly kind: 'exponential'; readonly shift: number };

/** A scheme bound to a key. Contexts are token ids, oldest first, always of the mark's context width. */
export interface Scheme {
	readonly channel: Channel;
	readonly null: NullLaw;
	/** Score of a pair, an integer ≥ 0 in units of 2^-32. */
	score(context: ArrayLike<number>, token: number): number;
	/** Shape: adds the key's bias to logits (nats, one a token id) in place. */
	tilt?(context: ArrayLike<number>, logits: Float32Array): void;
	/** Choice: the token drawn from softmax(logits) under the key; −Infinity excludes a token. */
	draw?(context: ArrayLike<number>, logits: Float32Array): number;
}

/**
 * Parameters of every scheme.
 *
 * - `gumbel`: none.
 * - `kgw`: `gamma`, the share of the vocabulary on a green list, a multiple of 1/256 (so that the score is
 *   exactly Bernoulli(γ)); `delta`, the bias in nats.
 */
export const SchemeParams = z.discriminatedUnion('name', [
	z.strictObject({ name: z.literal('gumbel') }),
	z.strictObject({
		name: z.literal('kgw'),
		gamma: z
			.number()
			.gt(0)
			.lt(1)
			.refine((g) => Number.isInteger(g * 256), 'must be a multiple of 1/256'),
		delta: z.number().gt(0).max(20),
	}),
]);
export type SchemeParams = z.infer<typeof SchemeParams>;

/** Makes a scheme from a bound PRF. */
export type SchemeFactory<P> = (params: P, prf: Prf) => Scheme;
