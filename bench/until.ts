/**
 * Tests that stop when the level is reached: how often they stop for the innocent, how early for the marked, and what a
 * choice of prefixes saves.
 *
 * @module
 */

import { trainNgram } from '../src/demo/ngram.js';
import { createMarker } from '../src/embed/marker.js';
import { randomStream } from '../src/embed/random.js';
import { embeddedModel, embeddedPrompts, embeddedTokenizer } from '../src/generate/embedded.js';
import { sampleTexts } from '../src/generate/sample.js';
import { bindMark, type Mark } from '../src/marks/mark.js';
import { predictAnswers } from '../src/model/predict.js';
import type { Transformer } from '../src/model/transformer.js';
import { lookSize, newLooks } from '../src/verify/looks.js';
import { logPValue } from '../src/verify/null-law.js';
import { newPairSet } from '../src/verify/pairs.js';
import type { Observations } from '../src/verify/radioactivity.js';
import { countContexts, newResiduals } from '../src/verify/residuals.js';
import { newSequentialTest, type SequentialAnswer } from '../src/verify/sequential.js';
import { tallyPairs } from '../src/verify/tally.js';
import { DEFAULT_LEVEL } from '../src/verify/test-result.js';
import { band } from './calibration.js';
import { INNOCENTS } from './distillation/cells.js';
import {
	CHOSEN,
	type Chosen,
	chosenAt,
	probingDesign,
	readAt,
	WIDTH,
	weightsAtLooks,
} from './distillation/chosen.js';
import { answersOf, type Ground, groundOf, studentAt } from './distillation/ground.js';
import { MARKS } from './distillation/marks.js';
import type { Point } from './distillation/measured.js';
import { isTrained, say, WORK } from './distillation/students.js';
import { freshKey } from './fresh-marks.js';
import { type Bench, median, type Row } from './rows.js';

const [SPEC] = MARKS[CHOSEN.mark].specs;
/** Level of the tests of innocents. */
const LEVEL = 1e-2;
/** Chance that a rate of the bench lies above its band, all in all. */
const ERROR = 1e-3;

/** Who is tested, and beside what. */
interface Stage {
	readonly ground: Ground;
	readonly innocents: readonly Transformer[];
	readonly readings: number;
	readonly answers: number;
}

/** The students of the grid, or those that ship. */
function stageOf(quick: boolean): Stage {
	if (!quick && INNOCENTS.every(({ name }) => isTrained(WORK, name))) {
		const ground = groundOf(WORK);
		return {
			ground: { ...ground, probes: ground.probes.slice(0, 64) },
			innocents: INNOCENTS.map(({ name }) => studentAt(WORK, name)),
			...{ readings: lookSize(10), answers: lookSize(4) },
		};
	}
	const teacher = embeddedModel('teacher');
	const [probes, traffic] = ['probes', 'traffic'].map((what) => [...answersOf(teacher, 12, `until/${what}`)]);
	const exposure = countContexts(
		traffic.map(({ tokens }) => tokens),
		WIDTH,
	);
	return {
		ground: {
			work: '',
			references: [teacher, embeddedModel('base')],
			probes: probes.map(({ promptTokens, tokens }) => [...promptTokens, ...tokens]),
			promptLength: probes[0].promptTokens.length,
			exposure: () => exposure,
		},
		innocents: [embeddedModel('student-unmarked')],
		...{ readings: lookSize(4), answers: lookSize(1) },
	};
}

/** What is known of each innocent student at each look, and its answers. */
function observe({ ground, innocents, readings, answers }: Stage) {
	const design = probingDesign(ground);
	const [, informative] = design.orders.map((order) => order.slice(0, readings));
	const shown = readAt(ground, innocents, { ...design, orders: [informative] });
	const { references } = ground;
	return innocents.map((model, i) => {
		const grey = [...weightsAtLooks(ground, design, shown[i], informative)].map(
			({ weights }): Observations => ({
				// To refuse probes that happen to look marked under a key could only keep a test from stopping.
				...{ mode: 'grey', digest: '', given: [] },
				weights: () => weights,
			}),
		);
		const exchanges = [...answersOf(model, answers, `until/innocent/${i}`)].map(
			({ promptTokens, tokens }) => ({ prompt: [...promptTokens], answer: [...tokens] }),
		);
		const residuals = newResiduals('text', WIDTH, references.length, ground.exposure(WIDTH));
		const closed: Observations[] = [];
		for (let from = 0; from < exchanges.length; from = lookSize(closed.length)) {
			const until = lookSize(closed.length + 1);
			predictAnswers(references, exchanges.slice(from, until), WIDTH, 1e-3, residuals.addToken);
			const weights = residuals.weights();
			closed.push({ mode: 'closed', exchanges: exchanges.slice(0, until), weights: () => weights });
		}
		say(`innocent ${i + 1} of ${innocents.length} observed`);
		return { grey, closed, exchanges };
	});
}

