/**
 * The append-only log.
 *
 * @module
 */
export { readArmRecords } from './arm-records.js';
export { appendToLog, commitMarks, LogEntry, TreeHead, verifyLog } from './log.js';
export { leafHash, rootHash } from './merkle.js';
