/** Averages, products and looks. */
import { expect, it } from 'vitest';
import {
	logAverageE,
	logEAtLook,
	logProductE,
	newWeightedSum,
	weightedScore,
} from '../../src/stats/index.js';
import { randomSource } from './random.js';
import { heavyWeights, upperEdge } from './random-scores.js';

it('average and product', () => {
	expect(logAverageE([Math.log(3), Math.log(1), -Infinity])).toBeCloseTo(Math.log(4 / 3), 14);
	expect(logAverageE([5000, 0])).toBeCloseTo(5000 - Math.LN2, 10);
	expect(logProductE([2, -3, 4])).toBe(3);
	expect(logProductE([2, -Infinity])).toBe(-Infinity);
	expect(logAverageE([])).toBe(0);
	expect(logProductE([])).toBe(0);
});

it('shares of the looks add up to 1', () => {
	let sum = 0;
	for (let look = 1; look <= 1000; look++) sum += Math.exp(logEAtLook(0, look));
	expect(sum).toBeCloseTo(1 - 1 / 1001, 12);
});

it('looks with new weights for all scores so far: stopping at the first that reaches 20', () => {
	const law = { kind: 'exponential', shift: 0 } as const;
	const next = randomSource(20_261_230);
	// Weights of each look, made without scores; each look weighs all scores anew.
	const looks = Array.from({ length: 8 }, (_, k) => {
		const weights = heavyWeights(25 * (k + 1), next);
		return { weights, sum: newWeightedSum(law, weights) };
	});
	const runs = 3000;
	let [corrected, bare] = [0, 0];
	for (let run = 0; run < runs; run++) {
		const scores = Float64Array.from({ length: 200 }, () => -Math.log(1 - next()));
		const logEs = looks.map(({ weights, sum }) =>
			sum.logE(weightedScore(weights, scores.subarray(0, weights.length))),
		);
		if (logEs.some((logE, k) => logEAtLook(logE, k + 1) >= Math.log(20))) corrected++;
		if (logEs.some((logE) => logE >= Math.log(20))) bare++;
	}
	expect(corrected).toBeLessThanOrEqual(upperEdge(runs, 0.05));
	expect(bare).toBeGreaterThan(corrected);
});

it.each([
	() => logAverageE([Number.NaN]),
	() => logProductE([Infinity]),
	() => logEAtLook(1, 0),
	() => logEAtLook(1, 1.5),
])('refused: %s', (call) => {
	expect(call).toThrow(RangeError);
});
