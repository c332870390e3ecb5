/**
 * The accumulator: how many effective pairs were scored and the exact sum of their scores. Tallies of disjoint
 * pairs merge by addition, in any order, to the same bits.
 *
 * @module
 */
import type { Mark } from '../marks/mark.js';
import { SCORE_UNIT } from '../schemes/fixed-log.js';
import { givenPairs } from './effective-pairs.js';
import type { PairSet } from './pairs.js';
import { newRowSet } from './row-set.js';

/** A sum of scores. */
export interface Tally {
	/** Distinct effective pairs scored. */
	readonly scored: number;
	/** Sum of the scores in units of 2^-32. */
	readonly sum: bigint;
}

/** Scores at most 64 · 2^32 each: a double holds the exact sum of this many. */
const CHUNK = 2 ** 14;
const scores = new Float64Array(CHUNK);

/** Rows of one length, one after another. */
interface Rows {
	readonly data: Uint32Array;
	readonly size: number;
	readonly words: number;
}

/** The distinct effective pairs that the mark covers; the first ones where its law holds for so many only. */
function effectiveRows(pairs: PairSet, mark: Mark): Rows {
	const { data, size, words } = allRows(pairs, mark);
	return { data, size: Math.min(size, mark.scheme.mostPairs ?? size), words };
}

function allRows(pairs: PairSet, mark: Mark): Rows {
	const { effective } = mark.scheme;
	const words = pairs.contextWidth + 1;
	const all = mark.spec.selector === 'all';
	if (effective === undefined && all) return { data: pairs.rows, size: pairs.size, words };
	if (effective === undefined) {
		return { ...keptRows(pairs, mark.coversRows(pairs.rows, pairs.size)), words };
	}
	const { rows: windows, size, given } = pairs;
	const out = new Uint32Array(size * effective.perWindow * effective.words);
	const covered = mark.coversRows(windows, size);
	let count = 0;
	for (let i = 0; i < size; i++)
		if (covered[i]) count += effective.of(windows, i * words, out, count * effective.words);
	const found = newRowSet(effective.words);
	found.addRows(out, count, givenPairs(mark, given));
	return found;
}

/** The pairs whose flag is 1, as rows. */
export function keptRows(pairs: PairSet, flags: Uint8Array): { data: Uint32Array; size: number } {
	const words = pairs.contextWidth + 1;
	const { rows } = pairs;
	const data = new Uint32Array(pairs.size * words);
	let size = 0;
	for (let i = 0; i < pairs.size; i++) {
		if (!flags[i]) continue;
		for (let k = 0; k < words; k++) data[size * words + k] = rows[i * words + k];
		size++;
	}
	return { data, size };
}

/** Scores every pair that the mark covers. */
export function tallyPairs(pairs: PairSet, mark: Mark): Tally {
	const { data, size, words } = effectiveRows(pairs, mark);
	let sum = 0n;
	for (let start = 0; start < size; start += CHUNK) {
		const count = Math.min(CHUNK, size - start);
		mark.scheme.scores(data.subarray(start * words, (start + count) * words), count, scores);
		let chunk = 0;
		for (let i = 0; i < count; i++) chunk += scores[i];
		sum += BigInt(chunk);
	}
	return { scored: size, sum };
}

/** The score of each pair that the mark covers, in units of 2^-32. */
export function scoreList(pairs: PairSet, mark: Mark): Float64Array {
	const { data, size } = effectiveRows(pairs, mark);
	const list = new Float64Array(size);
	mark.scheme.scores(data, size, list);
	return list;
}

/** The tally of two disjoint sets of pairs. */
export function mergeTallies(a: Tally, b: Tally): Tally {
	return { scored: a.scored + b.scored, sum: a.sum + b.sum };
}

/** The sum as a number: nats for gumbel, green pairs for green lists, ones for tournaments. */
export function scoreOf(tally: Tally): number {
	return Number(tally.sum) / SCORE_UNIT;
}
