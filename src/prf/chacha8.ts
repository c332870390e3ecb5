/**
 * `chacha8-v1`, the hardened default: the mark's key is a cipher key, the last token ids are the nonce,
 * and token t's randomness is the field of w bits at position t of the keystream.
 *
 * ChaCha with 8 rounds (D. J. Bernstein, "ChaCha, a variant of Salsa20", 2008) in the layout of RFC 8439:
 * 256-bit key, 32-bit block counter, 96-bit nonce. The nonce holds up to three token ids, oldest first,
 * zero-filled. A longer context is compressed first: while more than three ids remain, the next four
 * become the input of HChaCha8 and its output becomes the key (the construction of XChaCha, iterated). The width of
 * the context is fixed for a key, so no two contexts meet in one state.
 *
 * @module
 */
import { withKernel } from './bulk.js';
import { prfKernel } from './kernel.js';
import { plainPrf } from './plain.js';
import type { FieldBits, Prf } from './prf.js';

const CONSTANTS = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574] as const;

/**
 * Eight rounds over `state` (16 words: constants, key, counter and nonce), written to `out` without the
 * final addition of the input.
 */
function permute(state: Uint32Array, out: Uint32Array): void {
	let a0 = state[0] | 0;
	let a1 = state[1] | 0;
	let a2 = state[2] | 0;
	let a3 = state[3] | 0;
	let b0 = state[4] | 0;
	let b1 = state[5] | 0;
	let b2 = state[6] | 0;
	let b3 = state[7] | 0;
	let c0 = state[8] | 0;
	let c1 = state[9] | 0;
	let c2 = state[10] | 0;
	let c3 = state[11] | 0;
	let d0 = state[12] | 0;
	let d1 = state[13] | 0;
	let d2 = state[14] | 0;
	let d3 = state[15] | 0;
	for (let round = 0; round < 8; round += 2) {
		// Columns.
		a0 = (a0 + b0) | 0;
		d0 ^= a0;
		d0 = (d0 << 16) | (d0 >>> 16);
		c0 = (c0 + d0) | 0;
		b0 ^= c0;
		b0 = (b0 << 12) | (b0 >>> 20);
		a0 = (a0 + b0) | 0;
		d0 ^= a0;
		d0 = (d0 << 8) | (d0 >>> 24);
		c0 = (c0 + d0) | 0;
		b0 ^= c0;
		b0 = (b0 << 7) | (b0 >>> 25);

		a1 = (a1 + b1) | 0;
		d1 ^= a1;
		d1 = (d1 << 16) | (d1 >>> 16);
		c1 = (c1 + d1) | 0;
		b1 ^= c1;
		b1 = (b1 << 12) | (b1 >>> 20);
		a1 = (a1 + b1) | 0;
		d1 ^= a1;
		d1 = (d1 << 8) | (d1 >>> 24);
		c1 = (c1 + d1) | 0;
		b1 ^= c1;
		b1 = (b1 << 7) | (b1 >>> 25);

		a2 = (a2 + b2) | 0;
		d2 ^= a2;
		d2 = (d2 << 16) | (d2 >>> 16);
		c2 = (c2 + d2) | 0;
		b2 ^= c2;
		b2 = (b2 << 12) | (b2 >>> 20);
		a2 = (a2 + b2) | 0;
		d2 ^= a2;
		d2 = (d2 << 8) | (d2 >>> 24);
		c2 = (c2 + d2) | 0;
		b2 ^= c2;
		b2 = (b2 << 7) | (b2 >>> 25);

		a3 = (a3 + b3) | 0;
		d3 ^= a3;
		d3 = (d3 << 16) | (d3 >>> 16);
		c3 = (c3 + d3) | 0;
		b3 ^= c3;
		b3 = (b3 << 12) | (b3 >>> 20);
		a3 = (a3 + b3) | 0;
		d3 ^= a3;
		d3 = (d3 << 8) | (d3 >>> 24);
		c3 = (c3 + d3) | 0;
		b3 ^= c3;
		b3 = (b3 << 7) | (b3 >>> 25);

		// Diagonals.
		a0 = (a0 + b1) | 0;
		d3 ^= a0;
		d3 = (d3 << 16) | (d3 >>> 16);
		c2 = (c2 + d3) | 0;
		b1 ^= c2;
		b1 = (b1 << 12) | (b1 >>> 20);
		a0 = (a0 + b1) | 0;
		d3 ^= a0;
		d3 = (d3 << 8) | (d3 >>> 24);
		c2 = (c2 + d3) | 0;
		b1 ^= c2;
		b1 = (b1 << 7) | (b1 >>> 25);

		a1 = (a1 + b2) | 0;
		d0 ^= a1;
		d0 = (d0 << 16) | (d0 >>> 16);
		c3 = (c3 + d0) | 0;
		b2 ^= c3;
		b2 = (b2 << 12) | (b2 >>> 20);
		a1 = (a1 + b2) | 0;
		d0 ^= a1;
		d0 = (d0 << 8) | (d0 >>> 24);
		c3 = (c3 + d0) | 0;
		b2 ^= c3;
		b2 = (b2 << 7) | (b2 >>> 25);

		a2 = (a2 + b3) | 0;
		d1 ^= a2;
		d1 = (d1 << 16) | (d1 >>> 16);
		c0 = (c0 + d1) | 0;
		b3 ^= c0;
		b3 = (b3 << 12) | (b3 >>> 20);
		a2 = (a2 + b3) | 0;
		d1 ^= a2;
		d1 = (d1 << 8) | (d1 >>> 24);
		c0 = (c0 + d1) | 0;
		b3 ^= c0;
		b3 = (b3 << 7) | (b3 >>> 25);

		a3 = (a3 + b0) | 0;
		d2 ^= a3;
		d2 = (d2 << 16) | (d2 >>> 16);
		c1 = (c1 + d2) | 0;
		b0 ^= c1;
		b0 = (b0 << 12) | (b0 >>> 20);
		a3 = (a3 + b0) | 0;
		d2 ^= a3;
		d2 = (d2 << 8) | (d2 >>> 24);
		c1 = (c1 + d2) | 0;
		b0 ^= c1;
		b0 = (b0 << 7) | (b0 >>> 25);
	}
	out[0] = a0;
	out[1] = a1;
	out[2] = a2;
	out[3] = a3;
	out[4] = b0;
	out[5] = b1;
	out[6] = b2;
	out[7] = b3;
	out[8] = c0;
	out[9] = c1;
	out[10] = c2;
	out[11] = c3;
	out[12] = d0;
	out[13] = d1;
	out[14] = d2;
	out[15] = d3;
}

