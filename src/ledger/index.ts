/**
 * The append-only log.
 *
 * @module
 */
export { appendToLog, commitMarks, LogEntry, TreeHead, verifyLog } from './log.js';
export { leafHash, rootHash } from './merkle.js';
