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
import type { Codebook } from './codebook.js';

/** Share of accounts, at most, that a record is thought of for by chance. */
const CHANCE = 1e-4;

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
	/** Accounts that the first fold of their codeword fits, at chance 1e-4; the second fold has no part in it. */
	readonly thought: readonly number[];
}

/** @param logLevel ln of the level at which an account is named, corrected */
export function searchAccounts(
	code: BoundCode,
	codebook: Codebook,
	pairs: AccountPairs,
	logLevel: number,
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
	return { named, thought };
}
