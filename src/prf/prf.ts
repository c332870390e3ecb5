/**
 * What a keyed pseudorandom function is to the rest of Touchmark, and the list of those that exist.
 *
 * To add one: write a file beside this one that exports a `Prf` factory (`plainPrf` makes one of two
 * functions), add its row to `PRFS`, and pin it with vectors in `test/prf/`.
 *
 * @module
 */
import { chacha8 } from './chacha8.js';
import { hmacSha256 } from './hmac.js';
import { philox } from './philox.js';

/**
 * Bits of randomness that a scheme takes per (context, token): 1 and 8 for green lists, 32 for gumbel and for
 * the layers of synthid.
 */
export type FieldBits = 1 | 8 | 32;

/**
 * How a 32-bit word w becomes a uniform u: `word32`, (w + 0.5)/2^32; `float24`, the single-precision number
 * nearest to ((w >>> 8) + 1)/(2^24 + 1).
 */
export type GridName = 'word32' | 'float24';

/** Randomness for every token id after a context, under one key. */
export interface Prf {
	/**
	 * The field of one token.
	 *
	 * @param context the last token ids, oldest first; always the same length under one key; unsigned 32-bit
	 * @param token candidate id, 0 to 2^27 − 1
	 * @returns an integer in [0, 2^bits)
	 */
	field(context: ArrayLike<number>, token: number, bits: FieldBits): number;
	/** The fields of tokens 0 … out.length − 1, written to `out`. */
	fields(context: ArrayLike<number>, bits: FieldBits, out: Uint32Array): void;
	/**
	 * The fields of `out.length` pairs at once, each under its own context.
	 *
	 * @param pairs rows of `width` + 1 words: the context, oldest id first, then the token
	 */
	pairFields(pairs: Uint32Array, width: number, bits: FieldBits, out: Uint32Array): void;
	/**
	 * Adds `delta`, rounded to single precision, to the logits of the tokens whose field is below `below`, in
	 * place. Without a copy where the logits are a {@link scratchRow}.
	 */
	bias(context: ArrayLike<number>, bits: 1 | 8, below: number, delta: number, logits: Float32Array): void;
	/**
	 * The tokens that can win argmax(logit + g), where g = −ln(−ln u) and u comes from the token's 32-bit field.
	 * Their ids and fields are written to `tokens` and `words`, in any order.
	 *
	 * None that could win is left out; a few that cannot are let in. Logits are numbers or −Infinity.
	 *
	 * @param tokens room for as many as there are logits; so is `words`
	 * @param turn added to each field, modulo 2^32: u goes around by turn / 2^32. Default 0
	 * @returns how many there are; 0 when all logits are −Infinity
	 */
	contenders(
		context: ArrayLike<number>,
		logits: Float32Array,
		grid: GridName,
		tokens: Uint32Array,
		words: Uint32Array,
		turn?: number,
	): number;
}

/** How a PRF is made, and what a user must know before trusting it. */
export interface PrfFamily {
	/** Length of its key in bytes. */
	readonly keyBytes: number;
	/** False: the key can be recovered or the mark forged by who studies outputs; for compatibility only. */
	readonly hardened: boolean;
	/** Field widths that it defines. */
	readonly bits: readonly FieldBits[];
	/** Binds a key of `keyBytes` bytes. */
	create(key: Uint8Array): Prf;
}

/** Every PRF, by its versioned name. */
export const PRFS = {
	'chacha8-v1': { keyBytes: 32, hardened: true, bits: [1, 8, 32], create: chacha8 },
	'philox4x32-10-v1': { keyBytes: 8, hardened: false, bits: [32], create: philox },
	'hmac-sha256-v1': { keyBytes: 32, hardened: true, bits: [32], create: hmacSha256 },
} as const satisfies Record<string, PrfFamily>;

export type PrfName = keyof typeof PRFS;
