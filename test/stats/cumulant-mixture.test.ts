/** A mixture e-value from a cumulant generating function: expectation at most 1, and evidence where there is some. */
import { describe, expect, it } from 'vitest';
import { logECumulant } from '../../src/stats/index.js';
import { randomSource } from './random.js';

const exponential = (u: number) => -Math.log(1 - u);
const CASES = [
	{
		name: 'two exponentials',
		scale: 0.9,
		cumulant: (theta: number) => -Math.log1p(-0.9 * theta) - Math.log1p(-0.1 * theta),
		draw: (next: () => number) => 0.9 * exponential(next()) + 0.1 * exponential(next()),
		strong: 2.5,
	},
	{
		name: 'weighted bits',
		scale: 3,
		cumulant: (theta: number) =>
			Math.log1p(0.4 * Math.expm1(3 * theta)) + Math.log1p(0.4 * Math.expm1(theta)),
		draw: (next: () => number) => (next() < 0.4 ? 3 : 0) + (next() < 0.4 ? 1 : 0),
		strong: 2.4,
	},
];

describe.each(CASES)('$name', ({ scale, cumulant, draw, strong }) => {
	it('under the null: mean at most 1, and 1/e is a p-value', () => {
		const next = randomSource(20_261_125);
		for (const n of [1, 5, 40]) {
			const runs = 40_000;
			let sum = 0;
			let large = 0;
			for (let run = 0; run < runs; run++) {
				let score = 0;
				for (let i = 0; i < n; i++) score += draw(next);
				const e = Math.exp(logECumulant(score, n, scale, cumulant));
				// Cut at 100, so that the mean has a variance: that can only lower it.
				sum += Math.min(100, e);
				if (e >= 20) large++;
			}
			// The deviation of a cut e-value is below 10.
			expect(sum / runs).toBeLessThan(1 + 4 * (10 / Math.sqrt(runs)));
			expect(sum / runs).toBeGreaterThan(0.5);
			expect(large / runs).toBeLessThan(1 / 20);
		}
	});
	it('grows with the number of strong scores', () => {
		const at = (n: number) => logECumulant(strong * n, n, scale, cumulant);
		expect(at(10)).toBeGreaterThan(0);
		expect(at(400)).toBeGreaterThan(30 * at(10));
		expect(Number.isFinite(at(1e9))).toBe(true);
	});
});
