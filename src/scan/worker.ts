/**
 * The scan of some shards in a thread of its own, one after another. What was found is written to files first and counted
 * after, so that a shard is either done as a whole or not begun.
 *
 * @module
 */
import { closeSync, fstatSync, openSync, readSync, renameSync, rmSync } from 'node:fs';
import { report } from '../corpus/lines.js';
import type { Shard } from '../corpus/shards.js';
import { badInput, TouchmarkError } from '../errors.js';
import { writeWhole } from '../output.js';
import { type Counts, newCounts } from './counting/counts.js';
import { newWaitingCells, type WaitingCells } from './counting/waiting-cells.js';
import { bindPlan, type ScanPlan } from './plan.js';
import type { SampledWindows } from './sample.js';
import { shardRecords } from './shard-records.js';
import { newShardScan, type ShardScan, type ShardTotals } from './shard-scan.js';
import { newSpills, type Spill, writeAll } from './spill.js';
import { encodeRows } from './state.js';
import { filesOf } from './work-folder.js';

/** Broken records of a shard that are named one by one. */
const NAMED = 20;

/** Memory that all threads share. */
export interface SharedMemory {
	/** Counts of windows. */
	readonly counts: WebAssembly.Memory;
	/** First hash above which windows cannot be in the sample, for each sample. */
	readonly thresholds: SharedArrayBuffer;
	/** 1 while somebody adds to the counts or copies them. */
	readonly gate: SharedArrayBuffer;
	/** For each shard, 1 once its windows are in the counts. */
	readonly counted: SharedArrayBuffer;
}

/** Shards that are counted together, which memory likes. */
export interface ScanTask {
	readonly plan: ScanPlan;
	readonly memory: SharedMemory;
	/** Where what was found is written. */
	readonly folder: string;
	readonly shards: readonly NumberedShard[];
	/** A record that cannot be read ends the scan. */
	readonly strict: boolean;
	/** Pairs of the corpus are spilled to disk, all of them. */
	readonly exact: boolean;
}

/** A shard and its place among all of them. */
export interface NumberedShard {
	readonly shard: Shard;
	readonly number: number;
	/** Records that are known to be innocent are counted only. */
	readonly background: boolean;
}

/** What may be among the least, of each shard, and each sample; or what ended the scan, and in which shard. */
export type ScanFindings =
	| { readonly problem: string; readonly number: number }
	| { readonly samples: readonly (readonly SampledWindows[])[] };

/** What is kept of a shard in a file. */
export interface ShardFindings {
	readonly totals: ShardTotals;
	readonly skipped: number;
	/** The first of those that were left out, in words. */
	readonly named: readonly string[];
	/** In the exact mode, files of pairs of each mark. */
	readonly spilled: readonly number[];
}

/** Pairs of one mark that are held before they are written. */
const HELD = 2 ** 21;
/** Cells that wait: more than two parts of a corpus have, mostly. */
const CELLS = 2 ** 23;

/** What a thread works with. It does one scan in its life. */
interface Desk {
	readonly scan: ShardScan;
	readonly counts: Counts;
	readonly waiting: WaitingCells;
	readonly spills: readonly { readonly shape: number; readonly spill: Spill }[];
}
let desk: Promise<Desk> | undefined;

/** The shard that is being scanned. */
interface Running {
	readonly candidates: number;
	readonly number: number;
	readonly name: string;
	readonly spilled: number[];
	/** Counts and names a record that is left out, or ends the scan. */
	broken(problem: TouchmarkError): void;
}
let running: Running;
/** File for cells that are too many to hold. */
let spilledCells: number;