/** Whether looks ever stop for a mark. */
function stops(observations: readonly Observations[], mark: Mark): boolean {
	const looks = newLooks([mark], { level: LEVEL, heldOutKeys: 1 });
	return observations.some((one) => looks.look(one).reached);
}

/** Innocent students under fresh keys: shares of tests that ever stop. */
function levelRows(stage: Stage, keys: number): Row[] {
	const observed = observe(stage);
	const random = randomStream('until/innocents');
	const stopped = { grey: 0, closed: 0, 'closed, answer by answer': 0 };
	for (let i = 0; i < keys; i++) {
		const mark = bindMark(SPEC, freshKey(SPEC, random));
		const { grey, closed, exchanges } = observed[i % observed.length];
		if (stops(grey, mark)) stopped.grey++;
		if (stops(closed, mark)) stopped.closed++;
		const sequential = newSequentialTest(mark, { level: LEVEL });
		if (exchanges.some((one) => sequential.add(one).reached)) stopped['closed, answer by answer']++;
	}
	const [, high] = band(keys, LEVEL, (2 * ERROR) / Object.keys(stopped).length);
	return Object.entries(stopped).map(([way, count]) => ({
		case: `innocent, ${way}@${LEVEL}`,
		ours: count / keys,
		peer: high,
		peerName: `upper edge of the band, ${keys} keys`,
		unit: 'share that ever stops',
		ratio: count > 0 ? (high * keys) / count : Number.MAX_SAFE_INTEGER,
	}));
}

/** A small student of text that the teacher wrote under a fresh key. */
const NGRAM = { texts: 64, tokens: 64, answers: 64 } as const;

/** Answers of a count-based student, which learns in a moment, of texts marked under a key. */
function ngramAnswers(mark: Mark, seed: string): SequentialAnswer[] {
	const model = embeddedModel('teacher');
	const tokenizer = embeddedTokenizer();
	const { vocabSize } = model;
	const { specialTokens } = tokenizer;
	const texts = sampleTexts({
		...{ model, tokenizer, maxTokens: NGRAM.tokens, prompts: embeddedPrompts().slice(0, NGRAM.texts), seed },
		marker: createMarker({ marks: [mark], vocabSize, specialTokens }),
	});
	const student = trainNgram(
		[...texts].map(({ promptTokens, tokens }) => [...promptTokens, ...tokens]),
		vocabSize,
	);
	const prompts = embeddedPrompts()
		.slice(-NGRAM.answers)
		.map((prompt) => tokenizer.encode(prompt));
	const answers = student.sample(prompts, NGRAM.tokens, seed);
	return prompts.map((prompt, i) => ({ prompt, answer: answers[i] }));
}

/** Marked students, each under a key of its own: answers until the test stops, beside a number fixed beforehand. */
function markedRows(students: number): { rows: Row[]; note: string } {
	const random = randomStream('until/marked');
	const stoppedAt: number[] = [];
	const foundAt = Array.from({ length: NGRAM.answers }, () => 0);
	for (let i = 0; i < students; i++) {
		const mark = bindMark(SPEC, freshKey(SPEC, random));
		const answers = ngramAnswers(mark, `until/ngram/${i}`);
		const sequential = newSequentialTest(mark);
		const stop = answers.findIndex((answer) => sequential.add(answer).reached);
		stoppedAt.push(stop < 0 ? Infinity : stop + 1);
		const pairs = newPairSet(SPEC);
		answers.forEach(({ prompt, answer }, n) => {
			pairs.add(answer, prompt);
			if (logPValue(tallyPairs(pairs, mark), mark.scheme.null) <= Math.log(DEFAULT_LEVEL)) foundAt[n]++;
		});
		if ((i + 1) % 50 === 0) say(`${i + 1} of ${students} marked students`);
	}
	const stopped = stoppedAt.filter((stop) => stop < Infinity).length;
	const fixed = 1 + foundAt.findIndex((found) => found >= 0.95 * students) || NGRAM.answers;
	const ours = Math.min(NGRAM.answers, median(stoppedAt));
	return {
		rows: [
			{
				case: 'marked, closed, answer by answer: answers',
				ours,
				peer: fixed,
				peerName: 'number fixed beforehand that finds 95 %',
				unit: `answers of ${NGRAM.tokens} tokens until ${DEFAULT_LEVEL}, median of ${students} students`,
				ratio: fixed / ours,
			},
			{
				case: 'marked, closed, answer by answer: found',
				ours: stopped / students,
				peer: foundAt[NGRAM.answers - 1] / students,
				peerName: `one test of all ${NGRAM.answers} answers`,
				unit: 'share found',
				ratio: stopped / foundAt[NGRAM.answers - 1],
			},
		],
		note: `Answers until the test stops: a tenth of the marked students by ${shown(quantile(stoppedAt, 0.1))}, half by ${shown(median(stoppedAt))}, nine tenths by ${shown(quantile(stoppedAt, 0.9))}.`,
	};
}

