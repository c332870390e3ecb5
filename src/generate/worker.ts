/**
 * One task of the sampling pool: texts from a shipped model, in a thread of its own.
 *
 * @module
 */

import type { Tokenizer } from '../corpus/tokenizer.js';
import { createMarker } from '../embed/marker.js';
import { type KeyringFile, openKeyring } from '../keys/keyring.js';
import type { Transformer } from '../model/transformer.js';
import { type EmbeddedModel, embeddedModel, embeddedTokenizer } from './embedded.js';
import { type Sample, type SampleOptions, sampleTexts } from './sample.js';

/** Plain data that a thread needs. */
export interface SampleTask extends Pick<SampleOptions, 'prompts' | 'maxTokens' | 'seed'> {
	readonly model: EmbeddedModel;
	/** An unsealed ring whose marks are all used; null leaves the text unmarked. */
	readonly keyring: KeyringFile | null;
	readonly firstIndex: number;
}

const models = new Map<EmbeddedModel, Transformer>();
let tokenizer: Tokenizer | undefined;

/** Runs a task. */
export default async function sample(task: SampleTask): Promise<Sample[]> {
	tokenizer ??= embeddedTokenizer();
	const model = models.get(task.model) ?? embeddedModel(task.model);
	models.set(task.model, model);
	const ring = task.keyring && (await openKeyring(task.keyring, () => ''));
	const marker = createMarker({
		marks: ring ? ring.marks.map((spec) => ring.bind(spec, 'embed')) : [],
		vocabSize: model.vocabSize,
		specialTokens: tokenizer.specialTokens,
	});
	return [...sampleTexts({ ...task, model, tokenizer, marker })];
}
