/**
 * How near the weights of residuals.ts come to the best linear ones, on simulated students whose noise is known: the
 * ratio of squared noncentralities, that is of evidence. The figures are those of docs/statistics.md.
 */
import { describe, expect, it } from 'vitest';
import { newResiduals, type PairWeights, type Prediction } from '../../src/verify/residuals.js';
import { randomSource } from '../stats/random.js';

const CONTEXTS = 300;
const TOKENS = 10;
/** Share of the student's training text that is marked, and bias of green tokens, nats; γ is ½. */
const SHARE = 0.1;
const DELTA = 2;
const KEYS = 60;

/** One student under one key, with what the best weights need to know. */
interface Student {
	readonly green: Uint8Array;
	readonly probabilities: Float64Array;
	/** Expected departure per unit of (green − ½), relative: how well the pair was learned. */
	readonly learned: Float64Array;
	/** Variance of the relative departure that no query takes away. */
	readonly drift: Float64Array;
}

let next: () => number;
const normal = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
/** Contexts by frequency, tokens in each by a shuffled power law. */
const frequency = Array.from({ length: CONTEXTS }, (_, c) => 1 / (c + 5));
const totalFrequency = frequency.reduce((sum, f) => sum + f, 0);
const reference = Float64Array.from({ length: CONTEXTS * TOKENS }, (_, i) => {
	const rank = ((i % TOKENS) * 7 + Math.floor(i / TOKENS) * 3) % TOKENS;
	return 1 / (rank + 1);
});
for (let c = 0; c < CONTEXTS; c++) {
	const total = reference.subarray(c * TOKENS, (c + 1) * TOKENS).reduce((sum, p) => sum + p, 0);
	for (let t = 0; t < TOKENS; t++) reference[c * TOKENS + t] /= total;
}
const shareOf = (c: number) => frequency[c] / totalFrequency;
const pairs = Array.from({ length: CONTEXTS * TOKENS }, (_, i) => i);
const contextOf = (pair: number) => Math.floor(pair / TOKENS);

/** The marked distribution over the unmarked one, minus 1. */
function shifts(green: Uint8Array): Float64Array {
	const tilted = reference.map((p, i) => p * Math.exp(DELTA * green[i]));
	for (let c = 0; c < CONTEXTS; c++) {
		const total = tilted.subarray(c * TOKENS, (c + 1) * TOKENS).reduce((sum, p) => sum + p, 0);
		for (let t = 0; t < TOKENS; t++) tilted[c * TOKENS + t] /= total;
	}
	return tilted.map((p, i) => p / reference[i] - 1);
}

/**
 * Trained on `served` tokens, a share of them marked; departs from the reference in ways of its own as well.
 *
 * @param half occurrences at which half of a shift is learned
 */
function train(served: number, drift: number, half: number): Student {
	const green = Uint8Array.from(pairs, () => (next() < 0.5 ? 1 : 0));
	const shift = shifts(green);
	const exposed = pairs.map((pair) => served * shareOf(contextOf(pair)) * reference[pair]);
	const learned = Float64Array.from(exposed, (e) => (SHARE * DELTA * e) / (e + half));
	const probabilities = reference.map((p, i) =>
		Math.max(1e-5, p * (1 + (SHARE * shift[i] * exposed[i]) / (exposed[i] + half) + drift * normal())),
	);
	for (let c = 0; c < CONTEXTS; c++) {
		const total = probabilities.subarray(c * TOKENS, (c + 1) * TOKENS).reduce((sum, p) => sum + p, 0);
		for (let t = 0; t < TOKENS; t++) probabilities[c * TOKENS + t] /= total;
	}
	return { green, probabilities, learned, drift: new Float64Array(pairs.length).fill(drift ** 2) };
}

const exposureOf = (served: number) => ({
	contextWidth: 1,
	counts: new Map(frequency.map((_, c) => [String(c), Math.round(served * shareOf(c))])),
});
const tokens = Array.from({ length: TOKENS }, (_, t) => t);
const predictionAt = (all: Float64Array, c: number): Prediction => ({
	tokens,
	of: (token) => all[c * TOKENS + token],
});

/** Standard deviations of T for weights over pairs. */
function deviations(weights: Float64Array, green: Uint8Array): number {
	let sum = 0;
	let squares = 0;
	weights.forEach((weight, pair) => {
		sum += weight * (green[pair] - 0.5);
		squares += weight ** 2;
	});
	return (2 * sum) / Math.sqrt(squares);
}
function ofPairs({ rows, weights }: PairWeights): Float64Array {
	const all = new Float64Array(pairs.length);
	weights.forEach((weight, i) => {
		all[rows[2 * i] * TOKENS + rows[2 * i + 1]] = weight;
	});
	return all;
}

