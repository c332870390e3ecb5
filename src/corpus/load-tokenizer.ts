/**
 * A tokenizer from a file.
 *
 * @module
 */
import { createHash } from 'node:crypto';
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
	const { file, bytes } = readTokenizerFile(path);
	return tokenizerOf(bytes, file);
}

/** The fingerprint that a tokenizer of this file has. @throws TouchmarkError `bad-input` when it is missing */
export function tokenizerFileHash(path: string): string {
	return createHash('sha256').update(readTokenizerFile(path).bytes).digest('hex');
}

function readTokenizerFile(path: string): { file: string; bytes: Buffer } {
	const folder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
	const file = folder ? join(path, 'tokenizer.json') : path;
	try {
		return { file, bytes: readFileSync(file) };
	} catch (error) {
		throw badInput(`${file}: cannot be read; give a tokenizer.json or a folder that holds one`, error);
	}
}
