/**
 * Text to token ids and back, with any Hugging Face `tokenizer.json`.
 *
 * @module
 */

import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Tokenizer as HuggingFace } from '@huggingface/tokenizers';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { z } from 'zod';
import { badInput } from '../errors.js';
import { checked, parseJson } from '../input.js';

/** Turns text into ids. */
export interface Tokenizer {
	/** Ids of a text, no special tokens added. */
	encode(text: string): number[];
	/** Text of ids, special tokens left out. */
	decode(ids: readonly number[]): string;
	/** Number of ids, added tokens included. */
	readonly vocabSize: number;
	/** Ids that stand for structure (end of text, roles), not for text. */
	readonly specialTokens: readonly number[];
	/** SHA-256 of tokenizer.json, hexadecimal: what marks and results name. */
	readonly fingerprint: string;
}

const TokenizerFile = z.looseObject({
	model: z.looseObject({}),
	added_tokens: z.array(z.looseObject({ id: z.int().min(0), special: z.boolean() })).default([]),
});

/**
 * Reads a tokenizer.
 *
 * @param path a `tokenizer.json`, or a folder that holds one
 * @throws TouchmarkError `bad-input` when it is missing or not a tokenizer
 */
export function loadTokenizer(path: string): Tokenizer {
	const folder = statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
	const file = folder ? join(path, 'tokenizer.json') : path;
	let bytes: Buffer;
	try {
		bytes = readFileSync(file);
	} catch (error) {
		throw badInput(`${file}: cannot be read; give a tokenizer.json or a folder that holds one`, error);
	}
	const json = parseJson(bytes.toString('utf8'), file);
	const { added_tokens } = checked(TokenizerFile, json, file);
	let tokenizer: HuggingFace;
	try {
		tokenizer = new HuggingFace(json as object, {});
		tokenizer.encode('a');
	} catch (error) {
		throw badInput(`${file}: is not a tokenizer that can be used (${(error as Error).message})`, error);
	}
	const ids = [...tokenizer.get_vocab(true).values()];
	return {
		encode: (text) => tokenizer.encode(text, { add_special_tokens: false }).ids,
		decode: (tokens) => tokenizer.decode([...tokens], { skip_special_tokens: true }),
		vocabSize: ids.reduce((largest, id) => Math.max(largest, id), -1) + 1,
		specialTokens: added_tokens.filter((token) => token.special).map((token) => token.id),
		fingerprint: bytesToHex(sha256(bytes)),
	};
}
