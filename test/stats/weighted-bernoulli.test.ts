import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { logBinomialUpperTail } from '../../src/stats/tails.js';
import { type BernoulliGroup, logWeightedBernoulliUpperTail } from '../../src/stats/weighted-bernoulli.js';
import { randomSource } from './random.js';

const vectors: {
	cases: { name: string; groups: [weight: number, p: number, count: number][]; tails: [number, string][] }[];
} = JSON.parse(readFileSync(new URL('../vectors/weighted-bernoulli-tails.json', import.meta.url), 'utf8'));

const golden = vectors.cases.flatMap(({ name, groups, tails }) =>
	tails.map(([x, upper]) => ({
		name,
		x,
		upper: Number(upper),
		groups: groups.map(([weight, p, count]) => ({ weight, p, count })),
	})),
);
const bounded = ['tournament weights, 16 tokens', 'entropy weights, 400 tokens'];

/** P(sum ≥ x), by all outcomes. */
function byEnumeration(groups: readonly BernoulliGroup[], x: number): number {
	const scores = groups.flatMap(({ weight, p, count }) =>
		new Array<[number, number]>(count).fill([weight, p]),
	);
	const walk = (i: number, sum: number): number => {
		if (i === scores.length) return sum >= x ? 1 : 0;
		const [weight, p] = scores[i]!;
		return p * walk(i + 1, sum + weight) + (1 - p) * walk(i + 1, sum);
	};
	return walk(0, 0);
}

describe('golden', () => {
	test.each(golden.filter(({ name }) => !bounded.includes(name)))('exact: $name, at $x', (v) => {
		expect(Math.abs(logWeightedBernoulliUpperTail(v.groups, v.x) / v.upper - 1)).toBeLessThan(2e-13);
	});
	test.each(golden.filter(({ name }) => bounded.includes(name)))('bounded: $name, at $x', (v) => {
		const tail = logWeightedBernoulliUpperTail(v.groups, v.x);
		expect(tail).toBeGreaterThanOrEqual(v.upper);
		const sd = Math.sqrt(2 * Math.max(1, -v.upper));
		const scores = v.groups.reduce((sum, { count }) => sum + count, 0);
		expect(tail - v.upper).toBeLessThan(Math.log(1.25 + (8 / Math.sqrt(scores)) * sd));
	});
});

describe('edges', () => {
	test('nothing to score', () => {
		expect(logWeightedBernoulliUpperTail([], 0)).toBe(0);
		expect(logWeightedBernoulliUpperTail([], 1)).toBe(-Infinity);
		expect(logWeightedBernoulliUpperTail([{ weight: 3, p: 0, count: 5 }], 1)).toBe(-Infinity);
		expect(logWeightedBernoulliUpperTail([{ weight: 3, p: 1, count: 5 }], 15)).toBe(0);
		expect(logWeightedBernoulliUpperTail([{ weight: 3, p: 1, count: 5 }], 15.1)).toBe(-Infinity);
		expect(logWeightedBernoulliUpperTail([{ weight: 0, p: 0.5, count: 5 }], 1e-9)).toBe(-Infinity);
	});
	test('one weight is exactly binomial, whatever the rounding of the sum', () => {
		for (const weight of [1, 0.1, 1 / 3, 1e-200, 1e200])
			for (const hits of [1, 300, 333, 1000]) {
				const want = logBinomialUpperTail(hits, 1000, 0.25);
				const split = [400, 600].map((count) => ({ weight, p: 0.25, count }));
				expect(logWeightedBernoulliUpperTail(split, hits * weight)).toBe(want);
				let sum = 0;
				for (let i = 0; i < hits; i++) sum += weight;
				expect(logWeightedBernoulliUpperTail(split, sum)).toBe(want);
			}
	});
	test('all ones, and more', () => {
		const groups = Array.from({ length: 40 }, (_, i) => ({ weight: Math.sqrt(i + 2), p: 0.5, count: 100 }));
		const largest = groups.reduce((sum, { weight, count }) => sum + weight * count, 0);
		const tail = logWeightedBernoulliUpperTail(groups, largest);
		expect(tail).toBeGreaterThanOrEqual(-4000 * Math.LN2);
		expect(tail).toBeLessThan(-4000 * Math.LN2 + 1);
		expect(logWeightedBernoulliUpperTail(groups, largest * 1.001)).toBe(-Infinity);
	});
	test('millions of scores', () => {
		const groups = [0.5, 1, Math.SQRT2].map((weight) => ({ weight, p: 0.25, count: 1e9 }));
		const mean = 0.25 * 1e9 * (1.5 + Math.SQRT2);
		const sd = Math.sqrt(0.1875 * 1e9 * 3.25);
		expect(logWeightedBernoulliUpperTail(groups, mean)).toBe(0);
		// ln of the normal tail at 5 is −15.065.
		expect(logWeightedBernoulliUpperTail(groups, mean + 5 * sd)).toBeCloseTo(-15.06, 1);
	});
	const one = (group: Partial<BernoulliGroup>, x = 1) =>
		logWeightedBernoulliUpperTail([{ weight: 1, p: 0.5, count: 1, ...group }], x);
	test.each([
		() => one({ weight: Number.NaN }),
		() => one({ weight: Infinity }),
		() => one({ p: 1.1 }),
		() => one({ p: Number.NaN }),
		() => one({ count: -1 }),
		() => one({ count: 1.5 }),
		() => one({}, Number.NaN),
		() => one({}, Infinity),
	])('out of range: %s', (call) => {
		expect(call).toThrow(RangeError);
	});
});

