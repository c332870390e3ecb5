/**
 * A served answer and a record side by side: the stretch that they share, where they differ inside it, and by how many words.
 *
 * @module
 */
import levenshtein from 'fast-levenshtein';
import { digestsOf, SHINGLE_WORDS, shingleKeys } from '../fingerprints/shingles.js';
import { type Words, wordsOf } from '../fingerprints/words.js';

/** Words of the shared stretch that are compared, at most, on either side: the comparison takes their product in steps. */
export const MOST_WORDS = 5000;
/** Runs of common words that are put in order, at most; the longest of more. */
const MOST_RUNS = 2000;

/** A piece of the shared stretch. */
export interface Piece {
	/** What the answer says there, and what the record; one text where they differ in case, punctuation and spaces only. */
	readonly served: string;
	readonly record: string;
	readonly same: boolean;
}

/** The shared stretch. */
export interface Exhibit {
	/** Words of the stretch in the answer, and in the record. */
	readonly servedWords: number;
	readonly recordWords: number;
	/** Words to insert, delete or change that make one the other, case and punctuation apart (Levenshtein). */
	readonly edits: number;
	/** 1 − edits / the longer of the two. */
	readonly similarity: number;
	readonly pieces: readonly Piece[];
}

/** Words that both have in a row: where, and how many. */
interface Run {
	readonly served: number;
	readonly record: number;
	readonly length: number;
}

/**
 * Aligns.
 *
 * @returns null when they share no five words in a row
 */
export function exhibitOf(served: string, record: string): Exhibit | null {
	const [one, other] = [wordsOf(served), wordsOf(record)];
	const runs = chain(commonRuns(one, other));
	const [first, last] = [runs[0], runs.at(-1)];
	if (first === undefined || last === undefined) return null;
	const stretch = (of: 'served' | 'record') => [first[of], last[of] + last.length] as const;
	const [servedBegin, servedEnd] = stretch('served');
	const [recordBegin, recordEnd] = stretch('record');
	const pieces: Piece[] = [];
	const put = (same: boolean, served: [number, number], record: [number, number]) => {
		if (served[0] === served[1] && record[0] === record[1]) return;
		pieces.push({ served: textOf(one, ...served), record: textOf(other, ...record), same });
	};
	let at: Run | undefined;
	for (const run of runs) {
		if (at !== undefined)
			put(false, [at.served + at.length, run.served], [at.record + at.length, run.record]);
		put(true, [run.served, run.served + run.length], [run.record, run.record + run.length]);
		at = run;
	}
	const servedWords = servedEnd - servedBegin;
	const recordWords = recordEnd - recordBegin;
	const letters = newLetters();
	const edits = levenshtein.get(
		letters(one, servedBegin, Math.min(servedEnd, servedBegin + MOST_WORDS)),
		letters(other, recordBegin, Math.min(recordEnd, recordBegin + MOST_WORDS)),
	);
	const longer = Math.min(MOST_WORDS, Math.max(servedWords, recordWords));
	return { servedWords, recordWords, edits, similarity: 1 - edits / longer, pieces };
}

const keyOf = ({ hashes }: Words, word: number) =>
	hashes[2 * word] * 2 ** 20 + (hashes[2 * word + 1] & 0xfffff);

/** Longest runs of five or more words that both have, each beginning of the answer's taken where it first fits. */
function commonRuns(served: Words, record: Words): Run[] {
	const places = new Map<string, number[]>();
	for (const [at, key] of shingleKeys(digestsOf(served)).entries()) {
		const known = places.get(key);
		if (known === undefined) places.set(key, [at]);
		else if (known.length < 10) known.push(at);
	}
	const runs: Run[] = [];
	for (const [at, key] of shingleKeys(digestsOf(record)).entries())
		for (const begin of places.get(key) ?? []) {
			// The inside of a run is no run of its own.
			if (at > 0 && begin > 0 && keyOf(record, at - 1) === keyOf(served, begin - 1)) continue;
			let length = SHINGLE_WORDS;
			while (
				begin + length < served.count &&
				at + length < record.count &&
				keyOf(served, begin + length) === keyOf(record, at + length)
			)
				length++;
			runs.push({ served: begin, record: at, length });
		}
	if (runs.length <= MOST_RUNS) return runs;
	const long = new Set([...runs].sort((a, b) => b.length - a.length).slice(0, MOST_RUNS));
	return runs.filter((run) => long.has(run));
}

/** The runs, one after another in both texts, that have most words together. @param runs by their beginning in the record */
function chain(runs: readonly Run[]): Run[] {
	const best = runs.map((run) => ({ words: run.length, before: -1 }));
	let end = -1;
	for (const [i, run] of runs.entries()) {
		for (let j = 0; j < i; j++) {
			const before = runs[j];
			const follows =
				before.record + before.length <= run.record && before.served + before.length <= run.served;
			if (follows && best[j].words + run.length > best[i].words)
				best[i] = { words: best[j].words + run.length, before: j };
		}
		if (end < 0 || best[i].words > best[end].words) end = i;
	}
	const chained: Run[] = [];
	for (let i = end; i >= 0; i = best[i].before) chained.unshift(runs[i]);
	return chained;
}

/** Words `begin` to `end` as they stand in the text. */
function textOf({ text, starts, ends }: Words, begin: number, end: number): string {
	return begin === end ? '' : text.slice(starts[begin], ends[end - 1]);
}

/** A letter for each different word, the same in both texts. */
function newLetters(): (words: Words, begin: number, end: number) => string {
	const letters = new Map<number, string>();
	const letterOf = (key: number): string => {
		const known = letters.get(key);
		if (known !== undefined) return known;
		const fresh = String.fromCharCode(letters.size + 1);
		letters.set(key, fresh);
		return fresh;
	};
	return (words, begin, end) => {
		let text = '';
		for (let word = begin; word < end; word++) text += letterOf(keyOf(words, word));
		return text;
	};
}
