/**
 * Distinct windows: each (context, token) once, over everything that is tested. They know no key.
 *
 * Counting a pair twice would make the test believe that it saw new randomness where the key is asked the
 * same question again; that is how innocent text comes to look marked. Where a scheme's effective pair is less
 * than the window, `tally.ts` goes through them once more under the key.
 *
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { BEFORE_TEXT, type MarkSpec } from '../marks/mark-spec.js';
import { newRowSet } from './row-set.js';

/** Windows of what was given, as rows of context ids and token. */
export interface GivenWindows {
	readonly rows: Uint32Array;
	readonly size: number;
}

/** A growing set of distinct pairs for marks of one context width. */
export interface PairSet {
	/** Ids in a context. */
	readonly contextWidth: number;
	/** Number of distinct pairs. */
	readonly size: number;
	/** Rows of context ids and token, one after another; valid until pairs are added again. */
	readonly rows: Uint32Array;
	/**
	 * Windows of everything that was given, as rows: a scheme whose effective pair is less than the window leaves out
	 * the effective pairs that occur there.
	 */
	readonly given: GivenWindows;
	/**
	 * Adds every pair of a document.
	 *
	 * @param tokens ids of the document
	 * @param given ids that its author was given (a prompt): contexts that occur there are not counted; for marks
	 *   without a context, tokens that occur there are not
	 */
	add(tokens: ArrayLike<number>, given?: ArrayLike<number>): void;
	/** Calls back with each pair; the context array is reused between calls. */
	forEach(visit: (context: Uint32Array, token: number) => void): void;
	/** SHA-256 over all pairs in order, hexadecimal. */
	digest(): string;
}

/** An empty set for marks with this context width and start rule. */
export function newPairSet({ contextWidth, start }: Pick<MarkSpec, 'contextWidth' | 'start'>): PairSet {
	const words = contextWidth + 1;
	const set = newRowSet(words);
	const givenSet = newRowSet(words);
	const pad = start === 'pad' ? contextWidth : 0;

	return {
		contextWidth,
		get size() {
			return set.size;
		},
		get rows() {
			return set.data;
		},
		get given() {
			return { rows: givenSet.data, size: givenSet.size };
		},
		add(tokens, given = []) {
			const ids = new Uint32Array(pad + tokens.length);
			ids.fill(BEFORE_TEXT, 0, pad);
			ids.set(tokens, pad);
			if (given.length === 0) return set.addWindows(ids);
			const excluded = newRowSet(Math.max(1, contextWidth));
			const prompt = Uint32Array.from(given);
			excluded.addWindows(prompt);
			givenSet.addWindows(prompt);
			set.addWindows(ids, (all, at) => excluded.has(all, at));
		},
		forEach: (visit) => visitRows(set.data, set.size, words, visit),
		digest: () => digestOfRows(set.data, set.size, words),
	};
}

/**
 * Pairs that are known to be distinct already, such as a sample of a corpus.
 *
 * @param rows of context ids and token, one after another
 * @param given windows of what was given, where scores depend on less than the window
 */
export function pairsOfRows(
	contextWidth: number,
	rows: Uint32Array,
	given: GivenWindows = { rows: new Uint32Array(0), size: 0 },
): PairSet {
	const words = contextWidth + 1;
	const size = rows.length / words;
	return {
		contextWidth,
		size,
		rows,
		given,
		add() {
			throw new TypeError('these pairs are complete');
		},
		forEach: (visit) => visitRows(rows, size, words, visit),
		digest: () => digestOfRows(rows, size, words),
	};
}

function visitRows(
	rows: Uint32Array,
	size: number,
	words: number,
	visit: (context: Uint32Array, token: number) => void,
): void {
	for (let i = 0; i < size; i++) {
		const at = i * words;
		visit(rows.subarray(at, at + words - 1), rows[at + words - 1]);
	}
}

function digestOfRows(rows: Uint32Array, size: number, words: number): string {
	return bytesToHex(sha256(new Uint8Array(rows.buffer, rows.byteOffset, 4 * size * words)));
}
