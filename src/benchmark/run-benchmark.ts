/**
 * A benchmark of the scan: a corpus, marked records planted in it, scans under keys of their own, and the truth beside them.
 *
 * @module
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, randomBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { randomStream } from '../embed/random.js';
import { badInput } from '../errors.js';
import { embeddedPrompts, embeddedTokenizer, MODELS } from '../generate/embedded.js';
import { newSamplingPool, type SamplingPool } from '../generate/pool.js';
import { createKeyring, type Keyring } from '../keys/keyring.js';
import { commitMarks } from '../ledger/commit-marks.js';
import { defaultMarks } from '../marks/defaults.js';
import { writePieces } from '../output.js';
import { COUNT_MEMORY, cellsOf } from '../scan/counting/counts.js';
import type { ScanPlan } from '../scan/plan.js';
import { FILES } from '../scan/scan-files.js';
import { parseState } from '../scan/state.js';
import {
	type BenchmarkResult,
	benchmarkResult,
	type ObservedRun,
	type PlantedOutcome,
} from './benchmark-result.js';
import { logUniformLength } from './lengths.js';
import { writeMadeCorpus } from './made-corpus.js';
import { plantedShare } from './planted-windows.js';
import { type MeasuredScan, runScan } from './run-scan.js';

/** What is benchmarked. */
export interface BenchmarkOptions {
	/** The corpus; none: one is made. */
	readonly paths: readonly string[];
	/** Records of a corpus that is made. */
	readonly records: number;
	/** Planted records, as a share of the corpus' own. */
	readonly share: number;
	/** How many times records are planted, each time under keys of their own. */
	readonly seeds: number;
	/** Makes keys and texts; the same ones again for the same seed. */
	readonly seed: string;
	readonly level: number;
	readonly fdr: number;
	/** Threads of a scan. */
	readonly workers: number;
	/** What cannot be read ends the benchmark. */
	readonly strict: boolean;
	readonly fields: ScanPlan['fields'];
}

/** Who is told how it goes. */
export interface BenchmarkListener {
	/** A stage of so many steps begins. */
	stage(label: string, total: number): { add(steps: number): void; stop(): void };
	warn(message: string): void;
}

/** Records that are planted at once; the embedded model writes some 5,000 tokens a second and core. */
export const MOST_PLANTED = 1000;
/** Unmarked texts that a corpus is made from, and tokens in each. */
const SOURCE = { texts: 128, tokens: 112 };

/** A record to plant. */
interface Planted {
	readonly id: string;
	readonly text: string;
	/** Tokens as drawn. */
	readonly length: number;
}

/** Runs a benchmark. @throws TouchmarkError `bad-input` for a corpus that cannot be read or is empty */
export async function runBenchmark(
	options: BenchmarkOptions,
	listener: BenchmarkListener,
): Promise<BenchmarkResult> {
	const { paths, share, seeds, seed } = options;
	const folder = mkdtempSync(join(tmpdir(), 'touchmark-bench-'));
	const pool = newSamplingPool();
	try {
		const corpus = paths.length > 0 ? paths : [await madeCorpus(options, folder, pool, listener)];
		const none = await observe(
			options,
			corpus,
			folder,
			`${seed}/none`,
			[],
			`scan 1 of ${seeds + 1}`,
			listener,
		);
		const { records } = none.run;
		if (records === 0) throw badInput(`${paths.join(', ')}: holds no records`);
		const wanted = Math.max(1, Math.round(share * records));
		const count = Math.min(MOST_PLANTED, wanted);
		if (count < wanted)
			listener.warn(
				`a share of ${share} is ${wanted} records; ${count} are planted at most, a share of ${(count / records).toPrecision(2)}`,
			);
		const observed = [none];
		for (let i = 0; i < seeds; i++) {
			const own = `${seed}/${i}`;
			const planted = await writtenRecords(count, own, folder, pool, listener);
			const label = `scan ${i + 2} of ${seeds + 1}`;
			observed.push(await observe(options, corpus, folder, own, planted, label, listener));
		}
		return benchmarkResult(observed, { ...options, made: paths.length === 0 });
	} finally {
		await pool.close();
		rmSync(folder, { recursive: true, force: true });
	}
}

/** A ring of the default marks, committed to a log of its own. It is for nothing else: its seed is no secret. */
async function ringOf(seed: string, folder: string): Promise<Keyring> {
	const ring = createKeyring({ unsealed: true }, sha256(utf8ToBytes(`touchmark/benchmark/${seed}`)));
	for (const template of defaultMarks('benchmark', embeddedTokenizer().fingerprint)) ring.add(template);
	await commitMarks(mkdtempSync(join(folder, 'log-')), ring);
	return ring;
}

