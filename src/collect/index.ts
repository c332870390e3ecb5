/**
 * Collecting from a suspect's API.
 *
 * @module
 */
export type { Account, Prices, TokenCounts } from './account.js';
export { type Budget, type Collected, type Collection, collect, type Pace } from './collect.js';
export {
	askGiven,
	askNextTokens,
	askPrompts,
	type Given,
	type Inquiry,
	type LeftOut,
	type Prefix,
	type Prompt,
} from './inquiry.js';
export { readGiven, readPrefixes, readPrompts } from './inquiry-files.js';
export { digestOf, Plan } from './plan.js';
export type { Answer, Protocol, Question, Settings } from './protocol.js';
export { PROTOCOLS, type ProtocolName } from './protocols.js';
export type { Endpoint } from './send.js';
export { askTokenByToken } from './token-by-token.js';
export { FILES, Statement, verifyTranscript, writeTranscript } from './transcript.js';
