/**
 * Plans beside measurements: the constants of `touchmark power`, and how far its predictions are off.
 *
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { embeddedModel, embeddedPrompts, embeddedTokenizer } from '../src/generate/embedded.js';
import { sampleTexts } from '../src/generate/sample.js';
import { predictAlong } from '../src/model/predict.js';
import { deviationForecast, logEAtDeviations, queriesFor } from '../src/stats/index.js';
import { markedScores, signalOf } from '../src/verify/marked-scores.js';
import { effectOf } from '../src/verify/null-law.js';
import { newPairSet } from '../src/verify/pairs.js';
import {
	deviationsPerSignal,
	GROWTH,
	type Growth,
	plan,
	SPREAD,
	TEACHER_ENTROPY,
} from '../src/verify/plan.js';
import { type Tally, tallyPairs } from '../src/verify/tally.js';
import { MARKS, type MarkName, markerOf, marksOf } from './distillation/marks.js';
import type { Measured, Way } from './distillation/measured.js';
import { type Bench, median, type Row } from './rows.js';

const WAYS = ['grey', 'open', 'closed'] as const satisfies readonly Way[];
/** Evidence that is asked for, log10 e. */
const WANTED = 6;
/** Below this log10 e, the noise of a key is most of what is seen. */
const LEAST = 1;

/** What the students of one mark and share gave at one number of queries. */
export interface Cell {
	readonly way: Way;
	readonly mark: MarkName;
	readonly width: number;
	readonly share: number;
	readonly queries: number;
	/** log10 e, one a student. */
	readonly evidence: readonly number[];
}

/** Marks that the law is for: tilts, one a text, at every context. */
const isPlanned = (mark: MarkName) =>
	MARKS[mark].specs.length === 1 &&
	MARKS[mark].specs[0].scheme.name !== 'gumbel' &&
	!('repeatsMasked' in MARKS[mark]);

/** All measurements with students of unmarked text among the references. */
export function measuredCells(): Cell[] {
	const folder = join(import.meta.dirname, 'distillation/measured');
	const cells = new Map<string, Cell & { readonly evidence: number[] }>();
	for (const file of readdirSync(folder).sort()) {
		if (!file.endsWith('.json')) continue;
		const measured = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Measured;
		const { mark, rho: share } = measured;
		if (!isPlanned(mark)) continue;
		const width = MARKS[mark].specs[0].contextWidth;
		for (const way of WAYS)
			for (const { queries, log10E } of measured[way]?.['weighted+students'] ?? []) {
				if (log10E === undefined) continue;
				const key = `${way} ${mark} ${share} ${queries}`;
				const cell = cells.get(key) ?? { way, mark, width, share, queries, evidence: [] };
				cells.set(key, cell);
				cell.evidence.push(log10E);
			}
	}
	return [...cells.values()];
}

export const signalAt = (mark: MarkName) =>
	signalOf(markedScores(MARKS[mark].specs[0].scheme, TEACHER_ENTROPY));

/** The standard deviations that give this log10 e. */
export function deviationsOf(log10E: number): number {
	let low = 0;
	let high = 1000;
	while (high - low > 1e-6) {
		const middle = (low + high) / 2;
		if (logEAtDeviations(middle) < log10E * Math.LN10) low = middle;
		else high = middle;
	}
	return low;
}

/** z² for each unit of (share · signal)², at a number of queries. */
interface Point {
	readonly queries: number;
	readonly square: number;
	readonly weight: number;
}

/** The growth of least squares in ln z², and the root mean square that it leaves in ln z. */
export function fitGrowth(cells: readonly Cell[]): Growth & { readonly error: number } {
	const points = cells
		.filter(({ evidence }) => median(evidence) >= LEAST)
		.map(({ mark, share, queries, evidence }): Point => {
			const z = deviationsOf(median(evidence));
			return { queries, square: (z / share / signalAt(mark)) ** 2, weight: evidence.length };
		});
	const total = points.reduce((sum, { weight }) => sum + weight, 0);
	let best = {
		gain: 0,
		saturation: 0,
		most: Math.max(...points.map(({ queries }) => queries)),
		error: Infinity,
	};
	for (let step = 0; step <= 1000; step++) {
		const saturation = 10 ** (1 + step / 125);
		const logs = points.map(({ queries, square, weight }) => ({
			log: Math.log(square) - 2 * Math.log(deviationsPerSignal({ gain: 1, saturation, most: 0 }, queries)),
			weight,
		}));
		const centre = logs.reduce((sum, { log, weight }) => sum + weight * log, 0) / total;
		const squares = logs.reduce((sum, { log, weight }) => sum + weight * (log - centre) ** 2, 0);
		const error = Math.sqrt(squares / total) / 2;
		if (error < best.error) best = { ...best, gain: Math.exp(centre), saturation, error };
	}
	return best;
}

