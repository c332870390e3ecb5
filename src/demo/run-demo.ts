/**
 * The whole story on the embedded models: keys → marked text → students trained with and without it → tests.
 *
 * @module
 */

import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import type { Tokenizer } from '../corpus/tokenizer.js';
import { type ReportExposure, renderReport } from '../evidence/report.js';
import { type EmbeddedModel, embeddedPrompts, embeddedTokenizer, MODELS } from '../generate/embedded.js';
import { newSamplingPool, type SamplingPool } from '../generate/pool.js';
import type { Sample } from '../generate/sample.js';
import { parseJson } from '../input.js';
import { createKeyring, type Keyring, openKeyring } from '../keys/keyring.js';
import { commitMarks } from '../ledger/commit-marks.js';
import type { LogEntry } from '../ledger/entry.js';
import { appendToLog } from '../ledger/log.js';
import { defaultMarks } from '../marks/defaults.js';
import type { Mark } from '../marks/mark.js';
import { writeWhole } from '../output.js';
import { queriesFor } from '../stats/index.js';
import { detect } from '../verify/detect.js';
import type { GivenAnswer } from '../verify/exposure-measures.js';
import { sumForecast } from '../verify/marked-scores.js';
import { scorePassage } from '../verify/passage.js';
import type { Exchange, RadioactivityResult } from '../verify/radioactivity.js';
import { radioactivity } from '../verify/radioactivity.js';
import { DEFAULT_LEVEL, type Verdict } from '../verify/test-result.js';
import { VERSION } from '../version.js';
import {
	type DemoTrial,
	type ExposureCase,
	ngramLikelihood,
	readTrial,
	retrospectiveTrial,
	serveTrial,
} from './exposure.js';
import { type NgramModel, trainNgram } from './ngram.js';

/** Fixed before any result was seen. */
export const DEMO_SEED = 'touchmark-demo-1';
/** Texts that the live student is trained on, and texts asked of each suspect, 112 tokens each. */
const TRAINING_TEXTS = 512;
const SUSPECT_TEXTS = 256;
const TEXT_TOKENS = 112;
const HELD_OUT_KEYS = 99;
/** An e-value that settles the matter. */
const ENOUGH = 1e6;
/** Requests of the trial, and what the shipped student's training texts are made again from (models/README.md). */
const TRIAL_PAIRS = 224;
const SHIPPED_STUDENT = { model: 'student-unmarked', seed: 'train-unmarked', tokens: 113 } as const;

/** What the demo reports of one suspect. */
export interface DemoSuspect {
	readonly suspect: string;
	/** Whether it was trained on text marked with the key under test. */
	readonly trainedOnMarked: boolean;
	readonly scored: number;
	readonly score: number;
	readonly log10P: number;
	readonly log10E: number;
	readonly heldOut: RadioactivityResult['heldOut'];
	readonly verdict: Verdict;
	readonly alternatives: readonly string[];
	readonly tests: RadioactivityResult['tests'];
	/** Distinct tokens with as high a mean score that are planned for e ≥ 1e6; null where the shape mark was not found. */
	readonly enough: number | null;
}

/** What the demo reports of one suspect of a trial. */
export interface DemoExposure extends ReportExposure {
	readonly log10E: number;
	readonly verdict: Verdict;
}

/** `touchmark-demo/results.json`. */
export interface DemoResults {
	readonly version: string;
	readonly seed: string;
	readonly level: number;
	readonly seconds: number;
	readonly suspects: readonly DemoSuspect[];
	readonly exposure: readonly DemoExposure[];
	/** The marked texts themselves: how many `detect` calls marked. */
	readonly markedTexts: { readonly texts: number; readonly detected: number };
}

/** Told of progress. */
export type Progress = (label: string, total: number) => { add(count: number): void; stop(): void };

/** The log's folder. */
export const LOG = 'touchmark-log';

/**
 * Runs the demo and writes its folder.
 *
 * @param folder emptied of earlier demo files and filled with key ring, log, transcripts, `results.json`, `report.html`
 */
