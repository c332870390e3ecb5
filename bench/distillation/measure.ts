/**
 * Measures how much evidence of inheritance the students of the grid give, query by query, beside published procedures.
 *
 *     npx tsx bench/distillation/measure.ts [--work DIR] [--mark NAME] [--closed SEEDS]
 *
 * With `--mark` only students of that mark; text is asked of the first SEEDS seeds (default all). What is measured already (`measured/`) is left as it is.
 *
 * @module
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { randomStream } from '../../src/embed/random.js';
import { embeddedModel, embeddedPrompts, embeddedTokenizer } from '../../src/generate/embedded.js';
import { sampleTexts } from '../../src/generate/sample.js';
import type { Mark } from '../../src/marks/mark.js';
import { type NextToken, predictAlong } from '../../src/model/predict.js';
import { loadTransformer, type Transformer } from '../../src/model/transformer.js';
import { logPValue } from '../../src/verify/null-law.js';
import { newPairSet, type PairSet } from '../../src/verify/pairs.js';
import {
	type ContextCounts,
	countContexts,
	listedPrediction,
	newResiduals,
	type PairWeights,
	type Prediction,
} from '../../src/verify/residuals.js';
import { scoreOf, tallyPairs } from '../../src/verify/tally.js';
import { testWeighted } from '../../src/verify/weighted.js';
import { ALL, type Cell, TRAINING_PROMPTS } from './cells.js';
import { type MarkName, markerOf, marksOf } from './marks.js';
import { folderOf, isTrained, keep, linesOf, say, WORK } from './students.js';

const HERE = dirname(fileURLToPath(import.meta.url));

/** One test at one number of queries. */
export interface Point {
	/** Calls, positions, or tokens. */
	readonly queries: number;
	readonly log10P: number;
	/** Absent for procedures without e-values. */
	readonly log10E?: number;
}

/** What one student gave: ours, and the published procedures on the same queries. */
export interface Measured {
	readonly cell: string;
	readonly mark: MarkName;
	/** Which of the marks of a pair of channels. */
	readonly channel: 'shape' | 'choice';
	readonly rho: number;
	readonly seed: string;
	/** `weighted`: with the unmarked teacher and the base as references; `weighted+student`: and a student of unmarked text. */
	readonly grey?: Curves<'weighted' | 'weighted+student' | 'reading mode' | 'one token a context'>;
	readonly open?: Curves<'weighted' | 'weighted+student' | 'reading mode'>;
	readonly closed?: Curves<'weighted' | 'weighted+student' | 'distinct and filtered'>;
}
export type Curves<Name extends string> = Readonly<Partial<Record<Name, readonly Point[]>>>;

/** Queries at which a test is made; every number takes the queries of the one before and more. */
const PLACES = [100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000] as const;
const CLOSED_TOKENS = [5000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000] as const;
/** The weighted tests stop to read here: what they need is known by then. */
const MOST_WEIGHTED = 10_000;
/** So does asking for text at this log10 e. */
const ENOUGH = 12;

/** Tokens that an API shows. */
const TOP = 20;
const PROBES = 512;
const MAX_TOKENS = 112;
const DECISION = { level: 1e-6, hypotheses: 1, searchBits: 0 } as const;

/** What every measurement needs. */
export interface Ground {
	readonly work: string;
	readonly references: readonly Transformer[];
	/** Texts of the unmarked teacher, prompts included, that no student has seen. */
	readonly probes: readonly (readonly number[])[];
	/** Ids of each prompt. */
	readonly promptLength: number;
	/** Contexts of unmarked text that is neither a probe nor a reference's. */
	readonly exposure: (contextWidth: number) => ContextCounts;
}

const readTexts = (path: string): { promptTokens: number[]; tokens: number[] }[] =>
	linesOf(path).map((line) => JSON.parse(line) as { promptTokens: number[]; tokens: number[] });

/** Prompts that no training text answers, over and over. */
function probingPrompts(count: number): string[] {
	const kept = embeddedPrompts().slice(TRAINING_PROMPTS);
	return Array.from({ length: count }, (_, i) => kept[i % kept.length]);
}

