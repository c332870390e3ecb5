/**
 * What is handed to others: signed manifests of texts.
 *
 * @module
 */
export {
	MANIFEST_TYPE,
	ManifestCode,
	ManifestFinding,
	signTextManifest,
	type TextFacts,
	TextManifest,
	verifyTextManifest,
} from './text-manifest.js';
export { Trust } from './trust.js';
