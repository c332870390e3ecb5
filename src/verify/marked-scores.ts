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
import { exp, expm1, ln } from '../stats/portable.js';

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

/** Steps of the mean over entropies. */
const STEPS = 256;

/** Mean of f over contexts. @param entropy mean of the next token's, nats */
function overContexts(entropy: number, f: (h: number) => number): number {
	let sum = 0;
	for (let i = 0; i < STEPS; i++) sum += f((2 * entropy * (i + 0.5)) / STEPS);
	return sum / STEPS;
}

/**
 * The scores that a mark gives its text.
 *
 * - `kgw`: (1 − C) of what a bias of δ gives where no token matters by itself, C = Σp² the chance that two tokens drawn
 *   after one context are the same. Exact to first order in δ, for C = 0 and for C = 1.
 * - `synthid`: a layer's token has g = 1 with probability ½ + ¼(1 − C) on average over keys (exact), and the layer raises C
 *   to C·(1 + ¼(1 − C)) (exact for equally likely tokens).
 * - `gumbel`: the harmonic number of 1/p, on average over tokens (exact).
 *
 * @param entropy nats, above 0
 * @throws TouchmarkError `bad-input` for schemes that have no such law
 */
export function markedScores(scheme: SchemeParams, entropy: number): MarkedScores {
	switch (scheme.name) {
		case 'kgw': {
			const { gamma, delta } = scheme;
			const full = (gamma * exp(delta)) / (1 + gamma * expm1(delta)) - gamma;
			const distinct = overContexts(entropy, (h) => 1 - exp(-h));
			return { kind: 'bernoulli', p: gamma, trials: 1, mean: gamma + full * distinct };
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

const EULER = 0.5772156649015329;

/** The harmonic number of a real x ≥ 1: ψ(x + 1) + Euler's constant, by recurrence and Stirling's series; error below 1e-9. */
function harmonic(x: number): number {
	let y = x + 1;
	let sum = EULER;
	for (; y < 8; y++) sum -= 1 / y;
	const square = 1 / (y * y);
	return sum + ln(y) - 0.5 / y - square * (1 / 12 - square * (1 / 120 - square / 252));
}
