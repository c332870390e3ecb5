/**
 * A tokenizer from a file.
 *
 * @module
 */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { badInput } from '../errors.js';
import { type Tokenizer, tokenizerOf } from './tokenizer.js';

/**
 * Reads a tokenizer.
 *
 * @param path a `tokenizer.json`, or a folder that holds one
 * @throws TouchmarkError `bad-input` when it is missing or not a tokenizer
 */
export function loadTokenizer(path: string): Tokenizer {
	const folder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
	const file = folder ? join(path, 'tokenizer.json') : path;
	let bytes: Uint8Array;
	try {
		bytes = readFileSync(file);
	} catch (error) {
		throw badInput(`${file}: cannot be read; give a tokenizer.json or a folder that holds one`, error);
	}
	return tokenizerOf(bytes, file);
}
