/**
 * Readers and tokenizers.
 *
 * @module
 */
export {
	DEFAULT_FIELDS,
	type Fields,
	MAX_TOKEN_ID,
	readTextDocuments,
	readTokenDocuments,
	type TextDocument,
	type TokenDocument,
} from './documents.js';
export type { Broken } from './lines.js';
export { loadTokenizer } from './load-tokenizer.js';
export { openTokenizer } from './open-tokenizer.js';
export { readShard } from './read-shard.js';
export { readTokenShard, type TokenRecord } from './read-token-shard.js';
export type { RecordFields, ScanRecord } from './records.js';
export { type Format, planShards, type Shard } from './shards.js';
export { type TiktokenEncoding, tiktokenTokenizer } from './tiktoken.js';
export { type Tokenizer, tokenizerOf } from './tokenizer.js';
