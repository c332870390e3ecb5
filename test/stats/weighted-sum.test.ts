/**
 * Weighted sums with weights of either sign: the worked example of docs/statistics.md, small cases against all
 * outcomes, rates under the null for every law, and what is lost against the best.
 */
import { describe, expect, it } from 'vitest';
import { newWeightedSum, type ScoreLaw, weightedScore } from '../../src/stats/index.js';
import { logPoissonPmf } from '../../src/stats/pmf.js';
import { logBinomialUpperTail, logGammaUpperTail } from '../../src/stats/tails.js';
import { randomSource } from './random.js';
import { heavyWeights, listsOf, NULLS, upperEdge } from './random-scores.js';

const COIN: ScoreLaw = { kind: 'bernoulli', p: 0.5, trials: 1 };

/** All outcomes of yes/no scores with their chances. */
function* outcomes(n: number, p: number): Generator<{ scores: number[]; chance: number }> {
	for (let set = 0; set < 2 ** n; set++) {
		const scores = Array.from({ length: n }, (_, i) => (set >> i) & 1);
		const hits = scores.reduce((sum, score) => sum + score, 0);
		yield { scores, chance: p ** hits * (1 - p) ** (n - hits) };
	}
}

describe('worked example', () => {
	const weights = [2, 1.5, 1, 0.5, -0.5, -1];
	const observed = weightedScore(weights, [1, 1, 1, 1, 1, 0]);
	const sum = newWeightedSum(COIN, weights);

	it('six pairs, as docs/statistics.md has them', () => {
		expect(observed).toBe(4.5);
		expect(sum.mean).toBe(1.75);
		expect(sum.deviation).toBeCloseTo(1.479, 3);
		expect(sum.logMoment(1)).toBeCloseTo(2.7441, 4);
		expect(Math.exp(sum.logMoment(1) - observed)).toBeCloseTo(0.1728, 4);
		expect(Math.exp(sum.logP(observed))).toBeCloseTo(3 / 64, 12);
		expect(Math.exp(sum.logE(observed))).toBeCloseTo(4.1901, 4);
		expect(Math.exp(sum.estimateLogP(observed))).toBeCloseTo(0.028, 3);
	});
	it('the grid', () => {
		expect(sum.grid).toHaveLength(21);
		expect(sum.grid[0] * sum.deviation).toBeCloseTo(0.5, 12);
		expect(sum.grid[20] * sum.deviation).toBeCloseTo(30, 12);
		const at = (j: number) => Math.exp(sum.grid[j] * observed - sum.logMoment(sum.grid[j]));
		expect(at(0)).toBeCloseTo(2.24, 2);
		expect(at(8)).toBeCloseTo(8.71, 2);
		expect(at(20)).toBeCloseTo(0.003, 3);
	});
});

describe('all outcomes', () => {
	const next = randomSource(20_261_203);
	it('yes/no scores: p is an upper bound, and e has mean 1', () => {
		for (let n = 1; n <= 9; n++) {
			const p = 0.1 + 0.8 * next();
			const weights = heavyWeights(n, next);
			const sum = newWeightedSum({ kind: 'bernoulli', p, trials: 1 }, weights);
			const all = [...outcomes(n, p)]
				.map(({ scores, chance }) => ({ chance, observed: weightedScore(weights, scores) }))
				.sort((a, b) => b.observed - a.observed);
			let tail = 0;
			let mean = 0;
			for (const { chance, observed } of all) {
				tail += chance;
				mean += chance * Math.exp(sum.logE(observed));
				expect(Math.exp(sum.logP(observed))).toBeGreaterThanOrEqual(tail * (1 - 1e-12));
			}
			expect(mean).toBeLessThanOrEqual(1 + 1e-12);
			expect(mean).toBeGreaterThan(1 - 1e-6);
		}
	});
	it('lists of exact size: the same, where independent scores would be wrong', () => {
		// Three lists of one green token of three, weights that sum to 0 in each.
		const lists = [0, 0, 0, 1, 1, 1, 2, 2, 2];
		const weights = [2, -1, -1, 1.5, -1, -0.5, 1, -0.5, -0.5];
		const law = { kind: 'bernoulli', p: 1 / 3, trials: 1 } as const;
		const sum = newWeightedSum({ ...law, lists: { green: 1, of: 3 } }, weights, lists);
		const independent = newWeightedSum(law, weights);
		const all: { scores: number[]; observed: number }[] = [];
		for (let code = 0; code < 27; code++) {
			const scores = lists.map((list, i) => (Math.floor(code / 3 ** list) % 3 === i % 3 ? 1 : 0));
			all.push({ scores, observed: weightedScore(weights, scores) });
		}
		all.sort((a, b) => b.observed - a.observed);
		let [mean, meanIndependent] = [0, 0];
		all.forEach(({ observed }, rank) => {
			expect(Math.exp(sum.logP(observed))).toBeGreaterThanOrEqual((rank + 1) / 27 - 1e-12);
			mean += Math.exp(sum.logE(observed)) / 27;
			meanIndependent += Math.exp(independent.logE(observed)) / 27;
		});
		expect(mean).toBeLessThanOrEqual(1 + 1e-12);
		expect(mean).toBeGreaterThan(1 - 1e-6);
		expect(meanIndependent).toBeGreaterThan(1.05);
	});
	it('exponential scores: κ is above the exact one, a hair', () => {
		const weights = heavyWeights(200, next);
		const sum = newWeightedSum({ kind: 'exponential', shift: 0 }, weights);
		for (const theta of sum.grid) {
			const exact = weights.reduce((total, w) => total - Math.log1p(-theta * w), 0);
			expect(sum.logMoment(theta)).toBeGreaterThan(exact);
			expect(sum.logMoment(theta) - exact).toBeLessThan(1e-3);
		}
	});
});

