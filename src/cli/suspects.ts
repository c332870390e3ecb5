/**
 * What is known of a suspect and of the references beside it, from files and models, as weights for a test. Nothing here
 * is given a key.
 *
 * @module
 */

import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { DEFAULT_FIELDS, type Fields, readTextDocuments } from '../corpus/documents.js';
import { type Reading, readReadings } from '../corpus/readings.js';
import type { Tokenizer } from '../corpus/tokenizer.js';
import { badInput } from '../errors.js';
import { canonicalBytes } from '../marks/mark-spec.js';
import { predictAlong, predictAnswers } from '../model/predict.js';
import type { Transformer } from '../model/transformer.js';
import type { Exchange, Observations } from '../verify/radioactivity.js';
import { type ContextCounts, countContexts, newResiduals, type PairWeights } from '../verify/residuals.js';
import { isModel, openModel } from './own-models.js';
import { alignedPlaces, LEAST_LISTED, readPlaces, weightsAt } from './places.js';

/** Counts of contexts in unmarked text, by context width. */
export type Traffic = (contextWidth: number) => ContextCounts | undefined;

/** Reads unmarked text of the provider. */
export async function readTraffic(path: string | undefined, tokenizer: Tokenizer): Promise<Traffic> {
	if (path === undefined) return () => undefined;
	const texts: number[][] = [];
	for await (const { text } of readTextDocuments(path)) texts.push(tokenizer.encode(text));
	return (contextWidth) => countContexts(texts, contextWidth);
}

/**
 * Answers of a suspect out of files, with weights from references that run over them.
 *
 * @param fields that hold an answer and what was given, where they are not the usual ones
 * @param warn hears that no record says what was given
 * @throws TouchmarkError `bad-input` also for records of which only some say what was given
 */
export async function observeAnswers(
	suspects: readonly string[],
	references: readonly string[],
	tokenizer: Tokenizer,
	traffic: Traffic,
	{
		fields = DEFAULT_FIELDS,
		warn = () => undefined,
	}: { fields?: Fields; warn?: (what: string) => void } = {},
): Promise<Observations> {
	const exchanges: Exchange[] = [];
	let without: string | undefined;
	for (const path of suspects)
		for await (const { id, text, prompt } of readTextDocuments(path, fields)) {
			if (prompt === undefined) without ??= `${path}: record "${id}" has no field "${fields.prompt}"`;
			exchanges.push({
				prompt: prompt === undefined ? [] : tokenizer.encode(prompt),
				answer: tokenizer.encode(text),
			});
		}
	if (without !== undefined) {
		// A suspect that repeats a marked prompt looks marked itself.
		const remedy =
			'name the field that holds what the suspect was given (--prompt-field), and give "" where that was nothing';
		if (fields.prompt !== DEFAULT_FIELDS.prompt || exchanges.some(({ prompt }) => prompt.length > 0))
			throw badInput(`${without}; ${remedy}`);
		warn(`${without}, nor has any other; nothing is left out of the answers: ${remedy}`);
	}
	return closedObservations(exchanges, references, tokenizer, traffic);
}

/** Answers of a suspect, with weights from references that run over them. */
function closedObservations(
	exchanges: readonly Exchange[],
	references: readonly string[],
	tokenizer: Tokenizer,
	traffic: Traffic,
): Observations {
	if (references.length === 0) return { mode: 'closed', exchanges };
	const models = references.map((name) => {
		const { model, other } = openModel(name, tokenizer);
		if (other !== null)
			throw badInput(
				`${name}: has another tokenizer than the mark; with --mode closed give references of the mark's`,
			);
		return model;
	});
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
	const digest = bytesToHex(sha256(canonicalBytes(texts)));
	const [own, ...others] = [suspect, ...references].map((name) => openModel(name, tokenizer));
	const { other } = own;
	if (other !== null) {
		// Prompt and text in one, so that our ids are those of the text as any tokenizer would have it.
		const joined = texts.map((ids) => tokenizer.encode(tokenizer.decode(ids)));
		const places = alignedPlaces({ ...own, other }, others, joined, tokenizer);
		return {
			...{ mode: 'open', digest, given: joined },
			weights: (width) =>
				weightsAt(
					places.filter(({ prefix }) => prefix.length >= width),
					width,
					references.length,
					traffic,
				),
		};
	}
	const foreign = others.find((one) => one.other !== null);
	if (foreign !== undefined)
		throw badInput(
			`${foreign.name}: has another tokenizer than the suspect and the mark; it predicts nothing of either`,
		);
	const models = [own, ...others].map(({ model }) => model);
	return {
		...{ mode: 'open', digest, given: texts },
		weights(contextWidth) {
			const residuals = newResiduals('readings', contextWidth, references.length, traffic(contextWidth));
			predictAlong(
				models,
				texts,
				LEAST_LISTED,
				(text, at, [first, ...rest]) => {
					residuals.addReading(texts[text].slice(0, at), first, rest);
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
	const readings: Reading[] = [];
	for (const path of suspects) readings.push(...(await readReadings(path, tokenizer)));
	const others = references.map((name) => (isModel(name) ? openModel(name, tokenizer) : name));
	const places = await readPlaces(readings, others, tokenizer);
	return {
		mode: 'grey',
		digest: bytesToHex(sha256(canonicalBytes(readings))),
		given: readings.map(({ prefix }) => prefix),
		weights(contextWidth) {
			const short = readings.find(({ prefix }) => prefix.length < Math.max(1, contextWidth));
			if (short !== undefined)
				throw badInput(
					`reading "${short.id}": its prefix has ${short.prefix.length} ids where a mark needs ${Math.max(1, contextWidth)}`,
				);
			return weightsAt(places, contextWidth, references.length, traffic);
		},
	};
}
