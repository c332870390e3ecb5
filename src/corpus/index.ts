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
export { loadTokenizer, type Tokenizer } from './tokenizer.js';