export async function runDemo(folder: string, seed: string, progress: Progress): Promise<DemoResults> {
	const begun = performance.now();
	const file = (name: string) => join(folder, name);
	mkdirSync(folder, { recursive: true });
	for (const name of ['keyring.json', LOG]) rmSync(file(name), { force: true, recursive: true });

	// Keys: from the seed, so that everybody gets the same numbers. Real rings are random.
	const tokenizer = embeddedTokenizer();
	const master = sha256(utf8ToBytes(`touchmark/demo/${seed}`));
	const live = createKeyring({ unsealed: true }, master);
	for (const template of defaultMarks('demo', tokenizer.fingerprint)) live.add(template);
	live.addArm('demo', 0);
	await commitMarks(file(LOG), live);
	writeWhole(file('keyring.json'), `${JSON.stringify(live.toFile(), null, 1)}\n`, 0o600);
	const shippedPath = join(MODELS, 'keys', 'keyring.json');
	const shippedRing = await openKeyring(parseJson(readFileSync(shippedPath, 'utf8'), shippedPath), () => '');

	const pool = newSamplingPool();
	try {
		const prompts = embeddedPrompts();
		const trainingPrompts = prompts.slice(0, TRAINING_TEXTS);
		const suspectPrompts = prompts.slice(-SUSPECT_TEXTS);
		const ask = (label: string, model: EmbeddedModel, keyring: Keyring | null, asked: readonly string[]) =>
			sampleWithBar(pool, progress, label, {
				model,
				keyring: keyring?.toFile() ?? null,
				prompts: asked,
				maxTokens: TEXT_TOKENS,
				seed: `${seed}/${label}`,
			});

		const marked = await ask('marked text by the teacher', 'teacher', live, trainingPrompts);
		const unmarked = await ask('unmarked text by the teacher', 'teacher', null, trainingPrompts);
		const draw = (label: string, task: Partial<Parameters<SamplingPool['sample']>[0]>) =>
			sampleWithBar(pool, progress, label, {
				model: 'teacher',
				keyring: live.toFile(),
				prompts: [],
				maxTokens: TEXT_TOKENS,
				seed: `${seed}/${label}`,
				...task,
			});
		const trialPrompts = prompts.slice(TRAINING_TEXTS, TRAINING_TEXTS + TRIAL_PAIRS);
		const trial = await serveTrial(live, trialPrompts, draw, `${seed}/trial`);
		await logTrial(file(LOG), trial, live);
		const ngrams = [[...marked, ...trial.served], unmarked].map((training) =>
			trainNgram(
				training.map((sample) => [...sample.promptTokens, ...sample.tokens]),
				tokenizer.vocabSize,
			),
		);
		const suspects: { name: string; trainedOnMarked: boolean; ring: Keyring; texts: readonly Text[] }[] = [
			...ngrams.map((model, i) => ({
				name: `n-gram student, ${i === 0 ? 'marked' : 'unmarked'}`,
				trainedOnMarked: i === 0,
				ring: live,
				texts: askNgram(model, suspectPrompts, tokenizer, `${seed}/ngram/${i}`),
			})),
		];
		for (const [name, model, trainedOnMarked] of [
			['transformer student, marked', 'student-marked', true],
			['transformer student, unmarked', 'student-unmarked', false],
			['transformer student, other key', 'student-other-key', false],
			['base, not trained on the teacher', 'base', false],
		] as const)
			suspects.push({
				name,
				trainedOnMarked,
				ring: shippedRing,
				texts: await ask(name, model, null, suspectPrompts),
			});

		const shipped = await shippedTrial(draw, prompts.slice(0, TRIAL_PAIRS), seed);
		const cases = await testTrials(pool, progress, [trial, shipped], ngrams, tokenizer);
		for (const [name, { pairs, coins }] of [
			['served', trial],
			['shipped', shipped],
		] as const) {
			writeJsonl(file(`exposure-${name}-pairs.jsonl`), pairs);
			writeJsonl(file(`exposure-${name}-coins.jsonl`), coins);
		}
		for (const { suspect, scored } of cases) writeJsonl(file(scoresFile(suspect)), scored.scores);

		const bar = progress('tests', suspects.length);
		const tested = suspects.map(({ name, trainedOnMarked, ring, texts }) => {
			writeJsonl(file(transcriptFile(name)), texts);
			const exchanges = texts.map(
				(text): Exchange => ({
					prompt: tokenizer.encode(text.prompt),
					answer: tokenizer.encode(text.text),
				}),
			);
			const { result, nulls } = radioactivity({ mode: 'closed', exchanges }, bindAll(ring), {
				heldOutKeys: HELD_OUT_KEYS,
			});
			bar.add(1);
			return {
				name,
				trainedOnMarked,
				result,
				heldOutLog10Ps: nulls[0].log10Ps,
				enough: enoughFor(result, ring),
			};
		});
		bar.stop();
		writeJsonl(file('marked-text.jsonl'), marked);
		writeJsonl(file('unmarked-text.jsonl'), unmarked);

		const marks = bindAll(live);
		const [shape, choice] = marks;
		const verdicts = marked.map(
			(sample) =>
				detect(sample.id, tokenizer.encode(sample.text), marks, { given: sample.promptTokens }).verdict,
		);
		const results: DemoResults = {
			version: VERSION,
			seed,
			level: DEFAULT_LEVEL,
			seconds: Math.round((performance.now() - begun) / 100) / 10,
			suspects: tested.map(({ name, trainedOnMarked, result, enough }) => ({
				suspect: name,
				trainedOnMarked,
				enough,
				scored: result.scored,
				score: result.score,
				log10P: result.log10P,
				log10E: result.log10E,
				heldOut: result.heldOut,
				verdict: result.verdict,
				alternatives: result.alternatives,
				tests: result.tests,
			})),
			exposure: cases.map(({ suspect, trainedOnServed, result }) => ({
				suspect,
				trainedOnServed,
				pairs: result.pairs,
				ties: result.ties,
				servedPreferred: result.servedPreferred,
				log10P: result.log10P,
				log10E: result.log10E,
				assumptions: result.assumptions,
				verdict: result.verdict,
			})),
			markedTexts: {
				texts: verdicts.length,
				detected: verdicts.filter((verdict) => verdict === 'marked').length,
			},
		};
		writeWhole(file('results.json'), `${JSON.stringify(results, null, 1)}\n`);
		const page = renderReport({
			title: 'Touchmark demo',
			version: VERSION,
			generatedAt: new Date().toISOString(),
			seconds: results.seconds,
			level: DEFAULT_LEVEL,
			suspects: tested.map(({ name, trainedOnMarked, result, heldOutLog10Ps }) => ({
				suspect: name,
				trainedOnMarked,
				scored: result.scored,
				mean: result.effect.mean,
				expected: result.effect.expected,
				log10P: result.log10P,
				heldOut: result.heldOut,
				verdict: result.verdict,
				alternatives: result.alternatives,
				heldOutLog10Ps,
			})),
			exposure: results.exposure,
			passage: {
				title: `Marked text, ${marked[0].id}`,
				tokens: scorePassage({ tokens: tokenizer.encode(marked[0].text) }, tokenizer, { shape, choice }),
			},
			commands: [
				`touchmark detect --keyring ${folder}/keyring.json ${folder}/marked-text.jsonl`,
				...tested
					.filter(({ name }) => name.startsWith('n-gram'))
					.map(
						({ name }) =>
							`touchmark radioactivity --keyring ${folder}/keyring.json --suspect '${folder}/${transcriptFile(name)}'`,
					),
				...cases
					.filter(({ suspect }) => suspect.startsWith('n-gram'))
					.map(
						({ suspect }) =>
							`touchmark exposure --pairs ${folder}/exposure-served-pairs.jsonl --coins ${folder}/exposure-served-coins.jsonl --records ${folder}/${LOG} --scores '${folder}/${scoresFile(suspect)}'`,
					),
				`touchmark exposure --pairs ${folder}/exposure-shipped-pairs.jsonl --coins ${folder}/exposure-shipped-coins.jsonl --retrospective --suspect ${SHIPPED_STUDENT.model} --reference teacher base`,
			],
		});
		writeWhole(file('report.html'), page);
		return results;
	} finally {
		await pool.close();
	}
}

