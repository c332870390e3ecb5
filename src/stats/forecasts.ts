/**
 * What evidence a test will give, before it is made: e-values at an alternative that is assumed.
 *
 * Everything here is an estimate for planning and never evidence. Levels are natural logarithms.
 *
 * @module
 */
import { bisectInteger, lastBelow } from './bisect.js';
import { DEVIATES } from './deviates.js';
import { logEBernoulli, logEExponential } from './e-values.js';
import { logMean } from './log-mean.js';
import { CAPS, logBet, STRENGTHS } from './paired-signs.js';
import { exp } from './portable.js';
import { normalLowerTail } from './saddlepoint.js';
import { logBinomialUpperTail, logGammaUpperTail } from './tails.js';

/** The evidence to expect of n scores, queries or pairs. */
export interface Forecast {
	/** ln e at the mean outcome: about its median. */
	logE(n: number): number;
	/** The chance that ln e reaches `wanted` > 0. */
	probability(n: number, wanted: number): number;
}

/** More than anybody asks; the exact e-values go up to 1e12 trials. */
export const MOST_QUERIES = 1e10;

/** The fewest n at which ln e is `wanted` > 0 at the mean outcome; null where `MOST_QUERIES` are not enough. */
export function queriesFor(forecast: Forecast, wanted: number): number | null {
	if (!(wanted > 0)) throw new RangeError(`wanted must be above 0, not ${wanted}`);
	const enough = (n: number) => forecast.logE(n) >= wanted;
	return enough(MOST_QUERIES) ? bisectInteger(MOST_QUERIES, 0, enough, 1000) : null;
}

/**
 * `logEBernoulli` of n scores of `trials` bits each, which are tested for probability `gamma` and have `mean`. The
 * chance is exact for independent bits.
 */
export function bernoulliForecast(gamma: number, mean: number, trials = 1): Forecast {
	return {
		logE(n) {
			const bits = n * trials;
			const hits = Math.floor(bits * mean);
			const low = logEBernoulli(hits, bits, gamma);
			return hits === bits ? low : low + (bits * mean - hits) * (logEBernoulli(hits + 1, bits, gamma) - low);
		},
		probability(n, wanted) {
			const bits = n * trials;
			const hits = bisectInteger(
				bits + 1,
				-1,
				(some) => logEBernoulli(some, bits, gamma) >= wanted,
				Math.round(bits * mean),
			);
			return hits > bits ? 0 : exp(logBinomialUpperTail(hits, bits, mean));
		},
	};
}

/**
 * `logEExponential` of n scores that are tested for mean 1 and have `mean`. The chance is that of exponential scores;
 * those of marked text vary less.
 */
export function exponentialForecast(mean: number): Forecast {
	return {
		logE: (n) => logEExponential(n * mean, n),
		probability(n, wanted) {
			const sum = lastBelow(
				1e4 * (n + wanted),
				n,
				(some) => wanted - logEExponential(some, n),
				n * mean,
				0.1 * n,
			);
			return exp(logGammaUpperTail(n, sum / mean));
		},
	};
}

/**
 * ln of the e-value of a weighted sum that lies z standard deviations high, where no weight dominates: the mean of
 * e^(uz − u²/2) over the strengths u that `newWeightedSum` bets on.
 */
export function logEAtDeviations(z: number): number {
	return logMean(DEVIATES.map((u) => u * z - (u * u) / 2));
}

/** A weighted sum whose height is known on average. */
export interface Deviations {
	/** Standard deviations under one key that n queries are expected to give. */
	readonly of: (n: number) => number;
	/** Independent keys with as much each; their e-values are multiplied. */
	readonly keys: number;
	/** Standard deviation of what suspects are expected to give, as a share of it; beside it each key has the noise 1. */
	readonly spread: number;
}

/**
 * The e-values of weighted sums under `keys` keys: their product, or one of them where that is more. Noise and
 * spread are taken to be normal.
 */
export function deviationForecast({ of, keys, spread }: Deviations): Forecast {
	return {
		logE(n) {
			const one = logEAtDeviations(of(n));
			return one > 0 ? keys * one : one;
		},
		probability(n, wanted) {
			const needed = lastBelow(1e9, 0, (z) => wanted / keys - logEAtDeviations(z), Math.sqrt(2 * wanted), 1);
			const z = of(n);
			return normalLowerTail((z - needed) / Math.sqrt(1 / keys + (spread * z) ** 2));
		},
	};
}

/** Steps of an integral over a normal difference, and how far it goes on either side, in standard deviations. */
const STEP = 1 / 64;
const REACH = 8;

/**
 * `newSignBets` over n pairs of which a share `preferred` has a positive difference. Differences are taken to be normal
 * of one variance. The chance is a normal
 * approximation, with the deviation of the bet that grows fastest.
 *
 * @param preferred above ½, below 1
 */
export function signForecast(preferred: number): Forecast {
	const mean = lastBelow(-9, 9, (x) => normalLowerTail(x) - preferred, 0, 1);
	const within = (size: number) => normalLowerTail(size - mean) - normalLowerTail(-size - mean);
	const scale = lastBelow(0, 20, (size) => within(size) - 0.5, mean, 1);
	const bets = CAPS.flatMap((cap) =>
		STRENGTHS.map((strength) => {
			let mass = 0;
			let growth = 0;
			let square = 0;
			for (let x = -REACH; x <= REACH; x += STEP) {
				const density = exp((-x * x) / 2);
				const difference = mean + x;
				const log = logBet(difference > 0, strength * Math.min(cap, Math.abs(difference) / scale));
				mass += density;
				growth += density * log;
				square += density * log * log;
			}
			growth /= mass;
			return { growth, deviation: Math.sqrt(square / mass - growth * growth) };
		}),
	);
	const logE = (n: number) => logMean(bets.map(({ growth }) => n * growth));
	const best = bets.reduce((most, bet) => (bet.growth > most.growth ? bet : most));
	return {
		logE,
		probability: (n, wanted) => normalLowerTail((logE(n) - wanted) / (best.deviation * Math.sqrt(n))),
	};
}
