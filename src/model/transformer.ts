/**
 * Loads a transformer from a folder in Hugging Face's layout.
 *
 * @module
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { badInput } from '../errors.js';
import { type Transformer, transformerFromParts } from './llama.js';
import { readSafetensors } from './safetensors.js';

export { type Batch, type Transformer, transformerFromParts } from './llama.js';

/**
 * Reads `config.json` and `model.safetensors` of a Llama-style model.
 *
 * @param folder e.g. `models/teacher`
 * @throws `bad-input` if a file is missing or cannot be used
 *
 * @example
 * ```ts
 * const batch = loadTransformer('models/teacher').newBatch(2);
 * const logits = batch.step(Int32Array.of(17, 42)); // [2, vocabSize], overwritten by the next step
 * ```
 */
export function loadTransformer(folder: string): Transformer {
	const configPath = join(folder, 'config.json');
	const weightsPath = join(folder, 'model.safetensors');
	let config: unknown;
	try {
		config = JSON.parse(read(configPath).toString('utf8'));
	} catch (cause) {
		if (cause instanceof SyntaxError) throw badInput(`${configPath} is not JSON.`, cause);
		throw cause;
	}
	return transformerFromParts(config, readSafetensors(read(weightsPath), weightsPath), folder);
}

function read(path: string): Buffer {
	try {
		return readFileSync(path);
	} catch (cause) {
		throw badInput(`${path} cannot be read: is it the folder of a model?`, cause);
	}
}
