/**
 * The shards of a scan on threads: what they found comes together as they end, whatever the order, and is kept in
 * checkpoints.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import Tinypool from 'tinypool';
import type { Shard } from '../corpus/shards.js';
import { badInput } from '../errors.js';
import { type Counts, countMemory, newCounts } from './counting/counts.js';
import { type BoundGroup, describePlan, type ScanPlan } from './plan.js';
import { newSample, type Sample } from './sample.js';
import { decodeRows, shapesOf } from './state.js';
import { filesOf, type WorkFolder } from './work-folder.js';
import type { NumberedShard, ScanFindings, ScanTask, SharedMemory } from './worker.js';

/** How shards are run. */
export interface RunOptions {
	readonly plan: ScanPlan;
	/** Threads; default: one a core. */
	readonly workers?: number;
	/** What cannot be read ends the scan, instead of being counted and named. */
	readonly strict?: boolean;
	/** The tests of the corpus score all distinct pairs, which are spilled to disk; otherwise a sample of them. */
	readonly exact?: boolean;
	/** Called after each shard with bytes done and bytes in all. */
	progress?(bytes: number, of: number): void;
}

/** Milliseconds to the first checkpoint and between others, and how many times longer than writing one the latter are. */
const CHECKPOINT = { first: 500, least: 2000, times: 100 };

/**
 * Runs all shards that no checkpoint holds.
 *
 * @param innocent so many shards, the first ones, are only counted
 * @param work where what was found is written, and checkpoints of those that were run
 */
export async function runShards(
	{ plan, workers = availableParallelism(), strict = false, exact = false, progress }: RunOptions,
	groups: readonly BoundGroup[],
	shards: readonly Shard[],
	innocent: number,
	work: WorkFolder,
	checkpoints: boolean,
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
	// Threads start meanwhile.
	if (work.resumed.counts === null) occupy(table);
	const gate = new Int32Array(memory.gate);
	let next = performance.now() + CHECKPOINT.first;
	/** What nobody can go on with needs no checkpoint, nor does a scan that is about to end. */
	async function checkpoint(): Promise<void> {
		const began = performance.now();
		if (!checkpoints || began < next || ended === 0 || ended === tasks.length) return;
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
	} catch (error) {
		await pool.destroy();
		throw error;
	}
	// Threads that are idle end while others go on.
	void pool.destroy();
	return { samples, counts };
}

/** Bytes of memory that a system gives at once, at least. */
const SYSTEM_PAGE = 4096;

/**
 * Has the system give all of an empty table's memory. A page that is read first, as counting does, is given twice, and all
 * processors are told of the second time, which takes ten times as long.
 */
function occupy(table: Uint8Array): void {
	for (let at = 0; at < table.length; at += SYSTEM_PAGE) table[at] = 0;
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
