import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lastBelow } from '../../src/stats/bisect.js';
import { logGoodnessOfFit } from '../../src/stats/goodness-of-fit.js';
import { logGammaUpperTail } from '../../src/stats/tails.js';
import { randomSource } from './random.js';

const vectors: { cases: { n: number; statistic: number; upper: string }[] } = JSON.parse(
	readFileSync(new URL('../vectors/goodness-of-fit-tails.json', import.meta.url), 'utf8'),
);

/** n·KL(i/n ‖ p). */
const deviance = (i: number, n: number, p: number) =>
	i * Math.log(i / n / p) + (n - i) * (Math.log1p(-i / n) - Math.log1p(-p));

/** p-values with a given statistic: one small one, all others 1. */
function withStatistic(n: number, statistic: number): number[] {
	const low = Math.exp(-statistic - 2) / n;
	const small = lastBelow(low, 1 / n, (p) => statistic - deviance(1, n, p), low, low);
	return [small, ...new Array<number>(n - 1).fill(1)];
}

/** The sum test: the scores −ln p add up to Gamma(n). */
const logSumTest = (pValues: readonly number[]) =>
	logGammaUpperTail(
		pValues.length,
		pValues.reduce((sum, p) => sum - Math.log(p), 0),
	);

describe('golden', () => {
	test.each(vectors.cases)('$n p-values, $statistic', ({ n, statistic, upper }) => {
		const got = logGoodnessOfFit(withStatistic(n, statistic));
		expect(Math.abs(got.statistic - statistic)).toBeLessThan(1e-12 * (1 + statistic));
		const error = got.logP / Number(upper) - 1;
		expect(Math.abs(error)).toBeLessThan(1e-9);
	});
	test('two in closed form', () => {
		for (const p of [0.3, 0.01, 1e-10, 1e-20]) {
			expect(logGoodnessOfFit([1, p]).logP).toBeCloseTo(Math.log(2 * p - p * p), 9);
		}
	});
});

describe('edges', () => {
	test('nothing small', () => {
		expect(logGoodnessOfFit([])).toEqual({ statistic: 0, logP: 0 });
		expect(logGoodnessOfFit([0])).toEqual({ statistic: 0, logP: 0 });
		expect(logGoodnessOfFit([0.6, 1, 1, 1])).toEqual({ statistic: 0, logP: 0 });
		expect(logGoodnessOfFit(new Array<number>(9000).fill(1))).toEqual({ statistic: 0, logP: 0 });
	});
	test('p-values of 0', () => {
		const { logP } = logGoodnessOfFit(new Float64Array(100));
		expect(logP).toBeLessThan(-30_000);
		expect(logP).toBeGreaterThan(-Infinity);
		expect(logGoodnessOfFit([0, 1]).logP).toBeCloseTo(Math.log(2e-300), 0);
	});
	test('the input keeps its order', () => {
		const values = [0.9, 0.1, 0.5, 0.2];
		logGoodnessOfFit(values);
		expect(values).toEqual([0.9, 0.1, 0.5, 0.2]);
	});
	test.each([[[0.5, -0.1]], [[0.5, 1.1]], [[0.5, Number.NaN]], [[Number.NaN]]])(
		'out of range: %j',
		(values) => {
			expect(() => logGoodnessOfFit(values)).toThrow(RangeError);
		},
	);
	test('goes on into the far tail', () => {
		let last = 0;
		for (const scale of [1, 1e-1, 1e-2, 1e-4, 1e-8, 1e-16, 1e-64]) {
			const { logP } = logGoodnessOfFit(Array.from({ length: 300 }, (_, i) => ((i + 1) / 300) * scale));
			expect(logP).toBeLessThanOrEqual(last);
			last = logP;
		}
		expect(last / Math.LN10).toBeLessThan(-5000);
	});
});

test('smaller p-values never make it weaker', () => {
	fc.assert(
		fc.property(
			fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 60 }),
			fc.nat(59),
			fc.double({ min: 0, max: 1, noNaN: true }),
			(values, at, factor) => {
				const { statistic, logP } = logGoodnessOfFit(values);
				const lowered = logGoodnessOfFit(values.map((p, i) => (i === at % values.length ? p * factor : p)));
				expect(lowered.statistic).toBeGreaterThanOrEqual(statistic * (1 - 1e-12));
				// Where the bound takes over from the exact sum it steps up by up to a factor of 1.1 at this size.
				expect(lowered.logP).toBeLessThanOrEqual(logP + 0.1);
			},
		),
	);
});

describe('calibration', () => {
	const rates = (
		n: number,
		runs: number,
		seed: number,
		levels: readonly number[],
		draw = (u: number) => u,
	) => {
		const random = randomSource(seed);
		const logs = Array.from(
			{ length: runs },
			() => logGoodnessOfFit(Array.from({ length: n }, () => draw(random()))).logP,
		);
		return levels.map((level) => logs.filter((log) => log <= Math.log(level)).length);
	};
	test.each([2, 3, 10, 50, 400])('%i uniforms: rates are nominal', (n) => {
		const runs = n > 100 ? 1000 : 4000;
		const levels = [0.5, 0.1, 0.01];
		rates(n, runs, n, levels).forEach((count, i) => {
			const level = levels[i]!;
			expect(Math.abs(count - runs * level)).toBeLessThan(4 * Math.sqrt(runs * level * (1 - level)));
		});
	});
	test('words of a keystream, rounded up: rates are no higher', () => {
		const levels = [0.5, 0.1, 0.01];
		rates(100, 2000, 8, levels, (u) => Math.ceil(u * 16) / 16).forEach((count, i) => {
			expect(count).toBeLessThan(2000 * levels[i]! + 4 * Math.sqrt(2000 * levels[i]!));
		});
	});
	test('the bound for many p-values: rates are lower', () => {
		const [half, tenth] = rates(6000, 200, 9, [0.5, 0.1]);
		expect(half).toBeLessThan(100);
		expect(tenth).toBeLessThan(20);
	});
});

describe('power', () => {
	const reached = (share: number, exponent: number, n: number, seed: number) => {
		const random = randomSource(seed);
		let fit = 0;
		let sum = 0;
		for (let run = 0; run < 100; run++) {
			const values = Array.from({ length: n }, () =>
				random() < share ? (random() + 2 ** -33) ** exponent : random() + 2 ** -33,
			);
			if (logGoodnessOfFit(values).logP <= Math.log(1e-6)) fit++;
			if (logSumTest(values) <= Math.log(1e-6)) sum++;
		}
		return { fit, sum };
	};
	test('few and strong among many: beats the sum', () => {
		const { fit, sum } = reached(0.03, 8, 500, 1);
		expect(fit).toBeGreaterThan(sum + 30);
	});
	test('all a little marked: the sum is better', () => {
		const { fit, sum } = reached(1, 1.35, 500, 2);
		expect(sum).toBeGreaterThanOrEqual(fit);
	});
});
