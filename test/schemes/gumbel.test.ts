import chiSquareCdf from '@stdlib/stats-base-dists-chisquare-cdf';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Random, randomStream } from '../../src/embed/random.js';
import { chacha8 } from '../../src/prf/chacha8.js';
import { philox } from '../../src/prf/philox.js';
import { plainPrf } from '../../src/prf/plain.js';
import type { Prf } from '../../src/prf/prf.js';
import { SCORE_UNIT } from '../../src/schemes/fixed-log.js';
import { float24, type Grid, gumbel, word32 } from '../../src/schemes/gumbel.js';
import { type Scheme, scoreOfWindow } from '../../src/schemes/scheme.js';

/** The seeds are fixed; a correct source fails a chi-square test here with this probability over seeds. */
const ERROR_RATE = 1e-3;

const bytes = (random: Random, length: number) =>
	Uint8Array.from({ length }, () => Math.floor(256 * random.next()));

function draw(scheme: Scheme, context: readonly number[], logits: Float32Array): number {
	if (scheme.draw === undefined) throw new Error('gumbel draws');
	return scheme.draw(context, logits, { next: () => 0 });
}

function softmax(logits: Float32Array, temperature = 1): number[] {
	const weights = Array.from(logits, (logit) => Math.exp(logit / temperature));
	const total = weights.reduce((sum, weight) => sum + weight);
	return weights.map((weight) => weight / total);
}

/** p-value of Pearson's test that `counts` come from these probabilities; 0 when the impossible occurred. */
function chiSquareP(counts: readonly number[], probabilities: readonly number[]): number {
	const total = counts.reduce((sum, count) => sum + count);
	let statistic = 0;
	let cells = 0;
	for (const [i, p] of probabilities.entries()) {
		if (p === 0 && counts[i] > 0) return 0;
		if (p === 0) continue;
		statistic += (counts[i] - p * total) ** 2 / (p * total);
		cells++;
	}
	return 1 - chiSquareCdf(statistic, cells - 1);
}

interface Case {
	readonly name: string;
	readonly keyBytes: number;
	readonly grid: Grid;
	readonly create: (key: Uint8Array) => Prf;
}
const HARDENED: Case = { name: 'chacha8 and word32', keyBytes: 32, grid: word32, create: chacha8 };
const VLLM: Case = { name: 'philox and float24', keyBytes: 8, grid: float24, create: philox };

/** Dense: the whole keystream is computed. Sparse, as after top-k: candidates one by one. */
const DENSE = Float32Array.of(0.3, -1, 2, -Infinity, 1.1, 0, -0.4, 1.9, -2, 0.5);
const SPARSE = new Float32Array(200).fill(-Infinity);
[
	[3, 1.5],
	[77, 0],
	[78, 2],
	[120, -0.7],
	[199, 1],
].forEach(([token, logit]) => {
	SPARSE[token] = logit;
});

describe.each([HARDENED, VLLM])('draw, $name', ({ name, keyBytes, grid, create }) => {
	test.each([
		['all tokens but one', DENSE],
		['few candidates', SPARSE],
	])('over random keys is a draw from softmax: %s', (which, logits) => {
		const random = randomStream(`${name}, ${which}`);
		const counts = new Array<number>(logits.length).fill(0);
		const context = [17, 4, 250, 9];
		for (let i = 0; i < 20_000; i++)
			counts[draw(gumbel(create(bytes(random, keyBytes)), grid, 4), context, logits)]++;
		expect(chiSquareP(counts, softmax(logits))).toBeGreaterThan(ERROR_RATE);
		// The same counts would show a distribution that is off by a tenth of the temperature.
		expect(chiSquareP(counts, softmax(logits, 1.1))).toBeLessThan(1e-6);
	});
	test('over random contexts of one key is a draw from softmax', () => {
		const random = randomStream(`${name}, contexts`);
		const scheme = gumbel(create(bytes(random, keyBytes)), grid, 4);
		const counts = new Array<number>(DENSE.length).fill(0);
		for (let i = 0; i < 20_000; i++) {
			const context = Array.from({ length: 4 }, () => Math.floor(32_000 * random.next()));
			counts[draw(scheme, context, DENSE)]++;
		}
		expect(chiSquareP(counts, softmax(DENSE))).toBeGreaterThan(ERROR_RATE);
	});
	test('is the token with the largest logit + noise', () => {
		const logit = fc.oneof(
			{ weight: 2, arbitrary: fc.float({ min: -20, max: 20, noNaN: true }) },
			// Nearly even logits, where the best two are close.
			{ weight: 6, arbitrary: fc.constantFrom(19, 19.125, 19.25) },
			{ weight: 1, arbitrary: fc.constant(-Infinity) },
		);
		const logitsOf = (size: number) => fc.array(logit, { minLength: size, maxLength: size });
		fc.assert(
			fc.property(
				fc.uint8Array({ minLength: keyBytes, maxLength: keyBytes }),
				fc.array(fc.nat(50_000), { minLength: 4, maxLength: 4 }),
				fc.integer({ min: 1, max: 80 }).chain(logitsOf),
				fc.nat(2000),
				fc.nat(79),
				(key, context, values, excluded, sure) => {
					// Excluded tokens behind the candidates bring the sparse branch in.
					const logits = new Float32Array(values.length + excluded).fill(-Infinity);
					logits.set(values);
					logits[sure % values.length] = 0;
					const prf = create(key);
					let best = -1;
					let most = -Infinity;
					logits.forEach((value, token) => {
						const noise = -Math.log(-Math.log(grid.uniform(prf.field(context, token, 32))));
						if (value + noise > most) {
							best = token;
							most = value + noise;
						}
					});
					expect(draw(gumbel(prf, grid, 4), context, logits)).toBe(best);
				},
			),
			{ seed: 20_261_127, numRuns: 400 },
		);
	});
	test('leaves the logits as they are', () => {
		const logits = DENSE.slice();
		draw(gumbel(create(new Uint8Array(keyBytes)), grid, 4), [1, 2, 3, 4], logits);
		expect(logits).toEqual(DENSE);
	});
	test('what is drawn scores high, and what is not a little below 1', () => {
		const random = randomStream(`${name}, scores`);
		const flat = new Float32Array(64);
		let drawn = 0;
		let other = 0;
		const runs = 2000;
		for (let i = 0; i < runs; i++) {
			const scheme = gumbel(create(bytes(random, keyBytes)), grid, 4);
			const context = [1, 2, 3, 4];
			const token = draw(scheme, context, flat);
			drawn += scoreOfWindow(scheme, context, token) / SCORE_UNIT;
			other += scoreOfWindow(scheme, context, (token + 1) % 64) / SCORE_UNIT;
		}
		// 1 − u of the winner among n equal tokens is Beta(1, n): its −ln has mean H_64 = 4.744, deviation 1.28.
		expect(Math.abs(drawn / runs - 4.744)).toBeLessThan(4 * (1.28 / Math.sqrt(runs)));
		// A loser's u is that of an average token less the winner's: mean (64 − 4.744) / 63.
		expect(Math.abs(other / runs - 0.9406)).toBeLessThan(4 / Math.sqrt(runs));
	});
});

