/**
 * `philox4x32-10-v1`, bit for bit as vLLM's native watermarking uses it (`vllm/v1/watermarking/`,
 * autumn 2026): Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011) with the
 * context absorbed four ids at a time.
 *
 * Not cryptographic: for compatibility with fleets that already embed with it.
 *
 * @module
 */
import { withKernel } from './bulk.js';
import { prfKernel } from './kernel.js';
import { plainPrf } from './plain.js';
import type { FieldBits, Prf } from './prf.js';

const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;
const CONTEXT_TAG = 0x574d4358;
const TOKEN_TAG = 0x574d544b;

/** High 32 bits of the 64-bit product of two unsigned 32-bit integers, out of products of halves. */
function high(a: number, b: number): number {
	const aLow = a & 0xffff;
	const aHigh = a >>> 16;
	const bLow = b & 0xffff;
	const bHigh = b >>> 16;
	const middle = (Math.imul(aHigh, bLow) >>> 0) + (Math.imul(aLow, bLow) >>> 16);
	const carry = (Math.imul(aLow, bHigh) >>> 0) + (middle & 0xffff);
	return (Math.imul(aHigh, bHigh) + (middle >>> 16) + (carry >>> 16)) | 0;
}

/** Philox4x32-10 itself: ten rounds on the counter in `x` (4 words, changed in place) under the key (k0, k1). */
export function philoxRounds(x: Uint32Array, k0: number, k1: number): void {
	let x0 = x[0] | 0;
	let x1 = x[1] | 0;
	let x2 = x[2] | 0;
	let x3 = x[3] | 0;
	for (let round = 0; round < 10; round++) {
		const y0 = high(MULTIPLIER_1, x2) ^ x1 ^ k0;
		x1 = Math.imul(MULTIPLIER_1, x2);
		x2 = high(MULTIPLIER_0, x0) ^ x3 ^ k1;
		x3 = Math.imul(MULTIPLIER_0, x0);
		x0 = y0;
		k0 = (k0 + WEYL_0) | 0;
		k1 = (k1 + WEYL_1) | 0;
	}
	x[0] = x0;
	x[1] = x1;
	x[2] = x2;
	x[3] = x3;
}

/** A key bound in plain TypeScript, and how contexts are absorbed. */
function bind(key: Uint8Array) {
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
			philoxRounds(x, k0 ^ offset, k1);
			state.set(x);
		}
	}

	/** Output block for tokens 4·`block` … 4·`block` + 3, left in `x`. */
	function output(block: number): void {
		x[0] = block;
		x[1] = state[0];
		x[2] = state[1];
		x[3] = state[2];
		philoxRounds(x, k0 ^ state[3], k1 ^ TOKEN_TAG);
	}

	const plain = plainPrf({
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
	});
	return { plain, k0, k1, state, enter };
}

/** The twin of {@link philox}: the same bits without the kernel. */
export function plainPhilox(key: Uint8Array): Prf {
	return bind(key).plain;
}

/**
 * Binds a key.
 *
 * @param key the unsigned 64-bit key as 8 bytes, big-endian
 * @throws RangeError when the key has another length
 */
export function philox(key: Uint8Array): Prf {
	const { plain, k0, k1, state, enter } = bind(key);
	const kernel = prfKernel();
	if (kernel === undefined) return plain;
	return withKernel(
		plain,
		{
			id: 1,
			enter(context, params) {
				enter(context);
				// The output block's counter, whose first word counts, then its key.
				params.set([0, state[0], state[1], state[2], k0 ^ state[3], k1 ^ TOKEN_TAG]);
			},
			pairs: ({ run }, count, width) => run.philoxPairs(count, width, k0, k1),
		},
		kernel,
	);
}
