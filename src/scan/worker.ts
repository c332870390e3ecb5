/**
 * The scan of one shard in a thread of its own. What it found is written to files first and counted after, so that a
 * shard is either done as a whole or not begun.
 *
 * @module
 */
import { closeSync, openSync, renameSync, writeSync } from 'node:fs';
import { readShard } from '../corpus/read-shard.js';
import { readTokenShard } from '../corpus/read-token-shard.js';
import type { Shard } from '../corpus/shards.js';
import { TouchmarkError } from '../errors.js';
import { writeWhole } from '../output.js';
import { type Counts, newCounts } from './counts.js';
import { bindPlan, type ScanPlan } from './plan.js';
import type { SampledWindows } from './sample.js';
import { newShardScan, type ShardScan, type ShardTotals } from './shard-scan.js';
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
}

/** A thread does one scan in its life. */
let ready: Promise<{ scan: ShardScan; counts: Counts; byIds: boolean }> | undefined;
let write: (line: string) => void = () => {};

async function prepare({ plan, memory }: ScanTask) {
	const groups = await bindPlan(plan);
	const scan = newShardScan(groups, {
		candidate: (candidate) => write(`${JSON.stringify(candidate)}\n`),
		thresholds: new Uint32Array(memory.thresholds),
	});
	return {
		scan,
		counts: newCounts(memory.counts),
		byIds: groups.every(({ tokenizer }) => tokenizer === null),
	};
}

/** Scans a shard. */
export default async function scanShard(task: ScanTask): Promise<ScanFindings> {
	const { shard, folder, number, strict, background, memory, plan } = task;
	try {
		ready ??= prepare(task);
		const { scan, counts, byIds } = await ready;
		const files = filesOf(folder);
		const temporary = `${files.candidates(number)}.tmp`;
		const file = openSync(temporary, 'w');
		let skipped = 0;
		const named: string[] = [];
		const broken = strict
			? undefined
			: (problem: Error) => {
					if (skipped++ < NAMED) named.push(problem.message);
				};
		try {
			write = (line) => writeSync(file, line);
			const batches = byIds
				? readTokenShard(shard, undefined, broken)
				: readShard(shard, plan.fields, broken);
			for await (const batch of batches) {
				if (background) scan.addBackground(batch);
				else scan.add(batch);
			}
			const { totals, samples, cells } = scan.finish();
			const found = { totals, skipped, named };
			const kept = { ...found, samples: samples.map(({ rows }) => encodeRows(rows)) };
			writeWhole(files.found(number), JSON.stringify(kept));
			renameSync(temporary, files.candidates(number));
			const gate = new Int32Array(memory.gate);
			while (Atomics.compareExchange(gate, 0, 0, 1) !== 0) Atomics.wait(gate, 0, 1);
			counts.add(cells);
			Atomics.store(new Uint8Array(memory.counted), number, 1);
			Atomics.store(gate, 0, 0);
			Atomics.notify(gate, 0);
			return { found, samples };
		} finally {
			closeSync(file);
		}
	} catch (error) {
		if (!TouchmarkError.isInstance(error)) throw error;
		return { problem: error.message };
	}
}
