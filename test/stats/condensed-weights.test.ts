/** Few weights in place of many: sums of κ never below, and not far above. */
import { expect, test } from 'vitest';
import { condenseWeights, countWeights } from '../../src/stats/condensed-weights.js';
import { logMomentBound, type ScoreLaw } from '../../src/stats/index.js';
import { randomSource } from './random.js';

const LAWS: ScoreLaw[] = [
	{ kind: 'bernoulli', p: 0.25, trials: 1 },
	{ kind: 'exponential', shift: 0 },
];

test('few weights are kept as they are, 0 left out', () => {
	expect(condenseWeights(countWeights([2, -1, 0, 2]))).toEqual({
		weights: Float64Array.of(2, -1),
		masses: Float64Array.of(2, 1),
	});
});

test.each(LAWS)('$kind: Σκ(θW) from above, over nine orders of magnitude', (law) => {
	const next = randomSource(20_261_201);
	const weights = Array.from({ length: 30_000 }, () => (next() < 0.4 ? -1 : 1) * 10 ** (-9 * next()));
	const { weights: knots, masses } = condenseWeights(countWeights(weights));
	expect(knots.length).toBeLessThan(3800);
	const mean = -logMomentBound(law, 1e-9) * 1e9;
	for (const theta of [0.01, 0.3, 0.97]) {
		const sum = weights.reduce((total, w) => total + logMomentBound(law, theta * w), 0);
		const few = knots.reduce((total, w, k) => total + masses[k] * logMomentBound(law, theta * w), 0);
		// What κ has above its mean part.
		const centred = weights.reduce(
			(total, w) => total + logMomentBound(law, theta * w) + mean * theta * w,
			0,
		);
		expect(few - sum).toBeGreaterThan(-1e-9);
		expect(few - sum).toBeLessThan((theta > 0.9 ? 1e-2 : 1e-4) * centred + 4e-3);
	}
});
