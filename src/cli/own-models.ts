/**
 * Models from what a user names them by, each with its own tokenizer.
 *
 * @module
 */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { loadTokenizer } from '../corpus/load-tokenizer.js';
import { tokenStrings } from '../corpus/token-strings.js';
import type { Tokenizer } from '../corpus/tokenizer.js';
import { badInput } from '../errors.js';
import { EMBEDDED_MODELS, namedModel } from '../generate/embedded.js';
import type { Transformer } from '../model/transformer.js';

/** A model that runs here. */
export interface OwnModel {
	readonly name: string;
	readonly model: Transformer;
	/** Its tokenizer, where that is not the mark's. */
	readonly other: Tokenizer | null;
}

/** Whether a name means a model: one that ships, or a folder. */
export function isModel(name: string): boolean {
	return EMBEDDED_MODELS.some((one) => one === name) || (existsSync(name) && statSync(name).isDirectory());
}

/**
 * Opens a model: with the `tokenizer.json` of its folder, or else the tokenizer of the mark.
 *
 * @throws TouchmarkError `bad-input` for a name that means no model, or a vocabulary that is not the tokenizer's
 */
export function openModel(name: string, tokenizer: Tokenizer): OwnModel {
	if (!isModel(name))
		throw badInput(
			`${name}: is neither the folder of a model (config.json, model.safetensors) nor one that ships`,
		);
	const model = namedModel(name);
	const shipped = EMBEDDED_MODELS.some((one) => one === name);
	const own = !shipped && existsSync(join(name, 'tokenizer.json')) ? loadTokenizer(name) : tokenizer;
	const other = isSameTokenizer(own, tokenizer) ? null : own;
	if (other === null && model.vocabSize !== tokenizer.vocabSize)
		throw badInput(
			`${name}: has a vocabulary of ${model.vocabSize} where the tokenizer of the mark has ${tokenizer.vocabSize}`,
		);
	if (model.vocabSize < own.vocabSize)
		throw badInput(
			`${name}: has a vocabulary of ${model.vocabSize} where its tokenizer has ${own.vocabSize}`,
		);
	return { name, model, other };
}

/** Files of one tokenizer may differ: what counts is which text each id has. */
export function isSameTokenizer(one: Tokenizer, other: Tokenizer): boolean {
	if (one.fingerprint === other.fingerprint) return true;
	if (one.vocabSize !== other.vocabSize) return false;
	const strings = tokenStrings(other);
	return tokenStrings(one).every((string, id) => string === strings[id]);
}