const chance = fc.double({ min: 0, max: 1, noNaN: true });
const count = fc.integer({ min: 0, max: 3 });

describe('properties', () => {
	test('whole weights of any sign: exact', () => {
		fc.assert(
			fc.property(
				fc.array(fc.record({ weight: fc.integer({ min: -5, max: 9 }), p: chance, count }), { maxLength: 4 }),
				fc.integer({ min: -20, max: 60 }),
				(groups, x) => {
					const want = byEnumeration(groups, x);
					const got = Math.exp(logWeightedBernoulliUpperTail(groups, x));
					expect(Math.abs(got - want)).toBeLessThanOrEqual(1e-12 * want + 1e-300);
				},
			),
		);
	});
	test('any weights: an upper bound', () => {
		fc.assert(
			fc.property(
				fc.array(fc.record({ weight: fc.double({ min: -2, max: 3, noNaN: true }), p: chance, count }), {
					maxLength: 4,
				}),
				fc.double({ min: -5, max: 20, noNaN: true }),
				(groups, x) => {
					const want = byEnumeration(groups, x);
					expect(Math.exp(logWeightedBernoulliUpperTail(groups, x))).toBeGreaterThanOrEqual(
						want * (1 - 1e-12),
					);
				},
			),
			{ numRuns: 500 },
		);
	});
	test('never above Chernoff’s bound at any tilt', () => {
		fc.assert(
			fc.property(
				fc.array(
					fc.record({
						weight: fc.double({ min: 0.1, max: 3, noNaN: true }),
						p: chance,
						count: fc.integer({ min: 1, max: 3000 }),
					}),
					{ minLength: 2, maxLength: 30 },
				),
				chance,
				fc.double({ min: 0, max: 10, noNaN: true }),
				(groups, share, theta) => {
					const largest = groups.reduce((sum, group) => sum + group.weight * group.count, 0);
					const x = share * largest;
					// The threshold is lowered by a documented hair; near x = 0 that is all there is of it.
					const lowered = x - 1e-12 * (x + largest);
					const chernoff = groups.reduce(
						(sum, { weight, p, count }) => sum + count * Math.log(1 - p + p * Math.exp(theta * weight)),
						-theta * lowered,
					);
					const tail = logWeightedBernoulliUpperTail(groups, x);
					expect(tail).toBeLessThanOrEqual(0);
					expect(tail).toBeLessThanOrEqual(chernoff + 1e-8 * (1 + theta * x));
				},
			),
		);
	});
	test('weighted scores of a tournament, simulated: rates are below nominal, and not by much', () => {
		const random = randomSource(3);
		const weights = Array.from({ length: 30 }, (_, d) => 10 - (9 * d) / 29);
		const groups = weights.map((weight) => ({ weight, p: 0.5, count: 20 }));
		let below = 0;
		for (let run = 0; run < 3000; run++) {
			let sum = 0;
			for (let i = 0; i < 20; i++) for (const weight of weights) if (random() < 0.5) sum += weight;
			if (logWeightedBernoulliUpperTail(groups, sum) <= Math.log(0.05)) below++;
		}
		// 150 for an exact test, standard deviation 12; the bound is 1.3 times the tail there.
		expect(below).toBeLessThan(150 + 3 * 12);
		expect(below).toBeGreaterThan(150 / 1.4 - 3 * 12);
	});
});
