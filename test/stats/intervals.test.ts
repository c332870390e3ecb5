import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bernoulliInterval, exponentialMeanInterval } from '../../src/stats/intervals.js';
import {
	logBinomialLowerTail,
	logBinomialUpperTail,
	logGammaLowerTail,
	logGammaUpperTail,
} from '../../src/stats/tails.js';

describe('bernoulliInterval', () => {
	test('closed forms at the edges', () => {
		expect(bernoulliInterval(0, 0, 0.95)).toEqual([0, 1]);
		const [low, high] = bernoulliInterval(0, 10, 0.95);
		expect(low).toBe(0);
		expect(high).toBeCloseTo(1 - 0.025 ** (1 / 10), 14);
		const [low10, high10] = bernoulliInterval(10, 10, 0.95);
		expect(low10).toBeCloseTo(0.025 ** (1 / 10), 14);
		expect(high10).toBe(1);
	});
	test('ends lie where the tails are half of what may be missed, on the outer side', () => {
		const cases = [
			[3, 10],
			[1, 1000],
			[999, 1000],
			[1, 1e9],
			[250_000, 1e6],
		] as const;
		for (const [hits, trials] of cases) {
			for (const confidence of [0.5, 0.95, 1 - 1e-9]) {
				const level = Math.log(1 - confidence) - Math.LN2;
				const [low, high] = bernoulliInterval(hits, trials, confidence);
				const upper = logBinomialUpperTail(hits, trials, low);
				expect(upper).toBeLessThanOrEqual(level);
				expect(upper).toBeCloseTo(level, 10);
				expect(logBinomialLowerTail(hits, trials, high)).toBeLessThanOrEqual(level);
				expect(logBinomialLowerTail(hits, trials, high * (1 - 1e-11))).toBeGreaterThan(level);
				expect(low).toBeLessThan(hits / trials);
				expect(high).toBeGreaterThan(hits / trials);
			}
		}
	});
	test('covers the truth at least as often as it says', () => {
		for (const p of [0.01, 0.25, 0.5]) {
			let missed = 0;
			for (let hits = 0; hits <= 40; hits++) {
				const [low, high] = bernoulliInterval(hits, 40, 0.9);
				if (p >= low && p <= high) continue;
				const mass =
					Math.exp(logBinomialUpperTail(hits, 40, p)) - Math.exp(logBinomialUpperTail(hits + 1, 40, p));
				missed += mass;
			}
			expect(missed).toBeLessThanOrEqual(0.1);
		}
	});
	test('mirrors when hits and misses change places, and nests with confidence', () => {
		fc.assert(
			fc.property(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 0, max: 500 }), (trials, h) => {
				const hits = h % (trials + 1);
				const [low, high] = bernoulliInterval(hits, trials, 0.9);
				const [mirrorLow, mirrorHigh] = bernoulliInterval(trials - hits, trials, 0.9);
				expect(low).toBeCloseTo(1 - mirrorHigh, 12);
				expect(high).toBeCloseTo(1 - mirrorLow, 12);
				const [wideLow, wideHigh] = bernoulliInterval(hits, trials, 0.99);
				expect(wideLow).toBeLessThanOrEqual(low);
				expect(wideHigh).toBeGreaterThanOrEqual(high);
			}),
			{ numRuns: 30 },
		);
	});
	test('out of range', () => {
		expect(() => bernoulliInterval(3, 2, 0.95)).toThrow(RangeError);
		expect(() => bernoulliInterval(1, 2, 1)).toThrow(RangeError);
		expect(() => bernoulliInterval(1, 2, 0)).toThrow(RangeError);
	});
});

describe('exponentialMeanInterval', () => {
	test('closed form for one score', () => {
		const [low, high] = exponentialMeanInterval(2, 1, 0.95);
		expect(low).toBeCloseTo(2 / -Math.log(0.025), 13);
		expect(high).toBeCloseTo(2 / -Math.log(0.975), 11);
	});
	test('edges', () => {
		expect(exponentialMeanInterval(0, 0, 0.95)).toEqual([0, Infinity]);
		expect(exponentialMeanInterval(0, 5, 0.95)).toEqual([0, 0]);
		expect(() => exponentialMeanInterval(-1, 5, 0.95)).toThrow(RangeError);
		expect(() => exponentialMeanInterval(1, 5, 1.5)).toThrow(RangeError);
	});
	test('ends lie where the tails are half of what may be missed', () => {
		for (const n of [1, 7, 1000, 1e6]) {
			for (const confidence of [0.5, 0.95, 1 - 1e-9]) {
				const level = Math.log(1 - confidence) - Math.LN2;
				const [low, high] = exponentialMeanInterval(1.2 * n, n, confidence);
				expect(logGammaUpperTail(n, (1.2 * n) / low)).toBeCloseTo(level, 9);
				expect(logGammaLowerTail(n, (1.2 * n) / high)).toBeCloseTo(level, 9);
			}
		}
	});
});
