/**
 * Students that were trained on answers to some cohorts, and what tests of inheritance say of every cohort's mark. Texts,
 * students and measurements are kept as soon as each is whole:
 *
 *     TOUCHMARK_PYTHON=python3 npx tsx bench/distillation/cohort-students.ts
 *
 * @module
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { createMarker } from '../../src/embed/marker.js';
import { randomStream } from '../../src/embed/random.js';
import { embeddedModel, embeddedPrompts, embeddedTokenizer, MODELS } from '../../src/generate/embedded.js';
import { sampleTexts } from '../../src/generate/sample.js';
import type { Mark } from '../../src/marks/mark.js';
import { predictAlong, predictAnswers } from '../../src/model/predict.js';
import type { Transformer } from '../../src/model/transformer.js';
import { newResiduals, type PairWeights } from '../../src/verify/residuals.js';
import { testWeighted } from '../../src/verify/weighted.js';
import { freshLayers } from '../fresh-marks.js';
import { BUDGET, TRAINING_PROMPTS } from './cells.js';
import { REST } from './exposed.js';
import { answersOf, type Ground, groundOf, MAX_TOKENS, studentAt } from './ground.js';
import { askedPlaces, shownByApi } from './reading.js';
import {
	isTrained,
	keep,
	keepTexts,
	linesOf,
	say,
	type Text,
	teacherTexts,
	train,
	WORK,
} from './students.js';

/** Cohorts with a mark of their own. */
export const COHORTS = 50;
/** Of them, the first: those whose answers a student was trained on. */
export const USED = 5;
/** Keys that no text carries, beside those of the cohorts that were not used. */
const FRESH = 155;

/** Positions that are read, open and grey: as many as in the bench `inheritance`. */
const POSITIONS = 10_000;
/** Tokens of answers that are asked for. */
const ASKED = 100_000;

/** One student. */
export interface CohortCell {
	/** Training texts of each cohort that was used, as a share of all. */
	readonly share: number;
	/** Gives keys, texts and order of training. */
	readonly seed: number;
}

/** All cells. */
export const CELLS: readonly CohortCell[] = [0.05, 0.1, 0.02].flatMap((share) =>
	[1, 2].map((seed) => ({ share, seed })),
);

/** Ways in. */
export const WAYS = ['open', 'grey', 'closed'] as const;
export type Way = (typeof WAYS)[number];

/** log10 p by way: of the deployment's mark, of every cohort's, of fresh keys in the place of a cohort's. */
const Measured = z.record(
	z.enum(WAYS),
	z.object({ deployment: z.number(), cohorts: z.array(z.number()), fresh: z.array(z.number()) }),
);
export type Measured = z.infer<typeof Measured>;

/** Exchanges of one cohort in a training set. */
export function exchangesOf({ share }: CohortCell): number {
	return Math.round(share * BUDGET.texts);
}

function nameOf({ share, seed }: CohortCell): string {
	return `cohorts-share${share}-${seed}`;
}

const nameOfCohort = (i: number) => `cohort-${i}`;

/** Marks under the keys of a seed: the deployment's shape, those of all cohorts, and those of nobody. */
function marksOf(seed: number): { deployment: Mark; cohorts: Mark[]; fresh: Mark[] } {
	const names = Array.from({ length: COHORTS + FRESH }, (_, i) => nameOfCohort(i));
	const [deployment, , , ...cohorts] = freshLayers(randomStream(`distillation/cohorts/${seed}`), names);
	return { deployment, cohorts: cohorts.slice(0, COHORTS), fresh: cohorts.slice(COHORTS) };
}

/** The teacher's answers to the used cohorts in turn, at least `count`. @returns the file */
function cohortTexts(work: string, seed: number, count: number): string {
	const path = join(work, 'texts', `cohorts-${seed}.jsonl`);
	if (linesOf(path).length >= count) return path;
	const begun = performance.now();
	const model = embeddedModel('teacher');
	const tokenizer = embeddedTokenizer();
	const { deployment, cohorts } = marksOf(seed);
	const { vocabSize } = model;
	const { specialTokens } = tokenizer;
	const prompts = embeddedPrompts();
	const texts = sampleTexts({
		...{ model, tokenizer, maxTokens: BUDGET.maxTokens },
		marker: createMarker({ marks: [deployment, ...cohorts.slice(0, USED)], vocabSize, specialTokens }),
		prompts: Array.from({ length: count }, (_, i) => prompts[i % TRAINING_PROMPTS]),
		seed: `distillation/texts/cohorts/${seed}`,
		starts: Array.from({ length: count }, (_, i) => ({ cohort: nameOfCohort(i % USED) })),
	});
	keepTexts(path, [...texts] satisfies Text[]);
	say(`${count} texts of cohorts-${seed}, ${((performance.now() - begun) / 1000).toFixed(0)} s`);
	return path;
}

