/**
 * The merges of a vocabulary by the ids of their parts: open addressing over flat arrays, 21 to 43 bytes a merge.
 *
 * @module
 */
import { mergeAll } from './merges.js';

/** A merge as files have it: both tokens, or a text of both with a space between. */
export type Merge = string | readonly [string, string];

/** Merges by pairs of ids. */
export interface MergeTable {
	/** Rank of a pair, the least joins first; undefined when it may not join. */
	rank(left: number, right: number): number | undefined;
	/** All pairs, in no order. */
	pairs(): Iterable<readonly [left: number, right: number]>;
	/** Ids of the parts that are left when all merges are done, in place of the ids given. */
	apply(ids: number[]): number[];
}

/**
 * @param merges pairs of tokens, the first joins first; the last counts of equal ones
 * @param ids id of each token
 * @returns null when one is not a pair, a token in it has no id, or two tokens have the same
 */
export function mergeTable(merges: readonly Merge[], ids: ReadonlyMap<string, number>): MergeTable | null {
	if (new Set(ids.values()).size !== ids.size) return null;
	let capacity = 16;
	while (3 * capacity < 4 * merges.length) capacity *= 2;
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

	for (const [rank, merge] of merges.entries()) {
		const [left, right] = typeof merge === 'string' ? halves(merge) : merge;
		const [a, b, c] = [ids.get(left), ids.get(right), ids.get(left + right)];
		if (a === undefined || b === undefined || c === undefined) return null;
		const at = slot(a, b);
		lefts[at] = a;
		rights[at] = b;
		ranks[at] = rank;
		joined[at] = c;
	}

	return {
		rank(left, right) {
			const at = slot(left, right);
			return lefts[at] === -1 ? undefined : ranks[at];
		},
		*pairs() {
			for (let at = 0; at < capacity; at++) if (lefts[at] !== -1) yield [lefts[at], rights[at]];
		},
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

/** Both tokens of a text; the second is empty, which no token is, where there is no space. */
function halves(merge: string): readonly [string, string] {
	const space = merge.indexOf(' ');
	return space < 0 ? [merge, ''] : [merge.slice(0, space), merge.slice(space + 1)];
}
