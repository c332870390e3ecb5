import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { logGammaMomentMatchedUpperTail } from '../../src/stats/gamma-approximation.js';
import { logGammaSumUpperTail } from '../../src/stats/gamma-sum.js';
import { logGammaUpperTail } from '../../src/stats/tails.js';
import { randomSource } from './random.js';

interface Case {
	n: number;
	a: number;
	b: number;
	x: number;
	upper: string;
}
const vectors: { sum: Case[]; matched: Case[] } = JSON.parse(
	readFileSync(new URL('../vectors/gamma-sum-tails.json', import.meta.url), 'utf8'),
);

describe('the sum', () => {
	test.each(vectors.sum)('golden: n = $n, $a and $b, at $x', ({ n, a, b, x, upper }) => {
		expect(Math.abs(logGammaSumUpperTail(n, a, b, x) / Number(upper) - 1)).toBeLessThan(2e-13);
	});
	test('edges', () => {
		expect(logGammaSumUpperTail(5, 0.5, 0.5, 0)).toBe(0);
		expect(logGammaSumUpperTail(5, 0.5, 0.25, -3)).toBe(0);
		expect(logGammaSumUpperTail(0, 0.5, 0.25, 1e-300)).toBe(-Infinity);
		expect(logGammaSumUpperTail(0, 0.5, 0.25, 0)).toBe(0);
		expect(logGammaSumUpperTail(7, 0.5, 0.5, 9)).toBe(logGammaUpperTail(14, 18));
		expect(logGammaSumUpperTail(7, 0, 0.5, 9)).toBe(logGammaUpperTail(7, 18));
		expect(logGammaSumUpperTail(7, 0.5, 0, 9)).toBe(logGammaUpperTail(7, 18));
	});
	test('two exponentials in closed form', () => {
		for (const [a, b] of [
			[0.75, 0.25],
			[2, 3],
			[1, 0.01],
		] as const)
			for (const x of [0.1, 1, 10]) {
				const want = (a * Math.exp(-x / a) - b * Math.exp(-x / b)) / (a - b);
				expect(logGammaSumUpperTail(1, a, b, x)).toBeCloseTo(Math.log(want), 12);
			}
	});
	test.each([
		() => logGammaSumUpperTail(-1, 1, 1, 1),
		() => logGammaSumUpperTail(1.5, 1, 1, 1),
		() => logGammaSumUpperTail(2e9, 1, 1, 1),
		() => logGammaSumUpperTail(1, -1, 1, 1),
		() => logGammaSumUpperTail(1, 0, 0, 1),
		() => logGammaSumUpperTail(1, Number.NaN, 1, 1),
		() => logGammaSumUpperTail(1, Infinity, 1, 1),
		() => logGammaSumUpperTail(1, 1, 1, Number.NaN),
		() => logGammaSumUpperTail(1, 1, 1, Infinity),
	])('out of range: %s', (call) => {
		expect(call).toThrow(RangeError);
	});
	test('lies between the tails of one scale, is symmetric, scales, and falls with x', () => {
		fc.assert(
			fc.property(
				fc.integer({ min: 1, max: 3000 }),
				fc.double({ min: 0.02, max: 0.98, noNaN: true }),
				fc.double({ min: 0, max: 8, noNaN: true }),
				(n, b, mean) => {
					const a = 1 - b;
					const x = mean * n;
					const tail = logGammaSumUpperTail(n, a, b, x);
					const slack = 1e-11 * (1 + Math.abs(tail));
					expect(tail).toBeGreaterThanOrEqual(logGammaUpperTail(2 * n, x / Math.min(a, b)) - slack);
					expect(tail).toBeLessThanOrEqual(logGammaUpperTail(2 * n, x / Math.max(a, b)) + slack);
					expect(tail).toBeGreaterThanOrEqual(logGammaUpperTail(n, x / Math.max(a, b)) - slack);
					expect(logGammaSumUpperTail(n, b, a, x)).toBe(tail);
					expect(logGammaSumUpperTail(n, 8 * a, 8 * b, 8 * x)).toBe(tail);
					expect(logGammaSumUpperTail(n, a, b, x + 0.5)).toBeLessThanOrEqual(tail + slack);
					expect(logGammaSumUpperTail(n + 1, a, b, x)).toBeGreaterThanOrEqual(tail - slack);
				},
			),
			{ numRuns: 60 },
		);
	});
	test('where the terms are too many, an upper bound stands in', () => {
		// The small scale is so small that the large one alone gives the tail to eight digits.
		for (const x of [1.01e6, 1.1e6, 5e6]) {
			const tail = logGammaSumUpperTail(1e6, 1, 1e-8, x);
			const alone = logGammaUpperTail(1e6, x);
			expect(tail).toBeGreaterThan(alone);
			expect(tail).toBeLessThan(alone + 10);
		}
		expect(logGammaSumUpperTail(1e6, 1, 1e-8, 0.9e6)).toBe(0);
		expect(logGammaSumUpperTail(3, 1, 5e-324, 40)).toBeGreaterThanOrEqual(logGammaUpperTail(3, 40));
		expect(logGammaSumUpperTail(1, 0.75, 0.25, 1e300)).toBeGreaterThanOrEqual(-1e300 / 0.75);
		expect(logGammaSumUpperTail(1, 1e-300, 1e-301, 1e300)).toBeLessThan(-9e299);
	});
	test('simulated rates', () => {
		const random = randomSource(5);
		const [n, a, b] = [20, 0.75, 0.25];
		let below = 0;
		for (let run = 0; run < 4000; run++) {
			let sum = 0;
			for (let i = 0; i < n; i++) sum -= a * Math.log(1 - random()) + b * Math.log(1 - random());
			if (logGammaSumUpperTail(n, a, b, sum) <= Math.log(0.1)) below++;
		}
		// 400 expected, standard deviation 19.
		expect(Math.abs(below - 400)).toBeLessThan(4 * 19);
	});
});

