/**
 * What hard students show: inheritance by every way in, exposure, what the treatment cost, and what the same weights show
 * under keys that nobody has used.
 *
 * @module
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomStream } from '../../src/embed/random.js';
import { embeddedTokenizer } from '../../src/generate/embedded.js';
import { bindMark, type Mark } from '../../src/marks/mark.js';
import { tokenLogProbabilities } from '../../src/model/likelihood.js';
import { predictAnswers } from '../../src/model/predict.js';
import type { Transformer } from '../../src/model/transformer.js';
import { newExposure } from '../../src/verify/exposure.js';
import { similarityMeasure } from '../../src/verify/exposure-measures.js';
import { newResiduals, type PairWeights } from '../../src/verify/residuals.js';
import { newWeightedTest } from '../../src/verify/weighted.js';
import { freshKey } from '../fresh-marks.js';
import { ownAnswers, probeOf } from './exposure-probes.js';
import type { Ground } from './ground.js';
import {
	CLAIMED_KINDS,
	type HardCell,
	type Kind,
	MARK,
	MEASURED_PAIRS,
	PAIRS,
	SAME_STUDENT,
} from './hard-cells.js';
import type { Fresh, HardCurves, HardMeasured } from './hard-measured.js';
import { PLACES, readOthers, readTogether } from './hard-reading.js';
import { groundFor, suspectOf, tokenizerOf, writtenBy } from './hard-suspects.js';
import { secondKey, trialSeed } from './hard-training.js';
import { marksOf } from './marks.js';
import { type Point, weightedPoint } from './measured.js';
import { armOf, coinsOf, trialOf } from './trials.js';

/** Tokens that are asked for when a test is made. */
const TOKENS = [1e4, 2e4, 5e4, 1e5, 2e5] as const;
/** log10 e at which no more text is asked for. */
const ENOUGH = 10;
/** Answers over which variety is counted. */
const COUNTED = 80;
/** Text is asked of the first students of a kind, and less of innocents; it takes longest. */
function mostTokens({ kind, seed, mark }: HardCell): number {
	if (mark === null) return 5e4;
	if (mark !== MARK || kind === 'known-tuning') return 0;
	const students = (CLAIMED_KINDS as readonly Kind[]).includes(kind) ? 2 : 1;
	return Number(seed) <= students ? 2e5 : 0;
}
/** Keys, and coins of all pairs, that nobody has used: for the first student of a kind and the innocent one, and for others. */
const freshFor = ({ seed }: HardCell) => (seed === '1' || seed === 'innocent' ? 50 : 10);
/** Which of {@link PLACES} the weights are of that are tested under them. */
const FRESH_PLACES = 2;

const DECISION = { level: 1e-6, hypotheses: 1, searchBits: 0 } as const;
type AnyPoint = NonNullable<HardCurves['closed']>[number];

/** The marks that a cell's texts carry, or, of an innocent, one that they do not. */
export function marksFor({ kind, seed, mark }: HardCell): Mark[] {
	return [seed, ...(kind === 'two-keys' ? [secondKey(seed)] : [])].flatMap((one) =>
		marksOf(mark ?? MARK, one),
	);
}

const point = (queries: number, weights: PairWeights, mark: Mark): AnyPoint => {
	const { log10P, log10E = 0 }: Point = weightedPoint(queries, weights, mark);
	return { queries, log10P, log10E };
};

/** Counts p-values. */
function counted(log10Ps: readonly number[]): Fresh {
	return {
		tests: log10Ps.length,
		rejected: log10Ps.filter((log10P) => log10P <= -2).length,
		accused: log10Ps.filter((log10P) => log10P <= -6).length,
		leastLog10P: Math.min(0, ...log10Ps),
	};
}

function underFreshKeys(weights: PairWeights, { spec }: Mark, count: number): Fresh {
	const test = newWeightedTest(weights, spec);
	return counted(
		Array.from({ length: count }, (_, i) => {
			const mark = bindMark(spec, freshKey(spec, randomStream(`hard/fresh/${i}`)));
			return test.test(mark, DECISION).log10P;
		}),
	);
}

/** Asks a suspect for more and more text. */
function ask(work: string, ground: Ground, cell: HardCell, model: Transformer, marks: readonly Mark[]) {
	const { references } = ground;
	const budgets = TOKENS.filter((tokens) => tokens <= mostTokens(cell));
	const width = marks[0].spec.contextWidth;
	const residuals = newResiduals('text', width, references.length, ground.exposure(width));
	const curves = marks.map((): AnyPoint[] => []);
	let weights = residuals.weights();
	let tokens = 0;
	let next = 0;
	let asked: { prompt: readonly number[]; answer: readonly number[] }[] = [];
	for (const { promptTokens, tokens: own } of writtenBy(work, cell, model, mostTokens(cell) / 32)) {
		asked.push({ prompt: promptTokens, answer: own });
		tokens += own.length;
		if (tokens < budgets[next]) continue;
		predictAnswers(references, asked, width, 1e-3, (context, token, others) => {
			residuals.addToken(context, token, others);
		});
		asked = [];
		weights = residuals.weights();
		for (const [i, mark] of marks.entries()) curves[i].push(point(budgets[next], weights, mark));
		next++;
		if (next === budgets.length || curves.every((points) => points[points.length - 1].log10E >= ENOUGH))
			break;
	}
	return { curves, weights };
}

