/**
 * The merges of a vocabulary by the ids of their parts: open addressing over flat arrays, 16 to 32 bytes a merge.
 *
 * @module
 */
import { mergeAll } from './merges.js';

/** Merges by pairs of ids. */
export interface MergeTable {
	/** Ids of the parts that are left when all merges are done, in place of the ids given. */
	apply(ids: number[]): number[];
}

/**
 * @param merges pairs of tokens, the first joins first; the last counts of equal ones
 * @param ids id of each token
 * @returns null when a token in a merge has no id, or two tokens have the same
 */
export function mergeTable(
	merges: readonly (readonly [string, string])[],
	ids: ReadonlyMap<string, number>,
): MergeTable | null {
	if (new Set(ids.values()).size !== ids.size) return null;
	let capacity = 16;
	while (capacity < 2 * merges.length) capacity *= 2;
	const lefts = new Int32Array(capacity).fill(-1);
	const rights = new Int32Array(capacity);
	const ranks = new Int32Array(capacity);
	const joined = new Int32Array(capacity);

	/** Where a pair is, or would be. */
	const slot = (left: number, right: number): number => {
		let at = Math.imul(Math.imul(left, 0x2c1b3c6d) ^ right, 0x297a2d39);
		at = (at ^ (at >>> 15)) & (capacity - 1);
		while (lefts[at] !== -1 && (lefts[at] !== left || rights[at] !== right)) at = (at + 1) & (capacity - 1);
		return at;
	};

	for (const [rank, [left, right]] of merges.entries()) {
		const [a, b, c] = [ids.get(left), ids.get(right), ids.get(left + right)];
		if (a === undefined || b === undefined || c === undefined) return null;
		const at = slot(a, b);
		lefts[at] = a;
		rights[at] = b;
		ranks[at] = rank;
		joined[at] = c;
	}

	return {
		apply(parts) {
			const starts = mergeAll(parts.length, {
				rank(left, right) {
					const at = slot(parts[left], parts[right]);
					return lefts[at] === -1 ? Infinity : ranks[at];
				},
				join(left, right) {
					parts[left] = joined[slot(parts[left], parts[right])];
				},
			});
			return starts.map((start) => parts[start]);
		},
	};
}
