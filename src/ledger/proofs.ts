/**
 * Inclusion and consistency proofs of RFC 9162 §2.1.3 and §2.1.4: how they are made from a tree, and how anybody checks
 * them with nothing but hashes.
 *
 * @module
 */
import { nodeHash } from './merkle.js';

/**
 * Root of the tree over leaves `start` to `end` (exclusive). Asked only for what a proof needs: `start` is a multiple of
 * the smallest power of two that is no less than the length.
 */
export type RangeHash = (start: number, end: number) => Uint8Array;

/** Largest power of two below `size`. */
function splitOf(size: number): number {
	let split = 1;
	while (2 * split < size) split *= 2;
	return split;
}

/** That leaf `index` is in the tree over the first `size` leaves. @throws RangeError unless 0 ≤ index < size */
export function inclusionProof(index: number, size: number, rangeHash: RangeHash): Uint8Array[] {
	if (!(index >= 0 && index < size)) throw new RangeError(`no leaf ${index} in a tree of ${size}`);
	function path(start: number, end: number): Uint8Array[] {
		if (end - start === 1) return [];
		const middle = start + splitOf(end - start);
		return index < middle
			? [...path(start, middle), rangeHash(middle, end)]
			: [...path(middle, end), rangeHash(start, middle)];
	}
	return path(0, size);
}

/** That the tree of `newSize` leaves begins with that of `oldSize`. @throws RangeError unless 0 < oldSize ≤ newSize */
export function consistencyProof(oldSize: number, newSize: number, rangeHash: RangeHash): Uint8Array[] {
	if (!(oldSize > 0 && oldSize <= newSize))
		throw new RangeError(`no proof from a tree of ${oldSize} to one of ${newSize}`);
	/** `whole`: the old tree is all of this range's beginning that there was, and its root is known. */
	function path(start: number, end: number, whole: boolean): Uint8Array[] {
		if (oldSize === end) return whole ? [] : [rangeHash(start, end)];
		const middle = start + splitOf(end - start);
		return oldSize <= middle
			? [...path(start, middle, whole), rangeHash(middle, end)]
			: [...path(middle, end, false), rangeHash(start, middle)];
	}
	return path(0, newSize, true);
}

const isOdd = (n: number) => n % 2 === 1;
const half = (n: number) => Math.floor(n / 2);
const isSame = (a: Uint8Array, b: Uint8Array) => Buffer.compare(a, b) === 0;

/**
 * Goes up from a node to the root along a proof.
 *
 * @param last the last node of the same level
 * @param join is given each sibling, and whether it stands on the left
 * @returns whether the proof ends where the tree does
 */
function climb(
	node: number,
	last: number,
	proof: readonly Uint8Array[],
	join: (sibling: Uint8Array, isLeft: boolean) => void,
): boolean {
	let [here, end] = [node, last];
	const up = () => {
		here = half(here);
		end = half(end);
	};
	for (const sibling of proof) {
		if (end === 0) return false;
		const isLeft = isOdd(here) || here === end;
		join(sibling, isLeft);
		// The last node of a level without a sibling stands in the next one as it is.
		if (isLeft) while (!isOdd(here) && here !== 0) up();
		up();
	}
	return end === 0;
}

/** Whether the proof shows that `leaf` (a leaf hash) is number `index` of the tree with this size and root. */
export function verifyInclusion(
	{ index, size, leaf, root }: { index: number; size: number; leaf: Uint8Array; root: Uint8Array },
	proof: readonly Uint8Array[],
): boolean {
	if (!(index >= 0 && index < size) || leaf.length !== 32) return false;
	let hash = leaf;
	const whole = climb(index, size - 1, proof, (sibling, isLeft) => {
		hash = isLeft ? nodeHash(sibling, hash) : nodeHash(hash, sibling);
	});
	return whole && isSame(hash, root);
}

/** A tree as its head tells it. */
export interface SizeAndRoot {
	readonly size: number;
	readonly root: Uint8Array;
}

/** Whether the proof shows that the newer tree begins with the older one, which must hold a leaf: an empty one says nothing. */
export function verifyConsistency(
	older: SizeAndRoot,
	newer: SizeAndRoot,
	proof: readonly Uint8Array[],
): boolean {
	if (!(older.size > 0 && older.size <= newer.size)) return false;
	if (older.size === newer.size) return proof.length === 0 && isSame(older.root, newer.root);
	let node = older.size - 1;
	let last = newer.size - 1;
	while (isOdd(node)) {
		node = half(node);
		last = half(last);
	}
	if (proof.length === 0) return false;
	// An old tree that is complete is its own first hash.
	const [first, ...rest] = node === 0 ? [older.root, ...proof] : proof;
	let oldHash = first;
	let newHash = first;
	const whole = climb(node, last, rest, (sibling, isLeft) => {
		if (isLeft) oldHash = nodeHash(sibling, oldHash);
		newHash = isLeft ? nodeHash(sibling, newHash) : nodeHash(newHash, sibling);
	});
	return whole && isSame(oldHash, older.root) && isSame(newHash, newer.root);
}
