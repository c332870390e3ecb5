/**
 * Which accounts use the same prompts: neighbours of each, by what their prompts have in common.
 *
 * An account is the set of its fingerprints that some other account has too. Similarity is the cosine of two such sets, where a
 * fingerprint that n of N accounts have weighs (ln(N/n) / ln(N/2))⁴: inverse document frequency (Spärck Jones 1972), steep, since the
 * template of a public tool is shared by thousands and says nothing. Accounts whose common fingerprints weigh less than 0.15 of
 * one that only the two have are not tied, however little else they asked. Data sets that name accounts are sets too, all of the same
 * weight, and add a quarter of their cosine.
 * No time of any request is read.
 *
 * @module
 */
import { spread } from '../fingerprints/words.js';
import type { GatheredTraffic } from './traffic.js';

/** Nearest neighbours of an account that are kept, and as many at random of those at least half as similar as the nearest. */
const NEAREST = 16;
/** What two accounts must have in common, in fingerprints that only they have. */
const LEAST_SHARED = 0.15;
/** What the same data sets weigh beside the same prompts. */
const DATASET_WEIGHT = 0.25;
/** A fingerprint of more accounts is looked at with probability `COMMON`/n only, and weighs as much more: cost, no bias. */
const COMMON = 1024;

/** Two accounts, and how similar their prompts are, up to 1.25. */
export interface Tie {
	readonly a: number;
	readonly b: number;
	readonly similarity: number;
}

/** Sets of accounts with the weight of each, and the sets of every account. */
interface Sets {
	/** Members of set s: `members[starts[s]]` to before `members[starts[s + 1]]`. */
	readonly starts: number[];
	readonly members: number[];
	readonly weights: number[];
	/** Σ of weights over all sets of an account. */
	readonly norms: Float64Array;
}

function emptySets(accounts: number): Sets {
	return { starts: [0], members: [], weights: [], norms: new Float64Array(accounts) };
}

function addSet(sets: Sets, members: readonly number[], weight: number): void {
	if (members.length < 2 || weight === 0) return;
	for (const account of members) sets.norms[account] += weight;
	for (const account of members) sets.members.push(account);
	sets.starts.push(sets.members.length);
	sets.weights.push(weight);
}

/** What a set says: 1 for one of two accounts only, 0 for one of all. */
function rarity(accounts: number, members: number): number {
	return accounts <= 2 ? 1 : (Math.log(accounts / members) / Math.log(accounts / 2)) ** 4;
}

/** Accounts by fingerprint. Those of a sample weigh for all. */
function promptSets({ accounts, prompts }: GatheredTraffic): Sets {
	const sets = emptySets(accounts.length);
	for (let begin = 0; begin < prompts.count; ) {
		const hash = prompts.first(begin);
		const more = prompts.second(begin) >>> 24;
		const members: number[] = [];
		let at = begin;
		for (; at < prompts.count && prompts.first(at) === hash && prompts.second(at) >>> 24 === more; at++)
			members.push(prompts.second(at) & 0xffffff);
		begin = at;
		const scale = Math.max(1, members.length / COMMON);
		if (Math.imul(hash, 0x9e3779b1) >>> 0 >= 2 ** 32 / scale) continue;
		addSet(sets, members, (scale / prompts.share) * rarity(accounts.length, members.length));
	}
	return sets;
}

/** Accounts by data set. @param datasets numbers of accounts, each once */
function datasetSets(accounts: number, datasets: readonly (readonly number[])[]): Sets {
	const sets = emptySets(accounts);
	for (const members of datasets) addSet(sets, members, 1);
	return sets;
}

/** For each account the sets that it is in. */
function setsByAccount(
	{ members, starts }: Sets,
	accounts: number,
): { from: Uint32Array; sets: Uint32Array } {
	const from = new Uint32Array(accounts + 1);
	for (const account of members) from[account + 1]++;
	for (let account = 0; account < accounts; account++) from[account + 1] += from[account];
	const next = from.slice();
	const sets = new Uint32Array(members.length);
	for (let set = 0; set + 1 < starts.length; set++)
		for (let i = starts[set]; i < starts[set + 1]; i++) sets[next[members[i]]++] = set;
	return { from, sets };
}

/**
 * Ties between accounts and their neighbours, each once.
 *
 * @param datasets by data set the numbers of the accounts that it names
 */
export function neighbourTies(
	traffic: GatheredTraffic,
	datasets: readonly (readonly number[])[] = [],
): Tie[] {
	const count = traffic.accounts.length;
	const layers = [
		{ sets: promptSets(traffic), weight: 1 },
		{ sets: datasetSets(count, datasets), weight: DATASET_WEIGHT },
	].map(({ sets, weight }) => ({ sets, weight, of: setsByAccount(sets, count) }));
	const similarity = new Float64Array(count);
	const shared = new Float64Array(count);
	const ties = new Map<number, Tie>();
	for (let account = 0; account < count; account++) {
		const met: number[] = [];
		for (const { sets, weight, of } of layers) {
			const touched: number[] = [];
			for (let i = of.from[account]; i < of.from[account + 1]; i++) {
				const set = of.sets[i];
				const own = sets.weights[set];
				for (let at = sets.starts[set]; at < sets.starts[set + 1]; at++) {
					const other = sets.members[at];
					if (shared[other] === 0) touched.push(other);
					shared[other] += own;
				}
			}
			for (const other of touched) {
				if (similarity[other] === 0) met.push(other);
				if (shared[other] >= LEAST_SHARED)
					similarity[other] += (weight * shared[other]) / Math.sqrt(sets.norms[account] * sets.norms[other]);
				shared[other] = 0;
			}
		}
		const near = met
			.filter((other) => other !== account && similarity[other] > 0)
			.sort((a, b) => similarity[b] - similarity[a] || a - b);
		const least = near.length === 0 ? 0 : similarity[near[0]] / 2;
		const far = near.splice(NEAREST).filter((other) => similarity[other] >= least);
		// Nearest neighbours alone fall into clusters within a large group.
		for (let i = 0; i < NEAREST && i < far.length; i++) {
			const chosen = i + (spread(account * NEAREST + i) % (far.length - i));
			near.push(far[chosen]);
			far[chosen] = far[i];
		}
		for (const other of near) {
			const [a, b] = account < other ? [account, other] : [other, account];
			ties.set(a * count + b, { a, b, similarity: similarity[other] });
		}
		for (const other of met) similarity[other] = 0;
	}
	return [...ties.values()];
}
