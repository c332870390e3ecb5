/**
 * What is handed to others: bundles of evidence, signed manifests of texts.
 *
 * @module
 */
export { type BuildOptions, buildBundle, EvidencePlan } from './build.js';
export { Check, CheckCode, CheckName } from './checks.js';
export { addSignature, type Envelope, type Signer } from './dsse.js';
export { renderEvidence } from './evidence-report.js';
export type { Finding, GroupRow } from './findings.js';
export { digestFile, type InputDigest, isRecordOf, proveRecord, RecordProof } from './inputs.js';
export { Policy } from './policy.js';
export { EvidencePredicate, EvidenceTest, PREDICATE_TYPE } from './statement.js';
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
export { bundleText, readEnvelope, type Verification, type VerifyOptions, verifyBundle } from './verify.js';
