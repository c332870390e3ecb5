/**
 * A scan on all cores of one machine: shards to threads, what they found back together. Memory does not grow with the
 * corpus, and the result does not depend on the number of threads, on interruptions or on the order of events.
 *
 * @module
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import Tinypool from 'tinypool';
import { z } from 'zod';
import { readJsonLines } from '../corpus/documents.js';
import { planShards, type Shard } from '../corpus/shards.js';
import { badInput } from '../errors.js';
import { checked, parseJson } from '../input.js';
import type { Keyring } from '../keys/keyring.js';
import { writePieces, writePiecesAsTheyCome, writeWhole } from '../output.js';
import { toLog10 } from '../verify/test-result.js';
import { type ResultOptions, resultOfState, type ScanResult } from './corpus-result.js';
import { COUNT_CELLS, newCounts } from './counts.js';
import { type BoundGroup, bindPlan, describePlan, digestOf, type ScanPlan } from './plan.js';
import { newSample, type Sample } from './sample.js';
import type { Candidate } from './shard-scan.js';
import { newSpills, tallySpills } from './spill.js';
import { decodeRows, type ShardRow, shapesOf, signState, stateOf } from './state.js';
import { decide, flaggedRecord, type Judge, newJudge, type RecordVerdicts } from './verdicts.js';
import { filesOf, openWorkFolder, type WorkFolder } from './work-folder.js';
import type { ScanFindings, ScanTask, ShardFindings, SharedMemory } from './worker.js';

/** What is scanned, and how. */
export interface ScanOptions extends Omit<ResultOptions, 'verdicts' | 'tallies'> {
	readonly plan: ScanPlan;
	readonly paths: readonly string[];
	/** Text that is known to be innocent: what is common in it is not scored for a record. */
	readonly background?: readonly string[];
	/** Where results are written; without it, nowhere. */
	readonly out?: string;
	/** Goes on with what an earlier run left in `out`. */
	readonly resume?: boolean;
	/** Threads; default: one a core. */
	readonly workers?: number;
	/** What cannot be read ends the scan, instead of being counted and named. */
	readonly strict?: boolean;
	/** The tests of the corpus score all distinct pairs, which are spilled to disk; otherwise a sample of them. */
	readonly exact?: boolean;
	/** Signs the state. */
	readonly signer?: Pick<Keyring, 'publicKey' | 'sign'>;
	/** Called after each shard with bytes done and bytes in all. */
	progress?(bytes: number, of: number): void;
	/** Is told of what cannot be read. */
	problem?(message: string): void;
	/** Is told the evidence of each record that has some, log₁₀ of its e-value; all others have e = 0. */
	evidence?(record: Pick<Candidate, 'record' | 'part'>, log10E: number): void;
}

/** Files in `out`. */
export const FILES = {
	state: 'state.json',
	result: 'result.json',
	flagged: 'flagged.jsonl',
	skipped: 'skipped.jsonl',
	work: 'work',
} as const;

/** Milliseconds between checkpoints, and how many times longer than writing one they are. */
const CHECKPOINT = { least: 2000, times: 100 };

