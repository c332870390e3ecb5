/**
 * Merkle tree hashes of RFC 9162 §2.1 (SHA-256).
 *
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes } from '@noble/hashes/utils.js';

/** Hash of a leaf: SHA-256(0x00 ‖ data). */
export function leafHash(data: Uint8Array): Uint8Array {
	return sha256(concatBytes(Uint8Array.of(0), data));
}

function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
	return sha256(concatBytes(Uint8Array.of(1), left, right));
}

/**
 * Root of a tree over leaf hashes, in one pass: complete subtrees of the same height are joined as they
 * appear, the rest from the right at the end. The root of no leaves is SHA-256 of nothing.
 */
export function rootHash(leaves: Iterable<Uint8Array>): Uint8Array {
	const peaks: { hash: Uint8Array; height: number }[] = [];
	for (const leaf of leaves) {
		let peak = { hash: leaf, height: 0 };
		while (peaks.at(-1)?.height === peak.height) {
			const left = peaks.pop() as (typeof peaks)[number];
			peak = { hash: nodeHash(left.hash, peak.hash), height: peak.height + 1 };
		}
		peaks.push(peak);
	}
	if (peaks.length === 0) return sha256(new Uint8Array(0));
	return peaks.map((peak) => peak.hash).reduceRight((right, left) => nodeHash(left, right));
}
