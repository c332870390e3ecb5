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
import { embeddedTokenizer, MODELS } from '../../src/generate/embedded.js';
import { loadTransformer } from '../../src/model/transformer.js';
import { newExposure } from '../../src/verify/exposure.js';
import {
	containmentMeasure,
	type Measure,
	type MeasuredTexts,
	similarityMeasure,
} from '../../src/verify/exposure-measures.js';
import { ownAnswers, probeOf, trainReferences } from './exposure-probes.js';
import { folderOf, isTrained, keep, linesOf, say, teacherTexts, train, WORK } from './students.js';
import { trialFile, trialOf } from './trials.js';

/** Pairs that are measured, at most. */
const MOST_PAIRS = 512;

/** The seed of the unmarked texts that fill up a training set; no trial knows them. */
export const REST = '101';

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
		train(work, { name, from: join(MODELS, 'base'), samples, epochs, rate, ...size }, cell);
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

if (process.argv[1] === fileURLToPath(import.meta.url)) for (const cell of CELLS) measureCell(WORK, cell);
