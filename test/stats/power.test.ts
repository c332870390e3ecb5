import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
	bernoulliCritical,
	bernoulliPower,
	exponentialCritical,
	exponentialPower,
	logBernoulliAttainableSize,
} from '../../src/stats/power.js';
import { logBinomialUpperTail, logGammaUpperTail } from '../../src/stats/tails.js';

const level = fc.double({ min: -2000, max: 0, noNaN: true });

describe('hits', () => {
	test('by hand: 5 trials at ½', () => {
		expect(bernoulliCritical(5, 0.5, Math.log(0.04))).toBe(5);
		expect(bernoulliCritical(5, 0.5, Math.log(0.19))).toBe(4);
		expect(bernoulliCritical(5, 0.5, Math.log(0.03))).toBe(6);
		expect(bernoulliCritical(5, 0.5, 0)).toBe(0);
		expect(bernoulliPower(5, 0.5, 0.8, Math.log(0.04))).toBeCloseTo(0.8 ** 5, 14);
		expect(bernoulliPower(5, 0.5, 0.8, Math.log(0.03))).toBe(0);
		expect(logBernoulliAttainableSize(5, 0.5, Math.log(0.04))).toBeCloseTo(-5 * Math.LN2, 14);
		expect(logBernoulliAttainableSize(5, 0.5, Math.log(0.03))).toBe(-Infinity);
	});
	test('edges', () => {
		expect(bernoulliCritical(0, 0.5, -1)).toBe(1);
		expect(bernoulliCritical(10, 0, -1)).toBe(1);
		expect(bernoulliCritical(10, 1, -1)).toBe(11);
		expect(bernoulliCritical(10, 0.5, -Infinity)).toBe(11);
		expect(bernoulliPower(10, 0.5, 1, Math.log(0.01))).toBe(1);
		expect(() => bernoulliCritical(10, 0.5, 0.1)).toThrow(RangeError);
		expect(() => bernoulliCritical(10, 0.5, Number.NaN)).toThrow(RangeError);
	});
	test('the critical count is the first that passes', () => {
		fc.assert(
			fc.property(
				fc.integer({ min: 0, max: 1e6 }),
				fc.double({ min: 0, max: 1, noNaN: true }),
				level,
				(trials, p, logLevel) => {
					const critical = bernoulliCritical(trials, p, logLevel);
					expect(logBinomialUpperTail(critical, trials, p)).toBeLessThanOrEqual(logLevel);
					if (critical > 0) {
						expect(logBinomialUpperTail(critical - 1, trials, p)).toBeGreaterThan(logLevel);
					}
					expect(logBernoulliAttainableSize(trials, p, logLevel)).toBeLessThanOrEqual(logLevel);
				},
			),
		);
	});
	test('power rises with the alternative and with the level', () => {
		let last = 0;
		for (const alternative of [0.25, 0.27, 0.3, 0.35, 0.5]) {
			const power = bernoulliPower(1000, 0.25, alternative, Math.log(1e-6));
			expect(power).toBeGreaterThan(last);
			expect(bernoulliPower(1000, 0.25, alternative, Math.log(1e-3))).toBeGreaterThanOrEqual(power);
			last = power;
		}
		expect(bernoulliPower(1000, 0.25, 0.25, Math.log(1e-6))).toBeLessThanOrEqual(1e-6);
	});
});

describe('exponential scores', () => {
	test('closed form for one score', () => {
		expect(exponentialCritical(1, -20)).toBe(20);
		expect(exponentialPower(1, 2, -20)).toBeCloseTo(Math.exp(-10), 18);
	});
	test('edges', () => {
		expect(exponentialCritical(5, 0)).toBe(0);
		expect(exponentialCritical(0, -1)).toBe(Infinity);
		expect(exponentialCritical(5, -Infinity)).toBe(Infinity);
		expect(exponentialPower(0, 2, -1)).toBe(0);
		expect(exponentialPower(5, 2, 0)).toBe(1);
		expect(() => exponentialPower(5, 0, -1)).toThrow(RangeError);
		expect(() => exponentialCritical(5, 1)).toThrow(RangeError);
	});
	test('the critical sum passes and one a little smaller does not', () => {
		fc.assert(
			fc.property(fc.integer({ min: 1, max: 1e5 }), level, (n, logLevel) => {
				const critical = exponentialCritical(n, logLevel);
				expect(logGammaUpperTail(n, critical)).toBeLessThanOrEqual(logLevel);
				if (logLevel < -1e-6) {
					expect(logGammaUpperTail(n, critical * (1 - 1e-11))).toBeGreaterThan(logLevel);
				}
			}),
		);
	});
	test('power rises with the mean, and is the level under the null', () => {
		let last = 0;
		for (const mean of [1, 1.05, 1.1, 1.3]) {
			const power = exponentialPower(1000, mean, Math.log(1e-6));
			expect(power).toBeGreaterThan(last);
			last = power;
		}
		expect(exponentialPower(1000, 1, Math.log(1e-6)) / 1e-6).toBeCloseTo(1, 9);
	});
});
