/**
 * What a text says of every account at once: for each position of the code and each symbol, the sum of the scores that its
 * pairs would have, had an account with that symbol there been served.
 *
 * @module
 */
import { type BoundCode, type Fold, foldOf } from '../marks/account-code.js';
import type { Mark } from '../marks/mark.js';
import { SCORE_UNIT } from '../schemes/fixed-log.js';
import { scoreWords, word32 } from '../schemes/gumbel.js';
import type { CodeTable } from '../stats/codeword-bound.js';
import type { PairSet } from './pairs.js';
import { keptRows } from './tally.js';

/** Pairs of the account layer: the position of each one's context, and its word before any turn. */
export interface AccountPairs {
	readonly positions: Uint8Array;
	readonly words: Uint32Array;
}

/** Scores by position and symbol; positions that do not occur have no row. */
export interface AccountTable extends CodeTable {
	/** Position of each row, ascending. */
	readonly positions: Uint8Array;
}

/** A mark of the account layer, with its code. @throws RangeError for a mark of another layer */
export function codeOf({ code, id }: Mark): BoundCode {
	if (code === undefined) throw new RangeError(`mark ${id} is not of the account layer`);
	return code;
}

/**
 * The pairs that the account layer may have drawn.
 *
 * @param deployment the choice mark beside it: contexts that it covers are its own
 */
export function accountPairs(pairs: PairSet, account: Mark, deployment: Mark): AccountPairs {
	const code = codeOf(account);
	const covered = deployment.coversRows(pairs.rows, pairs.size);
	const rest = keptRows(
		pairs,
		covered.map((flag) => 1 - flag),
	);
	const places = new Uint32Array(rest.size);
	code.positionsOf(rest.data, pairs.contextWidth, places);
	const words = new Uint32Array(rest.size);
	account.scheme.words?.(rest.data, words);
	return { positions: Uint8Array.from(places), words };
}

/** The table of pairs; the sums are exact, in whatever order. */
export function accountTable(
	code: Pick<BoundCode, 'symbols' | 'positions' | 'turn'>,
	{ positions, words }: AccountPairs,
): AccountTable {
	const { symbols } = code;
	const turned = new Uint32Array(words.length * symbols);
	for (let i = 0; i < words.length; i++)
		for (let s = 0; s < symbols; s++) turned[i * symbols + s] = words[i] + code.turn(s);
	const scores = new Float64Array(turned.length);
	scoreWords(turned, word32, scores);

	const rowOf = new Int16Array(code.positions).fill(-1);
	for (const position of positions) rowOf[position] = 0;
	const present: number[] = [];
	rowOf.forEach((row, position) => {
		if (row < 0) return;
		rowOf[position] = present.length;
		present.push(position);
	});
	const sums = new Float64Array(present.length * symbols);
	for (let i = 0; i < words.length; i++) {
		const to = rowOf[positions[i]] * symbols;
		for (let s = 0; s < symbols; s++) sums[to + s] += scores[i * symbols + s];
	}
	return { symbols, positions: Uint8Array.from(present), scores: sums.map((sum) => sum / SCORE_UNIT) };
}

/** The rows of one fold. */
export function foldTable({ symbols, positions, scores }: AccountTable, fold: Fold): AccountTable {
	const rows = [...positions.keys()].filter((row) => foldOf(positions[row]) === fold);
	const some = new Float64Array(rows.length * symbols);
	rows.forEach((row, i) => {
		some.set(scores.subarray(row * symbols, (row + 1) * symbols), i * symbols);
	});
	return { symbols, positions: Uint8Array.from(rows, (row) => positions[row]), scores: some };
}