/** Share of distinct 2-grams in what a suspect writes. */
function distinctOf(work: string, cell: HardCell, model: Transformer): number {
	const pairs = Array.from(writtenBy(work, cell, model, COUNTED)).flatMap(({ tokens }) =>
		tokens.slice(1).map((token, i) => `${tokens[i]},${token}`),
	);
	return new Set(pairs).size / pairs.length;
}

/** Perplexity on texts of the teacher, a token of the teacher, whatever the suspect's tokens are. */
function perplexityOf(work: string, { probes, promptLength }: Ground, cell: HardCell, model: Transformer) {
	const marks = embeddedTokenizer();
	const own = tokenizerOf(work, cell);
	const ids = (part: readonly number[]) =>
		own.fingerprint === marks.fingerprint ? part : own.encode(marks.decode(part));
	const logs = tokenLogProbabilities(
		model,
		probes.map((text) => ({
			prompt: ids(text.slice(0, promptLength)),
			answer: ids(text.slice(promptLength)),
		})),
	);
	const tokens = probes.reduce((sum, text) => sum + text.length - promptLength, 0);
	return Math.exp(-logs.flat().reduce((sum, log) => sum + log, 0) / tokens);
}

/** The trial in the suspect's training texts, by every way in. */
function exposureOf(work: string, cell: HardCell, model: Transformer) {
	const seed = trialSeed(cell);
	const exchanges = trialOf(work, seed, PAIRS, cell.mark ?? undefined).slice(0, MEASURED_PAIRS);
	const pairs = exchanges.map(({ pair }) => pair);
	const coins = exchanges.map(({ coin }) => coin);
	const tokenizer = tokenizerOf(work, cell);
	const probe = probeOf(work, `${cell.mark}/${seed}`, pairs, embeddedTokenizer());
	const foreign = cell.kind === 'tokenizer' ? tokenizer : undefined;
	const trial = newExposure({ pairs, records: exchanges.map(({ record }) => record) });
	const measures = {
		open: probe.measureOf(model, 'open', foreign),
		grey: probe.measureOf(model, 'grey', foreign),
		...(cell.seed === '1' && foreign === undefined
			? {
					closed: similarityMeasure(ownAnswers(model, tokenizer, pairs, cell.name), 'levenshtein'),
				}
			: {}),
	};
	const fresh = Array.from({ length: freshFor(cell) }, (_, i) =>
		coinsOf(armOf(`hard/fresh/${i}`), exchanges),
	);
	const exposure: HardMeasured['exposure'] = {};
	const underFresh: HardMeasured['fresh'] = {};
	for (const [way, measure] of Object.entries(measures)) {
		const scored = trial.measure(measure);
		const { pairs: all, servedPreferred, log10PCorrected, log10E, verdict } = scored.open(coins);
		exposure[way] = { pairs: all, servedPreferred, log10P: log10PCorrected, log10E, verdict };
		// Fresh coins have no records.
		const unsealed = newExposure({ pairs }).record(scored.scores);
		underFresh[`exposure-${way}`] = counted(fresh.map((some) => unsealed.open(some).log10PCorrected));
	}
	return { exposure, fresh: underFresh };
}

/** What a paraphrase took away from the marked texts. */
function lostOf(work: string, { name }: HardCell): HardMeasured['cost']['lost'] {
	const path = join(work, 'texts', `${name}.loss.json`);
	return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
}

/**
 * Measures cells of one set of probes, one after another; what they predict is read in one pass.
 *
 * @param cells all of the mark's tokenizer, or all of another one; of one context width
 */
export function* measureCells(
	work: string,
	usual: Ground,
	cells: readonly HardCell[],
): Generator<HardMeasured> {
	const ground = groundFor(usual, cells[0]);
	const width = marksFor(cells[0])[0].spec.contextWidth;
	const models = cells.map((cell) => suspectOf(work, cell));
	const read =
		cells[0].kind === 'tokenizer'
			? readOthers(work, ground, models, width)
			: readTogether(ground, models, width);
	for (const [i, cell] of cells.entries()) {
		const model = models[i];
		const marks = marksFor(cell);
		const written = mostTokens(cell) > 0 ? ask(work, ground, cell, model, marks) : undefined;
		const trial = SAME_STUDENT.includes(cell.kind)
			? { exposure: {}, fresh: {} }
			: exposureOf(work, cell, model);
		const curveOf = (way: 'grey' | 'open', mark: Mark) =>
			PLACES.map((most, j) => point(most, read[i][way][j], mark));
		const lost = lostOf(work, cell);
		yield {
			...{ cell: cell.name, kind: cell.kind, seed: cell.seed, mark: cell.mark },
			cost: {
				perplexity: perplexityOf(work, usual, cell, model),
				distinct: distinctOf(work, cell, model),
				...(lost === undefined ? {} : { lost }),
			},
			keys: marks.map((mark, k) => ({
				grey: curveOf('grey', mark),
				open: curveOf('open', mark),
				...(written === undefined ? {} : { closed: written.curves[k] }),
			})),
			exposure: trial.exposure,
			fresh: {
				grey: underFreshKeys(read[i].grey[FRESH_PLACES], marks[0], freshFor(cell)),
				open: underFreshKeys(read[i].open[FRESH_PLACES], marks[0], freshFor(cell)),
				...(written === undefined
					? {}
					: { closed: underFreshKeys(written.weights, marks[0], freshFor(cell)) }),
				...trial.fresh,
			},
		};
	}
}
