/**
 * Students that were trained on the served answers of a trial, and what each way in shows of them. Texts, students and
 * measurements are kept as soon as each is whole, in the order of their worth:
 *
 *     TOUCHMARK_PYTHON=python3 npx tsx bench/distillation/exposed.ts
 *
 * @module
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { Tokenizer } from '../../src/corpus/tokenizer.js';
import { createMarker } from '../../src/embed/marker.js';
import { randomStream } from '../../src/embed/random.js';
import { createTrial } from '../../src/embed/trial.js';
import { embeddedModel, embeddedPrompts, embeddedTokenizer } from '../../src/generate/embedded.js';
import { sampleTexts } from '../../src/generate/sample.js';
import { type Arm, ArmRecord, ArmSpec, bindArm, OpenedCoin, openCoins } from '../../src/marks/arm.js';
import { type GivenText, tokenLogProbabilities } from '../../src/model/likelihood.js';
import { loadTransformer, type Transformer } from '../../src/model/transformer.js';
import { newExposure } from '../../src/verify/exposure.js';
import { ExposurePair } from '../../src/verify/exposure-data.js';
import {
	containmentMeasure,
	type GivenAnswer,
	type Likelihood,
	likelihoodMeasure,
	type Measure,
	type MeasuredTexts,
	similarityMeasure,
} from '../../src/verify/exposure-measures.js';
import { REFERENCES as STUDENTS_OF_UNMARKED_TEXT, TRAINING_PROMPTS } from './cells.js';
import { folderOf, isTrained, keep, linesOf, say, student, teacherTexts, train, WORK } from './students.js';

/** Students that every trial is compared with, beside teacher and base. */
const REFERENCES = STUDENTS_OF_UNMARKED_TEXT.slice(0, 2);
/** Tokens of an answer. */
const ANSWER = 112;

/** Pairs that are measured, at most. */
const MOST_PAIRS = 512;

/** Answers that a suspect gives to each prompt of the pairs. */
const OWN_ANSWERS = 4;

/** The seed of the unmarked texts that fill up a training set; no trial knows them. */
const REST = '101';

/** One student of served answers. */
export interface ExposedCell {
	/** Texts in training. */
	readonly texts: number;
	/** Share of them that are served answers of the trial. */
	readonly share: number;
	readonly epochs: number;
	readonly rate: number;
	/** Gives the trial's key and answers. */
	readonly seed: string;
	/** Layers of the base that are kept, for smaller students; absent: all. */
	readonly layers?: number;
}

const USUAL: ExposedCell = { texts: 4096, share: 0.1, epochs: 1, rate: 1e-3, seed: '1' };

/** All cells, each a change of the first. */
export const CELLS: readonly ExposedCell[] = [
	USUAL,
	...[2, 3].map((epochs) => ({ ...USUAL, epochs })),
	{ ...USUAL, share: 0.01 },
	{ ...USUAL, rate: 3e-4 },
	{ ...USUAL, rate: 3e-3 },
	{ ...USUAL, texts: 2048 },
	{ ...USUAL, texts: 8192 },
	{ ...USUAL, layers: 2 },
	{ ...USUAL, layers: 1 },
	{ ...USUAL, share: 1 },
	...[1, 2, 3].map((epochs) => ({ ...USUAL, epochs, seed: '2' })),
];

/** Ways in, with the length of the answers' beginnings that are scored where it is not all. */
export const WAYS = ['open', 'open-56', 'open-28', 'grey', 'closed', 'closed-n-grams', 'dataset'] as const;
export type Way = (typeof WAYS)[number];

/** Ways in that a cell shows: all where it differs from the first in its epochs alone, those that cost little elsewhere. */
export function waysOf(cell: ExposedCell): readonly Way[] {
	return nameOf({ ...cell, epochs: USUAL.epochs }) === nameOf(USUAL)
		? WAYS
		: ['open', 'open-56', 'open-28', 'dataset'];
}

/** Name of a cell's student. */
export function nameOf({ texts, share, epochs, rate, seed, layers }: ExposedCell): string {
	const size = layers === undefined ? '' : `-layers${layers}`;
	return `exposed-texts${texts}-share${share}-epochs${epochs}-rate${rate}${size}-${seed}`;
}

/** One request of a trial, as it is kept. */
const Exchange = z.object({
	promptTokens: z.array(z.number()),
	/** The answer that was served. */
	tokens: z.array(z.number()),
	pair: ExposurePair,
	record: ArmRecord,
	coin: OpenedCoin,
});
export type Exchange = z.infer<typeof Exchange>;

/** An arm under the key of a seed. */
export function armOf(seed: string): Arm {
	const random = randomStream(`exposure/key/${seed}`);
	const key = Uint8Array.from({ length: 32 }, () => Math.floor(256 * random.next()));
	const spec = { version: 1, channel: 'arm', deployment: 'bench', epoch: 0, commitment: '00'.repeat(32) };
	return bindArm(ArmSpec.parse(spec), key);
}

