import chiSquareCdf from '@stdlib/stats-base-dists-chisquare-cdf';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomStream } from '../../src/embed/random.js';
import { argmax, SamplingOptions, truncate } from '../../src/embed/sampling.js';
import { scratchRow, softmaxDraw } from '../../src/prf/kernel.js';

const RUN = { seed: 20_261_129, numRuns: 500 };

const logitsArbitrary = fc
	.array(
		fc.oneof(
			{ weight: 5, arbitrary: fc.integer({ min: -40, max: 40 }) },
			{ weight: 1, arbitrary: fc.constant(-Infinity) },
		),
		{
			minLength: 2,
			maxLength: 60,
		},
	)
	// Steps of a quarter, so that ties occur; at least one token is allowed.
	.map((values) => Float32Array.from([0.125, ...values.map((value) => value / 4)]));

function probabilities(logits: Float32Array): number[] {
	const weights = Array.from(logits, (logit) => Math.exp(logit));
	const total = weights.reduce((sum, weight) => sum + weight);
	return weights.map((weight) => weight / total);
}

/** Tokens that are left. */
const left = (logits: Float32Array) => [...logits.keys()].filter((token) => logits[token] > -Infinity);

function truncated(logits: Float32Array, options: Partial<SamplingOptions>): Float32Array {
	const copy = logits.slice();
	truncate(copy, SamplingOptions.parse(options));
	return copy;
}

/** Whatever is cut, the rest is as it was, and no token that is left is less likely than one that was cut. */
function expectTop(before: Float32Array, after: Float32Array): void {
	const kept = left(after);
	for (const token of kept) expect(after[token]).toBe(before[token]);
	const least = Math.min(...kept.map((token) => before[token]));
	for (const [token, logit] of before.entries())
		if (after[token] === -Infinity && logit > -Infinity) expect(logit).toBeLessThan(least);
}

describe('top-k', () => {
	it('keeps the k likeliest tokens, and more only where the last is a tie', () => {
		fc.assert(
			fc.property(logitsArbitrary, fc.integer({ min: 1, max: 70 }), (logits, topK) => {
				const after = truncated(logits, { topK });
				expectTop(logits, after);
				const allowed = left(logits);
				const kept = left(after);
				expect(kept.length).toBeGreaterThanOrEqual(Math.min(topK, allowed.length));
				const last = Math.min(...kept.map((token) => logits[token]));
				expect(kept.filter((token) => logits[token] > last).length).toBeLessThan(topK);
			}),
			RUN,
		);
	});
});

describe('top-p', () => {
	it('keeps the fewest likeliest tokens that reach p, and their ties', () => {
		fc.assert(
			fc.property(logitsArbitrary, fc.double({ min: 0.01, max: 0.99, noNaN: true }), (logits, topP) => {
				const after = truncated(logits, { topP });
				expectTop(logits, after);
				const share = probabilities(logits);
				const kept = left(after);
				expect(kept.reduce((sum, token) => sum + share[token], 0)).toBeGreaterThan(topP - 1e-9);
				// Without the least likely of them p would not be reached.
				const last = Math.min(...kept.map((token) => logits[token]));
				const better = kept.filter((token) => logits[token] > last);
				expect(better.reduce((sum, token) => sum + share[token], 0)).toBeLessThan(topP + 1e-9);
			}),
			RUN,
		);
	});
	it('of 1 keeps everything that has a chance', () => {
		const logits = Float32Array.of(3, 0, -20, -Infinity);
		expect(truncated(logits, { topP: 1 })).toEqual(logits);
	});
	it('counts shares of what top-k left', () => {
		// Probabilities ½, ¼, ⅛, …: after top-k 2 the first has ⅔.
		const logits = Float32Array.from({ length: 8 }, (_, i) => -i * Math.LN2);
		expect(left(truncated(logits, { topK: 2, topP: 0.6 }))).toEqual([0]);
		expect(left(truncated(logits, { topP: 0.6 }))).toEqual([0, 1]);
		expect(left(truncated(logits, { topK: 2, topP: 0.7 }))).toEqual([0, 1]);
	});
});

