/**
 * The accumulator: how many pairs were scored and the exact sum of their scores. Tallies of disjoint pairs
 * merge by addition, in any order, to the same bits.
 *
 * @module
 */
import type { Mark } from '../marks/mark.js';
import { SCORE_UNIT } from '../schemes/fixed-log.js';
import type { PairSet } from './pairs.js';

/** A sum of scores. */
export interface Tally {
	/** Pairs scored. */
	readonly scored: number;
	/** Sum of the scores in units of 2^-32. */
	readonly sum: bigint;
}

/** Scores at most 23 · 2^32 each: a double holds the exact sum of this many. */
const CHUNK = 2 ** 16;

/** Scores every pair that the mark covers. */
export function tallyPairs(pairs: PairSet, mark: Mark): Tally {
	const all = mark.spec.selector === 'all';
	let scored = 0;
	let chunk = 0;
	let sum = 0n;
	pairs.forEach((context, token) => {
		if (!all && !mark.covers(context)) return;
		chunk += mark.scheme.score(context, token);
		if (++scored % CHUNK === 0) {
			sum += BigInt(chunk);
			chunk = 0;
		}
	});
	return { scored, sum: sum + BigInt(chunk) };
}

/** The tally of two disjoint sets of pairs. */
export function mergeTallies(a: Tally, b: Tally): Tally {
	return { scored: a.scored + b.scored, sum: a.sum + b.sum };
}

/** The sum as a number: nats for gumbel, green pairs for green lists. */
export function scoreOf(tally: Tally): number {
	return Number(tally.sum) / SCORE_UNIT;
}
