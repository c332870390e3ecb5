/**
 * A scan on all cores of one machine: shards to threads, what they found back together. Memory does not grow with the
 * corpus, and the result does not depend on the number of threads, on interruptions or on the order of events.
 *
 * @module
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, extname, join } from 'node:path';
import Tinypool from 'tinypool';
import { z } from 'zod';
import { isUrl } from '../corpus/byte-source.js';
import { readJsonLines } from '../corpus/documents.js';
import { planShards, type Shard } from '../corpus/shards.js';
import { badInput } from '../errors.js';
import { checked, parseJson } from '../input.js';
import type { Keyring } from '../keys/keyring.js';
import { writePieces, writePiecesAsTheyCome, writeWhole } from '../output.js';
import { type ResultOptions, resultOfState, type ScanResult } from './corpus-result.js';
import { type Counts, countMemory, newCounts } from './counting/counts.js';
import {
	type CandidatesOf,
	decideAll,
	type FlaggedOfShard,
	flaggedRecords,
	jsonLines,
	type PlacedCandidate,
} from './judge-candidates.js';
import { type BoundGroup, bindPlan, describePlan, digestOf, type ScanPlan } from './plan.js';
import { newSample, type Sample } from './sample.js';
import { estimateShare, scoreServed } from './served-sample.js';
import { isByIds } from './shard-records.js';
import type { Candidate } from './shard-scan.js';
import { newSpills, tallySpills } from './spill.js';
import { decodeRows, type ShardRow, shapesOf, signState, stateOf, stateText, totalsOf } from './state.js';
import { newJudge } from './verdicts.js';
import { filesOf, openWorkFolder, type WorkFolder } from './work-folder.js';
import type { NumberedShard, ScanFindings, ScanTask, ShardFindings, SharedMemory } from './worker.js';

/** What is scanned, and how. */
export interface ScanOptions extends Omit<ResultOptions, 'verdicts' | 'tallies'> {
	readonly plan: ScanPlan;
	readonly paths: readonly string[];
	/** Text that is known to be innocent: what is common in it is not scored for a record. */
	readonly background?: readonly string[];
	/** Text that the provider is known to have served, under the same marks: says what marked text scores. */
	readonly servedSample?: readonly string[];
	/** Where results are written; without it, nowhere. */
	readonly out?: string;
	/** File for the records that are reported too: Parquet (`.parquet`) or JSONL (`.jsonl`, `.ndjson`). */
	readonly flagged?: string;
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

/** Milliseconds to the first checkpoint and between others, and how many times longer than writing one the latter are. */
const CHECKPOINT = { first: 500, least: 2000, times: 100 };

/** Share of windows taken for common by mistake that nobody is told of. */
const MOST_CROWDING = 0.05;

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
		servedSample,
		flagged,
		problem,
	} = options;
	if (flagged !== undefined && !FLAGGED_ENDINGS.has(extname(flagged)))
		throw badInput(`${flagged}: must end in ${[...FLAGGED_ENDINGS].join(', ')}, which says what is written`);
	if (flagged !== undefined && !existsSync(dirname(flagged)))
		throw badInput(`${flagged}: cannot be written; its folder does not exist`);
	const groups = await bindPlan(plan, false);
	/** A served sample is no part of the corpus. */
	const told = strict ? undefined : (error: Error) => problem?.(error.message);
	const unreadable = new Set<string>();
	const broken = strict ? undefined : (error: Error) => unreadable.add(error.message);
	const shards = await planShards(paths, broken);
	// What is missing of a background is named too, but it is no part of the corpus.
	const missing = new Set<string>();
	const innocent =
		background.length === 0
			? []
			: await planShards(background, strict ? undefined : (error) => missing.add(error.message));
	const served = servedSample === undefined ? [] : await planShards(servedSample, told);
	if (shards.length === 0 && unreadable.size === 0)
		throw badInput(`${paths.join(', ')}: holds nothing to scan; give files, folders or patterns`);
	for (const message of [...missing, ...unreadable]) problem?.(message);
	const description = describePlan(groups, plan.countCells);
	const { fields } = plan;
	const changed = [...innocent, ...shards].map(({ path }) => changedAt(path));
	const digest = digestOf({
		description,
		fields,
		byIds: isByIds(plan),
		strict,
		exact,
		shards,
		innocent,
		changed,
	});
	const resultDigest = digestOf({
		...{ digest, level: options.level, fdr: options.fdr, heldOutKeys: options.heldOutKeys ?? 0 },
		searchBits: groups.map(({ marks }) => marks.map(({ searchBits }) => searchBits)),
		served: served.map((shard) => ({ ...shard, changed: changedAt(shard.path) })),
	});
	if (out !== undefined && existsSync(join(out, FILES.result))) {
		const before = finished(out, resultDigest, resume);
		if (flagged !== undefined) await writeFlagged(flagged, flaggedBefore(join(out, FILES.flagged)));
		return before;
	}
	const folder = out === undefined ? mkdtempSync(join(tmpdir(), 'touchmark-scan-')) : join(out, FILES.work);
	const work = openWorkFolder(folder, digest, resume);
	try {
		// Those that are only counted come first, in the numbering.
		const all = [...innocent, ...shards];
		const { samples, counts } = await scanAll(options, groups, all, innocent.length, work);
		const files = filesOf(folder);
		const found = all.map((_, i): ShardFindings => {
			// The sample that is in the file too is not kept: there may be very many shards.
			const { totals, skipped, named, spilled } = JSON.parse(readFileSync(files.found(i), 'utf8'));
			return { totals, skipped, named, spilled };
		});
		const rows = shards.map(({ id }, i): ShardRow => {
			const { totals, skipped } = found[innocent.length + i];
			return { id, ...totals, skipped };
		});
		for (const message of unreadable) rows.push({ id: `unreadable: ${message}`, ...NOTHING, skipped: 1 });
		const unsigned = stateOf(
			description,
			rows,
			samples.map((sample) => sample.windows()),
		);
		const state = options.signer === undefined ? unsigned : signState(unsigned, options.signer);
		const crowding = counts.crowding();
		if (crowding > MOST_CROWDING)
			problem?.(
				`the corpus is so large that ${Math.round(100 * crowding)} % of windows are taken for common ones and not scored for a record; to miss fewer records, give more --count-memory, or scan it in parts`,
			);
		const judge = newJudge(groups, counts.isCommon);
		const candidates: CandidatesOf = () => candidatesOf(shards, innocent.length, folder);
		const totals = totalsOf(unsigned);
		const verdicts = await decideAll(judge, candidates, totals, options.fdr, options.evidence);
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
		const tested = resultOfState(state, groups, { ...options, verdicts, tallies });
		const estimate =
			servedSample === undefined ? null : estimateShare(tested.tests, await scoreServed(plan, served, told));
		if (estimate !== null && 'problem' in estimate) problem?.(estimate.problem);
		const result =
			estimate !== null && 'share' in estimate ? { ...tested, shareEstimate: estimate.share } : tested;
		const reported = () => flaggedRecords(judge, candidates, verdicts);
		if (out !== undefined) {
			writeWhole(join(out, FILES.state), stateText(state));
			await writePiecesAsTheyCome(join(out, FILES.flagged), jsonLines(reported()));
			writePieces(join(out, FILES.skipped), [
				...[...missing, ...unreadable].map((message) => `${JSON.stringify({ shard: null, message })}\n`),
				...all.flatMap(({ id }, i) =>
					found[i].named.map((message) => `${JSON.stringify({ shard: id, message })}\n`),
				),
			]);
			writeWhole(join(out, FILES.result), `${JSON.stringify({ digest: resultDigest, ...result })}\n`);
		}
		if (flagged !== undefined) await writeFlagged(flagged, reported());
		for (const { named, skipped } of found) {
			for (const message of named) problem?.(message);
			if (skipped > named.length) problem?.(`… and ${skipped - named.length} more`);
		}
		work.remove();
		return result;
	} catch (error) {
		if (out === undefined) work.remove();
		throw error;
	} finally {
		work.close();
	}
}