/** What `touchmark power` plans for a suspect's mean score, where the shape mark was found; it is the first of the ring. */
function enoughFor({ verdict, effect }: RadioactivityResult, ring: Keyring): number | null {
	const law = bindAll(ring)[0].scheme.null;
	if (verdict !== 'trained-on-marked' || law.kind !== 'bernoulli' || effect.mean === null) return null;
	return queriesFor(sumForecast({ ...law, mean: effect.mean }), Math.log(ENOUGH));
}

type Text = Pick<Sample, 'id' | 'prompt' | 'text'>;

function bindAll(ring: Keyring): [Mark, Mark] {
	const [shape, choice] = ring.marks.map((spec) => ring.bind(spec, 'verify'));
	return [shape, choice];
}

async function sampleWithBar(
	pool: SamplingPool,
	progress: Progress,
	label: string,
	task: Parameters<SamplingPool['sample']>[0],
): Promise<Sample[]> {
	const bar = progress(label, task.prompts.length);
	const samples = await pool.sample(task, (count) => bar.add(count));
	bar.stop();
	return samples;
}

function askNgram(model: NgramModel, prompts: readonly string[], tokenizer: Tokenizer, seed: string): Text[] {
	const encoded = prompts.map((prompt) => tokenizer.encode(prompt));
	return model
		.sample(encoded, TEXT_TOKENS, seed)
		.map((tokens, i) => ({ id: `${seed}-${i}`, prompt: prompts[i], text: tokenizer.decode(tokens) }));
}

