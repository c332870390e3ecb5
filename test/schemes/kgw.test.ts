import chiSquareCdf from '@stdlib/stats-base-dists-chisquare-cdf';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { randomStream } from '../../src/embed/random.js';
import { chacha8 } from '../../src/prf/chacha8.js';
import { SCORE_UNIT } from '../../src/schemes/fixed-log.js';
import { kgw } from '../../src/schemes/kgw.js';
import { scoreOfWindow } from '../../src/schemes/scheme.js';

/** The seeds are fixed; a correct source fails a chi-square test here with this probability over seeds. */
const ERROR_RATE = 1e-3;

const random = randomStream('kgw');
const newKey = () => Uint8Array.from({ length: 32 }, () => Math.floor(256 * random.next()));
const bind = (gamma: number, key: Uint8Array, delta = 2, width = 1) =>
	kgw({ name: 'kgw', gamma, delta }, width, chacha8(key), chacha8(key));

/** p-value of Pearson's test; `fitted` probabilities were estimated from the counts. */
function chiSquareP(counts: readonly number[], expected: readonly number[], fitted = 0): number {
	const statistic = counts.reduce((sum, count, i) => sum + (count - expected[i]) ** 2 / expected[i], 0);
	return 1 - chiSquareCdf(statistic, counts.length - 1 - fitted);
}

describe.each([1 / 256, 0.25, 0.5, 200 / 256])('gamma %d', (gamma) => {
	test('is the share of green tokens over keys, contexts and tokens', () => {
		const total = 40_000;
		let green = 0;
		for (let i = 0; i < total / 100; i++) {
			const scheme = bind(gamma, newKey());
			expect(scheme.null).toEqual({ kind: 'bernoulli', p: gamma, trials: 1 });
			for (let j = 0; j < 100; j++) {
				const score = scoreOfWindow(
					scheme,
					[Math.floor(50_000 * random.next())],
					Math.floor(50_000 * random.next()),
				);
				if (score !== 0 && score !== SCORE_UNIT) expect.unreachable(`a score of ${score}`);
				green += score / SCORE_UNIT;
			}
		}
		const p = chiSquareP([green, total - green], [gamma * total, (1 - gamma) * total]);
		expect(p).toBeGreaterThan(ERROR_RATE);
	});
	test('tilt adds delta to exactly the tokens whose score is green', () => {
		fc.assert(
			fc.property(
				fc.uint8Array({ minLength: 32, maxLength: 32 }),
				fc.array(fc.nat(50_000), { minLength: 1, maxLength: 5 }),
				fc.array(fc.oneof(fc.float({ min: -50, max: 50, noNaN: true }), fc.constant(-Infinity)), {
					minLength: 2,
					maxLength: 300,
				}),
				fc.constantFrom(0.5, 2, 3.25),
				(key, context, values, delta) => {
					const scheme = bind(gamma, key, delta, context.length);
					const logits = Float32Array.from(values);
					scheme.tilt?.(context, logits);
					const expected = values.map((value, token) =>
						scoreOfWindow(scheme, context, token) === SCORE_UNIT ? Math.fround(value + delta) : value,
					);
					expect([...logits]).toEqual([...Float32Array.from(expected)]);
				},
			),
			{ seed: 20_261_128, numRuns: 60 },
		);
	});
});

describe('independence at gamma 1/4', () => {
	/** Counts of (red, red), (red, green), (green, red), (green, green). */
	function pairTable(pairs: number, draw: () => [boolean, boolean]): number[] {
		const table = [0, 0, 0, 0];
		for (let i = 0; i < pairs; i++) {
			const [a, b] = draw();
			table[2 * Number(a) + Number(b)]++;
		}
		return table;
	}
	const isGreen = (key: Uint8Array, context: number[], token: number) =>
		scoreOfWindow(bind(0.25, key), context, token) > 0;
	const id = () => Math.floor(50_000 * random.next());
	const independent = [9 / 16, 3 / 16, 3 / 16, 1 / 16].map((p) => 10_000 * p);

	test('of neighbouring tokens, contexts that differ in one id, and keys that differ in one bit', () => {
		const tables = {
			tokens: pairTable(10_000, () => {
				const key = newKey();
				const [context, token] = [[id()], id()];
				return [isGreen(key, context, token), isGreen(key, context, token + 1)];
			}),
			contexts: pairTable(10_000, () => {
				const key = newKey();
				const [context, token] = [id(), id()];
				return [isGreen(key, [context], token), isGreen(key, [context + 1], token)];
			}),
			keys: pairTable(10_000, () => {
				const key = newKey();
				const near = key.slice();
				near[31] ^= 1;
				const [context, token] = [[id()], id()];
				return [isGreen(key, context, token), isGreen(near, context, token)];
			}),
		};
		for (const [name, table] of Object.entries(tables))
			expect(chiSquareP(table, independent), name).toBeGreaterThan(ERROR_RATE);
		// What the test would see, were a twentieth of the pairs the same coin.
		const dependent = pairTable(10_000, () => {
			const a = random.next() < 0.25;
			return [a, random.next() < 0.05 ? a : random.next() < 0.25];
		});
		expect(chiSquareP(dependent, independent)).toBeLessThan(ERROR_RATE);
	});
	test('the number of green tokens in a vocabulary is binomial, not fixed', () => {
		const size = 400;
		const counts = Array.from({ length: 2000 }, () => {
			const logits = new Float32Array(size);
			bind(0.25, newKey(), 1).tilt?.([7], logits);
			return logits.reduce((sum, logit) => sum + logit, 0);
		});
		const mean = counts.reduce((sum, count) => sum + count) / counts.length;
		const variance = counts.reduce((sum, count) => sum + (count - mean) ** 2, 0) / (counts.length - 1);
		// Binomial(400, ¼): mean 100, variance 75; four standard errors each.
		expect(Math.abs(mean - 100)).toBeLessThan(4 * Math.sqrt(75 / 2000));
		expect(Math.abs(variance - 75)).toBeLessThan(4 * 75 * Math.sqrt(2 / 2000));
	});
});
