/**
 * From windows to effective pairs: what seeds the generator is the last id, an id that won, or a state, whatever the
 * window around it. Several windows may be one pair, and one window several pairs; each pair has one score.
 *
 * @module
 */
import type { Mark } from '../marks/mark.js';
import type { GivenWindows } from './pairs.js';
import { newRowSet, type RowSet } from './row-set.js';

/** Distinct effective pairs under a mark, numbered in the order of arrival. */
export interface EffectivePairs {
	/** The pairs, each as the scheme scores it. */
	readonly rows: RowSet;
	/**
	 * Enters the pairs of the window at `at`.
	 *
	 * @param except pairs that do not count
	 * @returns their numbers; those from the previous `rows.size` on are new. Valid until the next call
	 */
	enter(windows: Uint32Array, at: number, except?: RowSet): readonly number[];
	/** The list of exact size that each pair is from: a number for the words before the token. Grows with the pairs. */
	lists(): readonly number[];
}

/** No pairs yet. */
export function newEffectivePairs({ scheme, spec, covers }: Mark): EffectivePairs {
	const { contextWidth } = spec;
	const { effective } = scheme;
	const words = effective?.words ?? contextWidth + 1;
	const rows = newRowSet(words);
	const found = new Uint32Array(words * (effective?.perWindow ?? 1));
	const numbers: number[] = [];
	const lists = new Map<string, number>();
	const listOf: number[] = [];
	return {
		rows,
		enter(windows, at, except) {
			numbers.length = 0;
			if (!covers(windows.subarray(at, at + contextWidth))) return numbers;
			if (effective === undefined) found.set(windows.subarray(at, at + words));
			const count = effective?.of(windows, at, found, 0) ?? 1;
			rows.addRows(found, count, except);
			for (let k = 0; k < count; k++) {
				const number = rows.indexOf(found, k * words);
				if (number >= 0 && !except?.has(found, k * words)) numbers.push(number);
			}
			return numbers;
		},
		lists() {
			for (let at = listOf.length * words; at < rows.size * words; at += words) {
				const key = rows.data.subarray(at, at + words - 1).join();
				const list = lists.get(key) ?? lists.size;
				lists.set(key, list);
				listOf.push(list);
			}
			return listOf;
		},
	};
}

/**
 * Effective pairs of what was given: they count for nothing, however the window around them was changed.
 *
 * @returns empty where a pair is its window: contexts that were given are left out before
 */
export function givenPairs({ scheme, spec }: Mark, { rows, size }: GivenWindows): RowSet {
	const { effective } = scheme;
	const window = spec.contextWidth + 1;
	const pairs = newRowSet(effective?.words ?? window);
	if (effective === undefined) return pairs;
	const found = new Uint32Array(size * effective.perWindow * effective.words);
	let count = 0;
	for (let i = 0; i < size; i++) count += effective.of(rows, i * window, found, count * effective.words);
	pairs.addRows(found, count);
	return pairs;
}