describe.each(NULLS)('$name, under the null', ({ law, draw }) => {
	it('rates of p and e over mixed, heavy-tailed weights', () => {
		const next = randomSource(20_261_204);
		const runs = 2000;
		let [low, twenty, hundred, total] = [0, 0, 0, 0];
		for (let set = 0; set < 10; set++) {
			const count = 40 + 30 * set;
			const weights = heavyWeights(count, next);
			const own = newWeightedSum(law, weights, listsOf(count));
			expect(own.grid.length).toBeGreaterThan(3);
			expect(own.count).toBe(count);
			for (let run = 0; run < runs / 10; run++) {
				const observed = weightedScore(weights, draw(count, next));
				const e = Math.exp(own.logE(observed));
				// Cut at 100, so that the mean has a variance; that can only lower it.
				total += Math.min(100, e);
				if (e >= 20) twenty++;
				if (e >= 100) hundred++;
				if (observed > own.mean + own.deviation && own.logP(observed) <= Math.log(0.01)) low++;
			}
		}
		expect(low).toBeLessThanOrEqual(upperEdge(runs, 0.01));
		expect(twenty).toBeLessThanOrEqual(upperEdge(runs, 0.05));
		expect(hundred).toBeLessThanOrEqual(upperEdge(runs, 0.01));
		expect(total / runs).toBeLessThan(1 + (4 * 10) / Math.sqrt(runs));
		expect(total / runs).toBeGreaterThan(0.5);
	});
});

describe('one weight outweighs all others', () => {
	const next = randomSource(20_261_205);
	const weights = heavyWeights(120, next);
	weights[7] = 3000;
	it.each(NULLS)('$name: rates hold, and the estimate is finite', ({ law, draw }) => {
		const sum = newWeightedSum(law, weights, listsOf(120));
		const runs = 500;
		let [low, twenty] = [0, 0];
		for (let run = 0; run < runs; run++) {
			const observed = weightedScore(weights, draw(120, next));
			if (observed > sum.mean && sum.logP(observed) <= Math.log(0.01)) low++;
			if (sum.logE(observed) >= Math.log(20)) twenty++;
			expect(sum.estimateLogP(observed)).toBeLessThanOrEqual(0);
		}
		expect(low).toBeLessThanOrEqual(upperEdge(runs, 0.01));
		expect(twenty).toBeLessThanOrEqual(upperEdge(runs, 0.05));
	});
});

