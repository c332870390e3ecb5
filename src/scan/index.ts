/**
 * Corpora of any size: records and the corpus as a whole, in bounded memory, by parts that merge.
 *
 * @module
 */
export { ScanResult } from './corpus-result.js';
export { type ScanOptions, scan } from './engine.js';
export type { MarkSource, PlannedGroup, ScanPlan } from './plan.js';
export { mergeStates, parseState, ScanState, signState, stateDigest } from './state.js';
export type { FlaggedRecord } from './verdicts.js';
