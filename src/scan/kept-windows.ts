/**
 * The windows that a record is judged by.
 *
 * @module
 */
import { type PairSet, pairsOfRows } from '../verify/pairs.js';
import { newRowSet } from '../verify/row-set.js';
import type { Windows } from './windows.js';

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
	const set = newRowSet(words, size);
	const places: number[] = [];
	const given = new Set(left);
	// All are asked before any is used: the answers lie far apart in memory, which gives many at once.
	const out = new Uint8Array(size);
	for (let i = 0; i < size; i++) out[i] = isLeftOut(low[i]) ? 1 : 0;
	for (let i = 0; i < size; i++) {
		if (out[i] === 1 || given.has(at[i])) continue;
		if (set.addRow(ids, at[i])) places.push(at[i]);
	}
	// Effective pairs that were given need no list: where they are less than the window, all windows with a token that was
	// given are left out.
	return { pairs: pairsOfRows(words - 1, set.data.subarray(0, set.size * words)), places };
}