describe('how much is lost', () => {
	const next = randomSource(20_261_206);
	const weights = heavyWeights(6000, next);
	it.each(NULLS)('$name: e against the best θ, p against the estimate', ({ law }) => {
		const sum = newWeightedSum(law, weights, listsOf(6000));
		for (const z of [3, 6, 12]) {
			const observed = sum.mean + z * sum.deviation;
			let best = 0;
			const limit = Math.min(30 / sum.deviation, 1.01 * sum.grid[sum.grid.length - 1]);
			for (let theta = 0.3 / sum.deviation; theta < limit; theta *= 1.02)
				best = Math.max(best, theta * observed - sum.logMoment(theta));
			expect(best - sum.logE(observed)).toBeGreaterThan(0);
			expect(best - sum.logE(observed)).toBeLessThan(3.4);
			const excess = sum.logP(observed) - sum.estimateLogP(observed);
			expect(excess).toBeGreaterThan(0);
			expect(excess).toBeLessThan(4.2);
			expect(sum.logP(observed)).toBeLessThanOrEqual(-best + 1e-3);
		}
	});
	it('equal weights have exact tails', () => {
		const equal = new Array<number>(1000).fill(0.25);
		const green = newWeightedSum({ kind: 'bernoulli', p: 0.25, trials: 1 }, equal);
		expect(green.logP(0.25 * 320)).toBe(logBinomialUpperTail(320, 1000, 0.25));
		const gumbel = newWeightedSum({ kind: 'exponential', shift: 0 }, equal);
		expect(gumbel.logP(0.25 * 1200)).toBeCloseTo(logGammaUpperTail(1000, 1200), 7);
	});
	it('exponential scores: above the exact tail, and near it', () => {
		const law: ScoreLaw = { kind: 'exponential', shift: 0 };
		// A weight that differs in its last digits, so that no exact tail is used.
		const nearly = newWeightedSum(law, [...new Array<number>(1999).fill(1), 1 + 1e-12]);
		// As many weights of −1: G₁ ≥ t + G₂ if, after the N events of G₁ up to t, fair coins show 500 tails before
		// 500 − N heads.
		const half = new Array<number>(500).fill(1);
		const mixed = newWeightedSum(law, [...half, ...half.map((w) => -w)]);
		const logDifference = (t: number) => {
			let tail = 0;
			for (let early = 0; early < 500; early++)
				tail += Math.exp(logPoissonPmf(early, t) + logBinomialUpperTail(500, 999 - early, 0.5));
			return Math.log(tail);
		};
		for (const z of [2, 4, 8]) {
			const exact = [
				[nearly, logGammaUpperTail(2000, 2000 + z * nearly.deviation)],
				[mixed, logDifference(z * mixed.deviation)],
			] as const;
			for (const [sum, want] of exact) {
				const bound = sum.logP(sum.mean + z * sum.deviation);
				expect(bound).toBeGreaterThan(want);
				expect(bound - want).toBeLessThan(0.2 + 0.2 * z);
			}
		}
	});
	it('the estimate is near the exact tail of a gamma sum', () => {
		const sum = newWeightedSum({ kind: 'exponential', shift: 0 }, new Array<number>(50).fill(2));
		for (const x of [45, 50, 52, 60, 80, 150])
			expect(sum.estimateLogP(2 * x) - logGammaUpperTail(50, x)).toBeCloseTo(0, 1);
	});
});

describe('edges', () => {
	it('nothing to weigh', () => {
		for (const weights of [[], [0, 0]]) {
			const sum = newWeightedSum(COIN, weights);
			expect(sum.logP(0)).toBe(0);
			expect(sum.logE(0)).toBe(0);
			expect(sum.estimateLogP(0)).toBe(0);
		}
	});
	it('more than the largest sum', () => {
		const sum = newWeightedSum(COIN, [3, -1, 0.7]);
		expect(sum.logP(3.8)).toBe(-Infinity);
		expect(sum.logP(3.7)).toBeCloseTo(-3 * Math.LN2, 12);
		expect(sum.estimateLogP(3.8)).toBeLessThan(-10);
		expect(sum.logE(3.8)).toBeGreaterThan(0);
	});
	it('weights of any size', () => {
		const law: ScoreLaw = { kind: 'exponential', shift: 0 };
		const plain = newWeightedSum(law, [1, -2, 0.5]);
		for (const scale of [1e-100, 1e90]) {
			const scaled = newWeightedSum(law, [scale, -2 * scale, 0.5 * scale]);
			expect(scaled.logE(4 * scale)).toBeCloseTo(plain.logE(4), 9);
			expect(scaled.logP(4 * scale)).toBeCloseTo(plain.logP(4), 6);
		}
	});
	it.each([
		() => newWeightedSum(COIN, [Number.NaN]),
		() => newWeightedSum(COIN, [Infinity]),
		() => newWeightedSum({ kind: 'bernoulli', p: 2, trials: 1 }, [1]),
		() => newWeightedSum({ kind: 'exponential', shift: -1 }, [1]),
		() => newWeightedSum({ kind: 'bernoulli', p: 0.25, trials: 1, lists: { green: 1, of: 3 } }, [1], [0]),
		() => newWeightedSum({ kind: 'bernoulli', p: 0.25, trials: 1, lists: { green: 1, of: 4 } }, [1]),
		() => newWeightedSum(COIN, [1]).logP(Number.NaN),
		() => weightedScore([1], []),
	])('refused: %s', (call) => {
		expect(call).toThrow(RangeError);
	});
});