/** How far students of one cell lie apart in z beside the noise of their keys, as a share of z; in how many cells. */
function spreadOf(cells: readonly Cell[]): { readonly spread: number; readonly cells: number } {
	const squares = cells.flatMap(({ evidence }) => {
		const heights = evidence.map(deviationsOf);
		const mean = heights.reduce((sum, z) => sum + z, 0) / heights.length;
		if (heights.length < 5 || mean < 4) return [];
		return [(heights.reduce((sum, z) => sum + (z - mean) ** 2, 0) / (heights.length - 1) - 1) / mean ** 2];
	});
	return { spread: Math.sqrt(Math.max(0, median(squares))), cells: squares.length };
}

/** Queries at which the median reaches what is wanted, between the steps in proportion to the logarithm; or none. */
function measuredQueries(cells: readonly Cell[]): number | undefined {
	const steps = [...cells].sort((a, b) => a.queries - b.queries);
	const at = steps.findIndex(({ evidence }) => median(evidence) >= WANTED);
	if (at < 1) return undefined;
	const [low, high] = [median(steps[at - 1].evidence), median(steps[at].evidence)];
	const part = (WANTED - low) / (high - low);
	return Math.round(steps[at - 1].queries ** (1 - part) * steps[at].queries ** part);
}

/** Cells of one mark, share and way in. */
function curvesOf(cells: readonly Cell[]): Cell[][] {
	const groups = new Map<string, Cell[]>();
	for (const cell of cells) {
		const key = `${cell.way} ${cell.mark} ρ ${cell.share}`;
		groups.set(key, [...(groups.get(key) ?? []), cell]);
	}
	return [...groups.values()];
}

/** Predicted over measured queries of each curve, by constants that have not seen its mark. */
function blindRatios(cells: readonly Cell[]): number[] {
	return curvesOf(cells).flatMap((curve) => {
		const [{ mark, share }] = curve;
		const measured = measuredQueries(curve);
		const others = cells.filter((cell) => cell.mark !== mark && median(cell.evidence) >= LEAST);
		if (measured === undefined || others.length < 3) return [];
		const growth = fitGrowth(others);
		const of = (n: number) => share * signalAt(mark) * deviationsPerSignal(growth, n);
		const predicted = queriesFor(deviationForecast({ of, keys: 1, spread: 0 }), WANTED * Math.LN10);
		return [(predicted ?? Number.MAX_SAFE_INTEGER) / measured];
	});
}

/** Rows of students. */
function studentRows(cells: readonly Cell[]): Row[] {
	return curvesOf(cells).flatMap((group): Row[] => {
		const { way, mark, width, share, evidence } = group[0];
		const measured = measuredQueries(group);
		if (measured === undefined || GROWTH[way][width] === undefined) return [];
		const { scheme } = MARKS[mark].specs[0];
		const common = { contextWidth: width, evidence: WANTED, keys: 1, transfer: 1 };
		const { queries, unit } = plan({ access: way, scheme, share, entropy: TEACHER_ENTROPY, ...common });
		const predicted = queries ?? Number.MAX_SAFE_INTEGER;
		return [
			{
				case: `${way} ${mark} ρ ${share}`,
				ours: predicted,
				peer: measured,
				peerName: `measured, ${evidence.length} student${evidence.length === 1 ? '' : 's'}`,
				unit: `${unit} until log10 e ${WANTED}`,
				ratio: predicted / measured,
			},
		];
	});
}

/** Rows of trials: the bench's preferred shares give the pairs that it took. */
function exposureRows(): Row[] {
	const { rows, notes } = JSON.parse(
		readFileSync(join(import.meta.dirname, 'results/exposure.json'), 'utf8'),
	) as { rows: Row[]; notes: string[] };
	return rows.flatMap(({ case: name, ours: measured, unit }): Row[] => {
		const [, trial, way = 'open'] = /^(pairs@\d)(?:\/(.*))?$/.exec(name) ?? [];
		const note = notes.find((text) => text.startsWith(`\`${trial}\``));
		const preferred = Number(new RegExp(`[:;] ${way} ([\\d.]+) %`).exec(note ?? '')?.[1]) / 100;
		if (unit !== 'pairs' || !(preferred > 0.5 && preferred < 1)) return [];
		const { queries } = plan({ access: 'exposure', preferred, evidence: WANTED });
		const predicted = queries ?? Number.MAX_SAFE_INTEGER;
		return [
			{
				case: `exposure ${name}`,
				ours: predicted,
				peer: measured,
				peerName: `measured, ${(100 * preferred).toFixed(1)} % preferred`,
				unit: `pairs until log10 e ${WANTED}`,
				ratio: predicted / measured,
			},
		];
	});
}

