/**
 * The names that most users need. Each layer has a subpath of its own: `touchmark/keys`, `touchmark/embed`, …
 *
 * @module
 */
export { loadTokenizer } from './corpus/load-tokenizer.js';
export type { Tokenizer } from './corpus/tokenizer.js';
export { createMarker, type Generation, type Marker } from './embed/marker.js';
export type { Receipt } from './embed/receipt.js';
export { createTrial, type Enrolment, type Trial } from './embed/trial.js';
export { TouchmarkError } from './errors.js';
export { type Account, openAccounts } from './keys/accounts.js';
export { createKeyring, type Keyring, openKeyring } from './keys/keyring.js';
export { commitMarks } from './ledger/commit-marks.js';
export { openLog } from './ledger/log.js';
export { newReceiptLog } from './ledger/receipts.js';
export { type ArmRecord, openCoins } from './marks/arm.js';
export { defaultMarks } from './marks/defaults.js';
export type { Mark } from './marks/mark.js';
export { type MarkSpec, markId } from './marks/mark-spec.js';
export { type DetectResult, detect } from './verify/detect.js';
export { newExposure } from './verify/exposure.js';
export type { ExposureResult } from './verify/exposure-result.js';
export { type RadioactivityResult, radioactivity } from './verify/radioactivity.js';
export type { TestResult, Verdict } from './verify/test-result.js';
