import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bisectInteger, lastBelow } from '../../src/stats/bisect.js';

const anywhere = fc.double({ min: -10, max: 110, noNaN: true });
const stride = fc.double({ min: 1e-6, max: 50, noNaN: true });
const root = fc.double({ min: 0.01, max: 99.99, noNaN: true });

describe('lastBelow', () => {
	test('finds the last double, from any start and either side', () => {
		fc.assert(
			fc.property(root, anywhere, stride, fc.boolean(), (r, start, step, rising) => {
				for (const shape of [
					(d: number) => d,
					(d: number) => d ** 3,
					(d: number) => Math.expm1(d),
					(d: number) => (d > 0 ? Infinity : -Infinity),
					(d: number) => Math.sign(d),
				]) {
					const found = rising
						? lastBelow(0, 100, (x) => shape(x - r), start, step)
						: lastBelow(100, 0, (x) => shape(r - x), start, step);
					expect(found).toBe(r);
				}
			}),
		);
	});
	test('in about ten evaluations where the start is good', () => {
		let evaluations = 0;
		const excess = (x: number) => {
			evaluations++;
			return x * Math.log(x) - 100;
		};
		const found = lastBelow(1, 1000, excess, 29, 1);
		expect(excess(found)).toBeLessThanOrEqual(0);
		expect(excess(found * (1 + 4e-16))).toBeGreaterThan(0);
		expect(evaluations).toBeLessThan(14);
	});
});

test('bisectInteger finds the last integer, from any start and either side', () => {
	fc.assert(
		fc.property(
			fc.integer({ min: 0, max: 999 }),
			fc.integer({ min: -10, max: 1010 }),
			fc.boolean(),
			(last, start, rising) => {
				if (rising) expect(bisectInteger(0, 1000, (x) => x <= last, start)).toBe(last);
				else expect(bisectInteger(1000, 0, (x) => x > last, start)).toBe(last + 1);
			},
		),
	);
});
