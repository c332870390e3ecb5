/**
 * The accounts that a record fits: those that it names by itself, and those that it may be of.
 *
 * Codewords are split in two folds. The first is held against all accounts; what it finds likely is the pool's
 * (`pooled-accounts.ts`), and whom it makes likelier than chance (a likelihood ratio of 1, by sums that are rounded) is held
 * against the second fold too. Of accounts that a record would name, so many are lost by that as the `trace` bench says;
 * none is won.
 *
 * @module
 */
import type { BoundCode } from '../marks/account-code.js';
import { codewordCumulant, codewordThreshold, logCodewordTail } from '../stats/codeword-bound.js';
import { ln } from '../stats/portable.js';
import { type AccountPairs, accountTable, foldTable } from './account-table.js';
import { type Codebook, newCodebook } from './codebook.js';
import { type AccountPool, newAccountPool } from './pooled-accounts.js';

/** Share of accounts (of groups, in a code with groups), at most, that a record is thought of for by chance. */
export const CHANCE = 1e-4;

/** An account that a record fits. */
export interface FittingAccount {
	readonly account: number;
	/** ln of an upper bound of the probability that a random codeword fits as well, ≤ 0. */
	readonly logP: number;
}

/** What a record says of all accounts. */
export interface FoundAccounts {
	/** Accounts whose bound is at most the level. */
	readonly named: readonly FittingAccount[];
	/** Accounts, or groups, that the first fold of their codeword fits, at chance 1e-4; the second fold has no part in it. */
	readonly thought: readonly number[];
	/** Accounts that could have been named: what a name is corrected for. */
	readonly tested: number;
}

/** All accounts of one epoch, ready for records. */
export interface AccountSearch {
	/** @param logLevel ln of the chance that a record names any account wrongly */
	search(pairs: AccountPairs, logLevel: number): FoundAccounts;
	readonly pool: AccountPool;
	/** Accounts that the list of all records is corrected for. */
	listed(): number;
}

/**
 * Draws the codewords of accounts.
 *
 * @param accounts pseudonyms, each once
 * @param logWorth ln of the p-value above which nobody asks for a pooled account's
 */
export function newAccountSearch(
	code: BoundCode,
	accounts: readonly string[],
	logWorth: number,
): AccountSearch {
	const count = accounts.length;
	const codebook = newCodebook(code, count, (account) => code.codeword(accounts[account]));
	return {
		search: (pairs, logLevel) => searchAccounts(code, codebook, pairs, logLevel - ln(count), count),
		pool: newAccountPool(code, logWorth, (table, account) => [[account, codebook.sum(table, account)]]),
		listed: () => count,
	};
}

/** @param logLevel ln of the level at which an account is named, corrected */
function searchAccounts(
	code: BoundCode,
	codebook: Codebook,
	pairs: AccountPairs,
	logLevel: number,
	tested: number,
): FoundAccounts {
	const table = accountTable(code, pairs);
	const first = foldTable(table, 0);
	const second = foldTable(table, 1);
	const { lambda, score: least } = codewordThreshold(table, logLevel);
	const { value } = codewordCumulant(first, lambda);
	const likely = (value - ln(CHANCE)) / lambda;
	const { steps, base, unit } = codebook.coarseSums(first);
	const bar = (value / lambda - base) / unit;
	const named: FittingAccount[] = [];
	const thought: number[] = [];
	for (let account = 0; account < steps.length; account++) {
		if (steps[account] < bar) continue;
		const sum = codebook.sum(first, account);
		if (sum >= likely) thought.push(account);
		const score = sum + codebook.sum(second, account);
		if (score >= least) named.push({ account, logP: logCodewordTail(table, score) });
	}
	return { named, thought, tested };
}