const quantile = (values: readonly number[], share: number): number =>
	[...values].sort((a, b) => a - b)[Math.floor(share * (values.length - 1))];

/** Queries at which every `step`-th look reaches the default level; Infinity where none does. */
function stopOf(points: readonly Point[], step = 1): number {
	const taken = points.filter((_, i) => i % step === 0);
	const price = (look: number) => Math.log10(look * (look + 1));
	const stop = taken.find(({ log10P }, i) => log10P + price(i + 1) <= Math.log10(DEFAULT_LEVEL));
	return stop?.queries ?? Infinity;
}

const MOST_ASKED = 10_000;
const shown = (queries: number) => (queries < Infinity ? String(queries) : 'never');

/** What the choice of prefixes saves, from the record. */
function chosenRows(share: number): { rows: Row[]; notes: string[] } {
	const students = chosenAt(share);
	if (students.length === 0) return { rows: [], notes: [] };
	const curves = (name: 'random' | 'informative' | 'alone') => students.map((one: Chosen) => one[name]);
	const stop = (name: Parameters<typeof curves>[0], step = 1) =>
		median(curves(name).map((points) => stopOf(points, step)));
	const [ours, peer] = [stop('informative'), stop('random')];
	const evidence = (name: Parameters<typeof curves>[0]) =>
		[500, 1000, 2000, 5000, 10_000]
			.map((queries) => {
				const at = curves(name).map(
					(points) => (points.findLast((one) => one.queries <= queries * 1.12) as Point).log10E ?? 0,
				);
				return median(at).toFixed(1);
			})
			.join(', ');
	return {
		rows: [
			{
				case: `active@${share}`,
				ours: Math.min(MOST_ASKED, ours),
				peer: Math.min(MOST_ASKED, peer),
				peerName: `random places${peer < Infinity ? '' : ', not enough'}`,
				unit: `readings until ${DEFAULT_LEVEL}, median of ${students.length} students`,
				ratio: ours < Infinity ? Math.min(MOST_ASKED, peer) / ours : 1,
			},
		],
		notes: [
			`ρ ${share}: looks by steps of 1.25, 1.56 and 1.95 stop at ${[1, 2, 3].map((step) => shown(stop('random', step))).join(', ')} (random places), ` +
				`${[1, 2, 3].map((step) => shown(stop('informative', step))).join(', ')} (informative ones). Median log10 e at about 500, 1,000, 2,000, 5,000, ` +
				`10,000 readings (a student is read until 10): random ${evidence('random')}; informative ${evidence('informative')}; contexts alone ${evidence('alone')} (${median(curves('alone').map((points) => (points.at(-1) as Point).queries))} at most).`,
		],
	};
}

export const bench: Bench = {
	about:
		'Tests that stop when the level is reached. `innocent`: students of unmarked text, a fresh key for every test, at level 0.01: grey and ' +
		'closed at looks with references (12 students of the grid; informative prefixes to look 10, answers to look 4), and closed ' +
		'answer by answer without; only the upper edge of the band can be crossed. `marked`: count-based students of 64 texts that the teacher ' +
		'wrote under a fresh key each (synthid-1-h1), at the default level. `active`: students of the grid that show their 20 likeliest tokens, ' +
		'looked at until the default level is reached, after the most informative prefixes and after random ones; recorded by ' +
		'`bench/distillation/chosen.ts`. A number that is not enough counts as 10,000.',
	async run({ quick }) {
		const keys = quick ? 50 : 500;
		const stage = stageOf(quick);
		const level = levelRows(stage, keys);
		const marked = markedRows(quick ? 5 : 500);
		const active = CHOSEN.shares.map(chosenRows);
		return {
			rows: [...level, ...marked.rows, ...active.flatMap(({ rows }) => rows)],
			notes: [marked.note, ...active.flatMap(({ notes }) => notes)],
		};
	},
};