const NOTHING = { records: 0, judged: 0, tokens: 0, candidates: 0 };

/** When a file was changed last, in milliseconds; null for a URL. */
function changedAt(path: string): number | null {
	return isUrl(path) ? null : (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? null);
}

/** What a scan that ended before wrote. */
function finished(out: string, digest: string, resume: boolean): ScanResult {
	const path = join(out, FILES.result);
	const { digest: before, ...result } = checked(
		z.looseObject({ digest: z.string() }),
		parseJson(readFileSync(path, 'utf8'), path),
		path,
	);
	if (before !== digest || !resume)
		throw badInput(
			resume
				? `${out}: holds the results of a scan with other marks, files or flags; choose another folder`
				: `${out}: holds the results of a scan already; choose another folder, or give --resume to print them`,
		);
	// It may have been killed between its last two steps.
	rmSync(join(out, FILES.work), { recursive: true, force: true });
	return result as unknown as ScanResult;
}

/** Runs all shards that no checkpoint holds. */
async function scanAll(
	{ plan, out, workers = availableParallelism(), strict = false, exact = false, progress }: ScanOptions,
	groups: readonly BoundGroup[],
	shards: readonly Shard[],
	innocent: number,
	work: WorkFolder,
): Promise<{ samples: Sample[]; counts: Counts }> {
	const shapes = shapesOf(describePlan(groups, plan.countCells));
	const samples = shapes.map(({ words }) => newSample(words));
	const memory: SharedMemory = {
		counts: countMemory(plan.countCells),
		thresholds: new SharedArrayBuffer(4 * shapes.length),
		gate: new SharedArrayBuffer(4),
		counted: new SharedArrayBuffer(shards.length),
	};
	const thresholds = new Uint32Array(memory.thresholds).fill(0xffffffff);
	const counted = new Uint8Array(memory.counted);
	const counts = newCounts(memory.counts, plan.countCells);
	const { table } = counts;
	if (work.resumed.counts !== null) {
		if (work.resumed.counts.length !== table.length)
			throw badInput(`${work.folder}: its checkpoint is damaged; delete this folder`);
		table.set(work.resumed.counts);
	}
	const files = filesOf(work.folder);
	for (const number of work.resumed.shards) {
		counted[number] = 1;
		const found = JSON.parse(readFileSync(files.found(number), 'utf8')) as { samples: string[] };
		found.samples.forEach((text, i) => {
			const { shape, seed } = shapes[i];
			samples[i].merge(decodeRows(text, shape.contextWidth, seed, files.found(number)));
			thresholds[i] = samples[i].threshold;
		});
	}
	const total = shards.reduce((sum, { bytes }) => sum + bytes, 0);
	let done = shards.reduce((sum, { bytes }, i) => sum + (counted[i] === 1 ? bytes : 0), 0);
	progress?.(done, total);
	const open = shards.flatMap((shard, number): NumberedShard[] =>
		counted[number] === 1 ? [] : [{ shard, number, background: number < innocent }],
	);
	if (open.length === 0) return { samples, counts };
	const tasks = tasksOf(open, workers);

	const pool = new Tinypool({
		filename: new URL('./worker.js', import.meta.url).href,
		minThreads: Math.min(workers, tasks.length),
		maxThreads: Math.min(workers, tasks.length),
	});
	const gate = new Int32Array(memory.gate);
	let next = performance.now() + CHECKPOINT.first;
	/** What nobody can go on with needs no checkpoint, nor does a scan that is about to end. */
	async function checkpoint(): Promise<void> {
		const began = performance.now();
		if (out === undefined || began < next || ended === 0 || ended === tasks.length) return;
		while (Atomics.compareExchange(gate, 0, 0, 1) !== 0) await new Promise((wait) => setTimeout(wait, 1));
		try {
			work.checkpoint(
				[...counted.keys()].filter((i) => counted[i] === 1),
				table,
			);
		} finally {
			Atomics.store(gate, 0, 0);
			Atomics.notify(gate, 0);
		}
		const now = performance.now();
		next = now + Math.max(CHECKPOINT.least, CHECKPOINT.times * (now - began));
	}
	const running = new Map<number, Promise<void>>();
	let ended = 0;
	// Of several shards that fail, the first is reported, whichever thread comes to its own first.
	let failure: { readonly number: number; readonly error: unknown } | undefined;
	async function run(ofTask: readonly NumberedShard[]): Promise<void> {
		const [{ number }] = ofTask;
		const task: ScanTask = { ...{ plan, memory, folder: work.folder, strict, exact }, shards: ofTask };
		try {
			const findings: ScanFindings = await pool.run(task);
			if ('problem' in findings) fail(findings.number, badInput(findings.problem));
			else {
				for (const found of findings.samples)
					found.forEach((windows, i) => {
						samples[i].merge(windows);
						Atomics.store(thresholds, i, samples[i].threshold);
					});
				ended++;
				for (const { shard } of ofTask) done += shard.bytes;
				progress?.(done, total);
			}
		} catch (error) {
			fail(number, error);
		}
		running.delete(number);
	}
	function fail(number: number, error: unknown): void {
		if (failure === undefined || number < failure.number) failure = { number, error };
	}
	const failed = () => failure !== undefined && ![...running.keys()].some((i) => i < (failure?.number ?? 0));
	try {
		for (const task of tasks) {
			if (failure !== undefined) break;
			running.set(task[0].number, run(task));
			// One task waits for each thread, so that none is idle.
			if (running.size >= 2 * workers) await Promise.race(running.values());
			await checkpoint();
		}
		while (running.size > 0 && !failed()) {
			await Promise.race(running.values());
			if (failure === undefined) await checkpoint();
		}
		if (failure !== undefined) throw failure.error;
	} finally {
		await pool.destroy();
	}
	return { samples, counts };
}

