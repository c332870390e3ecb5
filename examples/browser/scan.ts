/**
 * From what the page's fields hold to a result. The same lines work in Node.
 *
 * @module
 */
import type { Tokenizer } from '../../src/corpus/tokenizer.js';
import { badInput } from '../../src/errors.js';
import { checked, parseJson } from '../../src/input.js';
import { bindOpenedMark } from '../../src/keys/opened-mark.js';
import { generatorOf } from '../../src/marks/generators.js';
import { HfConfig, hfMark } from '../../src/marks/hf-config.js';
import type { Mark } from '../../src/marks/mark.js';
import { VllmConfig, vllmMark } from '../../src/marks/vllm-config.js';
import { type DetectResult, detect } from '../../src/verify/detect.js';

/** How a mark is given. */
export type Kind = 'opened' | 'vllm' | 'hf';

/** What the fields hold. */
export interface Fields {
	readonly text: string;
	readonly prompt: string;
	readonly kind: Kind;
	/** JSON. */
	readonly config: string;
}

/** A mark with the bits of key space that a verdict pays for. */
interface Chosen {
	readonly mark: Mark;
	readonly searchBits: number;
}

/** @throws TouchmarkError `bad-input` with one sentence that names the field */
export function scan({ text, prompt, kind, config }: Fields, tokenizer: Tokenizer): DetectResult {
	const [first, ...rest] = chosen(kind, parseJson(config, 'JSON'));
	if (first === undefined) throw badInput('JSON: holds no marks');
	const all = [first, ...rest] as const;
	for (const { mark } of all)
		if (mark.spec.tokenizer !== null && mark.spec.tokenizer !== tokenizer.fingerprint)
			throw badInput('tokenizer.json: is not that of this mark');
	return detect('text', tokenizer.encode(text), [first.mark, ...rest.map(({ mark }) => mark)], {
		searchBits: Math.max(...all.map(({ searchBits }) => searchBits)),
		given: tokenizer.encode(prompt),
	});
}

function chosen(kind: Kind, json: unknown): Chosen[] {
	switch (kind) {
		case 'opened':
			return (Array.isArray(json) ? json : [json]).map((file) => bindOpenedMark(file, 'JSON'));
		case 'vllm':
			// The key is a 64-bit number whatever PRF it is given to.
			return [{ mark: vllmMark(checked(VllmConfig, json, 'JSON')), searchBits: 64 }];
		case 'hf': {
			const mark = hfMark(checked(HfConfig, json, 'JSON'));
			const { prf, scheme } = mark.spec;
			return [{ mark, searchBits: generatorOf(prf).searchBits(scheme) }];
		}
	}
}