function wordsOf(key: Uint8Array): Uint32Array {
	const view = new DataView(key.buffer, key.byteOffset, key.byteLength);
	return Uint32Array.from({ length: 8 }, (_, i) => view.getUint32(4 * i, true));
}

/** A key bound in plain TypeScript, and how its contexts enter the initial state. */
function bind(key: Uint8Array) {
	if (key.length !== 32) throw new RangeError(`a chacha8 key has 32 bytes, not ${key.length}`);
	const keyWords = wordsOf(key);
	const state = new Uint32Array(16);
	const block = new Uint32Array(16);
	state.set(CONSTANTS, 0);

	/** Puts key and nonce of a context into `state`. */
	function enter(context: ArrayLike<number>): void {
		state.set(keyWords, 4);
		let at = 0;
		for (; context.length - at > 3; at += 4) {
			for (let i = 0; i < 4; i++) state[12 + i] = context[at + i] ?? 0;
			permute(state, block);
			state.set(block.subarray(0, 4), 4);
			state.set(block.subarray(12, 16), 8);
		}
		for (let i = 0; i < 3; i++) state[13 + i] = context[at + i] ?? 0;
	}

	/** Computes keystream block `counter` into `block`. */
	function keystream(counter: number): void {
		state[12] = counter;
		permute(state, block);
		for (let i = 0; i < 16; i++) block[i] += state[i];
	}

	const plain = plainPrf({
		field(context: ArrayLike<number>, token: number, bits: FieldBits): number {
			enter(context);
			const bit = token * bits;
			keystream(Math.floor(bit / 512));
			const word = block[(bit >>> 5) & 15];
			if (bits === 32) return word;
			return (word >>> (bit & 31)) & (bits === 8 ? 0xff : 1);
		},
		fields(context: ArrayLike<number>, bits: FieldBits, out: Uint32Array): void {
			enter(context);
			const perBlock = 512 / bits;
			for (let start = 0, counter = 0; start < out.length; start += perBlock, counter++) {
				keystream(counter);
				const end = Math.min(perBlock, out.length - start);
				if (bits === 32) for (let i = 0; i < end; i++) out[start + i] = block[i];
				else if (bits === 8)
					for (let i = 0; i < end; i++) out[start + i] = (block[i >> 2] >>> ((i & 3) << 3)) & 0xff;
				else for (let i = 0; i < end; i++) out[start + i] = (block[i >> 5] >>> (i & 31)) & 1;
			}
		},
	});
	return { plain, keyWords, state, enter };
}

/** The twin of {@link chacha8}: the same bits without the kernel. */
export function plainChacha8(key: Uint8Array): Prf {
	return bind(key).plain;
}

/**
 * Binds a key.
 *
 * @param key 32 bytes
 * @throws RangeError when the key has another length
 */
export function chacha8(key: Uint8Array): Prf {
	const { plain, keyWords, state, enter } = bind(key);
	const kernel = prfKernel();
	if (kernel === undefined) return plain;
	return withKernel(
		plain,
		{
			id: 0,
			enter(context, params) {
				enter(context);
				params.set(state);
			},
			pairs({ run, params }, count, width, bits) {
				params.set(CONSTANTS);
				params.set(keyWords, 4);
				run.chachaPairs(count, width, bits);
			},
		},
		kernel,
	);
}
