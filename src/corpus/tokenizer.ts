/**
 * Text to token ids and back, with any Hugging Face `tokenizer.json`. Runs in browsers too.
 *
 * The library holds the vocabulary and the rules; `piecewise.ts` makes encoding fast without changing an id.
 *
 * @module
 */

import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { z } from 'zod';
import { badInput } from '../errors.js';
import { checked, parseJson } from '../input.js';
import { type LibraryTokenizer, openLibrary } from './library-tokenizer.js';
import { piecewiseEncoder } from './piecewise.js';

/** Turns text into ids. */
export interface Tokenizer {
	/** Ids of a text, no special tokens added. */
	encode(text: string): number[];
	/** Text of ids; special tokens and unknown ids left out. */
	decode(ids: readonly number[]): string;
	/** Number of ids, added tokens included. */
	readonly vocabSize: number;
	/** Ids that stand for structure (end of text, roles), not for text. */
	readonly specialTokens: readonly number[];
	/** SHA-256, hexadecimal, of tokenizer.json or whatever else fixes the ids: what marks and results name. */
	readonly fingerprint: string;
}

const TokenizerFile = z.looseObject({
	model: z.looseObject({}),
	added_tokens: z
		.array(
			z.looseObject({
				id: z.int().min(0),
				content: z.string(),
				special: z.boolean(),
				normalized: z.boolean().optional(),
				lstrip: z.boolean().optional(),
				rstrip: z.boolean().optional(),
			}),
		)
		.default([]),
});

/** By default the library takes spaces away before punctuation: text that would not encode to the same ids. */
const DECODE = { skip_special_tokens: true, clean_up_tokenization_spaces: false };

/**
 * The tokenizer that a tokenizer.json describes.
 *
 * @param bytes the file
 * @param where its name, for error messages
 * @throws TouchmarkError `bad-input` when it is not a tokenizer
 */
export function tokenizerOf(bytes: Uint8Array, where: string): Tokenizer {
	const json = parseJson(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes), where);
	const { added_tokens } = checked(TokenizerFile, json, where);
	let tokenizer: LibraryTokenizer;
	let piecewise: Tokenizer['encode'] | null;
	try {
		const library = openLibrary(json as object);
		tokenizer = library.tokenizer;
		tokenizer.encode('a');
		piecewise = piecewiseEncoder(library, added_tokens);
	} catch (error) {
		throw badInput(`${where}: is not a tokenizer that can be used (${(error as Error).message})`, error);
	}
	const ids = [...tokenizer.get_vocab(true).values()];
	return {
		encode: piecewise ?? ((text) => tokenizer.encode(text, { add_special_tokens: false }).ids),
		decode: (tokens) => (tokens.length === 0 ? '' : tokenizer.decode([...tokens], DECODE)),
		vocabSize: ids.reduce((largest, id) => Math.max(largest, id), -1) + 1,
		specialTokens: added_tokens.filter((token) => token.special).map((token) => token.id),
		fingerprint: bytesToHex(sha256(bytes)),
	};
}