/** Scans. @throws TouchmarkError `bad-input` */
export async function scan(options: ScanOptions): Promise<ScanResult> {
	const {
		plan,
		paths,
		background = [],
		out,
		resume = false,
		strict = false,
		exact = false,
		problem,
	} = options;
	const groups = await bindPlan(plan, false);
	const unreadable: string[] = [];
	const broken = strict ? undefined : (error: Error) => unreadable.push(error.message);
	const shards = await planShards(paths, broken);
	const innocent = background.length === 0 ? [] : await planShards(background, broken);
	if (shards.length === 0 && unreadable.length === 0)
		throw badInput(`${paths.join(', ')}: holds nothing to scan; give files, folders or patterns`);
	for (const message of unreadable) problem?.(message);
	const description = describePlan(groups);
	const { fields } = plan;
	const digest = digestOf({ description, fields, strict, exact, shards, innocent });
	if (out !== undefined && existsSync(join(out, FILES.result))) return finished(out, digest, resume);
	const folder = out === undefined ? mkdtempSync(join(tmpdir(), 'touchmark-scan-')) : join(out, FILES.work);
	const work = openWorkFolder(folder, digest, resume);
	try {
		// Those that are only counted come first, in the numbering.
		const all = [...innocent, ...shards];
		const { samples, memory } = await scanAll(options, groups, all, innocent.length, work);
		const files = filesOf(folder);
		const found = all.map((_, i) => JSON.parse(readFileSync(files.found(i), 'utf8')) as ShardFindings);
		const rows = shards.map(({ id }, i): ShardRow => {
			const { totals, skipped } = found[innocent.length + i];
			return { id, ...totals, skipped };
		});
		for (const [i, message] of unreadable.entries())
			rows.push({ id: `unreadable ${i + 1}: ${message}`, ...NOTHING, skipped: 1 });
		const unsigned = stateOf(
			description,
			rows,
			samples.map((sample) => sample.windows()),
		);
		const state = options.signer === undefined ? unsigned : signState(unsigned, options.signer);
		const judge = newJudge(groups, newCounts(memory.counts).isCommon);
		const judged = rows.reduce((sum, row) => sum + row.judged, 0);
		const candidates = () => candidatesOf(shards, innocent.length, folder);
		const verdicts = await decideAll(judge, candidates, rows, judged, options);
		const tallies = new Map(
			(exact ? newSpills(groups) : []).map(({ mark }, i) => [
				mark.id,
				tallySpills(
					found.flatMap(({ spilled }, number) =>
						Array.from({ length: spilled[i] }, (_, piece) => files.pairs(number, i, piece)),
					),
				),
			]),
		);
		const result = resultOfState(state, groups, { ...options, verdicts, tallies });
		if (out !== undefined) {
			writeWhole(join(out, FILES.state), `${JSON.stringify(state)}\n`);
			await writePiecesAsTheyCome(join(out, FILES.flagged), flaggedLines(judge, candidates, verdicts));
			writePieces(
				join(out, FILES.skipped),
				all.flatMap(({ id }, i) =>
					found[i].named.map((message) => `${JSON.stringify({ shard: id, message })}\n`),
				),
			);
			writeWhole(join(out, FILES.result), `${JSON.stringify({ digest, ...result })}\n`);
		}
		for (const { named, skipped } of found) {
			for (const message of named) problem?.(message);
			if (skipped > named.length) problem?.(`… and ${skipped - named.length} more`);
		}
		work.remove();
		return result;
	} catch (error) {
		if (out === undefined) rmSync(folder, { recursive: true, force: true });
		throw error;
	}
}

const NOTHING = { records: 0, judged: 0, tokens: 0, candidates: 0 };

/** What a scan that ended before wrote. */
function finished(out: string, digest: string, resume: boolean): ScanResult {
	const path = join(out, FILES.result);
	const { digest: before, ...result } = checked(
		z.looseObject({ digest: z.string() }),
		parseJson(readFileSync(path, 'utf8'), path),
		path,
	);
	if (before !== digest || !resume)
		throw badInput(`${out}: holds the results of a scan already; choose another folder`);
	return result as unknown as ScanResult;
}

