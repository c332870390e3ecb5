/**
 * Networks: candidate groups by what accounts asked, confirmed by when they asked.
 *
 * Groups are made from prompts and from data sets that name accounts; no time of a request has a part in that. The timing then tests
 * each account of a group against the rest of the group, and only accounts in step with it at the false discovery rate are a network.
 *
 * @module
 */
import { benjaminiYekutieliLog } from '../stats/false-discovery.js';
import { communitiesOf } from './communities.js';
import { fleetActivity, groupActivity } from './in-step.js';
import { neighbourTies, type Tie } from './neighbours.js';
import type { NetworkAccount, NetworksResult } from './networks-result.js';
import type { GatheredTraffic } from './traffic.js';

/** Accounts of the smallest group that is looked at, and of the smallest network. */
const LEAST_ACCOUNTS = 3;

/** A suspect data set, and the accounts that a trace of it names. */
export interface TracedDataset {
	readonly name: string;
	readonly accounts: readonly string[];
}

export interface NetworksOptions {
	/** Default 0.01. Below 1. */
	readonly fdr?: number;
	/** Accounts without a request are left out. */
	readonly datasets?: readonly TracedDataset[];
}

/**
 * Searches for networks.
 *
 * An account whose hours of a day do not depend on the rest of its group, given the days, is put into a network with a chance of at most
 * `fdr`, whatever its volume and its prompts are.
 *
 * @example
 * const traffic = newTraffic();
 * for (const { account, time, fingerprints } of requests) traffic.add(account, Math.floor(time / 3_600_000), fingerprints);
 * const { networks } = findNetworks(traffic.gathered());
 */
export function findNetworks(
	traffic: GatheredTraffic,
	{ fdr = 0.01, datasets = [] }: NetworksOptions = {},
): NetworksResult {
	const numbers = new Map(traffic.accounts.map((account, number) => [account, number]));
	const numbered = datasets.map(({ accounts }) => [
		...new Set(accounts.flatMap((account) => numbers.get(account) ?? [])),
	]);
	const ties = neighbourTies(traffic, numbered);
	const groups = communitiesOf(ties).filter((group) => group.length >= LEAST_ACCOUNTS);
	const groupOf = new Map(groups.flatMap((group, i) => group.map((account) => [account, i])));
	const inside = ties.filter(({ a, b }) => groupOf.has(a) && groupOf.get(a) === groupOf.get(b));

	const fleet = fleetActivity(traffic);
	const tested = groups.flatMap((group) => {
		const activity = groupActivity(fleet, group);
		return group.map((account) => ({ account, ...activity.test(account) }));
	});
	// Which accounts could reach the level does not depend on the order of their days, so the others need not be counted (Tarone 1990).
	const testable = tested.filter(({ leastLogP }) => leastLogP <= Math.log(fdr));
	// A member's p-value and that of another depend on each other, since either is part of the other's group.
	const adjusted = benjaminiYekutieliLog(testable.map(({ logP }) => logP));
	const adjustedOf = new Map(testable.map(({ account }, i) => [account, adjusted[i]]));

	const shared = meanSimilarity(inside);
	const datasetsOf = new Map<number, string[]>();
	for (const [i, accounts] of numbered.entries())
		for (const account of accounts)
			datasetsOf.set(account, [...(datasetsOf.get(account) ?? []), datasets[i].name]);
	const rows = new Map(
		tested.map(({ account, logP }) => {
			const own = adjustedOf.get(account);
			const row: NetworkAccount = {
				account: traffic.accounts[account],
				requests: traffic.requests[account],
				...presence(traffic, account),
				sharedPrompts: shared.get(account) ?? 0,
				log10P: logP / Math.LN10,
				log10PAdjusted: own === undefined ? null : own / Math.LN10,
				datasets: datasetsOf.get(account) ?? [],
				verdict: own === undefined ? 'too-little-data' : own <= Math.log(fdr) ? 'in-step' : 'no-evidence',
			};
			return [account, row];
		}),
	);
	const found = groups.map((group, i) => {
		const accounts = group.map((account) => rows.get(account)!).sort((a, b) => a.log10P - b.log10P);
		return { i, accounts, inStep: accounts.filter(({ verdict }) => verdict === 'in-step') };
	});
	const networks = found
		.filter(({ inStep }) => inStep.length >= LEAST_ACCOUNTS)
		.sort((a, b) => b.inStep.length - a.inStep.length);
	return {
		networks: networks.map(({ inStep }, i) => ({ id: i + 1, accounts: inStep })),
		candidates: found.map((group) => {
			const network = networks.indexOf(group);
			return { id: group.i + 1, accounts: group.accounts, network: network < 0 ? null : network + 1 };
		}),
		accounts: traffic.accounts.length,
		requests: traffic.requests.reduce((sum, count) => sum + count, 0),
		hypotheses: testable.length,
		fdr,
		fingerprintShare: traffic.prompts.share,
		ties: inside.map(({ a, b, similarity }) => ({
			a: traffic.accounts[a],
			b: traffic.accounts[b],
			similarity,
		})),
	};
}

/** Of each account's ties. */
function meanSimilarity(ties: readonly Tie[]): Map<number, number> {
	const sums = new Map<number, { sum: number; count: number }>();
	for (const { a, b, similarity } of ties)
		for (const account of [a, b]) {
			const known = sums.get(account) ?? { sum: 0, count: 0 };
			sums.set(account, { sum: known.sum + similarity, count: known.count + 1 });
		}
	return new Map([...sums].map(([account, { sum, count }]) => [account, sum / count]));
}

/** When an account was there. */
function presence(
	{ hours, hourStarts }: GatheredTraffic,
	account: number,
): Pick<NetworkAccount, 'sessions' | 'days'> {
	const own = hours.subarray(hourStarts[account], hourStarts[account + 1]);
	let sessions = 0;
	for (let i = 0; i < own.length; i++) if (i === 0 || own[i] > own[i - 1] + 1) sessions++;
	return { sessions, days: [dateOf(own[0]), dateOf(own[own.length - 1])] };
}

function dateOf(hour: number): string {
	return new Date(hour * 3_600_000).toISOString().slice(0, 10);
}
