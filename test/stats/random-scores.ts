/**
 * Scores of every law under the null, from seeded uniforms, and weights to test them with.
 */
import { negLnScore, SCORE_UNIT } from '../../src/schemes/fixed-log.js';
import { float24, type Grid, word32 } from '../../src/schemes/gumbel.js';
import { linearWeights } from '../../src/schemes/synthid.js';
import type { ScoreLaw } from '../../src/stats/index.js';
import { logBinomialUpperTail } from '../../src/stats/tails.js';

type Next = () => number;

/** A law, and `count` scores of it. */
export interface Null {
	readonly name: string;
	readonly law: ScoreLaw;
	draw(count: number, next: Next): Float64Array;
}

const each = (one: (next: Next) => number) => (count: number, next: Next) =>
	Float64Array.from({ length: count }, () => one(next));
const gumbelScore = (grid: Grid, next: Next) =>
	negLnScore(grid.complement(Math.floor(next() * 2 ** 32))) / SCORE_UNIT;
const ones = (weights: readonly number[], p: number, next: Next) =>
	weights.reduce((sum, weight) => sum + (next() < p ? weight : 0), 0);
const LAYERS = linearWeights(4);

/** Pairs of one list in {@link NULLS}. */
export const PER_LIST = 10;
const LISTS = { green: 10, of: 40 };

/** Tokens of lists of exact size, ten of each list. */
function fromLists(count: number, next: Next): Float64Array {
	const out = new Float64Array(count);
	for (let from = 0; from < count; from += PER_LIST) {
		let { green, of } = LISTS;
		for (let i = from; i < Math.min(count, from + PER_LIST); i++) {
			out[i] = next() < green / of ? 1 : 0;
			green -= out[i];
			of--;
		}
	}
	return out;
}

/** Every law of a scheme. */
export const NULLS: readonly Null[] = [
	{
		name: 'green lists',
		law: { kind: 'bernoulli', p: 0.25, trials: 1 },
		draw: each((next) => (next() < 0.25 ? 1 : 0)),
	},
	{
		name: 'tournaments of 4 layers',
		law: { kind: 'bernoulli', p: 0.5, trials: 4 },
		draw: each((next) => ones([1, 1, 1, 1], 0.5, next)),
	},
	{
		name: 'weighted layers',
		law: { kind: 'weighted-bernoulli', p: 0.5, weights: LAYERS },
		draw: each((next) => ones(LAYERS, 0.5, next)),
	},
	{
		name: 'gumbel, 32 bits',
		law: { kind: 'exponential', shift: 0 },
		draw: each((next) => gumbelScore(word32, next)),
	},
	{
		name: 'gumbel, single precision',
		law: { kind: 'exponential', shift: float24.shift },
		draw: each((next) => gumbelScore(float24, next)),
	},
	{
		name: 'two keys',
		law: { kind: 'two-exponentials', a: 0.7, b: 0.3, shift: 0 },
		draw: each((next) => 0.7 * gumbelScore(word32, next) + 0.3 * gumbelScore(word32, next)),
	},
	{
		name: 'lists of exact size',
		law: { kind: 'bernoulli', p: 0.25, trials: 1, lists: LISTS },
		draw: fromLists,
	},
];

/** The list of each of `count` scores. */
export const listsOf = (count: number) =>
	Float64Array.from({ length: count }, (_, i) => Math.floor(i / PER_LIST));

/** Weights of either sign whose sizes have a tail like 1/size²: the largest of 200 is about half of the deviation. */
export const heavyWeights = (count: number, next: Next) =>
	Float64Array.from(
		{ length: count },
		() => (next() < 0.4 ? -1 : 1) * Math.min(30, Math.sqrt(1 / (1 - next())) - 0.8),
	);

/** The most rejections of `runs` tests that a rate of `alpha` explains, at 1e-4. */
export function upperEdge(runs: number, alpha: number): number {
	let most = 0;
	while (logBinomialUpperTail(most + 1, runs, alpha) > Math.log(1e-4)) most++;
	return most;
}
