/**
 * Groups of accounts that are tied to each other more than to anybody else.
 *
 * Louvain's method (Blondel et al. 2008) finds small communities; those that are no communities of their own, since a tenth or more of
 * their ties lead outside, join the one that they are tied to most. The first step alone cuts large groups into pieces, because every
 * sparse graph has some modularity; a coarser first step would swallow small groups (Fortunato and Barthélemy 2007).
 *
 * @module
 */
import graphology from 'graphology';
import communities from 'graphology-communities-louvain';
import type { Tie } from './neighbours.js';

/** Above 1: smaller communities. */
const RESOLUTION = 4;
/** Share of a community's ties that may lead outside. */
const MOST_OUTSIDE = 0.1;

/** The packages' types do not fit how Node loads them: what they call default is the import itself, as it is in a bundle. */
const Graph = graphology as unknown as typeof graphology.default;
const louvain = communities as unknown as typeof communities.default;

/** A community while communities join. */
interface Community {
	readonly members: number[];
	/** Σ of its ties inside. */
	inside: number;
	/** Σ of its ties to others. */
	readonly outside: Map<number, number>;
}

/** @returns groups of two accounts or more, the largest first, members ascending */
export function communitiesOf(ties: readonly Tie[]): number[][] {
	if (ties.length === 0) return [];
	const graph = new Graph({ type: 'undirected' });
	for (const { a, b, similarity } of ties) graph.mergeEdge(a, b, { weight: similarity });
	const found = louvain(graph, { resolution: RESOLUTION, randomWalk: false });
	return joined(ties, (account) => found[account])
		.map((members) => members.sort((a, b) => a - b))
		.sort((a, b) => b.length - a.length || a[0] - b[0]);
}

/** Joins communities until each keeps to itself. */
function joined(ties: readonly Tie[], communityOf: (account: number) => number): number[][] {
	const all = new Map<number, Community>();
	const of = (account: number): [number, Community] => {
		const id = communityOf(account);
		const known = all.get(id) ?? { members: [], inside: 0, outside: new Map<number, number>() };
		all.set(id, known);
		return [id, known];
	};
	const seen = new Set<number>();
	for (const { a, b, similarity } of ties) {
		for (const account of [a, b])
			if (!seen.has(account)) {
				seen.add(account);
				of(account)[1].members.push(account);
			}
		const [idA, first] = of(a);
		const [idB, second] = of(b);
		if (idA === idB) first.inside += similarity;
		else {
			first.outside.set(idB, (first.outside.get(idB) ?? 0) + similarity);
			second.outside.set(idA, (second.outside.get(idA) ?? 0) + similarity);
		}
	}
	for (;;) {
		let loosest: number | undefined;
		let most = MOST_OUTSIDE;
		for (const [id, { inside, outside }] of all) {
			let leaving = 0;
			for (const weight of outside.values()) leaving += weight;
			const share = leaving / (2 * inside + leaving);
			if (share > most) {
				most = share;
				loosest = id;
			}
		}
		if (loosest === undefined) return [...all.values()].map(({ members }) => members);
		join(all, loosest);
	}
}

/** Joins a community to the one that it is tied to most. */
function join(all: Map<number, Community>, id: number): void {
	const { members, inside, outside } = all.get(id)!;
	const [host] = [...outside].reduce((best, next) => (next[1] > best[1] ? next : best));
	const into = all.get(host)!;
	all.delete(id);
	into.members.push(...members);
	into.inside += inside + outside.get(host)!;
	into.outside.delete(id);
	for (const [other, weight] of outside) {
		if (other === host) continue;
		const ties = all.get(other)!.outside;
		ties.delete(id);
		ties.set(host, (ties.get(host) ?? 0) + weight);
		into.outside.set(other, (into.outside.get(other) ?? 0) + weight);
	}
}
