/**
 * One task of the sampling pool: texts from a shipped model, or their likelihoods, in a thread of its own.
 *
 * @module
 */

import type { Tokenizer } from '../corpus/tokenizer.js';
import { createMarker, type Marker } from '../embed/marker.js';
import { type KeyringFile, openKeyring } from '../keys/keyring.js';
import { tokenLogProbabilities } from '../model/likelihood.js';
import type { Transformer } from '../model/transformer.js';
import { type EmbeddedModel, embeddedModel, embeddedTokenizer } from './embedded.js';
import { type LongText, longTexts } from './long-texts.js';
import { type Sample, type SampleOptions, sampleTexts } from './sample.js';

/** Plain data that a thread needs. */
export interface SampleTask extends Pick<SampleOptions, 'prompts' | 'maxTokens' | 'seed' | 'starts'> {
	readonly model: EmbeddedModel;
	/** An unsealed ring whose marks are all used; null leaves the text unmarked. */
	readonly keyring: KeyringFile | null;
	readonly firstIndex: number;
}

const models = new Map<EmbeddedModel, Transformer>();
let tokenizer: Tokenizer | undefined;

/** Texts whose likelihood is asked. */
export interface LikelihoodTask {
	readonly model: EmbeddedModel;
	readonly texts: readonly { readonly prompt: string; readonly text: string }[];
}

function modelOf(name: EmbeddedModel): Transformer {
	const model = models.get(name) ?? embeddedModel(name);
	models.set(name, model);
	return model;
}

/** Log-probabilities of the tokens of each text. */
export function likelihood({ model, texts }: LikelihoodTask): number[][] {
	tokenizer ??= embeddedTokenizer();
	const { encode } = tokenizer;
	const given = texts.map(({ prompt, text }) => ({ prompt: encode(prompt), answer: encode(text) }));
	return tokenLogProbabilities(modelOf(model), given);
}

/** Texts of any length, under the marks of an unsealed ring. */
export interface LongTextTask {
	readonly model: EmbeddedModel;
	readonly keyring: KeyringFile;
	readonly requests: readonly LongText[];
}

/** Writes long texts; as they are drawn, token by token. */
export async function longText({ model, keyring, requests }: LongTextTask): Promise<number[][]> {
	tokenizer ??= embeddedTokenizer();
	const marker = await markerOf(model, keyring, tokenizer);
	return longTexts(modelOf(model), marker, requests, tokenizer.specialTokens);
}

async function markerOf(
	name: EmbeddedModel,
	keyring: KeyringFile | null,
	{ specialTokens }: Tokenizer,
): Promise<Marker> {
	const ring = keyring && (await openKeyring(keyring, () => ''));
	return createMarker({
		marks: ring ? ring.marks.map((spec) => ring.bind(spec, 'embed')) : [],
		vocabSize: modelOf(name).vocabSize,
		specialTokens,
	});
}

/** Samples. */
export default async function sample(task: SampleTask): Promise<Sample[]> {
	tokenizer ??= embeddedTokenizer();
	const marker = await markerOf(task.model, task.keyring, tokenizer);
	return [...sampleTexts({ ...task, model: modelOf(task.model), tokenizer, marker })];
}