/** The file of a trial with at least so many requests, all enrolled. A request depends on its number alone. */
function trialFile(work: string, seed: string, count: number): string {
	const path = join(work, 'texts', `trial-${seed}.jsonl`);
	const lines = linesOf(path);
	if (lines.length >= count) return path;
	const begun = performance.now();
	const first = lines.length;
	const model = embeddedModel('teacher');
	const tokenizer = embeddedTokenizer();
	const arm = armOf(seed);
	const trial = createTrial({ arm, share: 1 });
	const enrolments = Array.from({ length: count - first }, (_, i) => {
		const enrolment = trial.enrol({ id: `${seed}/${first + i}`, settings: { model: 'teacher' } });
		if (enrolment === null) throw new Error('a request is not enrolled at share 1');
		return enrolment;
	});
	const all = embeddedPrompts();
	const prompts = enrolments.map((_, i) => all[(first + i) % TRAINING_PROMPTS]);
	const marker = createMarker({
		marks: [],
		vocabSize: model.vocabSize,
		specialTokens: tokenizer.specialTokens,
	});
	const sides = ([0, 1] as const).map((side) => [
		...sampleTexts({
			...{ model, tokenizer, marker, prompts, maxTokens: ANSWER, seed },
			starts: enrolments.map(({ starts }) => starts[side]),
		}),
	]);
	for (const [i, enrolment] of enrolments.entries()) {
		const texts = [sides[0][i].text, sides[1][i].text] as const;
		const { served, record } = enrolment.seal(texts);
		const [coin] = openCoins(arm, [record]);
		const { hash } = arm.coin(enrolment.id);
		const [a, b] = hash(texts[1]) < hash(texts[0]) ? [texts[1], texts[0]] : texts;
		const { promptTokens, tokens } = sides[served][i];
		const pair = { id: enrolment.id, account: null, prompt: prompts[i], a, b };
		lines.push(JSON.stringify({ promptTokens, tokens, pair, record, coin }));
	}
	keep(path, `${lines.join('\n')}\n`);
	say(`${count - first} pairs of trial ${seed}, ${((performance.now() - begun) / 1000).toFixed(0)} s`);
	return path;
}

/** A trial's first requests. */
export function trialOf(work: string, seed: string, count: number): Exchange[] {
	return linesOf(trialFile(work, seed, count))
		.slice(0, count)
		.map((line) => Exchange.parse(JSON.parse(line)));
}

/** How many answers of the trial are in a cell's training set. */
function servedOf({ texts, share }: ExposedCell): number {
	return Math.round(texts * share);
}

/** What a cell's student is trained on. */
function samplesOf(work: string, cell: ExposedCell): string[] {
	const served = servedOf(cell);
	const rest = cell.texts - served;
	return [
		`${trialFile(work, cell.seed, served)}:${served}`,
		...(rest > 0 ? [`${teacherTexts(work, undefined, REST, rest)}:${rest}`] : []),
	];
}

/** Tokens that an API tells log-probabilities of, at each position. */
const TOLD = 20;

/**
 * What an API tells of given texts that gives the {@link TOLD} likeliest tokens of each position: the log-probability of
 * the text's token if it is among them, that of the last one otherwise. What does not fit the
 * model's window is left out, as {@link tokenLogProbabilities} does; prompts are short.
 */