/** Runs all shards that no checkpoint holds. */
async function scanAll(
	{ plan, workers = availableParallelism(), strict = false, exact = false, progress }: ScanOptions,
	groups: readonly BoundGroup[],
	shards: readonly Shard[],
	innocent: number,
	work: WorkFolder,
): Promise<{ samples: Sample[]; memory: SharedMemory }> {
	const shapes = shapesOf(describePlan(groups));
	const samples = shapes.map(({ words }) => newSample(words));
	const memory: SharedMemory = {
		counts: new SharedArrayBuffer(COUNT_CELLS / 2),
		thresholds: new SharedArrayBuffer(4 * shapes.length),
		gate: new SharedArrayBuffer(4),
		counted: new SharedArrayBuffer(shards.length),
	};
	const thresholds = new Uint32Array(memory.thresholds).fill(0xffffffff);
	const counted = new Uint8Array(memory.counted);
	const counts = new Uint8Array(memory.counts);
	if (work.resumed.counts !== null) counts.set(work.resumed.counts);
	const files = filesOf(work.folder);
	for (const number of work.resumed.shards) {
		counted[number] = 1;
		const found = JSON.parse(readFileSync(files.found(number), 'utf8')) as { samples: string[] };
		found.samples.forEach((text, i) => {
			const { shape, seed } = shapes[i];
			samples[i].merge(decodeRows(text, shape.contextWidth, seed, files.found(number)));
		});
	}
	const total = shards.reduce((sum, { bytes }) => sum + bytes, 0);
	let done = shards.reduce((sum, { bytes }, i) => sum + (counted[i] === 1 ? bytes : 0), 0);
	progress?.(done, total);
	const open = [...shards.keys()].filter((i) => counted[i] === 0);
	if (open.length === 0) return { samples, memory };

	const pool = new Tinypool({
		filename: new URL('./worker.js', import.meta.url).href,
		minThreads: Math.min(workers, open.length),
		maxThreads: Math.min(workers, open.length),
	});
	const gate = new Int32Array(memory.gate);
	let next = performance.now() + CHECKPOINT.least;
	async function checkpoint(): Promise<void> {
		const began = performance.now();
		while (Atomics.compareExchange(gate, 0, 0, 1) !== 0) await new Promise((wait) => setTimeout(wait, 1));
		try {
			work.checkpoint(
				[...counted.keys()].filter((i) => counted[i] === 1),
				counts,
			);
		} finally {
			Atomics.store(gate, 0, 0);
			Atomics.notify(gate, 0);
		}
		const ended = performance.now();
		next = ended + Math.max(CHECKPOINT.least, CHECKPOINT.times * (ended - began));
	}
	try {
		const running = new Set<Promise<void>>();
		for (const number of open) {
			const shard = shards[number];
			const task: ScanTask = {
				...{ plan, memory, folder: work.folder, shard, number, strict, exact },
				background: number < innocent,
			};
			const run = (pool.run(task) as Promise<ScanFindings>).then((findings) => {
				running.delete(run);
				if ('problem' in findings) throw badInput(findings.problem);
				findings.samples.forEach((windows, i) => {
					samples[i].merge(windows);
					Atomics.store(thresholds, i, samples[i].threshold);
				});
				done += shard.bytes;
				progress?.(done, total);
			});
			running.add(run);
			// One task waits for each thread, so that none is idle.
			if (running.size >= 2 * workers) await Promise.race(running);
			if (performance.now() >= next) await checkpoint();
		}
		while (running.size > 0) {
			await Promise.race(running);
			if (performance.now() >= next) await checkpoint();
		}
	} finally {
		await pool.destroy();
	}
	return { samples, memory };
}

/** Candidates in the order of shards and records. */
async function* candidatesOf(
	shards: readonly Shard[],
	first: number,
	folder: string,
): AsyncGenerator<{ shard: string; candidate: Candidate }> {
	for (const [i, { id }] of shards.entries()) {
		const path = filesOf(folder).candidates(first + i);
		if (statSync(path).size === 0) continue;
		for await (const { value } of readJsonLines(path)) yield { shard: id, candidate: value as Candidate };
	}
}

/** Lines about the records that are reported. */
async function* flaggedLines(
	judge: Judge,
	candidates: () => AsyncGenerator<{ shard: string; candidate: Candidate }>,
	{ logLeastE }: RecordVerdicts,
): AsyncGenerator<string> {
	for await (const { shard, candidate } of candidates()) {
		const evidence = judge.judge(candidate);
		if (evidence.logE >= logLeastE)
			yield `${JSON.stringify({ shard, ...flaggedRecord(candidate, evidence) })}\n`;
	}
}

/** The e-values of all candidates, and what is reported. */
async function decideAll(
	judge: Judge,
	candidates: () => AsyncGenerator<{ candidate: Candidate }>,
	rows: readonly ShardRow[],
	judged: number,
	{ fdr, evidence }: Pick<ScanOptions, 'fdr' | 'evidence'>,
): Promise<RecordVerdicts> {
	const logEs = new Float64Array(rows.reduce((sum, row) => sum + row.candidates, 0));
	let count = 0;
	for await (const { candidate } of candidates()) {
		const { logE } = judge.judge(candidate);
		logEs[count++] = logE;
		if (logE > -Infinity) evidence?.(candidate, toLog10(logE));
	}
	return decide(logEs, judged, fdr);
}
