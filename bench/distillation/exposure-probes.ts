/**
 * What each way in shows of a suspect on the pairs of a trial, beside references that are measured once.
 *
 * @module
 */
import type { Tokenizer } from '../../src/corpus/tokenizer.js';
import { createMarker } from '../../src/embed/marker.js';
import { embeddedModel } from '../../src/generate/embedded.js';
import { sampleTexts } from '../../src/generate/sample.js';
import type { GivenText } from '../../src/model/likelihood.js';
import { loadTransformer, type Transformer } from '../../src/model/transformer.js';
import type { ExposurePair } from '../../src/verify/exposure-data.js';
import {
	type GivenAnswer,
	type Likelihood,
	likelihoodMeasure,
	type Measure,
	type MeasuredTexts,
} from '../../src/verify/exposure-measures.js';
import { REFERENCES as STUDENTS_OF_UNMARKED_TEXT } from './cells.js';
import { folderOf, student } from './students.js';
import { ANSWER } from './trials.js';

/** Students that every trial is compared with, beside teacher and base. */
const REFERENCES = STUDENTS_OF_UNMARKED_TEXT.slice(0, 2);

/** Answers that a suspect gives to each prompt of the pairs. */
const OWN_ANSWERS = 4;

/** Trains the references. */
export function trainReferences(work: string): void {
	for (const cell of REFERENCES) student(work, cell);
}

/** Tokens that an API tells log-probabilities of, at each position. */
const TOLD = 20;

/** Log-probabilities, nats, of the tokens of answers, one list a text. */
interface Logs {
	readonly open: number[][];
	/** As an API tells them that gives the {@link TOLD} likeliest tokens: of the last one told where the token is not among them. */
	readonly grey: number[][];
}

/** Reads both in one pass. What does not fit the model's window is left out; prompts are short. */
function logProbabilities(model: Transformer, texts: readonly GivenText[]): Logs {
	const found: Logs = { open: [], grey: [] };
	for (let at = 0; at < texts.length; at += 64) {
		const rows = texts.slice(at, at + 64).map(({ prompt, answer }) => ({
			ids: [...prompt, ...answer].slice(0, model.maxLength + 1),
			from: prompt.length,
			open: [] as number[],
			grey: [] as number[],
		}));
		const batch = model.newBatch(rows.length);
		const longest = Math.max(...rows.map(({ ids }) => ids.length));
		for (let position = 1; position < longest; position++) {
			const logits = batch.step(Int32Array.from(rows, ({ ids }) => ids[position - 1] ?? 0));
			for (const [row, { ids, from, open, grey }] of rows.entries()) {
				if (position < from || position >= ids.length) continue;
				const own = logits.subarray(row * model.vocabSize, (row + 1) * model.vocabSize);
				const likeliest = largest(own, TOLD);
				const norm = Math.log(own.reduce((sum, logit) => sum + Math.exp(logit - likeliest[0]), 0));
				const logit = own[ids[position]];
				open.push(logit - likeliest[0] - norm);
				grey.push(Math.max(logit, likeliest[TOLD - 1]) - likeliest[0] - norm);
			}
		}
		found.open.push(...rows.map(({ open }) => open));
		found.grey.push(...rows.map(({ grey }) => grey));
	}
	return found;
}

/** The largest values, descending. */
function largest(values: Float32Array, count: number): number[] {
	const found = new Array<number>(count).fill(-Infinity);
	for (const value of values) {
		if (value <= found[count - 1]) continue;
		let at = count - 1;
		for (; at > 0 && found[at - 1] < value; at--) found[at] = found[at - 1];
		found[at] = value;
	}
	return found;
}

/** Likelihoods of answers' beginnings, from log-probabilities that were computed once. */
function likelihoods(
	texts: readonly GivenAnswer[],
	logs: readonly (readonly number[])[],
	tokens: number,
): Likelihood {
	const name = ({ prompt, text }: GivenAnswer) => JSON.stringify([prompt, text]);
	const byText = new Map(texts.map((text, i) => [name(text), logs[i].slice(0, tokens)]));
	return (asked) =>
		asked.map((text) => {
			const found = byText.get(name(text));
			if (found === undefined) throw new Error('a text has no log-probabilities');
			return found;
		});
}

/** How a suspect is looked at where it tells log-probabilities. */
export interface Probe {
	/**
	 * Its likelihood of both answers less the references': whole, their beginnings, or as an API tells it.
	 *
	 * @param own tokenizer of the suspect, if it is not that of the references
	 */
	measureOf(model: Transformer, way: 'open' | 'open-56' | 'open-28' | 'grey', own?: Tokenizer): Measure;
	/** Its likelihood by itself, as STAMP takes it: mean log-probability of a token. */
	alone(model: Transformer): Measure;
}

/** References, measured once: two unmarked students, the teacher, the base. */
function newProbe(work: string, pairs: readonly MeasuredTexts[], tokenizer: Tokenizer): Probe {
	const texts = pairs.flatMap(({ prompt, a, b }) => [
		{ prompt, text: a },
		{ prompt, text: b },
	]);
	const idsBy = (one: Tokenizer) =>
		texts.map(({ prompt, text }) => ({ prompt: one.encode(prompt), answer: one.encode(text) }));
	const ids = idsBy(tokenizer);
	const known = new Map<Transformer, Logs>();
	const logsOf = (model: Transformer, own = tokenizer): Logs => {
		const logs = known.get(model) ?? logProbabilities(model, own === tokenizer ? ids : idsBy(own));
		known.set(model, logs);
		return logs;
	};
	const references = [
		...REFERENCES.map(({ name }) => loadTransformer(folderOf(work, name))),
		embeddedModel('teacher'),
		embeddedModel('base'),
	];
	return {
		measureOf(model, way, own) {
			const access = way === 'grey' ? 'grey' : 'open';
			const length = { open: ANSWER, grey: ANSWER, 'open-56': 56, 'open-28': 28 }[way];
			const likelihoodOf = (one: Transformer, by?: Tokenizer) =>
				likelihoods(texts, logsOf(one, by)[access], length);
			return likelihoodMeasure(
				likelihoodOf(model, own),
				references.map((one) => likelihoodOf(one)),
			);
		},
		alone: (model) => likelihoodMeasure(likelihoods(texts, logsOf(model).open, ANSWER), [], { per: 'token' }),
	};
}

/** Probes by trial and number of pairs, so that references are measured once. */
const probes = new Map<string, Probe>();

/** The probe of a trial's first pairs. */
export function probeOf(
	work: string,
	seed: string,
	pairs: readonly MeasuredTexts[],
	tokenizer: Tokenizer,
): Probe {
	const name = JSON.stringify([work, seed, pairs.length]);
	const probe = probes.get(name) ?? newProbe(work, pairs, tokenizer);
	probes.set(name, probe);
	return probe;
}

/** What a suspect answers itself to the prompts of the pairs: {@link OWN_ANSWERS} a prompt. */
export function ownAnswers(
	model: Transformer,
	tokenizer: Tokenizer,
	pairs: readonly ExposurePair[],
	seed: string,
): GivenAnswer[] {
	const { vocabSize } = model;
	const marker = createMarker({ marks: [], vocabSize, specialTokens: tokenizer.specialTokens });
	const distinct = [...new Set(pairs.map(({ prompt }) => prompt))];
	const prompts = Array.from({ length: OWN_ANSWERS }, () => distinct).flat();
	return [
		...sampleTexts({ model, tokenizer, marker, prompts, maxTokens: ANSWER, seed: `exposure/own/${seed}` }),
	];
}
