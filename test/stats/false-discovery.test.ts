import { describe, expect, test } from 'vitest';
import {
	benjaminiHochbergLog,
	benjaminiYekutieliLog,
	eBenjaminiHochberg,
	trueDiscoveries,
} from '../../src/stats/false-discovery.js';
import { randomSource } from './random.js';

const logs = (ps: readonly number[]) => ps.map(Math.log);

describe('Benjamini and Hochberg', () => {
	test('adjusts as their paper does', () => {
		// Benjamini and Hochberg 1995, section 3.2: at 0.05 the four smallest of fifteen are rejected.
		const ps = [
			0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262, 0.5719, 0.6528,
			0.759, 1.0,
		];
		const adjusted = benjaminiHochbergLog(logs(ps)).map(Math.exp);
		expect(adjusted.filter((p) => p <= 0.05)).toHaveLength(4);
		expect(adjusted[0]).toBeCloseTo(0.0015, 10);
		expect(adjusted[3]).toBeCloseTo((0.0095 * 15) / 4, 10);
		expect(adjusted[14]).toBe(1);
	});
	test('rows that are not listed count as p = 1', () => {
		const listed = benjaminiHochbergLog(logs([0.03, 0.001]), 10);
		const all = benjaminiHochbergLog(logs([0.03, 0.001, ...new Array<number>(8).fill(1)]));
		expect(listed).toEqual(all.slice(0, 2));
	});
	test('keeps the false discovery rate: 30 of 200 are true, 2,000 trials', () => {
		const uniform = randomSource(4);
		let rate = 0;
		for (let trial = 0; trial < 2000; trial++) {
			const ps = Array.from({ length: 200 }, (_, i) => (i < 30 ? uniform() * 1e-3 : uniform()) || 1e-12);
			const found = benjaminiHochbergLog(logs(ps)).flatMap((p, i) => (p <= Math.log(0.1) ? [i] : []));
			rate += found.length === 0 ? 0 : found.filter((i) => i >= 30).length / found.length / 2000;
		}
		// 0.1 times the share of true nulls, 0.085; its standard error is about 0.0012.
		expect(rate).toBeLessThan(0.09);
		expect(rate).toBeGreaterThan(0.08);
	});
});

describe('Benjamini and Yekutieli', () => {
	test('keeps the rate where p-values depend on each other in the worst way, and Benjamini and Hochberg do not', () => {
		// Guo and Rao 2008: with chance α/k, k of m null p-values, each uniform on its own, lie just where k rejections need them.
		const [m, alpha, trials] = [20, 0.05, 20_000];
		const uniform = randomSource(7);
		const rate = { hochberg: 0, yekutieli: 0 };
		for (let trial = 0; trial < trials; trial++) {
			let left = uniform();
			let k = 0;
			for (let i = 1; i <= m && k === 0; i++) {
				left -= alpha / i;
				if (left < 0) k = i;
			}
			const first = Math.floor(uniform() * m);
			const ps = Array.from({ length: m }, (_, i) =>
				(i - first + m) % m < k ? ((k - 1 + uniform()) * alpha) / m : alpha + (1 - alpha) * uniform(),
			);
			// All are null, so one found is one too many.
			if (benjaminiHochbergLog(logs(ps)).some((p) => p <= Math.log(alpha))) rate.hochberg += 1 / trials;
			if (benjaminiYekutieliLog(logs(ps)).some((p) => p <= Math.log(alpha))) rate.yekutieli += 1 / trials;
		}
		// α (1 + 1/2 + … + 1/20) = 0.18; four standard errors are 0.011.
		expect(rate.hochberg).toBeGreaterThan(0.16);
		expect(rate.yekutieli).toBeLessThanOrEqual(alpha + 0.006);
	});
});

describe('e-BH', () => {
	/** E-values of null rows that are all the same number: 1/p with chance p, the worst dependence. */
	const together = (rows: number, p: number, uniform: () => number) =>
		new Array<number>(rows).fill(uniform() < p ? -Math.log(p) : -Infinity);

	test('reports as many as are large enough for their number', () => {
		const es = [1000, 210, 70, 45, 3].map(Math.log);
		// Of 10 at level 0.1: 1000 ≥ 100, 210 ≥ 50, 70 ≥ 33.3, 45 ≥ 25, 3 < 20.
		expect(eBenjaminiHochberg(es, 10, 0.1)).toBe(4);
		expect(eBenjaminiHochberg(es, 1000, 0.1)).toBe(0);
		expect(eBenjaminiHochberg([], 10, 0.1)).toBe(0);
	});
	test('a later row can carry earlier ones', () => {
		// Neither 60 nor the second 60 alone, but both together: 60 ≥ 10 / (0.1 · 2).
		expect(eBenjaminiHochberg([60, 60].map(Math.log), 10, 0.1)).toBe(2);
		expect(eBenjaminiHochberg([60, 40].map(Math.log), 10, 0.1)).toBe(0);
	});
	test('keeps the rate where all null rows err together', () => {
		const uniform = randomSource(11);
		let rate = 0;
		const trials = 20_000;
		for (let trial = 0; trial < trials; trial++) {
			const nulls = together(90, 0.009, uniform);
			const es = [...new Array<number>(10).fill(Math.log(1e4)), ...nulls].sort((a, b) => b - a);
			const found = eBenjaminiHochberg(es, 100, 0.1);
			rate += found <= 10 ? 0 : (found - 10) / found / trials;
		}
		expect(rate).toBeLessThan(0.1);
		expect(rate).toBeGreaterThan(0);
	});
});

describe('true discoveries at the least', () => {
	test('by hand', () => {
		// 10 hypotheses, 3 reported. All three null: mean (1000 + 500 + 30) / 10 ≥ 20; the two smallest: 530 / 9 ≥ 20; the
		// smallest: 30 / 8 < 20. So at most one is null.
		expect(trueDiscoveries([1000, 500, 30].map(Math.log), 10, 0.05)).toBe(2);
		expect(trueDiscoveries([], 10, 0.05)).toBe(0);
		expect(trueDiscoveries([Math.log(199)], 10, 0.05)).toBe(0);
		expect(trueDiscoveries([Math.log(201)], 10, 0.05)).toBe(1);
	});
	test('e-values beyond the range of a double', () => {
		expect(trueDiscoveries([5000, 4000, 3000], 1e6, 0.05)).toBe(3);
	});
	test('is right with the stated confidence, however nulls err together', () => {
		const uniform = randomSource(12);
		let wrong = 0;
		const trials = 20_000;
		for (let trial = 0; trial < trials; trial++) {
			const nulls = new Array<number>(40).fill(uniform() < 0.04 ? -Math.log(0.04) : -Infinity);
			const rows = [
				...nulls.map((logE) => ({ logE, marked: false })),
				...Array.from({ length: 5 }, () => ({ logE: Math.log(30), marked: true })),
			].sort((a, b) => b.logE - a.logE);
			const reported = eBenjaminiHochberg(
				rows.map(({ logE }) => logE),
				45,
				0.5,
			);
			const least = trueDiscoveries(
				rows.slice(0, reported).map(({ logE }) => logE),
				45,
				0.05,
			);
			const marked = rows.slice(0, reported).filter((row) => row.marked).length;
			if (least > marked) wrong += 1 / trials;
		}
		expect(wrong).toBeLessThanOrEqual(0.05);
	});
});