/** Mean deviations of the weights over keys, and their squares as shares of the best. */
function compared(trial: () => { own: number; best: number; plain: number }) {
	const mean = { own: 0, best: 0, plain: 0 };
	next = randomSource(20_261_125);
	for (let key = 0; key < KEYS; key++) {
		const { own, best, plain } = trial();
		mean.own += own / KEYS;
		mean.best += best / KEYS;
		mean.plain += plain / KEYS;
	}
	return { ...mean, share: (mean.own / mean.best) ** 2, plainShare: (mean.plain / mean.best) ** 2 };
}

function poisson(mean: number): number {
	if (mean > 500) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal()));
	let count = 0;
	for (let left = Math.exp(-mean), u = next(); u > left; u *= next()) count++;
	return count;
}

/** Answers of `written` tokens. */
const closed = (served: number, drift: number, written: number, half = 16) =>
	compared(() => {
		const { green, probabilities, learned, drift: noise } = train(served, drift, half);
		const residuals = newResiduals('text', 1, 1, exposureOf(served));
		const counts = probabilities.map((p, pair) => poisson(written * shareOf(contextOf(pair)) * p));
		const times = frequency.map((_, c) =>
			counts.subarray(c * TOKENS, (c + 1) * TOKENS).reduce((sum, n) => sum + n, 0),
		);
		counts.forEach((count, pair) => {
			const c = contextOf(pair);
			for (let i = 0; i < count; i++) residuals.addToken([c], pair % TOKENS, [predictionAt(reference, c)]);
		});
		const expected = reference.map((p, pair) => p * times[contextOf(pair)]);
		const best = counts.map(
			(n, pair) => ((n - expected[pair]) * learned[pair]) / (1 + noise[pair] * expected[pair]),
		);
		return {
			own: deviations(ofPairs(residuals.weights()), green),
			best: deviations(best, green),
			plain: deviations(counts, green),
		};
	});

/** One reading of each of `places` contexts drawn by frequency; each reading has noise of its own. */
const given = (served: number, drift: number, places: number, jitter: number) =>
	compared(() => {
		const { green, probabilities, learned, drift: noise } = train(served, drift, 16);
		const residuals = newResiduals('readings', 1, 1, exposureOf(served));
		const sums = new Float64Array(pairs.length);
		const times = new Float64Array(CONTEXTS);
		for (let i = 0; i < places; i++) {
			let u = next() * totalFrequency;
			let c = 0;
			while (c < CONTEXTS - 1 && u >= frequency[c]) u -= frequency[c++];
			const seen = tokens.map(
				(t) => probabilities[c * TOKENS + t] * Math.exp(jitter * normal() - jitter ** 2 / 2),
			);
			times[c]++;
			for (const t of tokens) sums[c * TOKENS + t] += seen[t];
			residuals.addReading([c], { tokens, of: (token) => seen[token] }, [predictionAt(reference, c)]);
		}
		const best = sums.map((sum, pair) => {
			const m = times[contextOf(pair)];
			if (m === 0) return 0;
			const ratio = Math.log(sum / (m * reference[pair]));
			return (ratio * learned[pair]) / (noise[pair] + jitter ** 2 / m);
		});
		return {
			own: deviations(ofPairs(residuals.weights()), green),
			best: deviations(best, green),
			plain: deviations(sums, green),
		};
	});

/** Tokens that the student was trained on. */
const SERVED = 30_000;

describe('share of the best weights', () => {
	it.each([
		{ drift: 0.1, written: 20_000, want: 0.98 },
		{ drift: 0.3, written: 20_000, want: 0.95 },
		{ drift: 0.3, written: 100_000, want: 0.8 },
	])('counted answers: $written tokens, drift $drift', ({ drift, written, want }) => {
		const { best, share, plainShare } = closed(SERVED, drift, written);
		expect(best).toBeGreaterThan(2.5);
		expect(share).toBeCloseTo(want, 1);
		// The counts as they are, without references.
		expect(plainShare).toBeLessThan(0.1);
	});
	it.each([
		{ half: 2, want: 0.71 },
		{ half: 128, want: 0.99 },
	])('a student that learns half of a shift from $half occurrences, not 16', ({ half, want }) => {
		const { best, share } = closed(SERVED, 0.3, 20_000, half);
		expect(best).toBeGreaterThan(1);
		expect(share).toBeCloseTo(want, 1);
	});
	it.each([
		{ drift: 0.1, places: 2_000, want: 0.84 },
		{ drift: 0.3, places: 10_000, want: 1.04 },
	])('given probabilities: $places readings, drift $drift', ({ drift, places, want }) => {
		const { best, share, plainShare } = given(SERVED, drift, places, 0.3);
		expect(best).toBeGreaterThan(3);
		expect(share).toBeCloseTo(want, 1);
		expect(plainShare).toBeLessThan(0.1);
	});
});
