/**
 * Exact tails and rigorous bounds of tails, e-values, intervals, power and multiple testing.
 *
 * @module
 */

export { type Bet, listBet, logEBets } from './bets.js';
export { logAverageE, logEAtLook, logProductE } from './combining-e-values.js';
export { bonferroniLog, holmLog } from './correction.js';
export { logECumulant } from './cumulant-mixture.js';
export { type EProcess, type EProcessState, newEProcess } from './e-process.js';
export { logEBernoulli, logEExponential } from './e-values.js';
export { logListExcess, logListMoment } from './exact-size-lists.js';
export {
	bernoulliForecast,
	deviationForecast,
	exponentialForecast,
	type Forecast,
	logEAtDeviations,
	MOST_QUERIES,
	queriesFor,
	signForecast,
} from './forecasts.js';
export { logGammaMomentMatchedUpperTail } from './gamma-approximation.js';
export { logGammaSumUpperTail } from './gamma-sum.js';
export { logGoodnessOfFit } from './goodness-of-fit.js';
export { bernoulliInterval, exponentialMeanInterval } from './intervals.js';
export {
	logClippedSumTest,
	logESigns,
	logSignedRankTest,
	logSignTest,
	midranks,
	newSignBets,
	type SignBets,
	type SignedPair,
} from './paired-signs.js';
export {
	bernoulliCritical,
	bernoulliPower,
	exponentialCritical,
	exponentialPower,
	logBernoulliAttainableSize,
} from './power.js';
export { type ExactLists, logMomentBound, type ScoreLaw } from './score-law.js';
export {
	log1mExp,
	logBinomialLowerTail,
	logBinomialUpperTail,
	logGammaLowerTail,
	logGammaUpperTail,
} from './tails.js';
export { type BernoulliGroup, logWeightedBernoulliUpperTail } from './weighted-bernoulli.js';
export { newWeightedSum, type WeightedSum, weightedScore } from './weighted-sum.js';
