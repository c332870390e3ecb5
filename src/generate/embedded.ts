/**
 * The models that ship inside the package: a teacher, a base, students, and the prompts to ask them.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadTokenizer } from '../corpus/load-tokenizer.js';
import type { Tokenizer } from '../corpus/tokenizer.js';
import { loadTransformer, type Transformer } from '../model/transformer.js';

/** Folder of the package's models. */
export const MODELS = fileURLToPath(new URL('../../models/', import.meta.url));

/** Names of the shipped models; `models/README.md` says how each was made. */
export const EMBEDDED_MODELS = [
	'teacher',
	'base',
	'student-marked',
	'student-unmarked',
	'student-other-key',
] as const;
export type EmbeddedModel = (typeof EMBEDDED_MODELS)[number];

/** Loads a shipped model. */
export function embeddedModel(name: EmbeddedModel): Transformer {
	return loadTransformer(join(MODELS, name));
}

/** A shipped model by its name, or the one in a folder. @throws TouchmarkError `bad-input` when it cannot be read */
export function namedModel(name: string): Transformer {
	const shipped = EMBEDDED_MODELS.find((one) => one === name);
	return shipped === undefined ? loadTransformer(name) : embeddedModel(shipped);
}

/** The tokenizer that all shipped models share. */
export function embeddedTokenizer(): Tokenizer {
	return loadTokenizer(join(MODELS, 'teacher'));
}

/** Ids in each shipped prompt. */
export const PROMPT_TOKENS = 16;

/** 1,024 beginnings of sentences, 16 tokens each, from a novel that no shipped model was trained on. */
export function embeddedPrompts(): string[] {
	return readFileSync(join(MODELS, 'prompts.txt'), 'utf8').trimEnd().split('\n');
}
