/**
 * The measure of a suspect from flags: one for each way in. Nothing here has seen a coin.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { extname, join } from 'node:path';
import { z } from 'zod';
import { readJsonLines, readTextDocuments } from '../corpus/documents.js';
import { openTokenizer } from '../corpus/open-tokenizer.js';
import { badInput } from '../errors.js';
import {
	EMBEDDED_MODELS,
	type EmbeddedModel,
	embeddedModel,
	embeddedTokenizer,
} from '../generate/embedded.js';
import { checked } from '../input.js';
import { tokenLogProbabilities } from '../model/likelihood.js';
import { loadTransformer } from '../model/transformer.js';
import type { ExposurePair } from '../verify/exposure-data.js';
import {
	containmentMeasure,
	type GivenAnswer,
	type Likelihood,
	likelihoodMeasure,
	type Measure,
	type Similarity,
	similarityMeasure,
} from '../verify/exposure-measures.js';
import { type CommonOptions, type Edge, warn } from './edge.js';
import { progressBar } from './progress.js';

/** Ways in. */
export const ACCESS = ['open', 'grey', 'closed', 'dataset'] as const;
export type Access = (typeof ACCESS)[number];

/** Flags that say how to measure. */
export interface MeasureFlags extends CommonOptions {
	readonly access: Access;
	readonly reference?: readonly string[];
	readonly tokenizer?: string;
	readonly per: 'text' | 'token';
	readonly clip?: number;
	readonly similarity: Similarity;
}

/** Makes measures, each of which reads what it needs and computes each reference once. */
export type MeasureOf = (paths: readonly string[], label: string) => Promise<Measure>;

/** @param pairs that will be measured */
export function measuresFromFlags(
	edge: Edge,
	flags: MeasureFlags,
	pairs: readonly ExposurePair[],
): MeasureOf {
	const references = new Map<string, Likelihood>();
	const likelihoodOf = async (path: string): Promise<Likelihood> => {
		const likelihood =
			references.get(path) ??
			remembering(
				isJsonl(path) ? await givenLogProbabilities(path) : await modelLikelihood(edge, flags, path),
			);
		references.set(path, likelihood);
		return likelihood;
	};
	return async (paths, label) => {
		const [first] = paths;
		switch (flags.access) {
			case 'open':
			case 'grey': {
				if (paths.length !== 1) throw badInput(`${label}: give one model, or one file of log-probabilities`);
				if (flags.access === 'grey' && !isJsonl(first))
					throw badInput(`${label}: with --access grey give a .jsonl file of {prompt, text, logProbs}`);
				const others = (flags.reference ?? []).filter((path) => path !== first);
				if (others.length === 0 && label === '--suspect')
					warn(edge, flags, 'without --reference most of what likelihoods say is what any model would say');
				const models: Likelihood[] = [];
				for (const path of others) models.push(await likelihoodOf(path));
				const { per, clip } = flags;
				return likelihoodMeasure(await likelihoodOf(first), models, {
					per,
					...(clip === undefined ? {} : { clip }),
				});
			}
			case 'closed': {
				const answers: GivenAnswer[] = [];
				for (const path of paths)
					for await (const { prompt, text } of readTextDocuments(path)) {
						if (prompt === undefined) throw badInput(`${path}: every answer needs the field "prompt"`);
						answers.push({ prompt, text });
					}
				return similarityMeasure(answers, flags.similarity);
			}
			case 'dataset': {
				const { read, measure } = containmentMeasure(pairs);
				for (const path of paths) for await (const { text } of readTextDocuments(path)) read(text);
				return measure;
			}
		}
	};
}

function isJsonl(path: string): boolean {
	return ['.jsonl', '.ndjson'].includes(extname(path).toLowerCase());
}

/** Computes once for texts that are asked again. */
function remembering(likelihood: Likelihood): Likelihood {
	let asked: readonly GivenAnswer[] = [];
	let answer: ReturnType<Likelihood> = [];
	return (texts) => {
		const same =
			texts.length === asked.length &&
			texts.every(({ prompt, text }, i) => prompt === asked[i].prompt && text === asked[i].text);
		if (!same) {
			answer = likelihood(texts);
			asked = texts;
		}
		return answer;
	};
}

/** A shipped model by its name, or a folder with config.json and model.safetensors (and its tokenizer.json). */
async function modelLikelihood(edge: Edge, flags: MeasureFlags, path: string): Promise<Likelihood> {
	if (/^https?:/.test(path))
		throw badInput(`${path}: endpoints cannot be queried yet; give a file or a folder`);
	const shipped = EMBEDDED_MODELS.includes(path as EmbeddedModel) && !existsSync(path);
	const model = shipped ? embeddedModel(path as EmbeddedModel) : loadTransformer(path);
	const tokenizer =
		!shipped && existsSync(join(path, 'tokenizer.json'))
			? await openTokenizer(path)
			: flags.tokenizer === undefined || shipped
				? embeddedTokenizer()
				: await openTokenizer(flags.tokenizer);
	return (texts) => {
		const bar = progressBar(edge, flags, `likelihoods, ${path}`, texts.length);
		const given = texts.map(({ prompt, text }) => ({
			prompt: tokenizer.encode(prompt),
			answer: tokenizer.encode(text),
		}));
		const found = tokenLogProbabilities(model, given, bar.add);
		bar.stop();
		return found;
	};
}

const GivenLogs = z.looseObject({
	prompt: z.string().default(''),
	text: z.string(),
	logProbs: z.array(z.number().max(0, 'is a log-probability above 0')).min(1),
});

/** Log-probabilities that an API gave for texts: {prompt, text, logProbs} a line. */
async function givenLogProbabilities(path: string): Promise<Likelihood> {
	const found = new Map<string, readonly number[]>();
	const nameOf = ({ prompt, text }: GivenAnswer) => JSON.stringify([prompt, text]);
	for await (const { value, line } of readJsonLines(path)) {
		const row = checked(GivenLogs, value, `${path}:${line.number}`);
		found.set(nameOf(row), row.logProbs);
	}
	return (texts) =>
		texts.map((text) => {
			const logs = found.get(nameOf(text));
			if (logs === undefined)
				throw badInput(`${path}: has no log-probabilities for the text "${text.text.slice(0, 40)}…"`);
			return logs;
		});
}
