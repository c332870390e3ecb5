/**
 * Everything that ends in a p-value.
 *
 * @module
 */
export { DetectResult, type DetectOptions, detect } from './detect.js';
export { heldOutSample, type HeldOutSample } from './held-out.js';
export { newPairSet, type PairSet } from './pairs.js';
export {
	type Exchange,
	type RadioactivityOptions,
	RadioactivityResult,
	radioactivity,
} from './radioactivity.js';
export { mergeTallies, scoreOf, type Tally, tallyPairs } from './tally.js';
export { type Decision, DEFAULT_LEVEL, HeldOut, TestResult, testTally, Verdict } from './test-result.js';
export { type UpstreamGumbel, upstreamGumbel } from './upstream.js';
