/**
 * Fingerprints of texts.
 *
 * @module
 */
export {
	bindSalt,
	decodeFingerprints,
	encodedFingerprints,
	type Fingerprint,
	type FingerprintSalt,
	fingerprintsOf,
} from './fingerprints.js';
