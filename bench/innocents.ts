/**
 * Tests of inheritance on students that are innocent: trained on unmarked text, or on text under another key. Each
 * test opens a fresh key; the weights of a student are made once, since they know no key.
 *
 * @module
 */
import { randomStream } from '../src/embed/random.js';
import { bindMark } from '../src/marks/mark.js';
import type { MarkSpec } from '../src/marks/mark-spec.js';
import { predictAlong, predictAnswers } from '../src/model/predict.js';
import { newResiduals, type PairWeights } from '../src/verify/residuals.js';
import { testWeighted } from '../src/verify/weighted.js';
import type { NullRecord } from './calibration.js';
import { INNOCENTS, OTHER_KEYS } from './distillation/cells.js';
import { answersOf, type Ground, groundOf, studentAt } from './distillation/ground.js';
import { shownByApi } from './distillation/reading.js';
import { isTrained, WORK } from './distillation/students.js';
import { freshKey, specOf } from './fresh-marks.js';

export const WAYS = ['closed', 'grey', 'open'] as const;

/** Counts over tests of one mark by one way in. */
export interface InnocentRates {
	readonly name: string;
	readonly way: (typeof WAYS)[number];
	readonly tests: number;
	/** Tests with p ≤ 1e-2. */
	readonly rejected: number;
	/** Tests with e ≥ 20, and e ≥ 100. */
	readonly e20: number;
	readonly e100: number;
}

const prf = 'chacha8-v1';
/** Every law of scores that a weighted sum has a bound for: coins of γ, several coins, lists of exact size, exponentials. */
const CASES: readonly { readonly name: string; readonly spec: MarkSpec }[] = [
	{
		name: 'kgw-g50-h1',
		spec: specOf({ scheme: { name: 'kgw', gamma: 0.5, delta: 1 }, prf, contextWidth: 1 }),
	},
	{
		name: 'kgw-g25-h2',
		spec: specOf({ scheme: { name: 'kgw', gamma: 0.25, delta: 2 }, prf, contextWidth: 2 }),
	},
	{
		name: 'synthid-1-h1',
		spec: specOf({ scheme: { name: 'synthid', depth: 1 }, channel: 'shape', prf, contextWidth: 1 }),
	},
	{
		name: 'synthid-4-h2',
		spec: specOf({ scheme: { name: 'synthid', depth: 4 }, channel: 'shape', prf, contextWidth: 2 }),
	},
	{ name: 'gumbel-h1', spec: specOf({ scheme: { name: 'gumbel' }, prf, contextWidth: 1 }) },
];

/** Probes, and answers of a student. */
const PROBES = 12;
const ANSWERS = 48;

/** Residuals of one student by every way in, for one context width. */
function weightsOf(
	ground: Ground,
	student: string,
	probes: readonly (readonly number[])[],
	contextWidth: number,
): Record<(typeof WAYS)[number], PairWeights> {
	const model = studentAt(ground.work, student);
	const { references } = ground;
	const exposure = ground.exposure(contextWidth);
	const start = () => newResiduals('readings', contextWidth, references.length, exposure);
	const open = start();
	const grey = start();
	predictAlong(
		[model, ...references],
		probes,
		1e-3,
		(text, at, [own, ...others]) => {
			const prefix = probes[text].slice(0, at);
			open.addReading(prefix, own, others);
			grey.addReading(prefix, shownByApi(own), others);
		},
		(_, at) => at >= contextWidth,
	);
	const answers = [...answersOf(model, ANSWERS, `innocents/${student}`)].map(({ promptTokens, tokens }) => ({
		prompt: promptTokens,
		tokens,
	}));
	return { open: open.weights(), grey: grey.weights(), closed: textWeights(ground, answers, contextWidth) };
}

/** Residuals of written text. */
function textWeights(ground: Ground, records: readonly NullRecord[], contextWidth: number): PairWeights {
	const { references } = ground;
	const closed = newResiduals('text', contextWidth, references.length, ground.exposure(contextWidth));
	const exchanges = records.map(({ prompt, tokens }) => ({ prompt, answer: tokens }));
	predictAnswers(references, exchanges, contextWidth, 1e-3, closed.addToken);
	return closed.weights();
}

/**
 * Rates over all innocent students of the grid, and, with records, over students that are read along real text and over
 * that text itself as if a suspect had written it.
 *
 * @param tests by each way in, at least, over all marks
 * @param records real model outputs
 * @returns nothing when the students have not been trained
 */
export function innocentRates(tests: number, records: readonly (readonly NullRecord[])[]): InnocentRates[] {
	const students = [...INNOCENTS, ...OTHER_KEYS].map(({ name }) => name);
	if (students.some((name) => !isTrained(WORK, name))) return [];
	const ground = groundOf(WORK);
	const real = records.flat().filter(({ tokens }) => tokens.length > 64);
	const rates = CASES.flatMap(({ name }) =>
		WAYS.map((way) => ({ name, way, tests: 0, rejected: 0, e20: 0, e100: 0 })),
	);
	const random = randomStream('innocents');
	const run = (given: Record<string, PairWeights>, width: number, count: number) => {
		for (const { name, spec } of CASES) {
			if (spec.contextWidth !== width) continue;
			for (const way of WAYS) {
				const weights = given[way];
				const cell = rates.find((one) => one.name === name && one.way === way);
				if (weights === undefined || cell === undefined) continue;
				for (let test = 0; test < count; test++) {
					const mark = bindMark(spec, freshKey(spec, random));
					const { log10P, log10E } = testWeighted(weights, mark, {
						level: 1e-2,
						hypotheses: 1,
						searchBits: 0,
					});
					cell.tests++;
					if (log10P <= -2) cell.rejected++;
					if (log10E >= Math.log10(20)) cell.e20++;
					if (log10E >= 2) cell.e100++;
				}
			}
		}
	};
	const share = Math.ceil(tests / CASES.length / students.length / (real.length > 0 ? 2 : 1));
	students.forEach((student, i) => {
		for (const width of [1, 2]) {
			const probes = Array.from({ length: PROBES }, (_, k) => (i * PROBES + k) % ground.probes.length).map(
				(k) => ground.probes[k],
			);
			run(weightsOf(ground, student, probes, width), width, share);
			if (real.length === 0) continue;
			const some = Array.from({ length: PROBES }, (_, k) => real[(i * PROBES + k) % real.length]);
			const along = weightsOf(
				ground,
				student,
				some.map(({ tokens }) => tokens.slice(0, 112)),
				width,
			);
			const written = some.map(({ prompt, tokens }) => ({
				prompt: prompt.slice(-16),
				tokens: tokens.slice(0, 112),
			}));
			run({ ...along, closed: textWeights(ground, written, width) }, width, share);
		}
		process.stderr.write(`${student}: ${JSON.stringify(rates.map(({ rejected }) => rejected))}\n`);
	});
	return rates;
}
