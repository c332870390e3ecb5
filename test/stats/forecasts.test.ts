import { describe, expect, it } from 'vitest';
import {
	bernoulliForecast,
	deviationForecast,
	exponentialForecast,
	type Forecast,
	queriesFor,
	signForecast,
} from '../../src/stats/forecasts.js';
import { logEBernoulli, logEExponential, logESigns, newWeightedSum } from '../../src/stats/index.js';
import { randomSource } from './random.js';

/** A simulated test: ln e of n scores. */
type Simulated = (n: number, next: () => number) => number;

const normal = (next: () => number) => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
const sumOf = (n: number, one: () => number) => {
	let sum = 0;
	for (let i = 0; i < n; i++) sum += one();
	return sum;
};

const WEIGHTS = (() => {
	const next = randomSource(5);
	return Float64Array.from({ length: 1500 }, () => normal(next));
})();
const LAW = { kind: 'bernoulli', p: 0.5, trials: 1 } as const;
const SUM = newWeightedSum(LAW, WEIGHTS);
/** ln e of the weights above, each score shifted in proportion to its weight so that T lies z standard deviations high. */
function weighted(z: number, next: () => number): number {
	const shift = z / Math.sqrt(WEIGHTS.reduce((sum, w) => sum + w * w, 0)) / 2;
	return SUM.logE(WEIGHTS.reduce((sum, w) => sum + (next() < 0.5 + shift * w ? w : 0), 0));
}

const CASES: readonly (readonly [string, Forecast, number, number, Simulated])[] = [
	[
		'green lists',
		bernoulliForecast(0.25, 0.33),
		1000,
		2000,
		(n, next) =>
			logEBernoulli(
				sumOf(n, () => (next() < 0.33 ? 1 : 0)),
				n,
				0.25,
			),
	],
	[
		'tournaments of four layers',
		bernoulliForecast(0.5, 0.55, 4),
		900,
		2000,
		(n, next) =>
			logEBernoulli(
				sumOf(4 * n, () => (next() < 0.55 ? 1 : 0)),
				4 * n,
				0.5,
			),
	],
	[
		'gumbel',
		exponentialForecast(1.4),
		250,
		2000,
		(n, next) =>
			logEExponential(
				sumOf(n, () => -1.4 * Math.log(1 - next())),
				n,
			),
	],
	[
		'weighted sums',
		deviationForecast({ of: (n) => 0.25 * Math.sqrt(n), keys: 1, spread: 0 }),
		600,
		600,
		(n, next) => weighted(0.25 * Math.sqrt(n), next),
	],
	[
		'weighted sums under three keys',
		deviationForecast({ of: (n) => 0.25 * Math.sqrt(n), keys: 3, spread: 0 }),
		300,
		1000,
		(n, next) => sumOf(3, () => weighted(0.25 * Math.sqrt(n), next)),
	],
	...[0.75, 0.95].map(
		(preferred) =>
			[
				`signs, ${preferred} preferred`,
				signForecast(preferred),
				preferred === 0.75 ? 90 : 30,
				2000,
				(n: number, next: () => number) => {
					// Φ⁻¹ of the share.
					const mean = preferred === 0.75 ? 0.6745 : 1.6449;
					const pairs = Array.from({ length: n }, () => mean + normal(next));
					return logESigns(pairs.map((d) => ({ positive: d > 0, magnitude: Math.abs(d) })));
				},
			] as const,
	),
];

describe('forecasts beside simulated tests', () => {
	it.each(CASES)('%s: the median e-value, and the chance of a million', (_, forecast, n, runs, simulate) => {
		const next = randomSource(20_261_125);
		const logs = Array.from({ length: runs }, () => simulate(n, next)).sort((a, b) => a - b);
		const mean = logs.reduce((sum, log) => sum + log, 0) / runs;
		const deviation = Math.sqrt(logs.reduce((sum, log) => sum + (log - mean) ** 2, 0) / runs);
		// Four standard errors of a median, and a third of a nat for what an estimate leaves out.
		const tolerance = 0.33 + (4 * 1.26 * deviation) / Math.sqrt(runs);
		expect(Math.abs(logs[runs >> 1] - forecast.logE(n))).toBeLessThan(tolerance);
		expect(tolerance).toBeLessThan(2);
		const wanted = Math.log(1e6);
		const reached = logs.filter((log) => log >= wanted).length / runs;
		// The cases were chosen so that neither outcome is rare.
		expect(reached).toBeGreaterThan(0.2);
		expect(reached).toBeLessThan(0.95);
		expect(Math.abs(reached - forecast.probability(n, wanted))).toBeLessThan(0.08);
	});
});

describe('queriesFor', () => {
	it.each(CASES)('%s: the fewest that are enough, by the forecast itself', (_, forecast) => {
		for (const wanted of [1, Math.log(20), Math.log(1e6), 40]) {
			const n = queriesFor(forecast, wanted) as number;
			expect(forecast.logE(n)).toBeGreaterThanOrEqual(wanted);
			expect(forecast.logE(n - 1)).toBeLessThan(wanted);
		}
	});

	it('is null where no number is enough', () => {
		expect(queriesFor(bernoulliForecast(0.25, 0.25), 1)).toBeNull();
		expect(queriesFor(exponentialForecast(1), 1)).toBeNull();
		expect(queriesFor(deviationForecast({ of: () => 2, keys: 1, spread: 0 }), 10)).toBeNull();
	});

	it('refuses to plan for no evidence', () => {
		expect(() => queriesFor(exponentialForecast(2), 0)).toThrow(RangeError);
	});
});

describe('suspects that differ', () => {
	it('leave the median, and draw every chance towards one half', () => {
		const of = (n: number) => 0.1 * Math.sqrt(n);
		const alike = deviationForecast({ of, keys: 1, spread: 0 });
		const apart = deviationForecast({ of, keys: 1, spread: 0.2 });
		const wanted = Math.log(1e6);
		for (const n of [1500, 2500, 3500, 8000]) {
			expect(apart.logE(n)).toBe(alike.logE(n));
			const [more, less] = [alike, apart].map((forecast) => Math.abs(forecast.probability(n, wanted) - 0.5));
			expect(less).toBeLessThan(more);
		}
	});
});

describe('keys', () => {
	it('multiply only what is evidence by itself', () => {
		const of = (z: number, keys: number) => deviationForecast({ of: () => z, keys, spread: 0 }).logE(1);
		expect(of(5, 3)).toBeCloseTo(3 * of(5, 1), 12);
		expect(of(0.5, 3)).toBe(of(0.5, 1));
		expect(of(0.5, 1)).toBeLessThan(0);
	});
});
