import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
	log1mExp,
	logBinomialLowerTail,
	logBinomialUpperTail,
	logGammaLowerTail,
	logGammaUpperTail,
} from '../../src/stats/tails.js';

interface Vectors {
	binomial: { kind: string; hits: number; trials: number; p: number; upper: string; lower: string }[];
	gamma: { kind: string; shape: number; x: number; upper: string; lower: string }[];
}
const vectors: Vectors = JSON.parse(readFileSync(new URL('../vectors/tails.json', import.meta.url), 'utf8'));

/** Relative tolerance of every logarithm against the 70-digit reference. */
const TOLERANCE = 2e-13;

/** And where log10 p is −5000 or below. */
const DEEP_TOLERANCE = 1e-15;

function expectClose(got: number, reference: string): void {
	const want = Number(reference);
	// The + 0 makes 0 of a reference that underflows to −0.
	if (want === 0 || !Number.isFinite(want)) expect(got).toBe(want + 0);
	else expect(Math.abs(got / want - 1)).toBeLessThan(want < -11_500 ? DEEP_TOLERANCE : TOLERANCE);
}

describe('golden values', () => {
	test.each(vectors.binomial)('binomial, $kind: $hits of $trials at $p', (v) => {
		expectClose(logBinomialUpperTail(v.hits, v.trials, v.p), v.upper);
		expectClose(logBinomialLowerTail(v.hits, v.trials, v.p), v.lower);
	});
	test.each(vectors.gamma)('gamma, $kind: shape $shape at $x', (v) => {
		expectClose(logGammaUpperTail(v.shape, v.x), v.upper);
		expectClose(logGammaLowerTail(v.shape, v.x), v.lower);
	});
});

describe('edges', () => {
	test('more hits than trials', () => {
		expect(logBinomialUpperTail(11, 10, 0.5)).toBe(-Infinity);
		expect(logBinomialLowerTail(11, 10, 0.5)).toBe(0);
	});
	test('very large x', () => {
		expect(logGammaUpperTail(1, 1e308)).toBe(-1e308);
		expect(logGammaLowerTail(1e9, 1e308)).toBe(0);
	});
	test.each([
		() => logBinomialUpperTail(-1, 10, 0.5),
		() => logBinomialUpperTail(1.5, 10, 0.5),
		() => logBinomialUpperTail(1, -1, 0.5),
		() => logBinomialUpperTail(1, Number.NaN, 0.5),
		() => logBinomialUpperTail(1, 2e12, 0.5),
		() => logBinomialLowerTail(1, 10, 1.1),
		() => logBinomialLowerTail(1, 10, Number.NaN),
		() => logGammaUpperTail(1.5, 1),
		() => logGammaUpperTail(1, -1),
		() => logGammaUpperTail(1, Infinity),
		() => logGammaLowerTail(1, Number.NaN),
		() => log1mExp(0.1),
		() => log1mExp(Number.NaN),
	])('out of range: %s', (call) => {
		expect(call).toThrow(RangeError);
	});
	test('log1mExp', () => {
		expect(log1mExp(0)).toBe(-Infinity);
		expect(log1mExp(-Infinity)).toBe(0);
		expect(log1mExp(-1000)).toBe(0);
		expect(log1mExp(-1e-20)).toBe(Math.log(1e-20));
		expect(log1mExp(-Math.LN2)).toBeCloseTo(-Math.LN2, 15);
	});
});

const probability = fc.double({ min: 0, max: 1, noNaN: true });
const bernoulli = fc
	.integer({ min: 0, max: 5000 })
	.chain((trials) => fc.tuple(fc.integer({ min: 0, max: trials }), fc.constant(trials), probability));
const gamma = fc.tuple(fc.integer({ min: 0, max: 5000 }), fc.double({ min: 0, max: 20_000, noNaN: true }));

describe('properties', () => {
	test('the two sides add up to 1', () => {
		fc.assert(
			fc.property(bernoulli, ([hits, trials, p]) => {
				const sum =
					Math.exp(logBinomialUpperTail(hits + 1, trials, p)) +
					Math.exp(logBinomialLowerTail(hits, trials, p));
				expect(Math.abs(sum - 1)).toBeLessThan(1e-13);
			}),
		);
		fc.assert(
			fc.property(gamma, ([shape, x]) => {
				const sum = Math.exp(logGammaUpperTail(shape, x)) + Math.exp(logGammaLowerTail(shape, x));
				// At shape 0 and x = 0 the whole mass is on the point, which both tails include.
				if (shape > 0 || x > 0) expect(Math.abs(sum - 1)).toBeLessThan(1e-13);
			}),
		);
	});
	test('tails fall with what they are tails of, and rise with the probability', () => {
		fc.assert(
			fc.property(bernoulli, probability, ([hits, trials, p], p2) => {
				const tail = logBinomialUpperTail(hits, trials, p);
				expect(tail).toBeLessThanOrEqual(0);
				expect(logBinomialUpperTail(hits + 1, trials, p)).toBeLessThanOrEqual(tail);
				const other = logBinomialUpperTail(hits, trials, Math.max(p, p2));
				expect(other).toBeGreaterThanOrEqual(tail - 1e-13 * (1 + Math.abs(tail)));
			}),
		);
		fc.assert(
			fc.property(gamma, fc.double({ min: 0, max: 100, noNaN: true }), ([shape, x], more) => {
				const tail = logGammaUpperTail(shape, x);
				expect(tail).toBeLessThanOrEqual(0);
				expect(logGammaUpperTail(shape, x + more) + tail * 1e-13).toBeLessThanOrEqual(tail + 1e-13);
				expect(logGammaUpperTail(shape + 1, x)).toBeGreaterThanOrEqual(tail);
			}),
		);
	});
	test('counting misses instead of hits gives the same tail', () => {
		fc.assert(
			// A p whose complement is exact.
			fc.property(bernoulli, fc.integer({ min: 0, max: 1024 }), ([hits, trials], k) => {
				const a = logBinomialUpperTail(hits, trials, k / 1024);
				const b = logBinomialLowerTail(trials - hits, trials, 1 - k / 1024);
				if (a !== b) expect(Math.abs(a / b - 1)).toBeLessThan(1e-12);
			}),
		);
	});
	test('small cases equal the sum over all outcomes', () => {
		for (const p of [0.5, 0.25, 0.03, 0.9]) {
			for (let trials = 0; trials <= 20; trials++) {
				let tail = 0;
				let choose = 1;
				for (let hits = trials; hits >= 0; hits--) {
					tail += choose * p ** hits * (1 - p) ** (trials - hits);
					choose = (choose * hits) / (trials - hits + 1);
					expect(Math.abs(Math.exp(logBinomialUpperTail(hits, trials, p)) / tail - 1)).toBeLessThan(1e-13);
				}
			}
		}
	});
});
