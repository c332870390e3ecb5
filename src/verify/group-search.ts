/**
 * Accounts by the million: the groups that a record fits first, then their members.
 *
 * All members of a group have the first fold of their codewords in common. A record is held against the groups' words, and
 * the members of those that fit against the second fold, their codewords drawn when they are needed. Which accounts are
 * tested depends on the first fold alone, and the second fold of an account that has nothing to do with the text is
 * independent of it; so a name is corrected for the accounts that were tested, not for all (docs/attribution.md).
 *
 * @module
 */
import type { BoundCode, Grouping } from '../marks/account-code.js';
import { codewordThreshold, logCodewordTail } from '../stats/codeword-bound.js';
import { ln } from '../stats/portable.js';
import { type AccountSearch, CHANCE, type FittingAccount } from './account-search.js';
import { type AccountTable, accountTable, foldTable } from './account-table.js';
import { newCodebook } from './codebook.js';
import { newAccountPool } from './pooled-accounts.js';

/**
 * Sorts accounts into their groups.
 *
 * @param accounts pseudonyms, each once
 * @param logWorth ln of the p-value above which nobody asks for a pooled account's
 */
export function newGroupSearch(
	code: BoundCode,
	grouping: Grouping,
	accounts: readonly string[],
	logWorth: number,
): AccountSearch {
	const { groups } = grouping;
	const codebook = newCodebook(code, groups, grouping.word);
	const membersOf = sortedByGroup(grouping, accounts);
	const everThought = new Set<number>();

	/** The second fold's sums of a group's members. */
	function* sums({ symbols, positions, scores }: AccountTable, group: number): Generator<[number, number]> {
		for (const account of membersOf(group)) {
			const word = grouping.own(accounts[account]);
			let sum = 0;
			for (let row = 0; row < positions.length; row++) sum += scores[row * symbols + word[positions[row]]];
			yield [account, sum];
		}
	}

	return {
		search(pairs, logLevel) {
			const table = accountTable(code, pairs);
			const first = foldTable(table, 0);
			const second = foldTable(table, 1);
			const { score: likely } = codewordThreshold(first, ln(CHANCE));
			const { steps, base, unit } = codebook.coarseSums(first);
			// Half a step of rounding a position, at most.
			const bar = (likely - base) / unit - first.positions.length / 2;
			const thought: number[] = [];
			let tested = 0;
			for (let group = 0; group < groups; group++) {
				if (steps[group] < bar || codebook.sum(first, group) < likely) continue;
				thought.push(group);
				tested += membersOf(group).length;
				everThought.add(group);
			}
			const named: FittingAccount[] = [];
			const { score: least } = codewordThreshold(second, logLevel - ln(Math.max(1, tested)));
			for (const group of thought)
				for (const [account, score] of sums(second, group))
					if (score >= least) named.push({ account, logP: logCodewordTail(second, score) });
			return { named, thought, tested };
		},
		pool: newAccountPool(code, logWorth, sums),
		listed: () => [...everThought].reduce((sum, group) => sum + membersOf(group).length, 0),
	};
}

/** The accounts of each group, by number. */
function sortedByGroup(
	{ groups, of }: Grouping,
	accounts: readonly string[],
): (group: number) => Uint32Array {
	const groupOf = Uint32Array.from(accounts, of);
	const ends = new Uint32Array(groups + 1);
	for (const group of groupOf) ends[group + 1]++;
	for (let group = 0; group < groups; group++) ends[group + 1] += ends[group];
	const next = ends.slice(0, groups);
	const members = new Uint32Array(accounts.length);
	groupOf.forEach((group, account) => {
		members[next[group]++] = account;
	});
	return (group) => members.subarray(ends[group], ends[group + 1]);
}
