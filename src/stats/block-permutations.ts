/**
 * Does the order of things within small blocks fit something more than chance?
 *
 * A block is n ≤ 4 things at n places, and score(thing, place). Where each of the n! orders of a block is as likely as any other, and
 * blocks are independent of each other, the sum T of the scores of the order that is seen has the tail
 *
 *     P(T ≥ t) ≤ inf over λ ≥ 0 of e^(−λt) Π over blocks of (1/n!) Σ over orders of e^(λ · score of the order)
 *
 * which is the bound of `codeword-bound.ts` with the 24 orders of four in place of a code's symbols.
 *
 * @module
 */
import { logCodewordTail } from './codeword-bound.js';
import { ln } from './portable.js';

/** Most things in a block. */
export const BLOCK = 4;

/** Scores of a block: `scores[thing * size + place]`; thing i was seen at place i. */
export interface Block {
	readonly size: number;
	readonly scores: Float64Array;
}

function permutations(size: number): number[][] {
	if (size === 0) return [[]];
	return permutations(size - 1).flatMap((rest) =>
		Array.from({ length: size }, (_, at) => [...rest.slice(0, at), size - 1, ...rest.slice(at)]),
	);
}

/** All orders of one to four things; every list is made 24 long by repeating it, which changes no average. */
const ORDERS = Array.from({ length: BLOCK + 1 }, (_, size) => {
	const orders = permutations(size).map((order) => Uint8Array.from(order));
	return Array.from({ length: 24 }, (_, i) => orders[i % orders.length]);
});

/** What blocks say. */
export interface BlockTail {
	/** ln of an upper bound of the chance of an order that fits as well, ≤ 0. */
	readonly logP: number;
	/** ln p of the best order of every block: no order could have given less. Does not depend on the order that was seen. */
	readonly leastLogP: number;
}

/** @param blocks of one to four things; those of one thing say nothing */
export function logBlockTail(blocks: readonly Block[]): BlockTail {
	const scores = new Float64Array(24 * blocks.length);
	let seen = 0;
	let leastLogP = 0;
	for (const [b, block] of blocks.entries()) {
		const { size } = block;
		for (let place = 0; place < size; place++) seen += block.scores[place * size + place];
		let best = -Infinity;
		for (const [o, order] of ORDERS[size].entries()) {
			let score = 0;
			for (let thing = 0; thing < size; thing++) score += block.scores[thing * size + order[thing]];
			scores[24 * b + o] = score;
			best = Math.max(best, score);
		}
		let fitting = 0;
		for (let o = 0; o < 24; o++) if (scores[24 * b + o] >= best - 1e-9 * (1 + Math.abs(best))) fitting++;
		leastLogP += ln(fitting / 24);
	}
	return { logP: logCodewordTail({ symbols: 24, scores }, seen), leastLogP };
}