const TEXT_MARKS = ['kgw-g50-d1-h1', 'kgw-g25-d2-h1', 'synthid-1-h1', 'synthid-4-h2', 'gumbel-h4'] as const;

/** Mean scores of the embedded teacher's marked texts, each text by itself; and the entropy of its next token. */
function teacherRows(texts: number): { readonly rows: Row[]; readonly entropy: number } {
	const model = embeddedModel('teacher');
	const tokenizer = embeddedTokenizer();
	const { vocabSize } = model;
	const { specialTokens } = tokenizer;
	const write = (mark: MarkName | undefined) => [
		...sampleTexts({
			...{ model, tokenizer, maxTokens: 112, prompts: embeddedPrompts().slice(0, texts) },
			marker: markerOf(mark, 'power', { vocabSize, specialTokens }),
			seed: `power/${mark ?? 'unmarked'}`,
		}),
	];
	const unmarked = write(undefined);
	const first = unmarked[0].promptTokens.length;
	let nats = 0;
	let places = 0;
	predictAlong(
		[model],
		unmarked.map(({ promptTokens, tokens }) => [...promptTokens, ...tokens]),
		0,
		(_, __, [{ tokens, of }]) => {
			for (const token of tokens) nats -= of(token) > 0 ? of(token) * Math.log(of(token)) : 0;
			places++;
		},
		(_, at) => at >= first,
	);
	const entropy = nats / places;
	const rows = TEXT_MARKS.map((name): Row => {
		const [mark] = marksOf(name, 'power');
		const law = mark.scheme.null;
		let excess = 0;
		let scored = 0;
		for (const { tokens } of write(name)) {
			const pairs = newPairSet(mark.spec);
			pairs.add(tokens);
			const tally: Tally = tallyPairs(pairs, mark);
			const { mean, expected } = effectOf(tally, law);
			excess += tally.scored * ((mean ?? 0) - expected);
			scored += tally.scored;
		}
		const scores = markedScores(mark.spec.scheme, entropy);
		// A tenth of the steps of the choice channel are left to chance.
		const keyed = mark.spec.channel === 'choice' ? 0.9 : 1;
		const predicted = keyed * (scores.mean - (scores.kind === 'bernoulli' ? scores.p : 1));
		return {
			case: `text ${name}`,
			ours: predicted,
			peer: excess / scored,
			peerName: `measured, ${texts} texts`,
			unit: 'mean score above the null',
			ratio: (predicted * scored) / excess,
		};
	});
	return { rows, entropy };
}

export const bench: Bench = {
	about:
		'What `touchmark power` predicts beside what was measured. Ours: the prediction; peer: the measurement; ratio 1 would be ' +
		'perfect. Queries: until the median of log10 e reaches 6, with students of unmarked text among the references ' +
		'([`inheritance`](#inheritance); between its steps by interpolation). Pairs: from the share of preferred pairs alone ' +
		'([`exposure`](#exposure)). Mean scores: from scheme, strength and the entropy of the teacher alone.',
	async run({ quick }) {
		const cells = measuredCells();
		const { rows, entropy } = teacherRows(quick ? 32 : 512);
		const notes = [`The embedded teacher's next token has ${entropy.toFixed(2)} nats of entropy.`];
		for (const way of WAYS)
			for (const width of [1, 2]) {
				const some = cells.filter((cell) => cell.way === way && cell.width === width);
				if (some.length === 0) continue;
				const { gain, saturation, error } = fitGrowth(some);
				const used = GROWTH[way][width];
				const blind = blindRatios(some);
				const students = some.reduce((most, { evidence }) => Math.max(most, evidence.length), 0);
				notes.push(
					`${way}, context width ${width}: z² = (ρ · signal)² · ${Number(gain.toPrecision(2))} · n · ln(1 + ${Number(saturation.toPrecision(2))}/n); ` +
						`leaves ${(100 * error).toFixed(0)} % in z (up to ${students} students a cell). In use: ${used?.gain}, ${used?.saturation}.` +
						(blind.length === 0
							? ''
							: ` Fitted to the other marks only, queries predicted over measured: ${blind.map((ratio) => (ratio > 100 ? 'above 100' : ratio.toFixed(2))).join(', ')}.`),
				);
			}
		const { spread, cells: seen } = spreadOf(cells);
		notes.push(
			`Students of one cell lie apart by ${(100 * spread).toFixed(0)} % of z beside the noise of their keys (median of ${seen} cells of five students and more). In use: ${100 * SPREAD} %.`,
		);
		return { rows: [...studentRows(cells), ...exposureRows(), ...rows], notes };
	},
};
