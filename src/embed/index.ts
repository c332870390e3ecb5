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
	type StartOptions,
} from './marker.js';
export { Receipt, SegmentRecord } from './receipt.js';
export { SamplingOptions } from './sampling.js';
