/**
 * A corpus of records as numbers of distinct windows, so that a key is asked about each window once and records add up
 * what it said.
 *
 * @module
 */
import { newRowSet } from '../src/verify/row-set.js';

/** One record of a corpus, as token ids. */
export interface TokenRecord {
	/** Ids that its author was given. */
	readonly prompt: ArrayLike<number>;
	readonly tokens: Uint32Array;
}

/** Lists of numbers, one after another: list i is `items` from `starts[i]` up to `starts[i + 1]`. */
export interface Lists {
	readonly starts: Uint32Array;
	readonly items: Uint32Array;
}

/** The distinct windows of a corpus, and which of them each record and each group has. All arrays are shared memory. */
export interface PairCorpus {
	readonly contextWidth: number;
	/** Distinct windows over the whole corpus. */
	readonly size: number;
	/** They, as rows of context ids and token. */
	readonly rows: Uint32Array;
	/** Distinct windows of each record, those that few records have first. */
	readonly records: Lists;
	/** How many of a record's windows occur in at most `most` records. */
	readonly rare: Uint32Array;
	/** Distinct windows of each group over all its records, without contexts that a record's prompt has. */
	readonly groups: Lists;
}

function shared(length: number): Uint32Array {
	return new Uint32Array(new SharedArrayBuffer(4 * Math.max(1, length)));
}

function sharedCopy(values: Uint32Array): Uint32Array {
	const copy = shared(values.length);
	copy.set(values);
	return copy;
}

/**
 * Numbers the windows of a corpus. Records are counted exactly, with a number for every distinct window.
 *
 * @param groups records by group (all texts of one model)
 * @param most records that a window may occur in and still count as rare
 */
export function pairCorpus(
	groups: readonly (readonly TokenRecord[])[],
	contextWidth: number,
	most: number,
): PairCorpus {
	const words = contextWidth + 1;
	const set = newRowSet(words);
	for (const { tokens } of groups.flat()) set.addWindows(tokens);
	const windows = groups
		.flat()
		.reduce((sum, { tokens }) => sum + Math.max(0, tokens.length - contextWidth), 0);

	const occurrences = new Uint32Array(set.size);
	/** The last record, and the last group, that had a window: 1 and up. */
	const lastRecord = new Uint32Array(set.size);
	const lastGroup = new Uint32Array(set.size);
	const records = { starts: shared(groups.flat().length + 1), items: new Uint32Array(windows) };
	const pooled = { starts: shared(groups.length + 1), items: new Uint32Array(windows) };
	let record = 0;
	let inRecords = 0;
	let inGroups = 0;
	for (const [group, some] of groups.entries()) {
		for (const { prompt, tokens } of some) {
			record++;
			const given = newRowSet(Math.max(1, contextWidth));
			given.addWindows(Uint32Array.from(prompt));
			for (let at = 0; at + words <= tokens.length; at++) {
				const pair = set.indexOf(tokens, at);
				if (lastRecord[pair] !== record) {
					lastRecord[pair] = record;
					occurrences[pair]++;
					records.items[inRecords++] = pair;
				}
				if (lastGroup[pair] !== group + 1 && !given.has(tokens, at)) {
					lastGroup[pair] = group + 1;
					pooled.items[inGroups++] = pair;
				}
			}
			records.starts[record] = inRecords;
		}
		pooled.starts[group + 1] = inGroups;
	}

	const rare = shared(record);
	for (let i = 0; i < record; i++) {
		const items = records.items.subarray(records.starts[i], records.starts[i + 1]);
		const few = items.filter((pair) => occurrences[pair] <= most);
		items.set([...few, ...items.filter((pair) => occurrences[pair] > most)]);
		rare[i] = few.length;
	}
	return {
		contextWidth,
		size: set.size,
		rows: sharedCopy(set.data.subarray(0, set.size * words)),
		records: { starts: records.starts, items: sharedCopy(records.items.subarray(0, inRecords)) },
		rare,
		groups: { starts: pooled.starts, items: sharedCopy(pooled.items.subarray(0, inGroups)) },
	};
}
