/**
 * The documents that a command's files hold, as token ids: text through a tokenizer, or ids as they are.
 *
 * @module
 */
import { readTextDocuments, readTokenDocuments, type TokenDocument } from '../corpus/documents.js';
import type { Broken } from '../corpus/lines.js';
import type { Tokenizer } from '../corpus/tokenizer.js';
import { badInput } from '../errors.js';

/** Flags that say how to read. */
export interface DocumentFlags {
	readonly tokens?: boolean;
	readonly textField: string;
	readonly promptField: string;
	readonly entropyField?: string;
}

/** A document and what its author was given. */
export interface GivenDocument extends TokenDocument {
	readonly given: readonly number[];
	/** Where it was read, and as what; files of token ids hold no text. */
	readonly source: TextSource | null;
}

/** A text and its file. */
export interface TextSource {
	readonly path: string;
	/** As it was read: of a file that is one text without byte order mark, `\r` before `\n`, and the last `\n`. */
	readonly text: string;
}

/**
 * The documents of files, in order.
 *
 * @param broken is told of records that cannot be read, which are then left out
 * @throws TouchmarkError `bad-input` that names file, line and field
 */
export async function* givenDocuments(
	paths: readonly string[],
	flags: DocumentFlags,
	tokenizer: Tokenizer | undefined,
	broken?: Broken,
): AsyncGenerator<GivenDocument> {
	const { tokens, textField, promptField, entropyField } = flags;
	const entropies = entropyField === undefined ? {} : { entropies: entropyField };
	const fields = { text: textField, prompt: promptField, ...entropies };
	for (const path of paths) {
		if (tokens)
			for await (const document of readTokenDocuments(path, tokenizer?.vocabSize, entropyField, broken))
				yield { ...document, given: [], source: null };
		else if (tokenizer !== undefined)
			for await (const { text, prompt, ...rest } of readTextDocuments(path, fields, broken))
				yield {
					...rest,
					tokens: tokenizer.encode(text),
					given: prompt === undefined ? [] : tokenizer.encode(prompt),
					source: { path, text },
				};
		else throw badInput('give --tokenizer PATH');
	}
}