/** Shards of a task, at most; fewer near the end, so that no thread has much to do when the others are done. */
const TOGETHER = 2;
/** How many tasks of one shard each thread has at the end. */
const SINGLE = 2;

function tasksOf(open: readonly NumberedShard[], workers: number): NumberedShard[][] {
	const tasks: NumberedShard[][] = [];
	for (let from = 0; from < open.length; from += tasks[tasks.length - 1].length)
		tasks.push(open.slice(from, from + (open.length - from >= TOGETHER + SINGLE * workers ? TOGETHER : 1)));
	return tasks;
}

/** Candidates in the order of shards and records. */
async function* candidatesOf(
	shards: readonly Shard[],
	first: number,
	folder: string,
): AsyncGenerator<PlacedCandidate> {
	for (const [i, { id }] of shards.entries()) {
		const path = filesOf(folder).candidates(first + i);
		if (statSync(path).size === 0) continue;
		for await (const { value } of readJsonLines(path)) yield { shard: id, candidate: value as Candidate };
	}
}

/** Those of a scan that has ended. */
async function* flaggedBefore(path: string): AsyncGenerator<FlaggedOfShard> {
	if (statSync(path).size === 0) return;
	for await (const { value } of readJsonLines(path)) yield value as FlaggedOfShard;
}

/** Endings of a file for reported records. */
const FLAGGED_ENDINGS: ReadonlySet<string> = new Set(['.parquet', '.jsonl', '.ndjson']);

async function writeFlagged(path: string, records: AsyncIterable<FlaggedOfShard>): Promise<void> {
	if (extname(path) === '.parquet') {
		const { writeFlaggedParquet } = await import('./flagged-parquet.js');
		await writeFlaggedParquet(path, records);
	} else await writePiecesAsTheyCome(path, jsonLines(records));
}
