/**
 * Windows of a text, context ids and token, with a public hash of each. The hash knows no key: it says which windows are
 * sampled and in which cell they are counted, and anybody can compute it again.
 *
 * @module
 */
import { BEFORE_TEXT, type MarkSpec } from '../marks/mark-spec.js';
import { newRowSet } from '../verify/row-set.js';

/** Which windows a mark reads. */
export interface WindowShape extends Pick<MarkSpec, 'contextWidth' | 'start'> {
	/**
	 * Whether what seeds the generator may be less than the window. Then every window whose *token* occurs in what was given
	 * is left out: whichever part of the window counts, it is not a pair that was given.
	 */
	readonly narrow: boolean;
}

/** Windows of several texts, one after another; valid until others are cut. */
export interface Windows {
	/** Words of a window: its context ids, then the token. */
	readonly words: number;
	/** How many there are. */
	readonly size: number;
	/** Ids of all texts, and where in them each window begins. */
	readonly ids: Uint32Array;
	readonly places: Uint32Array;
	/** 64 bits of each window: what orders the sample, and what names the cell. */
	readonly high: Uint32Array;
	readonly low: Uint32Array;
	/** Where the windows of text i begin; one entry more than there are texts. */
	readonly starts: Uint32Array;
}

/** Odd multipliers of two polynomials in the ids; nothing depends on them but which windows fall together. */
const HIGH = 0x2c1b3c6d;
const LOW = 0x5bd1e995;

/** The finalizer of MurmurHash3 (32 bits): each bit of the input matters to each bit of the output. */
function mixed(h: number): number {
	let x = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
	x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
	return (x ^ (x >>> 16)) >>> 0;
}

/** Cuts texts into windows of one shape, into the same memory each time. */
export interface WindowCutter {
	readonly windows: Windows;
	/**
	 * Cuts texts.
	 *
	 * @param ids of all texts, one after another
	 * @param ends where each text ends in `ids`
	 * @param given what the author of each text was given: windows whose context occurs there are left out
	 */
	fill(ids: Uint32Array, ends: ArrayLike<number>, given?: readonly (readonly number[])[]): void;
}

/**
 * A cutter.
 *
 * @param seed sets windows of different tokenizers apart
 */
export function newWindowCutter({ contextWidth, start, narrow }: WindowShape, seed: number): WindowCutter {
	const words = contextWidth + 1;
	const pad = start === 'pad' ? contextWidth : 0;
	const highSeed = mixed(seed);
	const lowSeed = mixed(~seed);
	/** What the first id of a window is multiplied by. */
	let highLeading = 1;
	let lowLeading = 1;
	for (let i = 1; i < words; i++) {
		highLeading = Math.imul(highLeading, HIGH);
		lowLeading = Math.imul(lowLeading, LOW);
	}
	let all: Uint32Array = new Uint32Array(0);
	let padded = new Uint32Array(0);
	let places = new Uint32Array(0);
	let high = new Uint32Array(0);
	let low = new Uint32Array(0);
	let starts = new Uint32Array(1);
	let size = 0;

	return {
		windows: {
			words,
			get size() {
				return size;
			},
			get ids() {
				return all;
			},
			get places() {
				return places;
			},
			get high() {
				return high;
			},
			get low() {
				return low;
			},
			get starts() {
				return starts;
			},
		},
		fill(ids, ends, given) {
			const count = ends.length;
			const most = (count === 0 ? 0 : ends[count - 1]) + count * pad;
			if (places.length < most) {
				places = new Uint32Array(most);
				high = new Uint32Array(most);
				low = new Uint32Array(most);
				if (pad > 0) padded = new Uint32Array(most);
			}
			if (starts.length < count + 1) starts = new Uint32Array(count + 1);
			all = pad > 0 ? padded : ids;
			size = 0;
			for (let text = 0, from = 0, to = 0; text < count; text++) {
				starts[text] = size;
				const end = ends[text];
				if (pad > 0) {
					to = from + pad + end - (text === 0 ? 0 : ends[text - 1]);
					padded.fill(BEFORE_TEXT, from, from + pad);
					padded.set(ids.subarray(text === 0 ? 0 : ends[text - 1], end), from + pad);
				} else to = end;
				const first = size;
				cut(from, to);
				if (given !== undefined && given[text].length > 0) leaveOut(first, given[text]);
				from = to;
			}
			starts[count] = size;
		},
	};

	/** Windows of the ids between two places. */
	function cut(from: number, to: number): void {
		const ids = all;
		const last = to - words;
		if (last < from) return;
		let h = 0;
		let l = 0;
		for (let i = from; i < from + words; i++) {
			h = (Math.imul(h, HIGH) + ids[i]) | 0;
			l = (Math.imul(l, LOW) + ids[i]) | 0;
		}
		let at = size;
		for (let i = from; ; i++) {
			places[at] = i;
			high[at] = mixed(h ^ highSeed);
			low[at++] = mixed(l ^ lowSeed);
			if (i === last) break;
			// The next window's polynomials follow from this one's.
			h = (Math.imul(h - Math.imul(ids[i], highLeading), HIGH) + ids[i + words]) | 0;
			l = (Math.imul(l - Math.imul(ids[i], lowLeading), LOW) + ids[i + words]) | 0;
		}
		size = at;
	}

	/** Takes back the windows from the `first` on whose context occurs in what was given. */
	function leaveOut(first: number, given: readonly number[]): void {
		const excluded = newRowSet(Math.max(1, contextWidth));
		excluded.addWindows(Uint32Array.from(given));
		const tokens = new Set(narrow ? given : []);
		let kept = first;
		for (let i = first; i < size; i++) {
			if (excluded.has(all, places[i]) || tokens.has(all[places[i] + contextWidth])) continue;
			places[kept] = places[i];
			high[kept] = high[i];
			low[kept++] = low[i];
		}
		size = kept;
	}
}

/** Copies windows as rows of context ids and token. */
export function copyRows({ ids, places, words }: Windows, from: number, to: number, rows: Uint32Array): void {
	for (let i = from, at = 0; i < to; i++)
		for (let k = places[i], end = k + words; k < end; k++) rows[at++] = ids[k];
}
