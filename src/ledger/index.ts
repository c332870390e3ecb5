/**
 * The append-only log.
 *
 * @module
 */
export { readArmRecords } from './arm-records.js';
export { type Audit, type AuditOptions, auditLog } from './audit.js';
export { commitMarks } from './commit-marks.js';
export { LogEntry, PolicyEntry, ReceiptEntry, TimestampEntry } from './entry.js';
export { appendToLog, type LogWriter, openLog } from './log.js';
export { leafHash, rootHash } from './merkle.js';
export { consistencyProof, inclusionProof, verifyConsistency, verifyInclusion } from './proofs.js';
export { ConsistencyProof, checkProof, InclusionProof, openProver, type Prover } from './prove.js';
export { type LogContent, readLog, visitLog } from './read-log.js';
export { newReceiptLog, type ReceiptLog, type ServedAnswer } from './receipts.js';
export { checkTimestamp, requestTimestamp, type Stamped } from './timestamp.js';
export { TreeHead } from './tree-head.js';
