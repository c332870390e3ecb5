/**
 * Formulas of weights, compared on the same readings and texts of the same students.
 *
 * @module
 */
import { predictAlong, predictAnswers } from '../src/model/predict.js';
import { type Departure, newResiduals, type PairWeights, weightOf } from '../src/verify/residuals.js';
import { testWeighted } from '../src/verify/weighted.js';
import { answersOf, groundOf, studentAt, UNTRAINED } from './distillation/ground.js';
import { type MarkName, marksOf } from './distillation/marks.js';
import { shownByApi } from './distillation/reading.js';
import { isTrained, say, WORK } from './distillation/students.js';
import type { Bench, Row } from './rows.js';

type Weigh = (pair: Departure) => number;

const learned = ({ exposed }: Departure, half = 16) =>
	exposed === Infinity ? 1 : exposed / (exposed + half);
const clipped = (x: number, most: number) => Math.max(-most, Math.min(most, x));
const logRatio = ({ mass, expected }: Departure) => Math.log((mass + 1e-6) / (expected + 1e-6));

/** What else the weight of a pair that was read could be. */
const READ: Readonly<Record<string, Weigh>> = {
	'the suspect as it is': ({ mass }) => mass,
	'difference, over its noise': ({ mass, expected }) => (mass - expected) / Math.sqrt(expected + 0.1),
	'relative difference, shrunk': (pair) =>
		((pair.mass - pair.expected) / (pair.expected + 1e-5)) * learned(pair),
	'log ratio clipped at 1, times √m, shrunk': (pair) =>
		clipped(logRatio(pair), 1) * Math.sqrt(pair.readings) * learned(pair),
	'log ratio over its variance, not shrunk': (pair) =>
		clipped(logRatio(pair), 0.5) / (0.02 + 1 / pair.readings),
	'the same, shrunk at 64': (pair) =>
		(clipped(logRatio(pair), 0.5) / (0.02 + 1 / pair.readings)) * learned(pair, 64),
	'the same, clipped at 2': (pair) =>
		(clipped(logRatio(pair), 2) / (0.02 + 1 / pair.readings)) * learned(pair),
	'the same, lasting noise 0.1': (pair) =>
		(clipped(logRatio(pair), 0.5) / (0.1 + 1 / pair.readings)) * learned(pair),
};

/** The same for a pair that was written. */
const WRITTEN: Readonly<Record<string, Weigh>> = {
	'the counts as they are': ({ mass }) => mass,
	'difference (best for exact references)': (pair) => (pair.mass - pair.expected) * learned(pair),
	'relative difference, shrunk': (pair) =>
		((pair.mass - pair.expected) / (pair.expected + 1)) * learned(pair),
	'over √(expected + 4), not shrunk': ({ mass, expected }) => (mass - expected) / Math.sqrt(expected + 4),
	'the same, shrunk at 64': (pair) =>
		((pair.mass - pair.expected) / Math.sqrt(pair.expected + 4)) * learned(pair, 64),
	'over √(expected + 16), shrunk': (pair) =>
		((pair.mass - pair.expected) / Math.sqrt(pair.expected + 16)) * learned(pair),
	'over 1 + expected/100, shrunk': (pair) =>
		((pair.mass - pair.expected) / (1 + pair.expected / 100)) * learned(pair),
};

const MARKS = ['synthid-1-h1', 'kgw-g50-d1-h1'] as const satisfies readonly MarkName[];
const DECISION = { level: 1e-6, hypotheses: 1, searchBits: 0 } as const;
/** Probing texts that are read, about 5,000 places; texts that are asked for, about 100,000 tokens. */
const READ_TEXTS = 72;
const ASKED_TEXTS = 900;

/** Weights by another formula, for a test. */
function weighed(departures: Iterable<Departure>, weigh: Weigh): PairWeights {
	const rows: number[] = [];
	const weights: number[] = [];
	for (const pair of departures) {
		rows.push(...pair.context, pair.token);
		weights.push(weigh(pair));
	}
	return {
		contextWidth: 1,
		rows: Uint32Array.from(rows),
		weights: Float64Array.from(weights),
		observations: 0,
		coefficients: [],
		digest: '',
	};
}

