import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bonferroniLog, holmLog } from '../../src/stats/correction.js';

const logP = fc.double({ min: -1e6, max: 0, noNaN: true });

describe('bonferroniLog', () => {
	test('counts hypotheses and the search for the key', () => {
		expect(bonferroniLog(Math.log(0.001), 10, 0)).toBeCloseTo(Math.log(0.01), 14);
		expect(bonferroniLog(-100, 1, 64)).toBeCloseTo(-100 + 64 * Math.LN2, 13);
		expect(bonferroniLog(-5, 1000)).toBe(0);
		expect(bonferroniLog(-Infinity, 1000, 64)).toBe(-Infinity);
		expect(bonferroniLog(-12_345.5, 1, 0)).toBe(-12_345.5);
	});
	test('out of range', () => {
		expect(() => bonferroniLog(0.1, 1, 0)).toThrow(RangeError);
		expect(() => bonferroniLog(Number.NaN, 1, 0)).toThrow(RangeError);
		expect(() => bonferroniLog(-1, 0, 0)).toThrow(RangeError);
		expect(() => bonferroniLog(-1, 1, -1)).toThrow(RangeError);
	});
});

describe('holmLog', () => {
	test('the worked example of four', () => {
		const adjusted = holmLog([0.01, 0.04, 0.03, 0.005].map(Math.log)).map(Math.exp);
		[0.03, 0.06, 0.06, 0.02].forEach((want, i) => {
			expect(adjusted[i]).toBeCloseTo(want, 14);
		});
	});
	test('edges', () => {
		expect(holmLog([])).toEqual([]);
		expect(holmLog([-3])).toEqual([-3]);
		expect(holmLog([-Infinity, 0, -Infinity])).toEqual([-Infinity, 0, -Infinity]);
		expect(() => holmLog([0.5])).toThrow(RangeError);
		expect(() => holmLog([Number.NaN])).toThrow(RangeError);
	});
	test('lies between the raw value and Bonferroni, and keeps the order', () => {
		fc.assert(
			fc.property(fc.array(logP, { minLength: 1, maxLength: 30 }), (logPs) => {
				const adjusted = holmLog(logPs);
				logPs.forEach((raw, i) => {
					expect(adjusted[i]).toBeGreaterThanOrEqual(raw);
					expect(adjusted[i]).toBeLessThanOrEqual(bonferroniLog(raw, logPs.length, 0));
					logPs.forEach((other, j) => {
						if (raw <= other) expect(adjusted[i]).toBeLessThanOrEqual(adjusted[j]!);
					});
				});
				expect(Math.min(...adjusted)).toBe(bonferroniLog(Math.min(...logPs), logPs.length, 0));
			}),
		);
	});
	test('does not depend on the order of the input', () => {
		fc.assert(
			fc.property(fc.array(logP, { maxLength: 20 }), (logPs) => {
				expect(holmLog([...logPs].reverse())).toEqual(holmLog(logPs).reverse());
			}),
		);
	});
});
