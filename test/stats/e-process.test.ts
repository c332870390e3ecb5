/** E-processes: optional stopping, merging, lists of exact size that come in pieces. */
import { describe, expect, it } from 'vitest';
import { eProcessGrid } from '../../src/stats/e-process.js';
import { newEProcess, newWeightedSum, weightedScore } from '../../src/stats/index.js';
import { randomSource } from './random.js';
import { heavyWeights, listsOf, NULLS, upperEdge } from './random-scores.js';

/** Heavy-tailed weights from −1 to 1. */
const weightsOf = (count: number, next: () => number) =>
	heavyWeights(count, next).map((weight) => Math.max(-1, Math.min(1, weight / 4)));

describe.each(NULLS)('$name', ({ law, draw }) => {
	it('optional stopping under the null: reaches 20 and 100 no oftener than one in 20 and 100', () => {
		const next = randomSource(20_261_210);
		const runs = 1000;
		const steps = 12;
		let [twenty, hundred, stopped] = [0, 0, 0];
		for (let run = 0; run < runs; run++) {
			const process = newEProcess(law);
			let atStop: number | undefined;
			for (let step = 0; step < steps; step++) {
				// Ten scores a look; weights may depend on what was seen before.
				const weights = weightsOf(10, next).map((w) => (process.logE > 0 ? w : w / 2));
				const lists = listsOf(10).fill(step);
				process.enter(weights, draw(10, next), lists);
				// Stops at the first e-value above 3, whatever comes later.
				if (atStop === undefined && process.logE > Math.log(3)) atStop = process.logE;
			}
			if (process.highest >= Math.log(20)) twenty++;
			if (process.highest >= Math.log(100)) hundred++;
			stopped += Math.min(100, Math.exp(atStop ?? process.logE));
		}
		expect(twenty).toBeLessThanOrEqual(upperEdge(runs, 0.05));
		expect(hundred).toBeLessThanOrEqual(upperEdge(runs, 0.01));
		expect(stopped / runs).toBeLessThan(1 + (4 * 10) / Math.sqrt(runs));
		expect(stopped / runs).toBeGreaterThan(0.5);
	});
	it('grows with scores that lean towards their weights, and is near the fixed test of them all', () => {
		const next = randomSource(20_261_211);
		const process = newEProcess(law);
		const count = 4000;
		const weights = weightsOf(count, next);
		const scores = draw(count, next);
		// Every 12th score of a positive weight is replaced by that of a stronger draw.
		for (let i = 0; i < count; i += 12) if (weights[i] > 0) scores[i] = Math.max(...draw(20, next));
		const lists = Float64Array.from({ length: count }, (_, i) => i);
		process.enter(weights, scores, lists);
		const fixed = newWeightedSum(law, weights, lists).logE(weightedScore(weights, scores));
		expect(process.count).toBe(count);
		expect(process.highest).toBe(process.logE);
		expect(process.logE).toBeGreaterThan(fixed - 3);
		expect(process.logE).toBeLessThan(fixed + 3);
	});
});

it('the same bits in any order and any split; disjoint pairs merge', () => {
	for (const { law, draw } of NULLS.slice(0, 6)) {
		const next = randomSource(20_261_212);
		const weights = weightsOf(300, next);
		const scores = draw(300, next);
		const whole = newEProcess(law);
		whole.enter(weights, scores);
		const backwards = newEProcess(law);
		backwards.enter(weights.slice().reverse(), scores.slice().reverse());
		const [one, other] = [newEProcess(law), newEProcess(law)];
		one.enter(weights.subarray(0, 100), scores.subarray(0, 100));
		other.enter(weights.subarray(100), scores.subarray(100));
		one.merge(other);
		expect(backwards.logE).toBe(whole.logE);
		expect(one.logE).toBe(whole.logE);
		expect(one.count).toBe(300);
		expect(one.highest).toBeGreaterThanOrEqual(one.logE);
	}
});

describe('lists of exact size that come in pieces', () => {
	const lists = { green: 2, of: 5 };
	const law = { kind: 'bernoulli', p: 0.4, trials: 1, lists } as const;

	it('mean 1 over all lists, token by token, with weights that follow the colours', () => {
		let mean = 0;
		let sets = 0;
		for (let set = 0; set < 32; set++) {
			const colours = Array.from({ length: 5 }, (_, t) => (set >> t) & 1);
			if (colours.reduce((sum, colour) => sum + colour, 0) !== 2) continue;
			const process = newEProcess(law);
			process.enter([1, -0.7], colours.slice(0, 2), [9, 9]);
			process.enter([colours[0] === 1 ? 0.6 : -0.4], [colours[2]], [9]);
			process.enter([1, -1], colours.slice(3), [9, 9]);
			mean += Math.exp(process.logE);
			sets++;
		}
		expect(sets).toBe(10);
		expect(mean / sets).toBeLessThanOrEqual(1);
		expect(mean / sets).toBeGreaterThan(1 - 1e-6);
	});
	it('a list in two processes, or with too many of a colour, is refused', () => {
		const [one, other] = [newEProcess(law), newEProcess(law)];
		one.enter([1], [1], [3]);
		other.enter([1], [1], [3]);
		expect(() => one.merge(other)).toThrow('list 3');
		const before = one.logE;
		expect(() => one.enter([1, 1, 1], [1, 1, 1], [4, 3, 3])).toThrow('more tokens of a colour');
		expect(one.state()).toMatchObject({ count: 1, drawn: new Map([[3, { tokens: 1, green: 1 }]]) });
		expect(one.logE).toBe(before);
		expect(() => one.enter([1], [1])).toThrow('number of the list');
	});
});

it('refuses what would break it', () => {
	const process = newEProcess({ kind: 'exponential', shift: 0 });
	expect(() => process.enter([1.01], [1])).toThrow('from -1 to 1');
	expect(() => process.enter([1], [Number.NaN])).toThrow(RangeError);
	expect(() => process.enter([1], [])).toThrow(RangeError);
	expect(() => process.merge(newEProcess({ kind: 'exponential', shift: 1 }))).toThrow('different laws');
	expect(process.logE).toBe(0);
	expect(process.count).toBe(0);
});

it('the grid ends where κ ends', () => {
	const exponential = eProcessGrid({ kind: 'exponential', shift: 0 });
	expect(exponential[0]).toBe(0.95);
	expect(exponential[1]).toBeLessThan(0.95);
	expect(eProcessGrid({ kind: 'bernoulli', p: 0.5, trials: 1 })[0]).toBeCloseTo(8, 12);
});