export const bench: Bench = {
	about:
		'Standard deviations of T that formulas of weights give on the same observations, mean over students; the ratio is that of ' +
		'their squares, about that of log e. `grey`: 72 probing texts (about 5,000 calls that count), ρ 0.05, seeds 1 to 10; `closed`: 900 answers ' +
		'(100,000 tokens), ρ 0.1, seeds 1 to 3; students of synthid-1-h1 and kgw-g50-d1-h1. Beside teacher, base and four ' +
		'students of unmarked text, `without students` beside teacher and base. Ours: the formulas of docs/statistics.md. Matched scores ' +
		'(p·(g − Σ p·g) for g) are other weights of the same scores.',
	async run({ quick }) {
		const ground = groundOf(WORK);
		const { references } = ground;
		const exposure = ground.exposure(1);
		const found = new Map<string, number[]>();
		const note = (name: string, deviations: number) =>
			found.set(name, [...(found.get(name) ?? []), deviations]);
		const seeds = Array.from({ length: quick ? 1 : 10 }, (_, i) => i + 1);
		const probes = ground.probes.slice(0, READ_TEXTS);
		for (const name of MARKS)
			for (const seed of seeds) {
				const [mark] = marksOf(name, String(seed));
				const deviations = (pairs: PairWeights) => testWeighted(pairs, mark, DECISION).score;
				const cell = `${name}-rho0.05-${seed}`;
				if (isTrained(WORK, cell)) {
					const [all, few] = [references.length, UNTRAINED].map((count) => ({
						count,
						residuals: newResiduals('readings', 1, count, exposure),
					}));
					predictAlong(
						[studentAt(WORK, cell), ...references],
						probes,
						1e-3,
						(text, at, [own, ...others]) => {
							const listed = shownByApi(own);
							for (const { count, residuals } of [all, few])
								residuals.addReading(probes[text].slice(0, at), listed, others.slice(0, count));
						},
						(_, at) => at > ground.promptLength,
					);
					note('grey', deviations(all.residuals.weights()));
					note('grey, without students', deviations(few.residuals.weights()));
					const departures = [...all.residuals.departures()];
					for (const [formula, weigh] of Object.entries(READ))
						note(`grey, ${formula}`, deviations(weighed(departures, weigh)));
					note('grey, matched scores', deviations(matched(departures)));
				}
				const asked = `${name}-rho0.1-${seed}`;
				if (seed > 3 || !isTrained(WORK, asked)) continue;
				const answers = [...answersOf(studentAt(WORK, asked), ASKED_TEXTS, `weights/${asked}`)];
				const exchanges = answers.map(({ promptTokens, tokens }) => ({
					prompt: promptTokens,
					answer: tokens,
				}));
				const residuals = newResiduals('text', 1, references.length, exposure);
				predictAnswers(references, exchanges, 1, 1e-3, (context, token, others) => {
					residuals.addToken(context, token, others);
				});
				note('closed', deviations(residuals.weights()));
				const departures = [...residuals.departures()];
				for (const [formula, weigh] of Object.entries(WRITTEN))
					note(`closed, ${formula}`, deviations(weighed(departures, weigh)));
				say(asked);
			}
		const mean = (name: string) => {
			const values = found.get(name) ?? [];
			return values.reduce((sum, x) => sum + x, 0) / values.length;
		};
		const rows = [...found.keys()].flatMap((name): Row[] => {
			const [way, formula] = name.split(/, (.*)/);
			if (formula === undefined) return [];
			const ours = mean(way);
			const peer = mean(name);
			const ratio = (ours / peer) ** 2;
			return [{ case: way, ours, peer, peerName: formula, unit: 'standard deviations', ratio }];
		});
		return { rows };
	},
};

/** Weights that give Σ W·p·(g − Σ p·g) with W ours: the marked model's own shift to first order in place of g. */
function matched(departures: readonly Departure[]): PairWeights {
	const ours: Weigh = (pair) => weightOf('readings', pair);
	const share = ({ expected, readings }: Departure) => expected / readings;
	const sums = new Map<number, number>();
	for (const pair of departures)
		sums.set(pair.context[0], (sums.get(pair.context[0]) ?? 0) + share(pair) * ours(pair));
	return weighed(departures, (pair) => share(pair) * (ours(pair) - (sums.get(pair.context[0]) ?? 0)));
}
