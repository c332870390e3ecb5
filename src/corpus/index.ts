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
export { loadTokenizer } from './load-tokenizer.js';
export { openTokenizer } from './open-tokenizer.js';
export { type TiktokenEncoding, tiktokenTokenizer } from './tiktoken.js';
export { type Tokenizer, tokenizerOf } from './tokenizer.js';