describe('the moment-matched approximation', () => {
	test.each(vectors.matched)('golden: n = $n, $a and $b, at $x', ({ n, a, b, x, upper }) => {
		const error = Math.abs(logGammaMomentMatchedUpperTail(n, a, b, x) - Number(upper));
		expect(error).toBeLessThan(
			1e-12 * Math.min(1, Math.abs(Number(upper))) + 4e-15 * Math.abs(Number(upper)),
		);
	});
	test.each([
		[108, 0.25, 224.9716457354213, -27.765271936733157],
		[112, 0.25, 234.0797231871038, -29.027127714073323],
		[63, 0.5, 109.41849934968505, -11.43748318418315],
		[178, 0.1, 396.2559562687854, -41.80832847654019],
	])('is what vLLM reports: %i pairs, alpha %d, score %d', (n, alpha, score, log10P) => {
		const got = logGammaMomentMatchedUpperTail(n, 1 - alpha, alpha, score) / Math.LN10;
		expect(Math.abs(got / log10P - 1)).toBeLessThan(1e-13);
		// And is too small where the scales differ.
		if (alpha < 0.5)
			expect(logGammaSumUpperTail(n, 1 - alpha, alpha, score) / Math.LN10).toBeGreaterThan(got + 1);
	});
	test('is exact for one scale, or two equal ones', () => {
		fc.assert(
			fc.property(
				fc.integer({ min: 1, max: 2000 }),
				fc.double({ min: 1e-3, max: 5, noNaN: true }),
				(n, mean) => {
					const x = mean * n;
					const close = (got: number, want: number) =>
						expect(Math.abs(got - want)).toBeLessThanOrEqual(1e-11 * Math.abs(want));
					close(logGammaMomentMatchedUpperTail(n, 1, 0, x), logGammaUpperTail(n, x));
					close(logGammaMomentMatchedUpperTail(n, 0.5, 0.5, x), logGammaUpperTail(2 * n, 2 * x));
				},
			),
		);
	});
	test('edges', () => {
		expect(logGammaMomentMatchedUpperTail(3, 0.5, 0.25, 0)).toBe(0);
		expect(logGammaMomentMatchedUpperTail(0, 0.5, 0.25, 1)).toBe(-Infinity);
		expect(() => logGammaMomentMatchedUpperTail(3, 0, 0, 1)).toThrow(RangeError);
	});
});
