/**
 * What is known of a suspect and of the references beside it, from files and models, as weights for a test. Nothing here
 * is given a key.
 *
 * @module
 */

import { existsSync, statSync } from 'node:fs';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { readTextDocuments } from '../corpus/documents.js';
import { type Reading, readReadings } from '../corpus/readings.js';
import type { Tokenizer } from '../corpus/tokenizer.js';
import { badInput } from '../errors.js';
import { EMBEDDED_MODELS, namedModel } from '../generate/embedded.js';
import { canonicalBytes } from '../marks/mark-spec.js';
import { predictAlong, predictAnswers } from '../model/predict.js';
import type { Transformer } from '../model/transformer.js';
import type { Exchange, Observations } from '../verify/radioactivity.js';
import {
	type ContextCounts,
	countContexts,
	listedPrediction,
	newResiduals,
	type PairWeights,
	type Prediction,
} from '../verify/residuals.js';

/** Tokens of a reference below this probability are expected nowhere. */
const LEAST_LISTED = 1e-3;

/** Whether a name means a model: one that ships, or a folder. */
function isModel(name: string): boolean {
	return EMBEDDED_MODELS.some((one) => one === name) || (existsSync(name) && statSync(name).isDirectory());
}

/** Models that must run here, by name. @throws TouchmarkError `bad-input` for a vocabulary that is not the tokenizer's */
function modelsOf(names: readonly string[], tokenizer: Tokenizer): Transformer[] {
	return names.map((name) => {
		if (!isModel(name))
			throw badInput(
				`${name}: is neither the folder of a model (config.json, model.safetensors) nor one that ships`,
			);
		const model = namedModel(name);
		if (model.vocabSize !== tokenizer.vocabSize)
			throw badInput(
				`${name}: has a vocabulary of ${model.vocabSize} where the tokenizer of the mark has ${tokenizer.vocabSize}`,
			);
		return model;
	});
}

/** Counts of contexts in unmarked text, by context width. */
export type Traffic = (contextWidth: number) => ContextCounts | undefined;

/** Reads unmarked text of the provider. */
export async function readTraffic(path: string | undefined, tokenizer: Tokenizer): Promise<Traffic> {
	if (path === undefined) return () => undefined;
	const texts: number[][] = [];
	for await (const { text } of readTextDocuments(path)) texts.push(tokenizer.encode(text));
	return (contextWidth) => countContexts(texts, contextWidth);
}

/** Answers of a suspect, with weights from references that run over them. */
export function closedObservations(
	exchanges: readonly Exchange[],
	references: readonly string[],
	tokenizer: Tokenizer,
	traffic: Traffic,
): Observations {
	if (references.length === 0) return { mode: 'closed', exchanges };
	const models = modelsOf(references, tokenizer);
	return { mode: 'closed', exchanges, weights: (width) => weightsOfText(exchanges, models, width, traffic) };
}

function weightsOfText(
	exchanges: readonly Exchange[],
	models: readonly Transformer[],
	contextWidth: number,
	traffic: Traffic,
): PairWeights {
	const residuals = newResiduals('text', contextWidth, models.length, traffic(contextWidth));
	predictAnswers(models, exchanges, contextWidth, LEAST_LISTED, residuals.addToken);
	return residuals.weights();
}

/** Distributions of a suspect model along texts of our choice. */
export async function openObservations(
	suspect: string,
	probes: readonly string[],
	references: readonly string[],
	tokenizer: Tokenizer,
	traffic: Traffic,
): Promise<Observations> {
	const texts: number[][] = [];
	for (const path of probes)
		for await (const { text, prompt } of readTextDocuments(path))
			texts.push([...(prompt === undefined ? [] : tokenizer.encode(prompt)), ...tokenizer.encode(text)]);
	const models = modelsOf([suspect, ...references], tokenizer);
	return {
		mode: 'open',
		digest: bytesToHex(sha256(canonicalBytes(texts))),
		given: texts,
		weights(contextWidth) {
			const residuals = newResiduals('readings', contextWidth, references.length, traffic(contextWidth));
			predictAlong(
				models,
				texts,
				LEAST_LISTED,
				(text, at, [own, ...others]) => {
					residuals.addReading(texts[text].slice(0, at), own, others);
				},
				(_, at) => at >= contextWidth,
			);
			return residuals.weights();
		},
	};
}

/** Readings of an API, beside readings or models as references. */
export async function greyObservations(
	suspects: readonly string[],
	references: readonly string[],
	tokenizer: Tokenizer,
	traffic: Traffic,
): Promise<Observations> {
	const { vocabSize } = tokenizer;
	const readings: Reading[] = [];
	for (const path of suspects) readings.push(...(await readReadings(path, vocabSize)));
	const models = modelsOf(references.filter(isModel), tokenizer);
	/** For each reference: its readings beside the suspect's, or nothing where a model runs. */
	const files = await Promise.all(
		references.map(async (path) => {
			if (isModel(path)) return undefined;
			const byId = new Map((await readReadings(path, vocabSize)).map((reading) => [reading.id, reading]));
			return readings.map(({ id, prefix }): Prediction => {
				const other = byId.get(id);
				if (other === undefined) throw badInput(`${path}: has no reading with id "${id}"`);
				if (other.prefix.join() !== prefix.join())
					throw badInput(`${path}: reading "${id}" has another prefix than the suspect's`);
				return listedPrediction(other.tokens, other.probabilities);
			});
		}),
	);
	return {
		mode: 'grey',
		digest: bytesToHex(sha256(canonicalBytes(readings))),
		given: readings.map(({ prefix }) => prefix),
		weights(contextWidth) {
			const residuals = newResiduals('readings', contextWidth, references.length, traffic(contextWidth));
			const short = readings.find(({ prefix }) => prefix.length < Math.max(1, contextWidth));
			if (short !== undefined)
				throw badInput(
					`reading "${short.id}": its prefix has ${short.prefix.length} ids where a mark needs ${Math.max(1, contextWidth)}`,
				);
			const add = (index: number, predictions: readonly Prediction[]) => {
				const { prefix, tokens, probabilities } = readings[index];
				const left = predictions.values();
				const all = files.map((file) => file?.[index] ?? (left.next().value as Prediction));
				residuals.addReading(prefix, listedPrediction(tokens, probabilities), all);
			};
			if (models.length === 0) for (const index of readings.keys()) add(index, []);
			else {
				// Any next token: only what is predicted there is looked at.
				const texts = readings.map(({ prefix }) => [...prefix, 0]);
				predictAlong(
					models,
					texts,
					1,
					(text, _, predictions) => add(text, predictions),
					(text, at) => at === texts[text].length - 1,
				);
			}
			return residuals.weights();
		},
	};
}
