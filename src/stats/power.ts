/**
 * Critical values of the exact tests, and the chance to pass them.
 *
 * Levels are natural logarithms, ≤ 0; powers are plain probabilities.
 *
 * @module
 */

import { bisectInteger, lastBelow } from './bisect.js';
import { exp } from './portable.js';
import { remembered } from './remembered.js';
import { gammaStart, normalStart } from './starts.js';
import { checkCount, checkProbability, logBinomialUpperTail, logGammaUpperTail } from './tails.js';

function checkLevel(logLevel: number): void {
	if (!(logLevel <= 0)) throw new RangeError(`logLevel must be a logarithm ≤ 0, not ${logLevel}`);
}

/**
 * The smallest number of hits whose upper tail, ln P(Bin(trials, p) ≥ hits), is at most `logLevel`;
 * `trials + 1` where not even a hit on every trial is enough.
 */
export function bernoulliCritical(trials: number, p: number, logLevel: number): number {
	checkCount('trials', trials);
	checkProbability('p', p);
	checkLevel(logLevel);
	if (logLevel === 0) return 0;
	const near = trials * p + normalStart(logLevel) * Math.sqrt(trials * p * (1 - p));
	return bisectInteger(
		trials + 1,
		0,
		(hits) => logBinomialUpperTail(hits, trials, p) <= logLevel,
		Math.round(near),
	);
}

/**
 * The probability that the test at `logLevel` of "each trial hits with probability gamma" rejects, when
 * each in truth hits with probability `alternative`. From 0 to 1.
 */
export function bernoulliPower(trials: number, gamma: number, alternative: number, logLevel: number): number {
	return rememberedBernoulliPower(trials, gamma, alternative, logLevel);
}
const rememberedBernoulliPower = remembered(
	(trials: number, gamma: number, alternative: number, logLevel: number) => {
		const critical = bernoulliCritical(trials, gamma, logLevel);
		return critical > trials ? 0 : exp(logBinomialUpperTail(critical, trials, alternative));
	},
);

/**
 * ln of the probability that the test at `logLevel` rejects under its own null: at most `logLevel`, and
 * less because hits are whole numbers; −∞ where it can never reject.
 */
export function logBernoulliAttainableSize(trials: number, p: number, logLevel: number): number {
	const critical = bernoulliCritical(trials, p, logLevel);
	return critical > trials ? -Infinity : logBinomialUpperTail(critical, trials, p);
}

/**
 * The smallest sum of `n` Exp(1) scores whose upper tail, ln P(Gamma(n) ≥ sum), is at most `logLevel`: a
 * double at which the computed tail is at most that, while at its neighbour below it is not (within the
 * tails' own accuracy). Infinity where no sum is enough: n = 0, or `logLevel` −∞.
 */
export function exponentialCritical(n: number, logLevel: number): number {
	checkCount('n', n);
	checkLevel(logLevel);
	if (logLevel === 0) return 0;
	if (n === 0 || logLevel === -Infinity) return Infinity;
	let enough = 2 * n;
	while (logGammaUpperTail(n, enough) > logLevel) enough *= 2;
	return lastBelow(
		enough,
		0,
		(sum) => logGammaUpperTail(n, sum) - logLevel,
		gammaStart(n, normalStart(logLevel)),
		0.01 * Math.sqrt(n),
	);
}

/**
 * The probability that the test at `logLevel` of "the scores are Exp(1)" rejects, when they are in truth
 * exponential with mean `alternativeMean` > 0. From 0 to 1.
 */
export function exponentialPower(n: number, alternativeMean: number, logLevel: number): number {
	if (!(alternativeMean > 0 && alternativeMean < Infinity)) {
		throw new RangeError(`alternativeMean must be a finite number above 0, not ${alternativeMean}`);
	}
	return rememberedExponentialPower(n, alternativeMean, logLevel);
}
const rememberedExponentialPower = remembered((n: number, alternativeMean: number, logLevel: number) => {
	const critical = exponentialCritical(n, logLevel);
	return critical === Infinity ? 0 : exp(logGammaUpperTail(n, critical / alternativeMean));
});
