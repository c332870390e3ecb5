/**
 * A tokenizer from what a user names it by.
 *
 * @module
 */
import { loadTokenizer, tokenizerFileHash } from './load-tokenizer.js';
import { tiktokenTokenizer } from './tiktoken.js';
import type { Tokenizer } from './tokenizer.js';

const TIKTOKEN = 'tiktoken:';

/**
 * Opens a tokenizer.
 *
 * @param source a `tokenizer.json`, a folder that holds one, or `tiktoken:NAME` for one of OpenAI's vocabularies
 * @throws TouchmarkError `bad-input` when it is missing or not a tokenizer
 */
export async function openTokenizer(source: string): Promise<Tokenizer> {
	return source.startsWith(TIKTOKEN)
		? tiktokenTokenizer(source.slice(TIKTOKEN.length))
		: loadTokenizer(source);
}

/**
 * The fingerprint of a tokenizer, without opening it where that can be helped.
 *
 * @param source as for {@link openTokenizer}
 * @throws TouchmarkError `bad-input` when it is missing
 */
export async function tokenizerFingerprint(source: string): Promise<string> {
	return source.startsWith(TIKTOKEN) ? (await openTokenizer(source)).fingerprint : tokenizerFileHash(source);
}