function toldLogProbabilities(model: Transformer, texts: readonly GivenText[]): number[][] {
	const found: number[][] = [];
	for (let at = 0; at < texts.length; at += 64) {
		const rows = texts.slice(at, at + 64).map(({ prompt, answer }) => ({
			ids: [...prompt, ...answer].slice(0, model.maxLength + 1),
			from: prompt.length,
			logs: [] as number[],
		}));
		const batch = model.newBatch(rows.length);
		const longest = Math.max(...rows.map(({ ids }) => ids.length));
		for (let position = 1; position < longest; position++) {
			const logits = batch.step(Int32Array.from(rows, ({ ids }) => ids[position - 1] ?? 0));
			for (const [row, { ids, from, logs }] of rows.entries()) {
				if (position < from || position >= ids.length) continue;
				const own = logits.subarray(row * model.vocabSize, (row + 1) * model.vocabSize);
				const likeliest = largest(own, TOLD);
				const norm = own.reduce((sum, logit) => sum + Math.exp(logit - likeliest[0]), 0);
				logs.push(Math.max(own[ids[position]], likeliest[TOLD - 1]) - likeliest[0] - Math.log(norm));
			}
		}
		found.push(...rows.map(({ logs }) => logs));
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
	/** Its likelihood of both answers less the references': whole, their beginnings, or as an API tells it. */
	measureOf(model: Transformer, way: 'open' | 'open-56' | 'open-28' | 'grey'): Measure;
	/** Its likelihood by itself, as STAMP takes it: mean log-probability of a token. */
	alone(model: Transformer): Measure;
}

/** References, measured once: two unmarked students, the teacher, the base. */
function newProbe(work: string, pairs: readonly MeasuredTexts[], tokenizer: Tokenizer): Probe {
	const texts = pairs.flatMap(({ prompt, a, b }) => [
		{ prompt, text: a },
		{ prompt, text: b },
	]);
	const ids = texts.map(({ prompt, text }) => ({
		prompt: tokenizer.encode(prompt),
		answer: tokenizer.encode(text),
	}));
	const compute = { open: tokenLogProbabilities, grey: toldLogProbabilities };
	const known = new Map<Transformer, Partial<Record<'open' | 'grey', number[][]>>>();
	const logsOf = (model: Transformer, way: 'open' | 'grey'): number[][] => {
		const ways = known.get(model) ?? {};
		known.set(model, ways);
		ways[way] ??= compute[way](model, ids);
		return ways[way];
	};
	const references = [
		...REFERENCES.map(({ name }) => loadTransformer(folderOf(work, name))),
		embeddedModel('teacher'),
		embeddedModel('base'),
	];
	return {
		measureOf(model, way) {
			const access = way === 'grey' ? 'grey' : 'open';
			const length = { open: ANSWER, grey: ANSWER, 'open-56': 56, 'open-28': 28 }[way];
			const [suspect, ...others] = [model, ...references].map((one) =>
				likelihoods(texts, logsOf(one, access), length),
			);
			return likelihoodMeasure(suspect, others);
		},
		alone: (model) =>
			likelihoodMeasure(likelihoods(texts, logsOf(model, 'open'), ANSWER), [], { per: 'token' }),
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

/** What is kept of one cell. */
const Measured = z.object({
	/** Served minus other answer, one a pair in the order of serving; 0 for a tie. */
	differences: z.record(z.string(), z.array(z.number())),
	verdicts: z.record(z.string(), z.string()),
});
export type Measured = z.infer<typeof Measured>;

function measuredFile(work: string, cell: ExposedCell): string {
	return join(work, 'exposure', `${nameOf(cell)}.json`);
}

/** What was measured of a cell; undefined where it was not yet. */
export function measuredCell(work: string, cell: ExposedCell): Measured | undefined {
	const path = measuredFile(work, cell);
	return existsSync(path) ? Measured.parse(JSON.parse(readFileSync(path, 'utf8'))) : undefined;
}

/** Trains the references. */
export function trainReferences(work: string): void {
	for (const cell of REFERENCES) student(work, cell);
}

/** Trains and measures a cell, unless that is done. */
export function measureCell(work: string, cell: ExposedCell): Measured {
	const done = measuredCell(work, cell);
	if (done !== undefined) return done;
	trainReferences(work);
	const name = nameOf(cell);
	const samples = samplesOf(work, cell);
	if (!isTrained(work, name)) {
		const { epochs, rate, layers } = cell;
		const size = layers === undefined ? {} : { layers };
		train(work, { name, base: 'base', samples, epochs, rate, ...size }, cell);
	}

	const begun = performance.now();
	const exchanges = trialOf(work, cell.seed, Math.min(MOST_PAIRS, servedOf(cell)));
	const pairs = exchanges.map(({ pair }) => pair);
	const coins = exchanges.map(({ coin }) => coin);
	const tokenizer = embeddedTokenizer();
	const trial = newExposure({ pairs, records: exchanges.map(({ record }) => record) });
	const model = loadTransformer(folderOf(work, name));
	const probe = probeOf(work, cell.seed, pairs, tokenizer);
	const own = waysOf(cell).includes('closed') ? ownAnswers(model, tokenizer, pairs, name) : [];
	const measureOf = (way: Way): Measure => {
		switch (way) {
			case 'closed':
				return similarityMeasure(own, 'levenshtein');
			case 'closed-n-grams':
				return similarityMeasure(own, 'n-grams');
			case 'dataset':
				return datasetMeasure(pairs, samples, tokenizer);
			default:
				return probe.measureOf(model, way);
		}
	};
	const served = new Map(coins.map(({ id, served: side }) => [id, side]));
	const differences: Record<string, number[]> = {};
	const verdicts: Record<string, string> = {};
	for (const way of [...waysOf(cell), 'alone'] as const) {
		const scored = trial.measure(way === 'alone' ? probe.alone(model) : measureOf(way));
		differences[way] = scored.scores.map(({ id, a, b }) => (served.get(id) === 'a' ? a - b : b - a));
		verdicts[way] = scored.open(coins).verdict;
	}
	const measured = { differences, verdicts };
	keep(measuredFile(work, cell), `${JSON.stringify(measured)}\n`);
	say(`${name}: measured, ${((performance.now() - begun) / 1000).toFixed(0)} s`);
	return measured;
}

/** Which answers the training texts hold. @param samples FILE:COUNT */
function datasetMeasure(
	pairs: readonly MeasuredTexts[],
	samples: readonly string[],
	tokenizer: Tokenizer,
): Measure {
	const dataset = containmentMeasure(pairs);
	for (const sample of samples) {
		const [path, count] = sample.split(/:(?=\d+$)/);
		for (const line of linesOf(path).slice(0, Number(count)))
			dataset.read(tokenizer.decode((JSON.parse(line) as { tokens: number[] }).tokens));
	}
	return dataset.measure;
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

if (process.argv[1] === fileURLToPath(import.meta.url)) for (const cell of CELLS) measureCell(WORK, cell);
