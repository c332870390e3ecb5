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
import type { BoundCode } from '../marks/account-code.js';
import { logCodewordTail } from '../stats/codeword-bound.js';
import { type AccountPairs, accountTable, foldOf } from './account-table.js';
import type { Codebook } from './codebook.js';

/** What an account's records say together. */
export interface PooledAccount {
	/** Records that it was thought of for; some by chance. */
	readonly records: number;
	/** ln of a p-value, ≤ 0. */
	readonly logP: number;
}

/** Records on their way to a pooled test. */
export interface AccountPool {
	/** Adds a record. @param thought accounts that the first fold fits */
	add(pairs: AccountPairs, thought: readonly number[]): void;
	/** Tests every account that was thought of. */
	test(): Map<number, PooledAccount>;
}

/** An empty pool. */
export function newAccountPool(code: BoundCode, codebook: Codebook): AccountPool {
	const lists = new Map<number, AccountPairs[]>();
	return {
		add(pairs, thought) {
			for (const account of thought) {
				const list = lists.get(account);
				if (list === undefined) lists.set(account, [pairs]);
				else list.push(pairs);
			}
		},
		test() {
			const tested = new Map<number, PooledAccount>();
			for (const [account, records] of lists) {
				const table = accountTable(code, secondFold(records));
				const logP = logCodewordTail(table, codebook.sum(table, account));
				tested.set(account, { records: records.length, logP });
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
