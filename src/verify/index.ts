/**
 * Everything that ends in a p-value.
 *
 * @module
 */
export {
	findNetworks,
	type GatheredTraffic,
	NetworkAccount,
	type NetworksOptions,
	NetworksResult,
	newTraffic,
	type PromptFingerprint,
	StepVerdict,
	type TracedDataset,
	type Traffic,
} from '../networks/index.js';
export { type DetectOptions, DetectResult, detect } from './detect.js';
export { type Exhibit, exhibitOf, type Piece } from './exhibit.js';
export {
	type Exposure,
	newExposure,
	type OpenOptions,
	type ScoredExposure,
} from './exposure.js';
export { type ExposureInput, ExposurePair, ExposureScore, ServedText } from './exposure-data.js';
export {
	type Containment,
	containmentMeasure,
	type GivenAnswer,
	type Likelihood,
	type LikelihoodOptions,
	likelihoodMeasure,
	type Measure,
	type MeasuredTexts,
	type Similarity,
	similarityMeasure,
} from './exposure-measures.js';
export { ExposureAssumption, ExposureResult, ExposureStatistic } from './exposure-result.js';
export { type DrawnToken, newTokenBets, type TokenBets } from './exposure-tokens.js';
export { type HeldOutSample, heldOutSample } from './held-out.js';
export { type InformativePrefixes, newInformativePrefixes } from './informative.js';
export { type Look, type Looks, type LooksOptions, newLooks } from './looks.js';
export { newPairSet, type PairSet } from './pairs.js';
export { Plan, PlanRequest, plan } from './plan.js';
export {
	type Exchange,
	type Observations,
	type RadioactivityOptions,
	RadioactivityResult,
	radioactivity,
} from './radioactivity.js';
export {
	type ContextCounts,
	countContexts,
	type Departure,
	listedPrediction,
	newResiduals,
	type PairWeights,
	type Prediction,
	type Residuals,
} from './residuals.js';
export {
	newSequentialTest,
	SequentialAnswer,
	SequentialResult,
	type SequentialTest,
} from './sequential.js';
export { readServedAnswers, type ServedAnswers, type ServedMatch } from './served-answers.js';
export { radioactivityOfSuspects, type Suspect, SuspectsResult } from './suspects.js';
export { mergeTallies, scoreOf, type Tally, tallyPairs } from './tally.js';
export {
	DEFAULT_LEVEL,
	type Decision,
	HeldOut,
	type SearchBits,
	TestResult,
	testTally,
	Verdict,
} from './test-result.js';
export { newTrace, type Trace, type TraceOptions } from './trace.js';
export { NamedAccount, TracedRecord, TraceResult } from './trace-result.js';
export {
	type UpstreamKgw,
	type UpstreamSynthid,
	type UpstreamVllm,
	upstreamHf,
	upstreamVllm,
} from './upstream.js';
