/**
 * Windows of a text, context ids and token, with a public hash of each. The hash knows no key: it says which windows are
 * sampled and in which cell they are counted, and anybody can compute it again.
 *
 * @module
 */
import { BEFORE_TEXT, type MarkSpec } from '../marks/mark-spec.js';
import { newRowSet } from '../verify/row-set.js';
import { kernelMemory, startKernel } from '../wasm.js';
import { KERNEL } from './kernel.wasm.js';

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
	/** Numbers of the windows whose first hash is not above a limit, ascending; valid until others are asked for. */
	below(limit: number): Uint32Array;
	/** Splits the windows of each text in two by the public hash; valid until numbers or halves are asked for. */
	halves(short: number): Halves;
	/**
	 * The windows that begin at these places, as rows of context ids and token, one behind the other; valid until others
	 * are asked for.
	 *
	 * @param at {@link ROWS} places at most
	 */
	rowsAt(at: Uint32Array): Uint32Array;
}

/** Two halves of the windows. */
export interface Halves {
	/** Where the windows begin whose first hash is below 2^31, and all of a text that has less than `short` of them. */
	readonly places: Uint32Array;
	/** Where the others begin. */
	readonly rest: Uint32Array;
	/** How many of the first half come before each window; one entry more than there are windows. */
	readonly before: Uint32Array;
}

/** Windows that are given as rows at once, at most: they stay in the processor's cache. */
export const ROWS = 4096;

/** Odd multipliers of two polynomials in the ids; nothing depends on them but which windows fall together. */
const HIGH = 0x2c1b3c6d;
const LOW = 0x5bd1e995;

/** The finalizer of MurmurHash3 (32 bits): each bit of the input matters to each bit of the output. */
function mixed(h: number): number {
	let x = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
	x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
	return (x ^ (x >>> 16)) >>> 0;
}

