/**
 * The 32-bit Mersenne Twister (Matsumoto and Nishimura, "Mersenne Twister", 1998; MT19937), which other
 * systems seed with a hash of the context, and what they take from it: a permutation of the vocabulary.
 *
 * Not cryptographic: for compatibility with texts that were marked with it.
 *
 * @module
 */

const N = 624;
const M = 397;
const state = new Uint32Array(N);

/** The first `out.length` outputs after seeding with `seed` (unsigned 32-bit), written to `out`. */
export function mersenneOutputs(seed: number, out: Uint32Array): void {
	let previous = seed >>> 0;
	state[0] = previous;
	for (let i = 1; i < N; i++) {
		previous = (Math.imul(1812433253, previous ^ (previous >>> 30)) + i) >>> 0;
		state[i] = previous;
	}
	for (let start = 0; start < out.length; start += N) {
		let i = 0;
		for (; i < N - M; i++) {
			const y = (state[i] & 0x80000000) | (state[i + 1] & 0x7fffffff);
			state[i] = state[i + M] ^ (y >>> 1) ^ (-(y & 1) & 0x9908b0df);
		}
		for (; i < N - 1; i++) {
			const y = (state[i] & 0x80000000) | (state[i + 1] & 0x7fffffff);
			state[i] = state[i + M - N] ^ (y >>> 1) ^ (-(y & 1) & 0x9908b0df);
		}
		const y = (state[N - 1] & 0x80000000) | (state[0] & 0x7fffffff);
		state[N - 1] = state[M - 1] ^ (y >>> 1) ^ (-(y & 1) & 0x9908b0df);
		const end = Math.min(N, out.length - start);
		for (let k = 0; k < end; k++) {
			let x = state[k];
			x ^= x >>> 11;
			x ^= (x << 7) & 0x9d2c5680;
			x ^= (x << 15) & 0xefc60000;
			out[start + k] = x ^ (x >>> 18);
		}
	}
}

/**
 * The beginning of a random permutation of 0 … size − 1 by Fisher–Yates from the left: position i is swapped
 * with position i + (output mod (size − i)).
 *
 * @param length entries wanted
 */
export function permutationHead(seed: number, size: number, length: number): Uint32Array {
	if (identity.length < size) {
		identity = Uint32Array.from({ length: size }, (_, i) => i);
		entries = new Uint32Array(size);
	}
	if (draws.length < length) draws = new Uint32Array(length);
	const swaps = Math.min(length, size - 1);
	const outputs = draws.subarray(0, swaps);
	mersenneOutputs(seed, outputs);
	entries.set(identity.subarray(0, size));
	for (let i = 0; i < swaps; i++) {
		const j = i + (outputs[i] % (size - i));
		const entry = entries[i];
		entries[i] = entries[j];
		entries[j] = entry;
	}
	return entries.slice(0, length);
}
let identity = new Uint32Array(0);
let entries = new Uint32Array(0);
let draws = new Uint32Array(0);

/**
 * Which ids lie in the head of permutations of one vocabulary, without building them: an id is followed through
 * the swaps, which takes the outputs and no array of the vocabulary's size.
 *
 * @param size entries of a permutation, below 2^31
 * @param length entries of the head, below `size`
 */
export function headMembership(
	size: number,
	length: number,
): (seed: number, ids: ArrayLike<number>, found: (index: number) => void) => void {
	const outputs = new Uint32Array(length);
	const offsets = new Uint32Array(length);
	const inverse = Float64Array.from({ length }, (_, i) => 1 / (size - i));
	let seeded = -1;
	return (seed, ids, found) => {
		if (seed !== seeded) {
			mersenneOutputs(seed, outputs);
			for (let i = 0; i < length; i++) {
				// Remainder by a reciprocal: the quotient is right or one too large or small.
				const divisor = size - i;
				let rest = outputs[i] - Math.floor(outputs[i] * inverse[i]) * divisor;
				if (rest < 0) rest += divisor;
				else if (rest >= divisor) rest -= divisor;
				offsets[i] = i + rest;
			}
			seeded = seed;
		}
		for (let k = 0; k < ids.length; k++) {
			let position = ids[k];
			for (let i = 0; i < length; i++) {
				const target = offsets[i];
				if (target === position) {
					// It comes to position i for good; or it lies at i and is swapped with itself.
					found(k);
					break;
				}
				if (position === i) position = target;
			}
		}
	};
}
