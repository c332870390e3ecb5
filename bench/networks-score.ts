/**
 * How well networks that were found agree with those that are there.
 *
 * @module
 */
import { INNOCENTS, type Truth } from './networks-fleet.js';

/** Counts of one run. */
export interface Score {
	/** Accounts in a found network that belong to the hidden network which most of it belongs to. */
	readonly right: number;
	/** Accounts in found networks. */
	readonly named: number;
	readonly members: number;
	/** Pairs put together rightly, put together at all, and hidden. */
	readonly pairsRight: number;
	readonly pairsNamed: number;
	readonly pairs: number;
	/** Hidden networks of which three members or more stand in one found network that is mostly theirs. */
	readonly networksFound: number;
	/** Heavy innocents, by kind, in a found network. */
	readonly innocents: Readonly<Record<string, number>>;
	/** Ordinary accounts in a found network. */
	readonly ordinary: number;
}

const pairsOf = (n: number) => (n * (n - 1)) / 2;

/** @param networks found: numbers of accounts */
export function scoreNetworks(truth: readonly Truth[], networks: readonly (readonly number[])[]): Score {
	const innocents: Record<string, number> = Object.fromEntries(INNOCENTS.map((kind) => [kind, 0]));
	const sizes = new Map<number, number>();
	for (const { kind, group } of truth) if (kind === 'member') sizes.set(group, (sizes.get(group) ?? 0) + 1);
	let right = 0;
	let pairsRight = 0;
	let ordinary = 0;
	const found = new Set<number>();
	for (const accounts of networks) {
		const members = new Map<number, number>();
		for (const account of accounts) {
			const { kind, group } = truth[account];
			if (kind === 'member') members.set(group, (members.get(group) ?? 0) + 1);
			else if (kind === 'ordinary') ordinary++;
			else innocents[kind]++;
		}
		for (const count of members.values()) pairsRight += pairsOf(count);
		const [network, count] = [...members].reduce((best, next) => (next[1] > best[1] ? next : best), [-1, 0]);
		right += count;
		if (count >= 3 && 2 * count > accounts.length) found.add(network);
	}
	const total = (list: Iterable<number>) => [...list].reduce((sum, n) => sum + n, 0);
	return {
		right,
		named: total(networks.map((accounts) => accounts.length)),
		members: total(sizes.values()),
		pairsRight,
		pairsNamed: total(networks.map((accounts) => pairsOf(accounts.length))),
		pairs: total([...sizes.values()].map(pairsOf)),
		networksFound: found.size,
		innocents,
		ordinary,
	};
}