/** Hashes of windows that are rows of so many words each. @param seed that of their cutter */
export function hashesOfRows(
	rows: Uint32Array,
	words: number,
	seed: number,
): { high: Uint32Array; low: Uint32Array } {
	const size = rows.length / words;
	const high = new Uint32Array(size);
	const low = new Uint32Array(size);
	const highSeed = mixed(seed);
	const lowSeed = mixed(~seed);
	for (let i = 0, at = 0; i < size; i++) {
		let h = 0;
		let l = 0;
		for (const end = at + words; at < end; at++) {
			h = (Math.imul(h, HIGH) + rows[at]) | 0;
			l = (Math.imul(l, LOW) + rows[at]) | 0;
		}
		high[i] = mixed(h ^ highSeed);
		low[i] = mixed(l ^ lowSeed);
	}
	return { high, low };
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

/** What the kernel (`kernel/assembly.ts`) exports. Arguments are byte addresses and counts. */
interface Exports {
	readonly MULTIPLIERS: WebAssembly.Global<'i32'>;
	readonly PACKING: WebAssembly.Global<'i32'>;
	readonly LANES_BEFORE: WebAssembly.Global<'i32'>;
	readonly DATA: WebAssembly.Global<'i32'>;
	cut(
		ids: number,
		from: number,
		last: number,
		words: number,
		highSeed: number,
		lowSeed: number,
		places: number,
		high: number,
		low: number,
	): void;
	copyRows(ids: number, places: number, count: number, words: number, out: number): void;
	below(high: number, count: number, limit: number, out: number): number;
	choose(
		high: number,
		places: number,
		from: number,
		to: number,
		all: 0 | 1,
		before: number,
		chosen: number,
		rest: number,
		count: number,
	): number;
}

/** Words behind the last that the kernel may read and write over. */
const SLACK = 32;

/** The kernel over memory of its own, with room for so many ids and as many windows. */
function newKernel(words: number, most: number) {
	const lengths = [most, most, most, most, most, most, most, ROWS, ROWS * words].map(
		(length) => 4 * (length + SLACK),
	);
	const memory = kernelMemory(
		lengths.reduce((sum, length) => sum + length, 0),
		false,
	);
	const run = startKernel<Exports>(KERNEL, memory);
	const multipliers = new Uint32Array(memory.buffer, run.MULTIPLIERS.value, 64);
	for (let k = words - 1, high = 1, low = 1; k >= 0; k--) {
		multipliers[k] = high;
		multipliers[32 + k] = low;
		high = Math.imul(high, HIGH);
		low = Math.imul(low, LOW);
	}
	const packing = new Uint32Array(memory.buffer, run.PACKING.value, 64);
	const lanesBefore = new Uint32Array(memory.buffer, run.LANES_BEFORE.value, 64);
	for (let lanes = 0; lanes < 16; lanes++)
		for (let lane = 0, count = 0; lane < 4; lane++) {
			lanesBefore[4 * lanes + lane] = count;
			// The four bytes of the lane's word.
			if (((lanes >>> lane) & 1) === 1) packing[4 * lanes + count++] = 0x03020100 + lane * 0x04040404;
		}
	let next = run.DATA.value;
	const [ids, places, high, low, chosen, rest, before, wanted, rows] = lengths.map((length) => {
		const view = new Uint32Array(memory.buffer, next, length / 4);
		next += length;
		return view;
	});
	return { run, most, ids, places, high, low, chosen, rest, before, wanted, rows };
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
	let kernel = newKernel(words, 0);
	let starts = new Uint32Array(1);
	let size = 0;
	let texts = 0;

	return {
		windows: {
			words,
			get size() {
				return size;
			},
			get ids() {
				return kernel.ids;
			},
			get places() {
				return kernel.places;
			},
			get high() {
				return kernel.high;
			},
			get low() {
				return kernel.low;
			},
			get starts() {
				return starts;
			},
			below(limit) {
				const { run, high, chosen } = kernel;
				return chosen.subarray(0, run.below(high.byteOffset, size, limit, chosen.byteOffset));
			},
			halves(short) {
				const { run, places, high, chosen, rest, before } = kernel;
				let count = 0;
				for (let text = 0; text < texts; text++) {
					const [from, to] = [starts[text], starts[text + 1]];
					count = run.choose(
						high.byteOffset,
						places.byteOffset,
						from,
						to,
						to - from < short ? 1 : 0,
						before.byteOffset,
						chosen.byteOffset,
						rest.byteOffset,
						count,
					);
				}
				before[size] = count;
				return { places: chosen.subarray(0, count), rest: rest.subarray(0, size - count), before };
			},
			rowsAt(at) {
				const { run, ids, wanted, rows } = kernel;
				wanted.set(at);
				run.copyRows(ids.byteOffset, wanted.byteOffset, at.length, words, rows.byteOffset);
				return rows.subarray(0, at.length * words);
			},
		},
		fill(ids, ends, given) {
			const count = ends.length;
			texts = count;
			const length = count === 0 ? 0 : ends[count - 1];
			const most = length + count * pad;
			if (kernel.most < most) kernel = newKernel(words, most);
			if (starts.length < count + 1) starts = new Uint32Array(count + 1);
			if (pad === 0) kernel.ids.set(ids.subarray(0, length));
			size = 0;
			for (let text = 0, from = 0, to = 0; text < count; text++) {
				starts[text] = size;
				const end = ends[text];
				if (pad > 0) {
					const begin = text === 0 ? 0 : ends[text - 1];
					to = from + pad + end - begin;
					kernel.ids.fill(BEFORE_TEXT, from, from + pad);
					kernel.ids.set(ids.subarray(begin, end), from + pad);
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
		const last = to - words;
		if (last < from) return;
		const { run, ids, places, high, low } = kernel;
		const at = 4 * size;
		run.cut(
			ids.byteOffset,
			from,
			last,
			words,
			highSeed,
			lowSeed,
			places.byteOffset + at,
			high.byteOffset + at,
			low.byteOffset + at,
		);
		size += last - from + 1;
	}

	/** Takes back the windows from the `first` on whose context occurs in what was given. */
	function leaveOut(first: number, given: readonly number[]): void {
		const { ids, places, high, low } = kernel;
		const excluded = newRowSet(Math.max(1, contextWidth));
		excluded.addWindows(Uint32Array.from(given));
		const tokens = new Set(narrow ? given : []);
		let kept = first;
		for (let i = first; i < size; i++) {
			if (excluded.has(ids, places[i]) || tokens.has(ids[places[i] + contextWidth])) continue;
			places[kept] = places[i];
			high[kept] = high[i];
			low[kept++] = low[i];
		}
		size = kept;
	}
}
