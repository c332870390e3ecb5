/**
 * Scores of records under a mark: one list a record, of the pairs that the mark covers.
 *
 * @module
 */
import type { Mark } from '../marks/mark.js';
import { newPairSet, type PairSet, pairsOfRows } from '../verify/pairs.js';
import { newRowSet } from '../verify/row-set.js';
import { scoreList } from '../verify/tally.js';
import { ROWS, type Windows } from './windows.js';

/** Running sums of scores: those of record i are from `starts[i]` to `starts[i + 1]`. */
export interface RunningSums {
	/** Units of 2^-32; one entry more than there are scores. */
	readonly sums: Float64Array;
	readonly starts: Uint32Array;
}

/** Memory for what is given, the same each time. */
let sums = new Float64Array(0);
const scores = new Float64Array(ROWS);

/** A text and what its author was given. */
export interface ScoredText {
	readonly tokens: ArrayLike<number>;
	readonly given: readonly number[];
}

/**
 * Sums scores of many records at once, repeated windows and all: enough to see where a second look pays. What it gives is
 * valid until it is called again.
 *
 * @param windows of the records
 * @param texts the same records, for marks whose effective pair is less than the window
 */
export function runningSums(mark: Mark, windows: Windows, texts: readonly ScoredText[]): RunningSums {
	const { scheme, spec } = mark;
	if (scheme.effective !== undefined || scheme.mostPairs !== undefined) return sumsOfLists(mark, texts);
	const { size, starts } = windows;
	const keyed = spec.selector === 'keyed';
	if (sums.length < size + 1) sums = new Float64Array(size + 1);
	/** How many of the windows before each are covered. */
	const covered = keyed ? new Uint32Array(size + 1) : null;
	let sum = 0;
	let kept = 0;
	for (let from = 0; from < size; from += ROWS) {
		const count = Math.min(ROWS, size - from);
		const rows = windows.rows(from, from + count);
		const flags = covered && mark.coversRows(rows, count);
		scheme.scores(rows, count, scores);
		for (let i = 0; i < count; i++) {
			if (flags !== null && covered !== null) {
				covered[from + i] = kept;
				if (flags[i] === 0) continue;
			}
			sum += scores[i];
			sums[++kept] = sum;
		}
	}
	if (covered === null) return { sums, starts };
	covered[size] = kept;
	return { sums, starts: Uint32Array.from({ length: texts.length + 1 }, (_, i) => covered[starts[i]]) };
}

function sumsOfLists(mark: Mark, texts: readonly ScoredText[]): RunningSums {
	const lists = texts.map(({ tokens, given }) => {
		const pairs = newPairSet(mark.spec);
		pairs.add(tokens, given);
		return scoreList(pairs, mark);
	});
	const starts = new Uint32Array(texts.length + 1);
	lists.forEach((list, i) => {
		starts[i + 1] = starts[i] + list.length;
	});
	const sums = new Float64Array(starts[texts.length] + 1);
	let at = 0;
	for (const list of lists) for (const score of list) sums[at + 1] = sums[at++] + score;
	return { sums, starts };
}

/** Distinct windows of a record, in the order in which they come. */
export interface KeptWindows {
	readonly pairs: PairSet;
	/** Where each begins in the record's ids; with positions before the text, where it has them. */
	readonly places: readonly number[];
}

/**
 * The distinct windows of the one record that was cut.
 *
 * @param left where windows begin that are left out because of what the author was given
 * @param isLeftOut by the second half of the hash
 */
export function keptWindows(
	{ words, ids, places: at, size, low }: Windows,
	left: readonly number[],
	isLeftOut: (low: number) => boolean,
): KeptWindows {
	const set = newRowSet(words);
	const places: number[] = [];
	const given = new Set(left);
	for (let i = 0; i < size; i++) {
		if (given.has(at[i]) || isLeftOut(low[i])) continue;
		if (set.addRow(ids, at[i])) places.push(at[i]);
	}
	// Effective pairs that were given need no list: where they are less than the window, all windows with a token that was
	// given are left out.
	return { pairs: pairsOfRows(words - 1, set.data.subarray(0, set.size * words)), places };
}