/** Unmarked texts of a model that answer the probing prompts. */
export function* answersOf(
	model: Transformer,
	count: number,
	seed: string,
): Generator<{ promptTokens: readonly number[]; tokens: readonly number[] }> {
	const tokenizer = embeddedTokenizer();
	yield* sampleTexts({
		model,
		tokenizer,
		marker: markerOf(undefined, seed, { vocabSize: model.vocabSize, specialTokens: tokenizer.specialTokens }),
		prompts: probingPrompts(count),
		maxTokens: MAX_TOKENS,
		seed,
	});
}

export function studentAt(work: string, name: string): Transformer {
	return loadTransformer(folderOf(work, name));
}

/** References, probes and exposure. @param work the folder of the grid */
export function groundOf(work: string): Ground {
	const probes = [...answersOf(embeddedModel('teacher'), PROBES, 'distillation/probes')];
	const traffic = readTexts(join(work, 'texts', 'unmarked-ref-2.jsonl')).map(({ tokens }) => tokens);
	const counts = new Map<number, ContextCounts>();
	return {
		work,
		references: [embeddedModel('teacher'), embeddedModel('base'), studentAt(work, 'unmarked-ref-1')],
		probes: probes.map(({ promptTokens, tokens }) => [...promptTokens, ...tokens]),
		promptLength: probes[0].promptTokens.length,
		exposure(width) {
			const known = counts.get(width) ?? countContexts(traffic, width);
			counts.set(width, known);
			return known;
		},
	};
}

/** The test of weights at a number of queries. */
function weightedPoint(queries: number, weights: PairWeights, mark: Mark): Point {
	const { log10P, log10E } = testWeighted(weights, mark, DECISION);
	return { queries, log10P, log10E };
}

/** The exact test of plain scores. */
function plainPoint(queries: number, pairs: PairSet, mark: Mark): Point {
	return { queries, log10P: logPValue(tallyPairs(pairs, mark), mark.scheme.null) / Math.LN10 };
}

/** Mean score of one drawn token per distinct context, by Hoeffding's bound: p = exp(−2n(mean − γ)²). */
function hoeffdingPoint(queries: number, pairs: PairSet, mark: Mark): Point {
	const law = mark.scheme.null;
	const tally = tallyPairs(pairs, mark);
	if (law.kind !== 'bernoulli' || tally.scored === 0) return { queries, log10P: 0 };
	// A tournament's score is the mean of its layers.
	const excess = scoreOf(tally) / (tally.scored * law.trials) - law.p;
	return { queries, log10P: excess > 0 ? (-2 * pairs.size * excess ** 2) / Math.LN10 : 0 };
}

/** A place in a probing text, and when it is asked. */
interface Asked {
	readonly rank: number;
}

/** All places after the prompts, in an order drawn once for all students. */
function askedPlaces({ probes, promptLength }: Ground, contextWidth: number): Map<number, Asked> {
	const places: number[] = [];
	probes.forEach((ids, text) => {
		for (let at = Math.max(promptLength, contextWidth) + 1; at < ids.length; at++)
			places.push(text * 1024 + at);
	});
	const random = randomStream('distillation/places');
	for (let i = places.length - 1; i > 0; i--) {
		const j = Math.floor(random.next() * (i + 1));
		[places[i], places[j]] = [places[j], places[i]];
	}
	return new Map(places.map((place, rank) => [place, { rank }]));
}

/** What an API shows of a prediction: its likeliest tokens. */
export function shownByApi({ tokens, of }: NextToken): Prediction {
	const top = [...tokens].sort((a, b) => of(b) - of(a)).slice(0, TOP);
	return listedPrediction(top, top.map(of));
}

/** The likeliest token. */
function likeliest({ tokens, of }: NextToken): number {
	let best = tokens[0];
	for (const token of tokens) if (of(token) > of(best)) best = token;
	return best;
}

/** A token drawn from the listed ones. */
function drawn({ tokens, of }: NextToken, uniform: number): number {
	let left = uniform * tokens.reduce((sum, token) => sum + of(token), 0);
	for (const token of tokens) {
		left -= of(token);
		if (left < 0) return token;
	}
	return tokens[tokens.length - 1];
}