/** The trial's records go to the log before anything is served. */
async function logTrial(log: string, { records = [] }: DemoTrial, ring: Keyring): Promise<void> {
	const entries = records.map(
		(record): LogEntry => ({ type: 'arm-record', version: 1, time: record.time, record }),
	);
	await appendToLog(log, entries, ring);
}

/** Texts that the shipped student was trained on, made again from their seeds, and others for the same prompts. */
async function shippedTrial(
	draw: Parameters<typeof serveTrial>[2],
	prompts: readonly string[],
	seed: string,
): Promise<DemoTrial> {
	const unmarked = { prompts, keyring: null, maxTokens: SHIPPED_STUDENT.tokens };
	const again = await draw("the shipped student's texts", { ...unmarked, seed: SHIPPED_STUDENT.seed });
	return retrospectiveTrial(again, await draw('redrawn texts', { ...unmarked, seed: `${seed}/redrawn` }));
}

/** Each trial with a suspect that was trained on its served answers, and one that was not. */
async function testTrials(
	pool: SamplingPool,
	progress: Progress,
	[served, shipped]: readonly [DemoTrial, DemoTrial],
	[student, innocent]: readonly NgramModel[],
	tokenizer: Tokenizer,
): Promise<ExposureCase[]> {
	const bar = progress('likelihoods', 2 * (2 * served.pairs.length + 4 * shipped.pairs.length));
	const likelihoodOf = (model: EmbeddedModel, texts: readonly GivenAnswer[]) =>
		pool.likelihoods({ model, texts }, (count) => bar.add(count));
	const live = await readTrial(served, likelihoodOf);
	const past = await readTrial(shipped, likelihoodOf);
	const suspects = [
		['n-gram student, marked', true, served, live.measure(ngramLikelihood(student, tokenizer))],
		['n-gram student, unmarked', false, served, live.measure(ngramLikelihood(innocent, tokenizer))],
		[
			'transformer student, unmarked',
			true,
			shipped,
			past.measure(await past.transformer('student-unmarked')),
		],
		['transformer student, marked', false, shipped, past.measure(await past.transformer('student-marked'))],
	] as const;
	bar.stop();
	return suspects.map(([suspect, trainedOnServed, trial, scored]) => ({
		suspect,
		trainedOnServed,
		scored,
		result: scored.open(trial.coins),
	}));
}

/** Name of the file that holds the scores of a suspect of a trial. */
export function scoresFile(suspect: string): string {
	return `exposure-scores-${transcriptFile(suspect)}`;
}

/** Name of the file in the demo's folder that holds what a suspect wrote. */
export function transcriptFile(suspect: string): string {
	return `${suspect.replace(/[^a-z-]+/g, '-')}.jsonl`;
}

function writeJsonl(path: string, rows: readonly unknown[]): void {
	writeWhole(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
}
