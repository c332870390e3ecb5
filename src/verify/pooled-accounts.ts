/**
 * Accounts over many records, each too short to name anybody.
 *
 * A sum over all records would drown an account in the others' texts, and a sum over the records that fit it best would
 * find everybody. So the first fold of a codeword says which records may be its account's, and those records are tested on
 * the second fold, of which the choice knows nothing: the symbols of an account that has nothing to do with the texts are
 * independent, so the bound of `codeword-bound.ts` holds given the first fold.
 *
 * @module
 */
import { type BoundCode, foldOf } from '../marks/account-code.js';
import { codewordThreshold, logCodewordTail } from '../stats/codeword-bound.js';
import { type AccountPairs, type AccountTable, accountTable } from './account-table.js';

/** What an account's records say together. */
export interface PooledAccount {
	/** Records that it was thought of for; some by chance. */
	readonly records: number;
	/** ln of a p-value, ≤ 0. */
	readonly logP: number;
}

/** Records on their way to a pooled test. */
export interface AccountPool {
	/** Adds a record. @param thought accounts (or groups) that the first fold fits */
	add(pairs: AccountPairs, thought: readonly number[]): void;
	/** Every account that was thought of (or whose group was) and has a p-value worth asking for. */
	test(): Map<number, PooledAccount>;
}

/**
 * An empty pool.
 *
 * @param logWorth ln of the p-value above which nobody asks for an account's
 * @param sums for one that was thought of: its accounts and the sum of each
 */
export function newAccountPool(
	code: BoundCode,
	logWorth: number,
	sums: (table: AccountTable, thought: number) => Iterable<readonly [account: number, sum: number]>,
): AccountPool {
	const lists = new Map<number, AccountPairs[]>();
	return {
		add(pairs, thought) {
			for (const one of thought) {
				const list = lists.get(one);
				if (list === undefined) lists.set(one, [pairs]);
				else list.push(pairs);
			}
		},
		test() {
			const tested = new Map<number, PooledAccount>();
			for (const [thought, records] of lists) {
				const table = accountTable(code, secondFold(records));
				const { score: least } = codewordThreshold(table, logWorth);
				for (const [account, sum] of sums(table, thought))
					if (sum >= least)
						tested.set(account, { records: records.length, logP: logCodewordTail(table, sum) });
			}
			return tested;
		},
	};
}

/** The pairs of the second fold over several records, each once. */
function secondFold(records: readonly AccountPairs[]): AccountPairs {
	const pairs = new Set<number>();
	for (const { positions, words } of records)
		positions.forEach((position, i) => {
			if (foldOf(position) === 1) pairs.add(position * 2 ** 32 + words[i]);
		});
	return {
		positions: Uint8Array.from(pairs, (pair) => Math.floor(pair / 2 ** 32)),
		words: Uint32Array.from(pairs, (pair) => pair % 2 ** 32),
	};
}