/** Trains a student unless it is there. */
function trainCell(work: string, cell: CohortCell): void {
	const name = nameOf(cell);
	if (isTrained(work, name)) return;
	const { epochs, rate, texts } = BUDGET;
	const most = USED * Math.max(...CELLS.map(exchangesOf));
	const marked = USED * exchangesOf(cell);
	const samples = [
		`${cohortTexts(work, cell.seed, most)}:${marked}`,
		`${teacherTexts(work, undefined, REST, texts - marked)}:${texts - marked}`,
	];
	train(work, { name, from: join(MODELS, 'base'), samples, epochs, rate }, { ...cell, budget: BUDGET });
}

/** Weights from what students predict along the probes, in full and as an API shows it; all students in one pass. */
function readAll(
	ground: Ground,
	students: readonly Transformer[],
): { open: PairWeights; grey: PairWeights }[] {
	const { references, probes } = ground;
	const places = askedPlaces(ground, 1);
	const gather = () => newResiduals('readings', 1, references.length, ground.exposure(1));
	const states = students.map(() => ({ open: gather(), grey: gather() }));
	const wanted = (text: number, at: number) => (places.get(text * 1024 + at)?.rank ?? POSITIONS) < POSITIONS;
	predictAlong(
		[...references, ...students],
		probes,
		1e-3,
		(text, at, all) => {
			const prefix = probes[text].slice(0, at);
			const others = all.slice(0, references.length);
			states.forEach(({ open, grey }, i) => {
				const own = all[references.length + i];
				open.addReading(prefix, own, others);
				grey.addReading(prefix, shownByApi(own), others);
			});
		},
		wanted,
	);
	return states.map(({ open, grey }) => ({ open: open.weights(), grey: grey.weights() }));
}

/** Weights from what a student writes. */
function askFor(ground: Ground, model: Transformer, seed: string): PairWeights {
	const { references } = ground;
	const residuals = newResiduals('text', 1, references.length, ground.exposure(1));
	const answers = [...answersOf(model, Math.ceil(ASKED / MAX_TOKENS), seed)];
	const exchanges = answers.map(({ promptTokens, tokens }) => ({ prompt: promptTokens, answer: tokens }));
	predictAnswers(references, exchanges, 1, 1e-3, (context, token, others) => {
		residuals.addToken(context, token, others);
	});
	return residuals.weights();
}

function measuredFile(work: string, cell: CohortCell): string {
	return join(work, 'accounts', `${nameOf(cell)}.json`);
}

/** What was measured of a student; undefined where it was not yet. */
export function measuredCohorts(work: string, cell: CohortCell): Measured | undefined {
	const path = measuredFile(work, cell);
	return existsSync(path) ? Measured.parse(JSON.parse(readFileSync(path, 'utf8'))) : undefined;
}

/** Trains and measures students, except those where that is done. */
export function measureCohorts(work: string, cells: readonly CohortCell[]): void {
	const waiting = cells.filter((cell) => measuredCohorts(work, cell) === undefined);
	if (waiting.length === 0) return;
	for (const cell of waiting) trainCell(work, cell);
	const ground = groundOf(work);
	const students = waiting.map((cell) => studentAt(work, nameOf(cell)));
	const read = readAll(ground, students);
	say(`${students.length} students read`);
	for (const [i, cell] of waiting.entries()) {
		const name = nameOf(cell);
		const weights = { ...read[i], closed: askFor(ground, students[i], `distillation/asked/${name}`) };
		const { deployment, cohorts, fresh } = marksOf(cell.seed);
		const measured = Object.fromEntries(
			WAYS.map((way) => {
				const logOf = (mark: Mark) => log10POf(weights[way], mark);
				return [way, { deployment: logOf(deployment), cohorts: cohorts.map(logOf), fresh: fresh.map(logOf) }];
			}),
		);
		keep(measuredFile(work, cell), `${JSON.stringify(measured)}\n`);
		say(`${name}: measured`);
	}
}

function log10POf(weights: PairWeights, mark: Mark): number {
	const { log10P } = testWeighted(weights, mark, { level: 1e-6, hypotheses: 1, searchBits: 0 });
	return Number(log10P.toPrecision(6));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) measureCohorts(WORK, CELLS);
