/**
 * Byte-pair merging: of all neighbours that may join, those of the lowest rank do first, the leftmost of equals. In
 * n log n steps, so that a hostile text of one long word costs no more than it should.
 *
 * @module
 */

/** Which neighbours may join. Parts are named by where they begin. */
export interface Merges {
	/** Rank of joining two neighbours, the right one ending before `end`; Infinity when they may not. */
	rank(left: number, right: number, end: number): number;
	/** Called when they have joined: `left` now names both. */
	join(left: number, right: number): void;
}

/** A candidate is one number, rank before position, so that comparing numbers compares candidates. */
const POSITIONS = 2 ** 32;

/** Room for parts of most pieces, so that a piece allocates nothing. */
const SHORT = 256;
const SCRATCH = {
	next: new Int32Array(SHORT + 1),
	previous: new Int32Array(SHORT + 1),
	ranks: new Float64Array(SHORT + 1),
};

/**
 * Joins until nothing may join any more.
 *
 * @returns where each part begins
 */
export function mergeAll(length: number, merges: Merges): number[] {
	const { next, previous, ranks } =
		length <= SHORT
			? SCRATCH
			: {
					next: new Int32Array(length + 1),
					previous: new Int32Array(length + 1),
					ranks: new Float64Array(length + 1),
				};
	const candidates: number[] = [];

	const consider = (at: number) => {
		const right = next[at];
		const rank = right < length ? merges.rank(at, right, next[right]) : Infinity;
		ranks[at] = rank;
		if (rank !== Infinity) push(candidates, rank * POSITIONS + at);
	};

	for (let at = 0; at <= length; at++) {
		next[at] = at + 1;
		previous[at] = at - 1;
	}
	for (let at = 0; at < length; at++) consider(at);
	for (let least = pop(candidates); least !== undefined; least = pop(candidates)) {
		const at = least % POSITIONS;
		if (ranks[at] !== (least - at) / POSITIONS) continue;
		const gone = next[at];
		merges.join(at, gone);
		next[at] = next[gone];
		previous[next[gone]] = at;
		ranks[gone] = Infinity;
		consider(at);
		if (at > 0) consider(previous[at]);
	}

	const parts: number[] = [];
	for (let at = 0; at < length; at = next[at]) parts.push(at);
	return parts;
}

/** Adds to a binary heap, least first. */
function push(heap: number[], value: number): void {
	let at = heap.length;
	heap.push(value);
	while (at > 0) {
		const parent = (at - 1) >> 1;
		if (heap[parent] <= value) break;
		heap[at] = heap[parent];
		at = parent;
	}
	heap[at] = value;
}

/** Takes the least out of a binary heap. */
function pop(heap: number[]): number | undefined {
	const least = heap[0];
	const value = heap.pop();
	if (value === undefined || heap.length === 0) return least;
	let at = 0;
	for (let child = 1; child < heap.length; child = 2 * at + 1) {
		if (child + 1 < heap.length && heap[child + 1] < heap[child]) child++;
		if (heap[child] >= value) break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = value;
	return least;
}
