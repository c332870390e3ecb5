/**
 * Bounds of E e^(a·x) for weights of either sign: against the scores themselves, all 2^24 of a 24-bit grid.
 */
import { describe, expect, test } from 'vitest';
import { negLnScore, SCORE_UNIT } from '../../src/schemes/fixed-log.js';
import { float24, word32 } from '../../src/schemes/gumbel.js';
import { logMomentBound, type ScoreLaw } from '../../src/stats/index.js';
import { largestTilt, tiltedCumulants } from '../../src/stats/score-law.js';
import { randomSource } from './random.js';

const N = 2 ** 24;
const GUMBEL: ScoreLaw = { kind: 'exponential', shift: 2 ** -24 };

/** The k-th smallest complement, k = 1 … 2^24. */
const GRIDS = {
	'vLLM, single precision': (k: number) => float24.complement((N - k) * 256),
	'Meta, multiples of 2^-24': (k: number) => k / N,
};

describe.each(Object.entries(GRIDS))('%s: all 2^24 values', (_, complement) => {
	test('the k-th smallest complement is at most (k + ½)/2^24', () => {
		let wrong = 0;
		let last = 0;
		for (let k = 1; k <= N; k++) {
			const c = complement(k);
			if (c < last || c > (k + 0.5) / N) wrong++;
			last = c;
		}
		expect(wrong).toBe(0);
	});
	test('E c^b, by adding up, is below the bound, and not by much', () => {
		const powers: [number, (c: number) => number][] = [
			[0.5, Math.sqrt],
			[1, (c) => c],
			[3, (c) => c * c * c],
			[16, (c) => ((c * c) ** 2) ** 4],
		];
		for (const [b, power] of powers) {
			let sum = 0;
			for (let k = 1; k <= N; k++) sum += power(complement(k));
			const bound = logMomentBound(GUMBEL, -b);
			expect(bound).toBeGreaterThan(Math.log(sum / N));
			expect(bound).toBeLessThan(Math.log(sum / N) + 2.1e-7 * (1 + b));
		}
	});
});

test('32 bits: E c^b by the sums of powers', () => {
	const M = 2 ** 32;
	const exact: [number, number][] = [
		[1, (M + 1) / (2 * M)],
		[2, ((M + 1) * (2 * M + 1)) / (6 * M * M)],
		[3, (M + 1) ** 2 / (4 * M * M)],
	];
	for (const [b, mean] of exact) expect(logMomentBound(GUMBEL, -b)).toBeGreaterThan(Math.log(mean));
});

test('scores are lowered by less than 2^-30, and never raised', () => {
	const next = randomSource(5);
	const alpha = 0.3;
	for (let i = 0; i < 20_000; i++) {
		const words = [next() * 2 ** 32, i < 100 ? i : 2 ** 32 - 1 - i] as const;
		for (const grid of [word32, float24]) {
			const [a, b] = words.map((word) => grid.complement(Math.floor(word)));
			const [x, y] = [negLnScore(a), negLnScore(b)];
			const lowered = -Math.log(a) - x / SCORE_UNIT;
			expect(lowered).toBeGreaterThan(-1e-15);
			expect(lowered).toBeLessThan(2 ** -30);
			// As the scheme with two keys has it.
			const both = Math.max(0, Math.floor((1 - alpha) * x + alpha * y) - 1) / SCORE_UNIT;
			expect((1 - alpha) * -Math.log(a) + alpha * -Math.log(b) - both).toBeLessThan(2 ** -30);
		}
	}
});

test('where κ ends', () => {
	const two: ScoreLaw = { kind: 'two-exponentials', a: 0.8, b: 0.2, shift: 0 };
	expect(logMomentBound(GUMBEL, 1)).toBe(Infinity);
	expect(logMomentBound(GUMBEL, 0.999)).toBeCloseTo(Math.log(1000), 6);
	expect(logMomentBound(two, 1.25)).toBe(Infinity);
	expect(logMomentBound(two, 1.2)).toBeCloseTo(-Math.log(0.04) - Math.log(0.76), 12);
	expect(logMomentBound(two, -1)).toBeCloseTo(-Math.log(1.8) - Math.log(1.2), 6);
	expect(largestTilt({ kind: 'bernoulli', p: 0.5, trials: 1 })).toBe(Infinity);
});

test('a weight of 0 costs nothing, and no negative weight costs more than nothing', () => {
	for (const shift of [0, 2 ** -24]) {
		const law: ScoreLaw = { kind: 'exponential', shift };
		expect(logMomentBound(law, 0)).toBe(0);
		for (let b = 1e-12; b < 1e6; b *= 10) expect(logMomentBound(law, -b)).toBeLessThanOrEqual(0);
	}
});

test('yes/no scores: exact for tilts of any size', () => {
	for (const a of [-800, -40, -1, -1e-9, 1e-9, 2, 35, 800]) {
		// 60 digits, by mpmath, are not needed: one of the two forms never cancels.
		const want = a > 0 ? a + Math.log(0.25 + 0.75 * Math.exp(-a)) : Math.log1p(0.25 * Math.expm1(a));
		expect(logMomentBound({ kind: 'bernoulli', p: 0.25, trials: 3 }, a)).toBeCloseTo(3 * want, 12);
	}
	const weights = [3, 1, 0.5];
	const product = weights.reduce((sum, w) => sum + Math.log(0.6 + 0.4 * Math.exp(0.7 * w)), 0);
	expect(logMomentBound({ kind: 'weighted-bernoulli', p: 0.4, weights }, 0.7)).toBeCloseTo(product, 13);
});

test('cumulants of tilted scores are derivatives of κ', () => {
	const laws: ScoreLaw[] = [
		{ kind: 'bernoulli', p: 0.3, trials: 2 },
		{ kind: 'weighted-bernoulli', p: 0.4, weights: [2, 1] },
		{ kind: 'exponential', shift: 0 },
		{ kind: 'two-exponentials', a: 0.7, b: 0.3, shift: 0 },
	];
	const h = 1e-3;
	for (const law of laws)
		for (const a of [-1.5, -0.2, 0.1, 0.8]) {
			const at = (k: number) => tiltedCumulants(law, a + k * h);
			const here = at(0);
			expect((at(1).log - at(-1).log) / (2 * h) / here.mean).toBeCloseTo(1, 2);
			expect((at(1).mean - at(-1).mean) / (2 * h) / here.variance).toBeCloseTo(1, 2);
			expect((at(1).variance - at(-1).variance) / (2 * h) / here.third).toBeCloseTo(1, 2);
		}
});
