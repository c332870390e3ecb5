import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { logEBernoulli, logEExponential } from '../../src/stats/e-values.js';
import { logBinomialPmf, logPoissonPmf } from '../../src/stats/pmf.js';
import { randomSource } from './random.js';

interface Vectors {
	eBernoulli: { hits: number; trials: number; gamma: number; logE: string }[];
	eExponential: { sum: number; n: number; logE: string }[];
}
const vectors: Vectors = JSON.parse(readFileSync(new URL('../vectors/tails.json', import.meta.url), 'utf8'));

/** Absolute near 0, relative where the logarithm is large. */
function expectClose(got: number, want: number, tolerance: number): void {
	expect(Math.abs(got - want)).toBeLessThan(tolerance * (1 + Math.abs(want)));
}

/** ln ∫ₐᵇ e^f, by Simpson's rule on 2000 intervals. */
function logIntegral(f: (x: number) => number, a: number, b: number): number {
	const values = Array.from({ length: 2001 }, (_, i) => f(a + ((b - a) * i) / 2000));
	const largest = Math.max(...values);
	let sum = 0;
	values.forEach((value, i) => {
		const weight = i === 0 || i === 2000 ? 1 : i % 2 ? 4 : 2;
		sum += weight * Math.exp(value - largest);
	});
	return largest + Math.log((sum * (b - a)) / 6000);
}

/** count · ln x with 0 · −∞ = 0. */
const timesLog = (count: number, x: number) => (count === 0 ? 0 : count * Math.log(x));

describe('hits', () => {
	test.each(vectors.eBernoulli)('golden: $hits of $trials at $gamma', (v) => {
		const error = Math.abs(logEBernoulli(v.hits, v.trials, v.gamma) - Number(v.logE));
		expect(error).toBeLessThan(2e-15 * (1 + Math.abs(logBinomialPmf(v.hits, v.trials, v.gamma))) + 1e-13);
	});
	test('is the mixture, by numeric integration', () => {
		for (const gamma of [0.25, 0.5, 0.9]) {
			for (const [hits, trials] of [
				[0, 0],
				[0, 1],
				[1, 1],
				[3, 10],
				[10, 10],
				[60, 100],
				[130, 200],
			] as const) {
				const want = logIntegral(
					(q) =>
						timesLog(hits, q / gamma) + timesLog(trials - hits, (1 - q) / (1 - gamma)) - Math.log(1 - gamma),
					gamma,
					1,
				);
				expectClose(logEBernoulli(hits, trials, gamma), want, 1e-8);
			}
		}
	});
	test('has expectation 1 under the null, and less under a smaller hit rate', () => {
		for (const gamma of [0.05, 0.25, 0.5, 0.75]) {
			for (let trials = 0; trials <= 30; trials++) {
				const expectation = (p: number) => {
					let sum = 0;
					let choose = 1;
					for (let hits = 0; hits <= trials; hits++) {
						sum +=
							choose * p ** hits * (1 - p) ** (trials - hits) * Math.exp(logEBernoulli(hits, trials, gamma));
						choose = (choose * (trials - hits)) / (hits + 1);
					}
					return sum;
				};
				expect(Math.abs(expectation(gamma) - 1)).toBeLessThan(1e-12);
				expect(expectation(gamma * 0.9)).toBeLessThanOrEqual(1 + 1e-12);
			}
		}
	});
	test('is a martingale: the next score changes nothing on average', () => {
		fc.assert(
			fc.property(
				fc.integer({ min: 0, max: 3000 }),
				fc.double({ min: 0, max: 1, noNaN: true }),
				fc.double({ min: 0.01, max: 0.99, noNaN: true }),
				(trials, share, gamma) => {
					const hits = Math.round(share * trials);
					const now = logEBernoulli(hits, trials, gamma);
					const mean =
						gamma * Math.exp(logEBernoulli(hits + 1, trials + 1, gamma) - now) +
						(1 - gamma) * Math.exp(logEBernoulli(hits, trials + 1, gamma) - now);
					expect(Math.abs(mean - 1)).toBeLessThan(1e-10);
				},
			),
		);
	});
	test('rises with the hits', () => {
		fc.assert(
			fc.property(
				fc.integer({ min: 1, max: 1e9 }),
				fc.double({ min: 0, max: 1, noNaN: true }),
				fc.double({ min: 0.001, max: 0.999, noNaN: true }),
				(trials, share, gamma) => {
					const hits = Math.min(trials - 1, Math.floor(share * trials));
					const step = logEBernoulli(hits + 1, trials, gamma) - logEBernoulli(hits, trials, gamma);
					expect(step).toBeGreaterThan(
						-1e-14 * trials * (Math.abs(Math.log(gamma)) + Math.abs(Math.log1p(-gamma))),
					);
				},
			),
			{ numRuns: 50 },
		);
	});
	test('optional stopping: under the null it rarely ever reaches 10', () => {
		const random = randomSource(7);
		let reached = 0;
		for (let run = 0; run < 500; run++) {
			let hits = 0;
			for (let trials = 1; trials <= 300; trials++) {
				if (random() < 0.25) hits++;
				if (logEBernoulli(hits, trials, 0.25) >= Math.log(10)) {
					reached++;
					break;
				}
			}
		}
		// Ville: at most 0.1 · 500 = 50 expected, 6.7 the standard deviation; 70 is three of them more.
		expect(reached).toBeGreaterThan(5);
		expect(reached).toBeLessThan(70);
	});
	test('out of range', () => {
		expect(() => logEBernoulli(3, 2, 0.5)).toThrow(RangeError);
		expect(() => logEBernoulli(1, 2, 0)).toThrow(RangeError);
		expect(() => logEBernoulli(1, 2, 1)).toThrow(RangeError);
		expect(() => logEBernoulli(1, 2, Number.NaN)).toThrow(RangeError);
	});
});

