/**
 * How other systems turn a context into the 32-bit seed of a Mersenne Twister, bit for bit.
 *
 * - `lefthash` (transformers `WatermarkingConfig`): hashing key times the last id, whatever the context width.
 * - `selfhash` (transformers): the least, over the window that ends in the candidate token, of
 *   key·(T[x] + 1)·(T[candidate] + 1) with T a permutation of 1,000,003 seeded by the key; 64-bit wrap, signed.
 * - `meta` (facebookresearch/radioactive-watermark, three_bricks): s ← (s·35317 + id) mod (2^64 − 1) over the
 *   context, from the key.
 *
 * The first and the last are taken modulo 2^64 − 1; the twister sees the low 32 bits.
 *
 * @module
 */
import { multiply64 } from '../prf/lcg64.js';
import { permutationHead } from '../prf/mersenne.js';
import type { Effective } from './scheme.js';

/** From a window to a seed. */
export interface Seeding {
	/** Whether the seed depends on the token itself. */
	readonly ownToken: boolean;
	/** Unsigned 32-bit seed. */
	seedOf(context: ArrayLike<number>, token: number): number;
}

const ALL_ONES = 2n ** 64n - 1n;

/** @param key the hashing key, 0 to 2^64 − 1 */
export function lefthash(key: bigint): Seeding {
	// One product an id, kept: at most as many as the vocabulary has ids.
	const seeds = new Map<number, number>();
	return {
		ownToken: false,
		seedOf(context) {
			const last = context[context.length - 1];
			let seed = seeds.get(last);
			if (seed === undefined) {
				seed = Number(((key * BigInt(last)) % ALL_ONES) & 0xffffffffn);
				seeds.set(last, seed);
			}
			return seed;
		},
	};
}

const TABLE_SIZE = 1_000_003;

/** @param key the hashing key, 0 to 2^63 − 1 */
export function selfhash(key: bigint): Seeding {
	const keyHigh = Number(key >> 32n);
	const keyLow = Number(key & 0xffffffffn);
	let table: Uint32Array = new Uint32Array(0);
	const product = { high: 0, low: 0 };
	/** T of an id. Only the head of the permutation that holds the ids seen so far is worked out. */
	const entryOf = (id: number): number => {
		const at = id % TABLE_SIZE;
		if (at >= table.length) table = permutationHead(keyLow, TABLE_SIZE, Math.min(TABLE_SIZE, 2 * (at + 1)));
		return table[at];
	};
	return {
		ownToken: true,
		seedOf(context, token) {
			const own = entryOf(token) + 1;
			let high = 0x7fffffff;
			let low = 0xffffffff;
			for (let i = 0; i <= context.length; i++) {
				const id = i < context.length ? context[i] : token;
				// At most 1,000,003², which a double holds exactly.
				const factor = (entryOf(id) + 1) * own;
				multiply64(keyHigh, keyLow, Math.floor(factor / 2 ** 32), factor >>> 0, product);
				const signed = product.high | 0;
				if (signed < high || (signed === high && product.low < low)) {
					high = signed;
					low = product.low;
				}
			}
			// Modulo 2^64 − 1 a negative number is one less than its two's complement.
			return (high < 0 ? low - 1 : low) >>> 0;
		},
	};
}

const META_SALT = 35317;

/** @param key the seed that the hash begins with, 0 to 2^64 − 1 */
export function metaHash(key: bigint): Seeding {
	const start = key % ALL_ONES;
	const startHigh = Number(start >> 32n);
	const startLow = Number(start & 0xffffffffn);
	return {
		ownToken: false,
		seedOf(context) {
			let high = startHigh;
			let low = startLow;
			for (let i = 0; i < context.length; i++) {
				const lowProduct = low * META_SALT + context[i];
				const highProduct = high * META_SALT + Math.floor(lowProduct / 2 ** 32);
				// What overflows 2^64 is added again: 2^64 is 1 modulo 2^64 − 1.
				low = (lowProduct % 2 ** 32) + Math.floor(highProduct / 2 ** 32);
				high = highProduct % 2 ** 32;
				if (low >= 2 ** 32) {
					low -= 2 ** 32;
					high++;
					if (high >= 2 ** 32) {
						high = 0;
						low++;
					}
				}
				if (high === 0xffffffff && low === 0xffffffff) high = low = 0;
			}
			return low;
		},
	};
}

/** Effective pairs of a seeding: (seed, token). */
export function seededPairs(seeding: Seeding, contextWidth: number, vocabSize: number): Effective {
	return {
		words: 2,
		perWindow: 1,
		of(windows, at, out, to) {
			const token = windows[at + contextWidth];
			if (token >= vocabSize) return 0;
			const seed = seeding.seedOf(windows.subarray(at, at + contextWidth), token);
			// A seed of zero comes from zeros, whatever the key.
			if (seed === 0) return 0;
			out[to] = seed;
			out[to + 1] = token;
			return 1;
		},
	};
}
