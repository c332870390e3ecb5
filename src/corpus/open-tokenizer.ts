/**
 * A tokenizer from what a user names it by.
 *
 * @module
 */
import { loadTokenizer } from './load-tokenizer.js';
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