describe('law of the score', () => {
	/** A PRF that gives this word, to see a scheme's score of every word. */
	const constant = (word: number): Prf => plainPrf({ field: () => word, fields: () => undefined });

	test('word32: P(score ≥ s) ≤ e^-s at every s, by the exact tail of each word on a grid', () => {
		const random = randomStream('word32');
		const grid = [0, 1, 2, 2 ** 31, 2 ** 32 - 1, 2 ** 32 - 2];
		for (let i = 0; i < 100_000; i++) grid.push(Math.floor(2 ** 32 - 2 ** (32 * random.next())));
		expect(gumbel(constant(0), word32, 1).null).toEqual({ kind: 'exponential', shift: 0 });
		let worst = -Infinity;
		for (const word of grid) {
			const score = scoreOfWindow(gumbel(constant(word), word32, 1), [0], 0) / SCORE_UNIT;
			// Scores rise with the word (fixed-log.test.ts), so P(score ≥ this one) ≥ P(word or above), and equal
			// at the first word with this score. −ln of that tail, in double, errs by less than 2^-47.
			const tail = (2 ** 32 - word) / 2 ** 32;
			worst = Math.max(worst, score + Math.log(tail));
		}
		expect(worst).toBeLessThanOrEqual(0);
		expect(worst).toBeGreaterThan(-(2 ** -31));
	});

	test('float24: Exp(1) + 2^-24 bounds all 2^24 values, and Exp(1) + 2^-25 does not', () => {
		const scheme = (word: number) => gumbel(constant(word), float24, 1);
		const law = scheme(0).null;
		if (law.kind !== 'exponential') throw new Error('gumbel scores are exponential');
		expect(law.shift).toBe(2 ** -24);
		// The word of a token; many tokens a call.
		const { scores } = gumbel(
			plainPrf({ field: (_, value) => value * 256 + (value & 255), fields: () => undefined }),
			float24,
			1,
		);
		const BATCH = 4096;
		const rows = new Uint32Array(2 * BATCH);
		const out = new Float64Array(BATCH);
		// From the highest value down: when a score was seen for the last time, `atLeast` values reach it.
		let worst = -Infinity;
		let current = Infinity;
		let atLeast = 0;
		const close = () => {
			if (atLeast > 0) worst = Math.max(worst, Math.log(atLeast / 2 ** 24) + current / SCORE_UNIT);
		};
		for (let from = 2 ** 24; from > 0; from -= BATCH) {
			for (let i = 0; i < BATCH; i++) rows[2 * i + 1] = from - 1 - i;
			scores(rows, BATCH, out);
			for (const [i, units] of out.entries()) {
				if (units > current) expect.unreachable(`the score of ${from - 1 - i} falls`);
				if (units < current) close();
				current = units;
				atLeast++;
			}
		}
		close();
		expect(atLeast).toBe(2 ** 24);
		expect(worst).toBeLessThanOrEqual(2 ** -24);
		expect(worst).toBeGreaterThan(2 ** -25);
	});
	test('the drawing uniforms lie strictly between 0 and 1, the complements in (0, 1]', () => {
		for (const grid of [word32, float24])
			for (const word of [0, 1, 255, 256, 2 ** 31, 2 ** 32 - 257, 2 ** 32 - 256, 2 ** 32 - 1]) {
				expect(grid.uniform(word)).toBeGreaterThan(0);
				expect(grid.uniform(word)).toBeLessThan(1);
				expect(grid.complement(word)).toBeGreaterThan(0);
				expect(grid.complement(word)).toBeLessThanOrEqual(1);
			}
	});
});
