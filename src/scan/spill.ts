/**
 * The exact mode: the scores of *all* distinct pairs of a corpus, not of a sample. Each shard writes the pairs that it
 * holds to files, a 64-bit public hash and a score for each mark, parted by hash; in the end each part is read from all files,
 * and each pair counts once. Memory: one part. Disk: 16 bytes a mark and pair that is new in its shard.
 *
 * Pairs whose hashes fall together count once. Which ones do is decided without the key, so the test stays exact.
 *
 * @module
 */
import { closeSync, openSync, readSync, renameSync, writeSync } from 'node:fs';
import type { Mark } from '../marks/mark.js';
import { newRowSet } from '../verify/row-set.js';
import type { Tally } from '../verify/tally.js';
import { type BoundGroup, windowSeed } from './plan.js';
import { hashesOfRows, ROWS, type Windows } from './windows.js';

/** Parts of a corpus; a pair is in the part that its hash names. */
const PARTS = 1024;
/** Words of an entry: hash and score, each in two. */
const WORDS = 4;

/** Distinct pairs under one mark, until they are written. */
export interface Spill {
	/** Pairs that are held. */
	readonly size: number;
	/** Adds the windows of records. */
	add(windows: Windows): void;
	/** Writes the pairs to a file, and forgets them. */
	write(path: string): void;
}

/** @param seed of the windows' hashes */
export function newSpill(mark: Mark, seed: number): Spill {
	const { scheme, spec } = mark;
	const { effective } = scheme;
	const words = effective?.words ?? spec.contextWidth + 1;
	let set = newRowSet(words);

	return {
		get size() {
			return set.size;
		},
		add(windows) {
			const perWindow = effective?.perWindow ?? 1;
			const pairs = new Uint32Array(ROWS * perWindow * words);
			for (let from = 0; from < windows.size; from += ROWS) {
				const count = Math.min(ROWS, windows.size - from);
				const rows = windows.rowsAt(windows.places.subarray(from, from + count));
				const covered = spec.selector === 'all' ? null : mark.coversRows(rows, count);
				let found = 0;
				for (let i = 0; i < count; i++) {
					if (covered !== null && covered[i] === 0) continue;
					const at = i * windows.words;
					if (effective === undefined) pairs.set(rows.subarray(at, at + words), found++ * words);
					else found += effective.of(rows, at, pairs, found * words);
				}
				set.addRows(pairs, found);
			}
		},
		write(path) {
			const { size } = set;
			const data = set.data.subarray(0, size * words);
			const { high, low } = hashesOfRows(data, words, seed);
			const scores = new Float64Array(size);
			for (let from = 0; from < size; from += ROWS) {
				const count = Math.min(ROWS, size - from);
				const chunk = scores.subarray(from, from + count);
				scheme.scores(data.subarray(from * words, (from + count) * words), count, chunk);
			}
			// In the order of parts; a table of where each begins comes first.
			const begins = new Uint32Array(PARTS + 1);
			for (let i = 0; i < size; i++) begins[(high[i] >>> 22) + 1]++;
			for (let part = 0; part < PARTS; part++) begins[part + 1] += begins[part];
			const next = begins.slice();
			const entries = new Uint32Array(size * WORDS);
			for (let i = 0; i < size; i++) {
				const at = next[high[i] >>> 22]++ * WORDS;
				entries[at] = high[i];
				entries[at + 1] = low[i];
				entries[at + 2] = scores[i] % 2 ** 32;
				entries[at + 3] = Math.floor(scores[i] / 2 ** 32);
			}
			const temporary = `${path}.tmp`;
			const file = openSync(temporary, 'w');
			try {
				for (const part of [begins, entries]) writeAll(file, part);
			} finally {
				closeSync(file);
			}
			renameSync(temporary, path);
			set = newRowSet(words);
		},
	};
}

/** A spill for each mark that the exact mode is for, with the number of its windows' shape. */
export function newSpills(groups: readonly BoundGroup[]): { shape: number; mark: Mark; spill: Spill }[] {
	let first = 0;
	return groups.flatMap(({ number, marks, shapes }) => {
		const before = first;
		first += shapes.length;
		// A law that holds for few pairs only is for the sample.
		return marks
			.filter(({ mark }) => mark.scheme.mostPairs === undefined)
			.map(({ mark, shape }) => ({
				shape: before + shape,
				mark,
				spill: newSpill(mark, windowSeed(number, shape)),
			}));
	});
}

/** Writes all of it: one call may write less. */
export function writeAll(file: number, words: Uint32Array | Uint8Array): void {
	const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
	for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
}

/**
 * The tally of all distinct pairs in the files of one mark.
 *
 * @param paths of the files, in an order that does not depend on chance
 */
export function tallySpills(paths: readonly string[]): Tally {
	// One file is open at a time: there may be more of them than a process may open.
	const begins = paths.map((path) => readWords(path, 0, PARTS + 1));
	let scored = 0;
	let sum = 0n;
	for (let part = 0; part < PARTS; part++) {
		const slices = paths.map((path, i) => {
			const [from, to] = [begins[i][part], begins[i][part + 1]];
			return readWords(path, PARTS + 1 + WORDS * from, WORDS * (to - from));
		});
		const total = slices.reduce((all, slice) => all + slice.length / WORDS, 0);
		let capacity = 64;
		while (capacity < 2 * total) capacity *= 2;
		const table = new Uint32Array(2 * capacity);
		const used = new Uint8Array(capacity);
		for (const slice of slices) {
			// Sums of halves, exact in a double for as many as a file has in a part.
			let lows = 0;
			let highs = 0;
			for (let at = 0; at < slice.length; at += WORDS) {
				const high = slice[at];
				const low = slice[at + 1];
				let slot = low & (capacity - 1);
				while (used[slot] === 1 && (table[2 * slot] !== high || table[2 * slot + 1] !== low))
					slot = (slot + 1) & (capacity - 1);
				if (used[slot] === 1) continue;
				used[slot] = 1;
				table[2 * slot] = high;
				table[2 * slot + 1] = low;
				scored++;
				lows += slice[at + 2];
				highs += slice[at + 3];
			}
			sum += BigInt(highs) * 0x1_0000_0000n + BigInt(lows);
		}
	}
	return { scored, sum };
}

function readWords(path: string, first: number, count: number): Uint32Array {
	const words = new Uint32Array(count);
	if (count === 0) return words;
	const bytes = new Uint8Array(words.buffer);
	const file = openSync(path, 'r');
	try {
		for (let at = 0; at < bytes.length; ) {
			const read = readSync(file, bytes, at, bytes.length - at, 4 * first + at);
			if (read === 0) throw new RangeError(`${path}: ends too early`);
			at += read;
		}
	} finally {
		closeSync(file);
	}
	return words;
}
