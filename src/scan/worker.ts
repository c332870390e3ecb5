/**
 * The scan of one shard in a thread of its own. What it found is written to files first and counted after, so that a
 * shard is either done as a whole or not begun.
 *
 * @module
 */
import { closeSync, fstatSync, openSync, readSync, renameSync, rmSync } from 'node:fs';
import { report } from '../corpus/lines.js';
import type { Shard } from '../corpus/shards.js';
import { badInput, TouchmarkError } from '../errors.js';
import { writeWhole } from '../output.js';
import { type Counts, newCounts } from './counts.js';
import { bindPlan, type ScanPlan } from './plan.js';
import type { SampledWindows } from './sample.js';
import { shardRecords } from './shard-records.js';
import { CELLS, newShardScan, type ShardScan, type ShardTotals } from './shard-scan.js';
import { newSpills, type Spill, writeAll } from './spill.js';
import { encodeRows } from './state.js';
import { filesOf } from './work-folder.js';

/** Broken records of a shard that are named one by one. */
export const NAMED = 20;

/** Memory that all threads share. */
export interface SharedMemory {
	/** Counts of windows. */
	readonly counts: SharedArrayBuffer;
	/** First hash above which windows cannot be in the sample, for each sample. */
	readonly thresholds: SharedArrayBuffer;
	/** 1 while somebody adds to the counts or copies them. */
	readonly gate: SharedArrayBuffer;
	/** For each shard, 1 once its windows are in the counts. */
	readonly counted: SharedArrayBuffer;
}

/** One shard. */
export interface ScanTask {
	readonly plan: ScanPlan;
	readonly memory: SharedMemory;
	/** Where what was found is written. */
	readonly folder: string;
	readonly shard: Shard;
	readonly number: number;
	/** Records that are known to be innocent are counted only. */
	readonly background: boolean;
	/** A record that cannot be read ends the scan. */
	readonly strict: boolean;
	/** Pairs of the corpus are spilled to disk, all of them. */
	readonly exact: boolean;
}

/** What was found. */
export type ScanFindings =
	| { readonly problem: string }
	| { readonly found: ShardFindings; readonly samples: readonly SampledWindows[] };

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

/** What a thread works with. It does one scan in its life. */
interface Desk {
	readonly scan: ShardScan;
	readonly counts: Counts;
	readonly spills: readonly { readonly shape: number; readonly spill: Spill }[];
}
let desk: Promise<Desk> | undefined;

/** The shard that is being scanned. */
interface Running {
	readonly candidates: number;
	readonly cells: number;
	readonly number: number;
	readonly name: string;
	readonly spilled: number[];
	/** Counts and names a record that is left out, or ends the scan. */
	broken(problem: TouchmarkError): void;
}
let running: Running;

async function newDesk({ plan, memory, folder, exact }: ScanTask): Promise<Desk> {
	const groups = await bindPlan(plan);
	const files = filesOf(folder);
	const spills = exact ? newSpills(groups) : [];
	const scan = newShardScan(groups, {
		candidate: (candidate) => writeAll(running.candidates, Buffer.from(`${JSON.stringify(candidate)}\n`)),
		tooLarge: (message) => running.broken(badInput(`${running.name}: ${message}`)),
		thresholds: new Uint32Array(memory.thresholds),
		cells: (cells) => writeAll(running.cells, cells),
		seen(shape, windows) {
			for (const [mark, { shape: own, spill }] of spills.entries()) {
				if (own !== shape) continue;
				spill.add(windows);
				if (spill.size >= HELD) spill.write(files.pairs(running.number, mark, running.spilled[mark]++));
			}
		},
	});
	return { scan, counts: newCounts(memory.counts), spills };
}

/** Scans a shard. */
export default async function scanShard(task: ScanTask): Promise<ScanFindings> {
	const { shard, folder, number, strict, background, plan } = task;
	desk ??= newDesk(task);
	const files = filesOf(folder);
	const temporary = {
		candidates: `${files.candidates(number)}.tmp`,
		cells: `${files.candidates(number)}.cells`,
	};
	try {
		const { scan, counts, spills } = await desk;
		let skipped = 0;
		const named: string[] = [];
		const broken = strict
			? undefined
			: (problem: Error) => {
					if (skipped++ < NAMED) named.push(problem.message);
				};
		running = {
			candidates: openSync(temporary.candidates, 'w'),
			cells: openSync(temporary.cells, 'w+'),
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
			const { totals, cells } = scan.finish();
			// What this thread gave for an earlier shard is in that one's file, and need not be given again.
			const samples = scan.samples.map((sample) => sample.fresh());
			for (const [mark, { spill }] of spills.entries())
				spill.write(files.pairs(number, mark, running.spilled[mark]++));
			const found = { totals, skipped, named, spilled: running.spilled };
			const kept = { ...found, samples: samples.map(({ rows }) => encodeRows(rows)) };
			writeWhole(files.found(number), JSON.stringify(kept));
			renameSync(temporary.candidates, files.candidates(number));
			count(task, counts, cells);
			return { found, samples };
		} finally {
			closeSync(running.candidates);
			closeSync(running.cells);
			rmSync(temporary.cells, { force: true });
		}
	} catch (error) {
		if (!TouchmarkError.isInstance(error)) throw error;
		return { problem: error.message };
	}
}

/** Puts a shard's windows into the counts, all of them while nobody else is at it. */
function count({ memory, number }: ScanTask, counts: Counts, rest: Uint32Array): void {
	const ordered = counts.order(rest);
	const gate = new Int32Array(memory.gate);
	while (Atomics.compareExchange(gate, 0, 0, 1) !== 0) Atomics.wait(gate, 0, 1);
	counts.add(ordered);
	const written = fstatSync(running.cells).size / 4;
	for (let at = 0; at < written; at += CELLS) {
		const cells = new Uint32Array(Math.min(CELLS, written - at));
		if (readSync(running.cells, cells, 0, cells.byteLength, 4 * at) !== cells.byteLength)
			throw new RangeError('a file of cells ends too early');
		counts.add(counts.order(cells));
	}
	Atomics.store(new Uint8Array(memory.counted), number, 1);
	Atomics.store(gate, 0, 0);
	Atomics.notify(gate, 0);
}
