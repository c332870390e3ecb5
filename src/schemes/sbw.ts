/**
 * Green lists by one coin a token, bit for bit with vLLM's `sbw` (`vllm/v1/watermarking/sbw.py`, pull request 56859,
 * in review in autumn 2026; Ceppi and Sanchez, "Flip, don't shuffle: watermarking LLMs at the speed of inference",
 * 2026), seeding `selfhash`.
 *
 * The seed of token v after a context is the least, as signed 64-bit numbers, of key·h(c)·h(v) over the context's
 * ids c, and key·h(v)². The seed is the key of one block of Philox4x32-10 at counter ⌊v / 4⌋; v is green when the low
 * 31 bits of its word are below ⌊γ·(2^31 − 1)⌋. Lists have no fixed size: the count of green pairs is binomial.
 *
 * Upstream's context has one id more, its oldest, which it never reads.
 *
 * @module
 */
import { multiply64 } from '../prf/lcg64.js';
import { philoxRounds } from '../prf/philox.js';
import { SCORE_UNIT } from './fixed-log.js';
import type { ParamsOf, Scheme } from './scheme.js';

const LOW_BITS = 0x7fffffff;

/** A token is green when the low 31 bits of its word are below this. */
export function sbwThreshold(gamma: number): number {
	return Math.floor(gamma * LOW_BITS);
}

/** Hash of an id, 0 to 2^31 − 1; positions before the text have 0. */
function hashOf(id: number): number {
	let h = (id + 1) | 0;
	h = (h - (h << 6)) | 0;
	h ^= h >> 17;
	h = (h - (h << 9)) | 0;
	h ^= h << 4;
	h = (h - (h << 3)) | 0;
	h ^= h << 10;
	return h ^ (h >> 15);
}

/** Binds. @param key 0 to 2^64 − 1 */
export function sbw(params: ParamsOf<'kgw'>, contextWidth: number, key: bigint): Scheme {
	const below = sbwThreshold(params.gamma);
	const addend = Math.fround(params.delta);
	const keyHigh = Number(key >> 32n);
	const keyLow = Number(key & 0xffffffffn);
	const hashes = new Int32Array(contextWidth);
	const seed = { high: 0, low: 0 };
	const own = { high: 0, low: 0 };
	const product = { high: 0, low: 0 };
	const block = new Uint32Array(4);

	/** Hashes a context, for the seeds of the tokens after it. */
	function enter(context: ArrayLike<number>, at: number): void {
		for (let i = 0; i < contextWidth; i++) hashes[i] = hashOf(context[at + i]);
	}

	/** Leaves the token's seed in `seed`. */
	function seedAfter(token: number): void {
		const hash = hashOf(token);
		multiply64(keyHigh, keyLow, 0, hash, own);
		multiply64(own.high, own.low, 0, hash, seed);
		for (let i = 0; i < contextWidth; i++) {
			multiply64(own.high, own.low, 0, hashes[i], product);
			const signed = product.high | 0;
			const least = seed.high | 0;
			if (signed < least || (signed === least && product.low < seed.low)) {
				seed.high = product.high;
				seed.low = product.low;
			}
		}
	}

	function isGreen(high: number, low: number, token: number): boolean {
		block[0] = token >>> 2;
		block[1] = block[2] = block[3] = 0;
		philoxRounds(block, low | 0, high | 0);
		return (block[token & 3] & LOW_BITS) < below;
	}

	return {
		null: { kind: 'bernoulli', p: below / 2 ** 31, trials: 1 },
		effective: {
			words: 3,
			perWindow: 1,
			of(windows, at, out, to) {
				const token = windows[at + contextWidth];
				enter(windows, at);
				seedAfter(token);
				// A seed of zero comes from a hash of zero (a position before the text), whatever the key.
				if (seed.high === 0 && seed.low === 0) return 0;
				out[to] = seed.high;
				out[to + 1] = seed.low;
				out[to + 2] = token;
				return 1;
			},
		},
		scores(rows, count, out) {
			for (let i = 0, at = 0; i < count; i++, at += 3)
				out[i] = isGreen(rows[at], rows[at + 1], rows[at + 2]) ? SCORE_UNIT : 0;
		},
		tilt(context, logits) {
			enter(context, 0);
			for (let token = 0; token < logits.length; token++) {
				seedAfter(token);
				if (isGreen(seed.high, seed.low, token)) logits[token] += addend;
			}
		},
		green(context, token) {
			enter(context, 0);
			seedAfter(token);
			return isGreen(seed.high, seed.low, token);
		},
	};
}
