/** Which prefixes are asked first: the formula of docs/statistics.md, the best of all choices, and nothing that knows a key. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newInformativePrefixes } from '../../src/verify/informative.js';
import { type ContextCounts, listedPrediction } from '../../src/verify/residuals.js';
import { reachedBy } from '../reached.js';

const traffic = (counts: Record<string, number>): ContextCounts => ({
	contextWidth: 1,
	counts: new Map(Object.entries(counts)),
});
const predicts = (...probabilities: number[]) =>
	listedPrediction(
		probabilities.map((_, token) => token),
		probabilities,
	);

describe('the order', () => {
	it('is that of the worked example in docs/statistics.md', () => {
		const prefixes = newInformativePrefixes(traffic({ 7: 64, 8: 64, 9: 16 }), 20);
		prefixes.add([1, 8], predicts(0.9, 0.05, 0.05));
		prefixes.add([1, 9], predicts(0.25, 0.25, 0.25, 0.25));
		prefixes.add([1, 7], predicts(0.5, 0.25, 0.25));
		prefixes.add([2, 7], predicts(0.25, 0.5, 0.25));
		expect(prefixes.order()).toEqual([2, 3, 1, 0]);
	});

	it('comes to a rare context when a common one has been read often', () => {
		const prefixes = newInformativePrefixes(traffic({ 7: 64, 9: 16 }), 20);
		for (let i = 0; i < 100; i++) prefixes.add([i + 10, 7], predicts(0.5, 0.25, 0.25));
		prefixes.add([1, 9], predicts(0.25, 0.25, 0.25, 0.25));
		// 0.3924/((1 + m/50)(1 + (m − 1)/50)) falls below 0.09/1.02 at m = 56; what is within a tenth is as good.
		const turn = prefixes.order().indexOf(100);
		expect(turn).toBeGreaterThanOrEqual(50);
		expect(turn).toBeLessThanOrEqual(59);
	});

	it('takes a token for as common as it is after the context, not after one prefix', () => {
		const order = (odd: number) => {
			const prefixes = newInformativePrefixes(traffic({ 7: 64 }), 2);
			for (let i = 0; i < 9; i++) prefixes.add([i + 10, 7], predicts(0.4, 0.4));
			const [often, seldom] = [(1 - odd) / 2, odd / 2];
			prefixes.add([30, 7], predicts(often, often, seldom, seldom));
			return prefixes.order().indexOf(9);
		};
		expect(order(0)).toBe(9);
		expect(order(1)).toBe(9);
		expect(order(0.4)).toBe(0);
	});

	it('leaves out what cannot count: a context that the prefix had before, or that was never served', () => {
		const prefixes = newInformativePrefixes(traffic({ 7: 64 }), 20);
		prefixes.add([7, 1, 7], predicts(0.5, 0.5));
		prefixes.add([7, 1], predicts(0.5, 0.5));
		prefixes.add([1, 7], predicts(0.5, 0.5));
		prefixes.add([], predicts(0.5, 0.5));
		expect(prefixes.order()).toEqual([2]);
	});

	it('counts only tokens that the suspect shows', () => {
		const counts = traffic({ 7: 1000, 8: 1000 });
		const flat = [...Array(10)].map(() => 0.1);
		const first = (listed: number) => {
			const prefixes = newInformativePrefixes(counts, listed);
			prefixes.add([1, 8], predicts(0.4, 0.4, 0.2));
			prefixes.add([1, 7], predicts(...flat));
			return prefixes.order()[0];
		};
		expect(first(20)).toBe(1);
		const few = newInformativePrefixes(counts, 1);
		few.add([1, 8], predicts(0.4, 0.6));
		few.add([1, 7], predicts(0.4, 0.3, 0.3));
		expect(few.order()).toEqual([1, 0]);
	});

	it('tells at every number of readings nearly as much as any other choice', () => {
		const informed = (p: number, e: number, readings: number) =>
			((e / (e + 16)) * (1 - p)) ** 2 * (readings / (1 + readings / 50));
		fc.assert(
			fc.property(
				fc.array(fc.tuple(fc.integer({ min: 0, max: 1 }), fc.integer({ min: 0, max: 3 })), {
					minLength: 1,
					maxLength: 7,
				}),
				fc.tuple(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 1, max: 500 })),
				(places, counts) => {
					const prefixes = newInformativePrefixes(traffic(Object.fromEntries(counts.entries())), 20);
					// Two tokens of six, each with probability ½.
					for (const [i, [context, token]] of places.entries())
						prefixes.add([10 + i, context], listedPrediction([token, token + 2], [0.5, 0.5]));
					const told = (chosen: readonly number[]) => {
						const read = (some: readonly number[], context: number, token: number) =>
							some.filter(
								(i) => places[i][0] === context && (places[i][1] === token || places[i][1] + 2 === token),
							).length;
						const all = places.map((_, i) => i);
						let sum = 0;
						for (const context of [0, 1])
							for (let token = 0; token < 6; token++) {
								const own = places.filter((place) => place[0] === context).length;
								const exposed = own === 0 ? 0 : (counts[context] * 0.5 * read(all, context, token)) / own;
								sum += informed(0.5, exposed, read(chosen, context, token));
							}
						return sum;
					};
					const order = prefixes.order();
					for (let set = 0; set < 2 ** places.length; set++) {
						const chosen = places.map((_, i) => i).filter((i) => (set >> i) & 1);
						expect(told(order.slice(0, chosen.length))).toBeGreaterThanOrEqual(0.9 * told(chosen) - 1e-12);
					}
				},
			),
			{ numRuns: 50 },
		);
	});
});

it('nothing that holds keys, marks or scores is reached', () => {
	const reached = reachedBy('src/verify/informative.ts');
	const beyond = reached.filter((path) => !/^src\/(stats\/|errors\.ts)/.test(path));
	expect(beyond).toEqual([
		'src/verify/informative.ts',
		'src/verify/reference-fit.ts',
		'src/verify/residuals.ts',
	]);
});