describe('exponential scores', () => {
	test.each(vectors.eExponential)('golden: $sum from $n', (v) => {
		const error = Math.abs(logEExponential(v.sum, v.n) - Number(v.logE));
		expect(error).toBeLessThan(2e-15 * (1 + Math.abs(logPoissonPmf(v.n, v.sum + 1))) + 1e-13);
	});
	test('is the mixture, by numeric integration', () => {
		for (const [sum, n] of [
			[0, 0],
			[0, 3],
			[0.5, 1],
			[7, 5],
			[130, 100],
			[70, 100],
			[300, 200],
		] as const) {
			const want = logIntegral(
				(theta) => timesLog(n, theta) + (1 - theta) * sum - theta - Math.log(1 - Math.exp(-1)),
				0,
				1,
			);
			expectClose(logEExponential(sum, n), want, 1e-8);
		}
	});
	test('has expectation 1 under the null, by numeric integration', () => {
		for (const n of [1, 2, 5, 30]) {
			let logFactorial = 0; // of n − 1
			for (let i = 2; i < n; i++) logFactorial += Math.log(i);
			// Sum S = u / (1 − u); the density of Gamma(n, 1) is S^(n−1) e^(−S) / (n−1)!.
			const expectation = logIntegral(
				(u) => {
					const x = Math.min(u, 1 - 1e-9);
					const sum = x / (1 - x);
					return timesLog(n - 1, sum) - sum - logFactorial - 2 * Math.log(1 - x) + logEExponential(sum, n);
				},
				0,
				1,
			);
			expect(Math.abs(Math.expm1(expectation))).toBeLessThan(1e-6);
		}
	});
	test('rises with the sum', () => {
		fc.assert(
			fc.property(
				fc.integer({ min: 0, max: 1e6 }),
				fc.double({ min: 0, max: 3, noNaN: true }),
				fc.double({ min: 1e-3, max: 10, noNaN: true }),
				(n, mean, more) => {
					const now = logEExponential(mean * n, n);
					expect(logEExponential(mean * n + more, n)).toBeGreaterThan(now - 1e-14 * n * 30);
				},
			),
		);
	});
	test('optional stopping: under the null it rarely ever reaches 10, and under marked text it does', () => {
		const random = randomSource(11);
		const reaches = (mean: number) => {
			let sum = 0;
			for (let n = 1; n <= 300; n++) {
				sum -= mean * Math.log(1 - random());
				if (logEExponential(sum, n) >= Math.log(10)) return true;
			}
			return false;
		};
		const count = (mean: number) => Array.from({ length: 500 }, () => reaches(mean)).filter(Boolean).length;
		const innocent = count(1);
		expect(innocent).toBeGreaterThan(5);
		expect(innocent).toBeLessThan(70);
		expect(count(0.8)).toBeLessThan(innocent);
		expect(count(1.5)).toBeGreaterThan(450);
	});
	test('out of range', () => {
		expect(() => logEExponential(-1, 2)).toThrow(RangeError);
		expect(() => logEExponential(Infinity, 2)).toThrow(RangeError);
		expect(() => logEExponential(1, 0.5)).toThrow(RangeError);
	});
});