async function newDesk({ plan, memory, folder, exact }: ScanTask): Promise<Desk> {
	const groups = await bindPlan(plan);
	const files = filesOf(folder);
	const spills = exact ? newSpills(groups) : [];
	const waiting = newWaitingCells(plan.countCells, CELLS);
	const scan = newShardScan(groups, {
		candidate: (candidate) => writeAll(running.candidates, Buffer.from(`${JSON.stringify(candidate)}\n`)),
		tooLarge: (message) => running.broken(badInput(`${running.name}: ${message}`)),
		thresholds: new Uint32Array(memory.thresholds),
		cells(low) {
			if (low.length > waiting.room) writeAll(spilledCells, waiting.take().cells);
			waiting.add(low);
		},
		seen(shape, windows) {
			for (const [mark, { shape: own, spill }] of spills.entries()) {
				if (own !== shape) continue;
				spill.add(windows);
				if (spill.size >= HELD) spill.write(files.pairs(running.number, mark, running.spilled[mark]++));
			}
		},
	});
	return { scan, counts: newCounts(memory.counts, plan.countCells), waiting, spills };
}

/** Scans shards. */
export default async function scanShards(task: ScanTask): Promise<ScanFindings> {
	const { shards, folder } = task;
	desk ??= newDesk(task);
	const path = `${filesOf(folder).candidates(shards[0].number)}.cells`;
	let number = shards[0].number;
	try {
		const { scan, counts, waiting, spills } = await desk;
		spilledCells = openSync(path, 'w+');
		try {
			const samples: SampledWindows[][] = [];
			for (const numbered of shards) {
				number = numbered.number;
				samples.push(await scanShard(task, numbered, scan, spills));
			}
			count(task, counts, waiting);
			return { samples };
		} finally {
			closeSync(spilledCells);
			rmSync(path, { force: true });
		}
	} catch (error) {
		if (!TouchmarkError.isInstance(error)) throw error;
		return { problem: error.message, number };
	}
}

/** Scans a shard, and writes what was found. */
async function scanShard(
	{ plan, folder, strict }: ScanTask,
	{ shard, number, background }: NumberedShard,
	scan: ShardScan,
	spills: Desk['spills'],
): Promise<SampledWindows[]> {
	const files = filesOf(folder);
	const temporary = `${files.candidates(number)}.tmp`;
	let skipped = 0;
	const named: string[] = [];
	const broken = strict
		? undefined
		: (problem: Error) => {
				if (skipped++ < NAMED) named.push(problem.message);
			};
	running = {
		candidates: openSync(temporary, 'w'),
		number,
		name: shard.id,
		spilled: spills.map(() => 0),
		broken: (problem) => report(problem, broken),
	};
	try {
		for await (const batch of shardRecords(plan, shard, broken)) {
			if (background) scan.addBackground(batch);
			else scan.add(batch);
		}
		const totals = scan.finish();
		// What this thread gave for an earlier shard is in that one's file, and need not be given again.
		const samples = scan.samples.map((sample) => sample.fresh());
		for (const [mark, { spill }] of spills.entries())
			spill.write(files.pairs(number, mark, running.spilled[mark]++));
		const found: ShardFindings = { totals, skipped, named, spilled: running.spilled };
		const kept = { ...found, samples: samples.map(({ rows }) => encodeRows(rows)) };
		writeWhole(files.found(number), JSON.stringify(kept));
		renameSync(temporary, files.candidates(number));
		return samples;
	} finally {
		closeSync(running.candidates);
	}
}

/** Puts the windows of a task's shards into the counts, all of them while nobody else is at it. */
function count({ memory, shards }: ScanTask, counts: Counts, waiting: WaitingCells): void {
	const ordered = waiting.take();
	const gate = new Int32Array(memory.gate);
	while (Atomics.compareExchange(gate, 0, 0, 1) !== 0) Atomics.wait(gate, 0, 1);
	counts.add(ordered);
	const written = fstatSync(spilledCells).size / 4;
	for (let at = 0; at < written; at += CELLS) {
		const cells = new Uint32Array(Math.min(CELLS, written - at));
		if (readSync(spilledCells, cells, 0, cells.byteLength, 4 * at) !== cells.byteLength)
			throw new RangeError('a file of cells ends too early');
		waiting.add(cells);
		counts.add(waiting.take());
	}
	const counted = new Uint8Array(memory.counted);
	for (const { number } of shards) Atomics.store(counted, number, 1);
	Atomics.store(gate, 0, 0);
	Atomics.notify(gate, 0);
}
