/**
 * Exact tails, e-values, intervals, power and multiple testing.
 *
 * @module
 */

export { bonferroniLog, holmLog } from './correction.js';
export { logEBernoulli, logEExponential } from './e-values.js';
export { bernoulliInterval, exponentialMeanInterval } from './intervals.js';
export {
	bernoulliCritical,
	bernoulliPower,
	exponentialCritical,
	exponentialPower,
	logBernoulliAttainableSize,
} from './power.js';
export {
	log1mExp,
	logBinomialLowerTail,
	logBinomialUpperTail,
	logGammaLowerTail,
	logGammaUpperTail,
} from './tails.js';