/** Gathers what students of one context width predict along the probes, several students in one pass. */
function readStudents(
	ground: Ground,
	students: readonly { readonly model: Transformer; readonly mark: Mark }[],
	contextWidth: number,
): { grey: NonNullable<Measured['grey']>; open: NonNullable<Measured['open']> }[] {
	const { references, probes } = ground;
	const places = askedPlaces(ground, contextWidth);
	const budgets = PLACES.filter((most) => most <= places.size);
	const read = budgets.filter((most) => most <= MOST_WEIGHTED);
	const exposure = ground.exposure(contextWidth);
	const trained = references.length;
	const given = [trained - 1, trained];
	const gather = () =>
		given.map((count) =>
			read.map((most) => ({ most, residuals: newResiduals('readings', contextWidth, count, exposure) })),
		);
	const states = students.map(({ mark }) => ({
		open: gather(),
		grey: gather(),
		top: budgets.map((most) => ({ most, pairs: newPairSet(mark.spec) })),
		first: budgets.map((most) => ({ most, pairs: newPairSet(mark.spec), seen: new Set<string>() })),
		random: randomStream('distillation/drawn'),
	}));
	predictAlong(
		[...references, ...students.map(({ model }) => model)],
		probes,
		1e-3,
		(text, at, all) => {
			const { rank } = places.get(text * 1024 + at) as Asked;
			const context = probes[text].slice(at - contextWidth, at);
			const others = all.slice(0, trained);
			states.forEach((state, i) => {
				const own = all[trained + i];
				if (rank < MOST_WEIGHTED) {
					const listed = shownByApi(own);
					given.forEach((count, j) => {
						const known = others.slice(0, count);
						for (const { most, residuals } of state.open[j])
							if (rank < most) residuals.addReading(context, own, known);
						for (const { most, residuals } of state.grey[j])
							if (rank < most) residuals.addReading(context, listed, known);
					});
				}
				const best = likeliest(own);
				const one = drawn(own, state.random.next());
				for (const { most, pairs } of state.top) if (rank < most) pairs.add([...context, best]);
				for (const { most, pairs, seen } of state.first)
					if (rank < most && !seen.has(context.join())) {
						seen.add(context.join());
						pairs.add([...context, one]);
					}
			});
		},
		(text, at) => places.has(text * 1024 + at),
	);
	return states.map(({ open, grey, top, first }, i) => {
		const { mark } = students[i];
		const curve = (some: (typeof open)[number]) =>
			some.map(({ most, residuals }) => weightedPoint(most, residuals.weights(), mark));
		const reading = top.map(({ most, pairs }) => plainPoint(most, pairs, mark));
		return {
			grey: {
				weighted: curve(grey[0]),
				'weighted+student': curve(grey[1]),
				'reading mode': reading,
				'one token a context': first.map(({ most, pairs }) => hoeffdingPoint(most, pairs, mark)),
			},
			open: { weighted: curve(open[0]), 'weighted+student': curve(open[1]), 'reading mode': reading },
		};
	});
}

/** The student's own texts, more and more of them. */
function askStudent(
	ground: Ground,
	model: Transformer,
	mark: Mark,
	seed: string,
): NonNullable<Measured['closed']> {
	const { contextWidth } = mark.spec;
	const { references } = ground;
	const exposure = ground.exposure(contextWidth);
	const trained = references.length;
	const given = [trained - 1, trained];
	const residuals = given.map((count) => newResiduals('text', contextWidth, count, exposure));
	const curves = given.map((): Point[] => []);
	const plain = newPairSet(mark.spec);
	const published: Point[] = [];
	const most = CLOSED_TOKENS[CLOSED_TOKENS.length - 1];
	let tokens = 0;
	let next = 0;
	let asked: { promptTokens: readonly number[]; tokens: readonly number[] }[] = [];
	const enough = () => curves.every((curve) => (curve.at(-1)?.log10E ?? 0) >= ENOUGH);
	for (const answer of answersOf(model, Math.ceil(most / (MAX_TOKENS / 2)), seed)) {
		asked.push(answer);
		const { promptTokens, tokens: own } = answer;
		tokens += own.length;
		for (let at = contextWidth; at < own.length; at++)
			if (exposure.counts.has(own.slice(at - contextWidth, at).join()))
				plain.add(own.slice(at - contextWidth, at + 1), promptTokens);
		if (tokens < CLOSED_TOKENS[next]) continue;
		const queries = CLOSED_TOKENS[next++];
		published.push(plainPoint(queries, plain, mark));
		if (!enough()) {
			const texts = asked.map(({ promptTokens: prompt, tokens: ids }) => [...prompt, ...ids]);
			predictAlong(
				references,
				texts,
				1e-3,
				(text, at, others) => {
					const context = texts[text].slice(at - contextWidth, at);
					residuals.forEach((one, j) => {
						one.addToken(context, texts[text][at], others.slice(0, given[j]));
					});
				},
				(text, at) => at - contextWidth >= asked[text].promptTokens.length,
			);
			residuals.forEach((one, j) => {
				curves[j].push(weightedPoint(queries, one.weights(), mark));
			});
		}
		asked = [];
		if (next === CLOSED_TOKENS.length) break;
	}
	return { weighted: curves[0], 'weighted+student': curves[1], 'distinct and filtered': published };
}

