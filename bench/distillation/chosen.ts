/**
 * Evidence at looks from students of the grid that are asked for their likeliest tokens: after prefixes in a random
 * order, in the informative one, and after contexts that stand alone. What is measured already (`chosen/`) is left as it is.
 *
 *     npx tsx bench/distillation/chosen.ts [--work DIR]
 *
 * @module
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { predictAlong } from '../../src/model/predict.js';
import type { Transformer } from '../../src/model/transformer.js';
import { newInformativePrefixes } from '../../src/verify/informative.js';
import { lookSize } from '../../src/verify/looks.js';
import { newResiduals, type PairWeights, type Prediction } from '../../src/verify/residuals.js';
import { type Cell, CORE } from './cells.js';
import { type Ground, groundOf, studentAt } from './ground.js';
import { marksOf } from './marks.js';
import { type Point, weightedPoint } from './measured.js';
import { askedPlaces, shownByApi, TOP } from './reading.js';
import { isTrained, keep, say, WORK } from './students.js';

export const CHOSEN = { mark: 'synthid-1-h1', shares: [0.1, 0.05, 0.03] } as const;
const { mark: MARK, shares: SHARES } = CHOSEN;
export const WIDTH = 1;
/** Readings, and log10 e, after which nothing more is asked. */
const MOST = 10_000;
const ENOUGH = 10;
/** Students that advance together beside the references. */
const TOGETHER = 10;

/** What one student gave, look by look. */
export interface Chosen {
	readonly cell: string;
	readonly rho: number;
	readonly seed: string;
	/** Places of unmarked texts of the teacher, in the order of `measure.ts`. */
	readonly random: readonly Point[];
	/** The same places, the most informative first. */
	readonly informative: readonly Point[];
	/** Each context by itself, without what stands before it in a text; the most informative first. */
	readonly alone: readonly Point[];
}

const fileOf = (cell: string) => join(import.meta.dirname, 'chosen', `${cell}.json`);

/** All measurements of one share. */
export function chosenAt(rho: number): Chosen[] {
	return CORE.filter((cell) => cell.mark === MARK && cell.rho === rho && existsSync(fileOf(cell.name))).map(
		({ name }) => JSON.parse(readFileSync(fileOf(name), 'utf8')) as Chosen,
	);
}

/** Prefixes that may be asked, in orders that know no key. */
export interface Design {
	/** Token ids; the last of each is never asked for. */
	readonly texts: readonly (readonly number[])[];
	/** Places as number of the text · 1024 + position. */
	readonly orders: readonly (readonly number[])[];
}

/** Numbers of places, the most informative first. */
function informativeOrder(ground: Ground, texts: Design['texts'], places: ReadonlySet<number>): number[] {
	const prefixes = newInformativePrefixes(ground.exposure(WIDTH), TOP);
	const numbers: number[] = [];
	predictAlong(
		[ground.references[0]],
		texts,
		1e-3,
		(text, at, [own]) => {
			numbers.push(text * 1024 + at);
			prefixes.add(texts[text].slice(0, at), own);
		},
		(text, at) => places.has(text * 1024 + at),
	);
	return prefixes.order().map((number) => numbers[number]);
}

/** The probing texts: places in a random order, and in the informative one. */
export function probingDesign(ground: Ground): Design {
	const places = askedPlaces(ground, WIDTH);
	const random = [...places].sort(([, a], [, b]) => a.rank - b.rank).map(([place]) => place);
	const { probes: texts } = ground;
	return { texts, orders: [random, informativeOrder(ground, texts, new Set(random))].map(first) };
}

/** Every context of the traffic once. */
export function aloneDesign(ground: Ground): Design {
	const texts = [...ground.exposure(WIDTH).counts.keys()].map((id) => [Number(id), 0]);
	return {
		texts,
		orders: [first(informativeOrder(ground, texts, new Set(texts.map((_, i) => i * 1024 + 1))))],
	};
}

const first = (order: readonly number[]) => order.slice(0, MOST);

/** For each place, token and what is given to it: the token, the student's probability, one a reference. */
export interface Readings {
	readonly slots: ReadonlyMap<number, number>;
	readonly columns: number;
	readonly values: Float32Array;
}

