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

/** Windows that a sample keeps: 1.3 MB at context width 4. */
export const SAMPLE_SIZE = 2 ** 16;

/** Bins of hashes, to see where the least ones end. */
const BINS = 4096;

/** Windows that wait and are looked up together, while the processor's cache holds what they are looked up in. */
const WAITING = 2 ** 17;

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
	/** No window whose first hash is above this is among the least, or can still come in. */
	readonly threshold: number;
	/**
	 * Adds windows.
	 *
	 * @param limit windows whose first hash is above it are passed over; they are known not to be among the least of all
	 */
	add(windows: Windows, limit?: number): void;
	/** Adds what another sample keeps. */
	merge(windows: SampledWindows): void;
	/** What is kept, least hash first. */
	windows(): SampledWindows;
	/**
	 * What has come in since this was asked before and may be among the least, in no order, and more than that perhaps. All that
	 * was given, merged, is what is kept.
	 */
	fresh(): SampledWindows;
}

/** @param most windows kept */
export function newSample(words: number, most = SAMPLE_SIZE): Sample {
	/** Room for half as many more: the sooner it is full, the lower is the hash above which nothing is looked up. */
	const capacity = most + Math.ceil(most / 2);
	let high = new Uint32Array(0);
	let low = new Uint32Array(0);
	let rows = new Uint32Array(0);
	let waiting = { size: 0, high, low, rows };
	/**
	 * Where each window lies, plus one, by its second hash: common windows come again and again. The bits that this leaves
	 * are the hash's, so that others are told apart without a look at them, which memory is slow at.
	 */
	let table = new Uint32Array(1);
	const placeMask = 2 ** Math.ceil(Math.log2(capacity + 1)) - 1;
	let size = 0;
	/** So many of those that are held were given as fresh before: the first ones. */
	let given = 0;
	let threshold = 0xffffffff;

	function grow(): void {
		const length = Math.min(capacity, Math.max(1024, 2 * high.length));
		high = enlarged(high, length);
		low = enlarged(low, length);
		rows = enlarged(rows, length * words);
		// Three quarters full at most, by and large.
		table = new Uint32Array(2 ** Math.ceil(Math.log2(1.3 * length)));
		enterAll();
	}

	function enterAll(): void {
		for (let i = 0; i < size; i++) tabulate(i);
	}

	/** Puts the window at i into the table. */
	function tabulate(i: number): void {
		const mask = table.length - 1;
		let slot = low[i] & mask;
		while (table[slot] !== 0) slot = (slot + 1) & mask;
		table[slot] = (low[i] & ~placeMask) | (i + 1);
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

	/** Lets go of what is not among the least, by and large: counts say below which hash there are enough. */
	function shrink(): void {
		const counts = new Uint32Array(BINS);
		const scale = BINS / (threshold + 1);
		for (let i = 0; i < size; i++) counts[Math.floor(high[i] * scale)]++;
		let bin = 0;
		for (let below = counts[0]; below < most; below += counts[bin]) bin++;
		threshold = Math.min(threshold, Math.ceil((bin + 1) / scale));
		let kept = 0;
		let old = 0;
		for (let i = 0; i < size; i++) {
			if (high[i] > threshold) continue;
			if (i < given) old++;
			high[kept] = high[i];
			low[kept] = low[i];
			rows.copyWithin(kept * words, i * words, (i + 1) * words);
			kept++;
		}
		// Where nearly all hashes are the same, sorting alone can tell windows apart.
		if (kept > capacity - most / 4) keepLeast();
		else {
			size = kept;
			given = old;
		}
		table.fill(0);
		enterAll();
	}

	/** The order of the sample. */
	function sorted(): Uint32Array {
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
		return order;
	}

	/** Exactly the least, in their order. */
	function least(): SampledWindows {
		const order = sorted();
		const count = Math.min(size, most);
		const out = {
			size: count,
			high: new Uint32Array(count),
			low: new Uint32Array(count),
			rows: new Uint32Array(count * words),
		};
		for (let i = 0; i < count; i++) {
			const from = order[i];
			out.high[i] = high[from];
			out.low[i] = low[from];
			for (let k = 0; k < words; k++) out.rows[i * words + k] = rows[from * words + k];
		}
		return out;
	}

	function keepLeast(): void {
		const kept = least();
		high.set(kept.high);
		low.set(kept.low);
		rows.set(kept.rows);
		size = kept.size;
		given = 0;
		threshold = high[size - 1];
	}

	/** Enters windows that are not there yet. */
	function enterAbsent(windows: SampledWindows): void {
		for (let i = absentFrom(0, windows); i < windows.size; i = absentFrom(i + 1, windows)) enter(windows, i);
	}

	/** The first window from the i-th on that may come in and is not there; their number where there is none. */
	function absentFrom(
		i: number,
		{ size: count, high: first, low: second, rows: from }: SampledWindows,
	): number {
		// All is local: it takes half the time of what is shared with other functions.
		const [entries, held, length, places, limit] = [table, rows, words, placeMask, threshold];
		const mask = entries.length - 1;
		next: for (let n = i; n < count; n++) {
			if (first[n] > limit) continue;
			const hash = second[n];
			const at = n * length;
			for (let slot = hash & mask; entries[slot] !== 0; slot = (slot + 1) & mask) {
				const entry = entries[slot];
				if (((entry ^ hash) & ~places) !== 0) continue;
				const row = ((entry & places) - 1) * length;
				let k = 0;
				while (k < length && held[row + k] === from[at + k]) k++;
				if (k === length) continue next;
			}
			return n;
		}
		return count;
	}

	/** Enters a window that is not there. */
	function enter({ high: first, low: second, rows: from }: SampledWindows, i: number): void {
		if (size === capacity) {
			shrink();
			if (first[i] > threshold) return;
		}
		if (size === high.length) grow();
		high[size] = first[i];
		low[size] = second[i];
		for (let k = 0; k < words; k++) rows[size * words + k] = from[i * words + k];
		tabulate(size++);
	}

	/** Has windows wait. @param chosen their numbers */
	function wait({ high: first, low: second, ids, places }: Windows, chosen: Uint32Array): void {
		const { size: before, high: waitingHigh, low: waitingLow, rows: waitingRows } = waiting;
		const length = words;
		for (let n = 0; n < chosen.length; n++) {
			const i = chosen[n];
			waitingHigh[before + n] = first[i];
			waitingLow[before + n] = second[i];
			for (let k = 0, at = places[i], row = (before + n) * length; k < length; k++)
				waitingRows[row + k] = ids[at + k];
		}
		waiting.size += chosen.length;
	}

	function enterWaiting(): void {
		enterAbsent(waiting);
		waiting.size = 0;
	}

	return {
		words,
		get threshold() {
			return threshold;
		},
		add(windows, limit = 0xffffffff) {
			if (waiting.high.length === 0)
				waiting = {
					size: 0,
					high: new Uint32Array(WAITING),
					low: new Uint32Array(WAITING),
					rows: new Uint32Array(WAITING * words),
				};
			const chosen = windows.below(Math.min(limit, threshold));
			for (let from = 0; from < chosen.length; ) {
				if (waiting.size === WAITING) enterWaiting();
				const some = chosen.subarray(from, from + WAITING - waiting.size);
				wait(windows, some);
				from += some.length;
			}
		},
		merge: enterAbsent,
		windows() {
			enterWaiting();
			return least();
		},
		fresh() {
			enterWaiting();
			const from = given;
			given = size;
			return {
				size: size - from,
				high: high.slice(from, size),
				low: low.slice(from, size),
				rows: rows.slice(from * words, size * words),
			};
		},
	};
}

function enlarged(old: Uint32Array, length: number): Uint32Array<ArrayBuffer> {
	const larger = new Uint32Array(length);
	larger.set(old);
	return larger;
}
