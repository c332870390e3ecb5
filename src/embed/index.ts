/**
 * Embed sessions.
 *
 * @module
 */
export {
	createMarker,
	type Generation,
	type Marker,
	type MarkerOptions,
	type Role,
	type StartOptions,
} from './marker.js';
export { Receipt, SegmentRecord, Selection } from './receipt.js';
export { SamplingOptions } from './sampling.js';
export { type Selected, type SelectOptions, selectCandidate, selectionReceipt } from './select.js';
export {
	createTrial,
	type Enrolment,
	type Replays,
	type Served,
	type Trial,
	type TrialOptions,
	type TrialRequest,
} from './trial.js';
