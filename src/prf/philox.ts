/**
 * `philox4x32-10-v1`, bit for bit as vLLM's native watermarking uses it (`vllm/v1/watermarking/`,
 * autumn 2026): Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011) with the
 * context absorbed four ids at a time.
 *
 * Not cryptographic: for compatibility with fleets that already embed with it.
 *
 * @module
 */
import type { FieldBits, Prf } from './prf.js';

const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;
const CONTEXT_TAG = 0x574d4358;
const TOKEN_TAG = 0x574d544b;

/** High 32 bits of the 64-bit product of two unsigned 32-bit integers, in doubles without rounding. */
function high(a: number, b: number): number {
	const aLow = a & 0xffff;
	const aHigh = a >>> 16;
	const bLow = b & 0xffff;
	const bHigh = b >>> 16;
	const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
	const carry = aLow * bHigh + (middle & 0xffff);
	return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(carry / 0x10000)) >>> 0;
}

/** Ten rounds on the counter in `x` (4 words, changed in place) under the key (k0, k1). */
function rounds(x: Uint32Array, k0: number, k1: number): void {
	for (let round = 0; round < 10; round++) {
		if (round > 0) {
			k0 = (k0 + WEYL_0) >>> 0;
			k1 = (k1 + WEYL_1) >>> 0;
		}
		const [x0, x1, x2, x3] = x;
		x[0] = high(MULTIPLIER_1, x2) ^ x1 ^ k0;
		x[1] = Math.imul(MULTIPLIER_1, x2);
		x[2] = high(MULTIPLIER_0, x0) ^ x3 ^ k1;
		x[3] = Math.imul(MULTIPLIER_0, x0);
	}
}

/**
 * Binds a key.
 *
 * @param key the unsigned 64-bit key as 8 bytes, big-endian
 * @throws RangeError when the key has another length
 */
export function philox(key: Uint8Array): Prf {
	if (key.length !== 8) throw new RangeError(`a philox key has 8 bytes, not ${key.length}`);
	const view = new DataView(key.buffer, key.byteOffset, 8);
	const k1 = view.getUint32(0);
	const k0 = view.getUint32(4);
	const x = new Uint32Array(4);
	const state = new Uint32Array(4);

	/** Absorbs a context into `state`. */
	function enter(context: ArrayLike<number>): void {
		state.set([CONTEXT_TAG, context.length, 0, 0]);
		for (let offset = 0; offset < context.length; offset += 4) {
			for (let i = 0; i < 4; i++)
				x[i] = state[i] ^ (offset + i < context.length ? context[offset + i] : 0xffffffff - i);
			rounds(x, (k0 ^ offset) >>> 0, k1);
			state.set(x);
		}
	}

	/** Output block for tokens 4·`block` … 4·`block` + 3, left in `x`. */
	function output(block: number): void {
		x[0] = block;
		x[1] = state[0];
		x[2] = state[1];
		x[3] = state[2];
		rounds(x, (k0 ^ state[3]) >>> 0, (k1 ^ TOKEN_TAG) >>> 0);
	}

	return {
		field(context: ArrayLike<number>, token: number, _bits: FieldBits): number {
			enter(context);
			output(token >>> 2);
			return x[token & 3];
		},
		fields(context: ArrayLike<number>, _bits: FieldBits, out: Uint32Array): void {
			enter(context);
			for (let start = 0; start < out.length; start += 4) {
				output(start >>> 2);
				for (let i = 0; i < 4 && start + i < out.length; i++) out[start + i] = x[i];
			}
		},
	};
}