/** The file of one measurement. */
function fileOf(name: string, mark: MarkName, channel: string): string {
	const both = mark.includes('+') ? `-${channel}` : '';
	return join(HERE, 'measured', `${name}${both}.json`);
}

export function readMeasured(path: string): Measured | undefined {
	return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Measured) : undefined;
}

function save(path: string, measured: Measured): void {
	const rounded = JSON.stringify(measured, (_, value: unknown) =>
		typeof value === 'number' ? Number(value.toPrecision(6)) : value,
	);
	keep(path, `${rounded}\n`);
}

/** A student to be measured for one of its marks. */
interface Task {
	readonly cell: Cell & { readonly mark: MarkName };
	readonly mark: Mark;
	readonly path: string;
}

function tasksOf(work: string, only: string | undefined): Task[] {
	return ALL.flatMap((cell) => {
		const { mark: name } = cell;
		if (name === undefined || cell.seed.startsWith('other') || (only ?? name) !== name) return [];
		if (!isTrained(work, cell.name)) return [];
		return marksOf(name, cell.seed).map((mark) => ({
			cell: { ...cell, mark: name },
			mark,
			path: fileOf(cell.name, name, mark.spec.channel),
		}));
	});
}

/** Students that advance together beside the references. */
const TOGETHER = 5;

/** Tasks of one context width each, in the order of their first cells. */
function groupsOf(tasks: readonly Task[]): Task[][] {
	const groups: Task[][] = [];
	const open = new Map<number, Task[]>();
	for (const task of tasks) {
		const width = task.mark.spec.contextWidth;
		let group = open.get(width);
		if (group === undefined || group.length === TOGETHER) {
			group = [];
			open.set(width, group);
			groups.push(group);
		}
		group.push(task);
	}
	return groups;
}

function main(): void {
	const { values } = parseArgs({
		options: {
			work: { type: 'string', default: WORK },
			mark: { type: 'string' },
			closed: { type: 'string', default: '10' },
		},
	});
	const ground = groundOf(values.work);
	const waiting = tasksOf(values.work, values.mark).filter(
		({ path }) => readMeasured(path)?.open === undefined,
	);
	for (const group of groupsOf(waiting)) {
		const students = group.map(({ cell, mark }) => ({ model: studentAt(values.work, cell.name), mark }));
		readStudents(ground, students, group[0].mark.spec.contextWidth).forEach((curves, j) => {
			const { cell, mark, path } = group[j];
			const { channel } = mark.spec;
			save(path, {
				...{ cell: cell.name, mark: cell.mark, channel, rho: cell.rho, seed: cell.seed },
				...curves,
			});
			say(`${cell.name} ${channel}: ${JSON.stringify(curves.grey['weighted+student']?.at(-2))}`);
		});
	}
	const asked = tasksOf(values.work, values.mark)
		.filter(({ cell, mark }) => Number(cell.seed) <= Number(values.closed) && mark.spec.channel === 'shape')
		.sort((a, b) => b.cell.rho - a.cell.rho || Number(a.cell.seed) - Number(b.cell.seed));
	for (const { cell, mark, path } of asked) {
		const measured = readMeasured(path);
		if (measured === undefined || measured.closed !== undefined) continue;
		const student = studentAt(values.work, cell.name);
		const closed = askStudent(ground, student, mark, `distillation/asked/${cell.name}`);
		save(path, { ...measured, closed });
		say(`${cell.name} closed: ${JSON.stringify(closed['weighted+student']?.at(-1))}`);
	}
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