/** What students show at the places of a design. */
export function readAt(
	ground: Ground,
	students: readonly Transformer[],
	{ texts, orders }: Design,
): Readings[] {
	const { references } = ground;
	const slots = new Map([...new Set(orders.flat())].map((place, slot) => [place, slot]));
	const columns = 2 + references.length;
	const readings = students.map(() => new Float32Array(slots.size * TOP * columns));
	predictAlong(
		[...references, ...students],
		texts,
		1e-3,
		(text, at, all) => {
			const others = all.slice(0, references.length);
			const slot = slots.get(text * 1024 + at) as number;
			readings.forEach((values, i) => {
				const { tokens, of } = shownByApi(all[references.length + i]);
				Array.from(tokens).forEach((token, j) => {
					values.set(
						[token, of(token), ...others.map((other) => other.of(token))],
						(slot * TOP + j) * columns,
					);
				});
			});
		},
		(text, at) => slots.has(text * 1024 + at),
	);
	return readings.map((values) => ({ slots, columns, values }));
}

/** Weights at every look, when places are asked in an order; at last those of all places. */
export function* weightsAtLooks(
	ground: Ground,
	{ texts }: Design,
	{ slots, columns, values }: Readings,
	order: readonly number[],
): Generator<{ readonly queries: number; readonly weights: PairWeights }> {
	const residuals = newResiduals('readings', WIDTH, columns - 2, ground.exposure(WIDTH));
	let look = 1;
	for (const [asked, place] of order.entries()) {
		const start = (slots.get(place) as number) * TOP * columns;
		const at = new Map<number, number>();
		for (let row = start; row < start + TOP * columns && values[row + 1] > 0; row += columns)
			at.set(values[row], row);
		const column = (j: number): Prediction => ({
			tokens: [...at.keys()],
			of: (token) => values[(at.get(token) as number) + j],
		});
		const references = Array.from({ length: columns - 2 }, (_, j) => column(2 + j));
		residuals.addReading(texts[place >> 10].slice(0, place & 1023), column(1), references);
		const queries = asked + 1;
		if (queries < lookSize(look) && queries < order.length) continue;
		look++;
		yield { queries, weights: residuals.weights() };
	}
}

/** Evidence look by look, until there is enough. */
export function evidenceAlong(
	...[ground, design, readings, order, seed]: [...Parameters<typeof weightsAtLooks>, string]
): Point[] {
	const [mark] = marksOf(CHOSEN.mark, seed);
	const points: Point[] = [];
	for (const { queries, weights } of weightsAtLooks(ground, design, readings, order)) {
		const point = weightedPoint(queries, weights, mark);
		points.push(point);
		if ((point.log10E ?? 0) >= ENOUGH) break;
	}
	return points;
}

/** The record of one student. */
export function record(
	{ name, rho, seed }: Cell,
	curves: Pick<Chosen, 'random' | 'informative' | 'alone'>,
): void {
	const rounded = JSON.stringify(
		{ cell: name, rho, seed, ...curves } satisfies Chosen,
		(_, value: unknown) => (typeof value === 'number' ? Number(value.toPrecision(5)) : value),
	);
	keep(fileOf(name), `${rounded}\n`);
	say(name);
}

function main(work: string): void {
	const ground = groundOf(work);
	const probing = probingDesign(ground);
	const alone = aloneDesign(ground);
	for (const share of SHARES) {
		const waiting = CORE.filter(
			({ mark, rho, name }) =>
				mark === MARK && rho === share && isTrained(work, name) && !existsSync(fileOf(name)),
		);
		for (let at = 0; at < waiting.length; at += TOGETHER) {
			const cells = waiting.slice(at, at + TOGETHER);
			const students = cells.map(({ name }) => studentAt(work, name));
			const along = readAt(ground, students, probing);
			const without = readAt(ground, students, alone);
			cells.forEach((cell, i) => {
				const [random, informative] = probing.orders.map((order) =>
					evidenceAlong(ground, probing, along[i], order, cell.seed),
				);
				const [only] = alone.orders.map((order) =>
					evidenceAlong(ground, alone, without[i], order, cell.seed),
				);
				record(cell, { random, informative, alone: only });
			});
		}
	}
}

if (process.argv[1] === import.meta.filename)
	main(parseArgs({ options: { work: { type: 'string', default: WORK } } }).values.work);