it('without options nothing is cut', () => {
	fc.assert(
		fc.property(logitsArbitrary, (logits) => {
			expect(truncated(logits, {})).toEqual(logits);
		}),
		RUN,
	);
});

describe('options', () => {
	it('default to temperature 1 and no truncation', () => {
		expect(SamplingOptions.parse({})).toEqual({ temperature: 1 });
	});
	it.each([
		{ temperature: -1 },
		{ temperature: Number.NaN },
		{ temperature: Infinity },
		{ topK: 0 },
		{ topK: 1.5 },
		{ topP: 0 },
		{ topP: 1.1 },
		{ top_p: 0.9 },
	])('%o is refused', (options) => {
		expect(SamplingOptions.safeParse(options).success).toBe(false);
	});
});

/** A draw as the marker makes it. */
function draw(logits: Float32Array, uniform: number): number {
	const row = scratchRow(logits.length);
	row.set(logits);
	return softmaxDraw(row, uniform);
}

describe('drawing', () => {
	it('argmax is the first of the largest', () => {
		expect(argmax(Float32Array.of(-Infinity, 2, 5, 5, 1))).toBe(2);
	});
	it('splits the unit interval among the tokens in their order', () => {
		const logits = Float32Array.of(0, -Infinity, 0, 0, -Infinity, 0, -Infinity);
		expect([0, 0.2499, 0.25, 0.4999, 0.5, 0.75, 1 - 2 ** -32].map((u) => draw(logits, u))).toEqual([
			0, 0, 2, 2, 3, 5, 5,
		]);
	});
	it('never gives an excluded token, whatever the uniform', () => {
		fc.assert(
			fc.property(logitsArbitrary, fc.nat(2 ** 31 - 1), (logits, word) => {
				for (const u of [0, word / 2 ** 31, 1 - 2 ** -32])
					expect(logits[draw(logits, u)]).toBeGreaterThan(-Infinity);
			}),
			RUN,
		);
	});
	it('is a draw from softmax (chi-square, error 1e-3; a twentieth off the temperature would be seen)', () => {
		const logits = Float32Array.of(1, 0.3, -Infinity, 2, -1, 0);
		const random = randomStream('drawFrom');
		const total = 40_000;
		const counts = new Array<number>(logits.length).fill(0);
		for (let i = 0; i < total; i++) counts[draw(logits, random.next())]++;
		const p = (share: readonly number[]) => {
			const cells = [...share.keys()].filter((token) => share[token] > 0);
			const statistic = cells.reduce(
				(sum, token) => sum + (counts[token] - total * share[token]) ** 2 / (total * share[token]),
				0,
			);
			return 1 - chiSquareCdf(statistic, cells.length - 1);
		};
		expect(counts[2]).toBe(0);
		expect(p(probabilities(logits))).toBeGreaterThan(1e-3);
		expect(p(probabilities(logits.map((logit) => logit / 1.05)))).toBeLessThan(1e-3);
	});
});

describe('random stream', () => {
	it('is the same for the same seed, another for another, and fresh without one', () => {
		const take = (seed?: string) => {
			const stream = randomStream(seed);
			return Array.from({ length: 600 }, () => stream.next());
		};
		expect(take('a')).toEqual(take('a'));
		const streams = [take('a'), take('b'), take(''), take(), take()];
		expect(new Set(streams.map((stream) => stream.join())).size).toBe(5);
		// No value repeats within a stream or between the pages of one: 32-bit words meet rarely.
		expect(new Set(streams[0]).size).toBeGreaterThan(598);
	});
	it('is uniform in [0, 1) (chi-square, error 1e-3)', () => {
		const stream = randomStream('uniform');
		const counts = new Array<number>(64).fill(0);
		for (let i = 0; i < 64_000; i++) counts[Math.floor(64 * stream.next())]++;
		const statistic = counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
		expect(1 - chiSquareCdf(statistic, 63)).toBeGreaterThan(1e-3);
	});
});
