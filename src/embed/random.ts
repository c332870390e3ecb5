/**
 * Randomness for the steps that no key governs: a ChaCha8 keystream from a seed.
 *
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { randomBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { chacha8 } from '../prf/chacha8.js';

/** A stream of uniforms. */
export interface Random {
	/** Uniform in [0, 1), 32 bits. */
	next(): number;
}

/**
 * @param seed any string: the same seed gives the same stream; without one, the system's randomness is used
 */
export function randomStream(seed?: string): Random {
	const stream = chacha8(
		seed === undefined ? randomBytes(32) : sha256(utf8ToBytes(`touchmark/random/${seed}`)),
	);
	const buffer = new Uint32Array(256);
	let page = 0;
	let at = buffer.length;
	return {
		next() {
			if (at === buffer.length) {
				stream.fields([page++], 32, buffer);
				at = 0;
			}
			return buffer[at++] / 2 ** 32;
		},
	};
}
