/**
 * Merkle tree hashes of RFC 9162 §2.1 (SHA-256).
 *
 * @module
 */
import { hash } from 'node:crypto';

/** Hash of a leaf: SHA-256(0x00 ‖ data). */
export function leafHash(data: Uint8Array): Uint8Array {
	const marked = new Uint8Array(data.length + 1);
	marked.set(data, 1);
	return hash('sha256', marked, 'buffer');
}

/** Hash of a node: SHA-256(0x01 ‖ left ‖ right). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
	const both = new Uint8Array(65);
	both[0] = 1;
	both.set(left, 1);
	both.set(right, 33);
	return hash('sha256', both, 'buffer');
}

/** A complete subtree: 2^height leaves. */
export interface Subtree {
	readonly hash: Uint8Array;
	readonly height: number;
}

/** A tree that grows. It keeps its complete subtrees only, largest first: one for each 1 in the size's binary form. */
export interface Tree {
	/** Leaves. */
	readonly size: number;
	readonly peaks: readonly Subtree[];
	/** Appends a leaf's hash, or that of a complete subtree that is no higher than the lowest of `peaks`. */
	append(hash: Uint8Array, height?: number): void;
}

/** An empty tree, or one that begins with these subtrees. */
export function newTree(begin: readonly Subtree[] = []): Tree {
	const peaks = [...begin];
	let size = begin.reduce((sum, { height }) => sum + 2 ** height, 0);
	return {
		get size() {
			return size;
		},
		peaks,
		append(hash, height = 0) {
			size += 2 ** height;
			let joined = hash;
			let top = height;
			while (peaks.at(-1)?.height === top) {
				joined = nodeHash((peaks.pop() as Subtree).hash, joined);
				top++;
			}
			peaks.push({ hash: joined, height: top });
		},
	};
}

/** Root over complete subtrees, largest first. The root of no leaves is SHA-256 of nothing. */
export function rootOf(peaks: readonly Subtree[]): Uint8Array {
	if (peaks.length === 0) return hash('sha256', new Uint8Array(0), 'buffer');
	return peaks.map((peak) => peak.hash).reduceRight((right, left) => nodeHash(left, right));
}

/** Root of a tree over leaf hashes. */
export function rootHash(leaves: Iterable<Uint8Array>): Uint8Array {
	const tree = newTree();
	for (const leaf of leaves) tree.append(leaf);
	return rootOf(tree.peaks);
}
