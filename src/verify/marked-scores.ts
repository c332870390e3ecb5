/**
 * How high scores of marked text are, from scheme, strength and entropy: no measurement enters.
 *
 * The model of language: the next token is one of e^h that are equally likely, and h is spread evenly from 0 to twice
 * the mean entropy. On the embedded teacher (3.67 nats) mean scores are within 8 % of it (docs/statistics.md, "Planning").
 *
 * @module
 */
import { badInput } from '../errors.js';
import type { SchemeParams } from '../schemes/scheme.js';
import { bernoulliForecast, exponentialForecast, type Forecast } from '../stats/index.js';
import { exp, expm1, ln, log1p } from '../stats/portable.js';

/** Scores of distinct pairs: their law under the null, and their mean in marked text. */
export type MarkedScores =
	| {
			readonly kind: 'bernoulli';
			readonly p: number;
			/** Bits in one score. */
			readonly trials: number;
			/** Share of ones. */
			readonly mean: number;
	  }
	| {
			readonly kind: 'exponential';
			/** Nats; 1 under the null. */
			readonly mean: number;
	  };

/** Steps of an integral. */
const STEPS = 128;

/** Mean of f over contexts. @param entropy mean of the next token's, nats */
function overContexts(entropy: number, f: (h: number) => number): number {
	let sum = 0;
	for (let i = 0; i < STEPS; i++) sum += f((2 * entropy * (i + 0.5)) / STEPS);
	return sum / STEPS;
}

/**
 * The scores that a mark gives its text.
 *
 * - `kgw`: the share of green that a bias of δ gives, on average over lists (exact).
 * - `synthid`: a layer's token has g = 1 with probability ½ + ¼(1 − C) on average over keys, C = Σp² the chance that two
 *   tokens drawn after one context are the same (exact), and the layer raises C to C·(1 + ¼(1 − C)) (exact for the first).
 * - `gumbel`: the harmonic number of 1/p, on average over tokens (exact).
 *
 * @param entropy nats, above 0
 * @throws TouchmarkError `bad-input` for schemes that have no such law
 */
export function markedScores(scheme: SchemeParams, entropy: number): MarkedScores {
	switch (scheme.name) {
		case 'kgw': {
			const { gamma, delta } = scheme;
			const mean = overContexts(entropy, (h) => greenShare(gamma, delta, exp(h)));
			return { kind: 'bernoulli', p: gamma, trials: 1, mean };
		}
		case 'synthid': {
			const { depth } = scheme;
			const excess = overContexts(entropy, (h) => {
				let same = exp(-h);
				let sum = 0;
				for (let layer = 0; layer < depth; layer++) {
					sum += (1 - same) / 4;
					same *= 1 + (1 - same) / 4;
				}
				return sum / depth;
			});
			return { kind: 'bernoulli', p: 0.5, trials: depth, mean: 0.5 + excess };
		}
		case 'gumbel':
			return { kind: 'exponential', mean: overContexts(entropy, (h) => harmonic(exp(h))) };
		default:
			throw badInput(`power plans kgw, synthid and gumbel; nothing is known beforehand for ${scheme.name}`);
	}
}

/** The same scores in a text of which a share is marked. */
export function diluted(scores: MarkedScores, share: number): MarkedScores {
	const none = scores.kind === 'bernoulli' ? scores.p : 1;
	return { ...scores, mean: none + share * (scores.mean - none) };
}

/** Excess of a score in standard deviations of the null: what a weighted test could gain from one pair at most. */
export function signalOf(scores: MarkedScores): number {
	return scores.kind === 'exponential'
		? scores.mean - 1
		: (scores.mean - scores.p) * Math.sqrt(scores.trials / (scores.p * (1 - scores.p)));
}

/** The e-values of plain sums of such scores. */
export function sumForecast(scores: MarkedScores): Forecast {
	return scores.kind === 'exponential'
		? exponentialForecast(scores.mean)
		: bernoulliForecast(scores.p, scores.mean, scores.trials);
}

/**
 * E[Ga/(k − G + Ga)], a = e^δ, over the number G of green among k equally likely tokens, binomial. Since
 * 1/x = ∫ e^(−sx) ds, with b = (a − 1)/k it is
 *
 *     aγ/(1 + b) · ∫₀¹ (1 − γ + γ·y^(b/(1 + b)))^(k − 1) dy,
 *
 * for any real k ≥ 1: γ for k = 1, aγ/(1 + γ(a − 1)) for k → ∞. Steps are even in x, y = 1 − x³: the mass is near 1.
 */
function greenShare(gamma: number, delta: number, k: number): number {
	const b = expm1(delta) / k;
	let sum = 0;
	for (let i = 0; i < STEPS; i++) {
		const x = (i + 0.5) / STEPS;
		const power = exp((b / (1 + b)) * log1p(-x * x * x));
		sum += 3 * x * x * exp((k - 1) * log1p(gamma * (power - 1)));
	}
	return ((exp(delta) * gamma) / (1 + b)) * (sum / STEPS);
}

const EULER = 0.5772156649015329;

/** The harmonic number of a real x ≥ 1: ψ(x + 1) + Euler's constant, by recurrence and Stirling's series; error below 1e-9. */
function harmonic(x: number): number {
	let y = x + 1;
	let sum = EULER;
	for (; y < 8; y++) sum -= 1 / y;
	const square = 1 / (y * y);
	return sum + ln(y) - 0.5 / y - square * (1 / 12 - square * (1 / 120 - square / 252));
}