async function madeCorpus(
	{ records, seed }: BenchmarkOptions,
	folder: string,
	pool: SamplingPool,
	listener: BenchmarkListener,
): Promise<string> {
	const tokenizer = embeddedTokenizer();
	const prompts = embeddedPrompts();
	const writing = listener.stage('unmarked texts', SOURCE.texts);
	const samples = await pool
		.sample(
			{
				model: 'teacher',
				keyring: null,
				prompts: prompts.slice(0, SOURCE.texts),
				maxTokens: SOURCE.tokens,
				seed: `benchmark/${seed}`,
			},
			writing.add,
		)
		.finally(writing.stop);
	const special = new Set(tokenizer.specialTokens);
	const texts = [
		...samples.map(({ tokens }) => tokens.filter((token) => !special.has(token))),
		...prompts.map((prompt) => tokenizer.encode(prompt)),
	];
	const path = join(folder, 'made.jsonl');
	const making = listener.stage('records of the corpus', records);
	writeMadeCorpus(path, records, texts, tokenizer, seed, making.add);
	making.stop();
	return path;
}

/** Marked records by the embedded teacher, 30 to 400 tokens each, log-uniform. */
async function writtenRecords(
	count: number,
	seed: string,
	folder: string,
	pool: SamplingPool,
	listener: BenchmarkListener,
): Promise<Planted[]> {
	const { encode, decode } = embeddedTokenizer();
	const ring = await ringOf(seed, folder);
	const random = randomStream(`benchmark/lengths/${seed}`);
	const prompts = embeddedPrompts();
	const requests = Array.from({ length: count }, (_, i) => ({
		id: `${seed}/${i}`,
		prompt: encode(prompts[i % prompts.length]),
		length: logUniformLength(random.next()),
	}));
	const writing = listener.stage('marked texts', count);
	const texts = await pool
		.longTexts({ model: 'teacher', keyring: ring.toFile(), requests }, writing.add)
		.finally(writing.stop);
	// No record of the corpus has such an id.
	const name = `planted-${bytesToHex(randomBytes(8))}`;
	return texts.map((tokens, i) => ({ id: `${name}-${i}`, text: decode(tokens), length: tokens.length }));
}

/** Plants records, scans, and holds what the scan says against the truth. */
async function observe(
	{ level, fdr, workers, strict, fields }: BenchmarkOptions,
	corpus: readonly string[],
	folder: string,
	seed: string,
	planted: readonly Planted[],
	label: string,
	{ stage, warn }: BenchmarkListener,
): Promise<ObservedRun> {
	const ring = await ringOf(seed, folder);
	const marks = ring.marks.map((spec) => ({
		source: { kind: 'opened', opened: ring.open(spec) } as const,
		searchBits: 0,
	}));
	const path = join(folder, 'planted.jsonl');
	writePieces(
		path,
		planted.map(({ id, text }) => `${JSON.stringify({ id, ...atField(fields.text, text) })}\n`),
	);
	const out = mkdtempSync(join(folder, 'out-'));
	let bar: ReturnType<BenchmarkListener['stage']> | undefined;
	let before = 0;
	const measured = await runScan(
		{
			plan: {
				groups: [{ tokenizer: join(MODELS, 'teacher'), marks }],
				fields,
				countCells: cellsOf(COUNT_MEMORY.least),
			},
			paths: planted.length === 0 ? corpus : [...corpus, path],
			...{ out, level, fdr, workers, strict },
		},
		{
			progress(bytes, of) {
				bar ??= stage(label, of);
				bar.add(bytes - before);
				before = bytes;
			},
			problem: warn,
		},
	).finally(() => bar?.stop());
	const { encode } = embeddedTokenizer();
	const state = join(out, FILES.state);
	const share = plantedShare(
		planted.map(({ text }) => encode(text)),
		parseState(JSON.parse(readFileSync(state, 'utf8')), state),
	);
	rmSync(out, { recursive: true, force: true });
	return besideTruth(measured, planted, seed, share);
}

/** A record's field, which may be a path. */
function atField(field: string, text: string): object {
	return field.split('.').reduceRight<unknown>((value, name) => ({ [name]: value }), text) as object;
}

function besideTruth(
	{ result, evidence, seconds, peakRssBytes }: MeasuredScan,
	planted: readonly Planted[],
	seed: string,
	share: number,
): ObservedRun {
	const flagged = result.flagged ?? 0;
	const sorted = evidence.map(({ log10E }) => log10E).sort((a, b) => b - a);
	// The scan reports the records of the largest e-values.
	const least = flagged === 0 ? Infinity : sorted[flagged - 1];
	const evidenceOf = new Map(evidence.map(({ record, log10E }) => [record, log10E]));
	const own = new Set(planted.map(({ id }) => id));
	const outcomes = planted.map(({ id, length }): PlantedOutcome => {
		const log10E = evidenceOf.get(id) ?? null;
		return { tokens: length, log10E, found: log10E !== null && log10E >= least };
	});
	const found = outcomes.filter((one) => one.found).length;
	const { records, skipped, tokens, log10P, log10E, verdict, shareLower95 } = result;
	return {
		run: {
			...{ seed, planted: planted.length, found, falsePositives: flagged - found, records, skipped, tokens },
			...{ seconds, tokensPerSecond: tokens / seconds, recordsPerSecond: records / seconds, peakRssBytes },
			...{ log10P, log10E, verdict, markedAtLeast: result.markedAtLeast ?? 0, shareLower95 },
			plantedShare: share,
		},
		outcomes,
		otherLog10Es: evidence.filter(({ record }) => !own.has(record)).map((one) => one.log10E),
	};
}
