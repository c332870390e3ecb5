/**
 * A uniform sample of the *distinct* windows of a corpus, in bounded memory: those whose public hash is least (a bottom-k
 * sketch: Cohen and Kaplan, "Summarizing data using bottom-k sketches", PODC 2007).
 *
 * Whatever order windows come in, and however they are split over samples that are merged, the same ones are kept, each
 * once. They are chosen without the key, so a test of them is as exact as one of all.
 *
 * @module
 */
import type { Windows } from './windows.js';

/** Windows that a sample keeps: 5 MB at context width 4. */
export const SAMPLE_SIZE = 2 ** 18;

/** Windows with their hashes, as rows, in the order of the sample. */
export interface SampledWindows {
	readonly size: number;
	readonly high: Uint32Array;
	readonly low: Uint32Array;
	readonly rows: Uint32Array;
}

/** A sample that grows until it is full, and then changes less and less. */
export interface Sample {
	/** Words of a window. */
	readonly words: number;
	/** No window whose hash is above this can still come in; 2^32 − 1 until the sample is full. */
	readonly threshold: number;
	/**
	 * Adds windows.
	 *
	 * @param limit windows whose first hash is above it are passed over; they are known not to be among the least of all
	 */
	add(windows: Pick<Windows, 'size' | 'high' | 'low' | 'ids' | 'places'>, limit?: number): void;
	/** Adds what another sample keeps. */
	merge(windows: SampledWindows): void;
	/** What is kept, least hash first; views that hold until something is added. */
	windows(): SampledWindows;
	/** Forgets everything, and keeps the memory. */
	clear(): void;
}

/** @param most windows kept */
export function newSample(words: number, most = SAMPLE_SIZE): Sample {
	/** Room for as many again before the next sorting. */
	const capacity = 2 * most;
	let high = new Uint32Array(0);
	let low = new Uint32Array(0);
	let rows = new Uint32Array(0);
	/** Where each window lies, plus one, by its second hash: common windows come again and again. */
	let table = new Uint32Array(0);
	let size = 0;
	let sorted = true;
	let threshold = 0xffffffff;

	function grow(): void {
		const length = Math.min(capacity, Math.max(1024, 2 * high.length));
		high = enlarged(high, length);
		low = enlarged(low, length);
		rows = enlarged(rows, length * words);
		table = new Uint32Array(2 ** Math.ceil(Math.log2(2 * length)));
		enterAll();
	}

	function enterAll(): void {
		const mask = table.length - 1;
		for (let i = 0; i < size; i++) {
			let slot = low[i] & mask;
			while (table[slot] !== 0) slot = (slot + 1) & mask;
			table[slot] = i + 1;
		}
	}

	/** Is the window at i before that at j, after it, or the same? */
	function compare(i: number, j: number): number {
		if (high[i] !== high[j]) return high[i] - high[j];
		if (low[i] !== low[j]) return low[i] - low[j];
		for (let k = 0; k < words; k++) {
			const difference = rows[i * words + k] - rows[j * words + k];
			if (difference !== 0) return difference;
		}
		return 0;
	}

	/** Sorts, and keeps the least. */
	function compact(): void {
		if (sorted) return;
		// First hash and place in one number, which typed arrays sort fast; equal first hashes are put in order after.
		const keys = new Float64Array(size);
		for (let i = 0; i < size; i++) keys[i] = high[i] * capacity + i;
		keys.sort();
		const order = new Uint32Array(size);
		for (let i = 0; i < size; i++) order[i] = keys[i] % capacity;
		for (let from = 0, to = 1; from < size; from = to++) {
			while (to < size && high[order[to]] === high[order[from]]) to++;
			if (to - from > 1) order.subarray(from, to).sort(compare);
		}
		size = Math.min(size, most);
		const unsorted = { high: high.slice(), low: low.slice(), rows: rows.slice() };
		for (let i = 0; i < size; i++) {
			const from = order[i];
			high[i] = unsorted.high[from];
			low[i] = unsorted.low[from];
			for (let k = 0; k < words; k++) rows[i * words + k] = unsorted.rows[from * words + k];
		}
		sorted = true;
		if (size === most) threshold = high[most - 1];
		table.fill(0);
		enterAll();
	}

	/** Adds a window that is not there yet. */
	function enter(firstHash: number, secondHash: number, from: Uint32Array, at: number): void {
		let mask = table.length - 1;
		let slot = secondHash & mask;
		while (size > 0 && table[slot] !== 0) {
			const i = table[slot] - 1;
			let k = 0;
			if (low[i] === secondHash && high[i] === firstHash)
				while (k < words && rows[i * words + k] === from[at + k]) k++;
			if (k === words) return;
			slot = (slot + 1) & mask;
		}
		if (size === capacity) {
			compact();
			if (firstHash > threshold) return;
		}
		if (size === high.length) grow();
		mask = table.length - 1;
		slot = secondHash & mask;
		while (table[slot] !== 0) slot = (slot + 1) & mask;
		high[size] = firstHash;
		low[size] = secondHash;
		for (let k = 0, to = size * words; k < words; k++) rows[to + k] = from[at + k];
		table[slot] = ++size;
		sorted = false;
	}

	return {
		words,
		get threshold() {
			return threshold;
		},
		add({ size: count, high: first, low: second, ids, places }, limit = 0xffffffff) {
			let least = Math.min(limit, threshold);
			for (let i = 0; i < count; i++) {
				if (first[i] > least) continue;
				enter(first[i], second[i], ids, places[i]);
				least = Math.min(least, threshold);
			}
		},
		merge({ size: count, high: first, low: second, rows: from }) {
			for (let i = 0; i < count; i++) if (first[i] <= threshold) enter(first[i], second[i], from, i * words);
		},
		windows() {
			compact();
			return {
				size,
				high: high.subarray(0, size),
				low: low.subarray(0, size),
				rows: rows.subarray(0, size * words),
			};
		},
		clear() {
			size = 0;
			sorted = true;
			threshold = 0xffffffff;
			table.fill(0);
		},
	};
}

function enlarged(old: Uint32Array, length: number): Uint32Array<ArrayBuffer> {
	const larger = new Uint32Array(length);
	larger.set(old);
	return larger;
}
