/**
 * `touchmark scan-worker`: the scan of one shard as a process, for clusters. Records on standard input, what was found on
 * standard output.
 *
 * @module
 */
import type { Command } from 'commander';
import { report } from '../corpus/lines.js';
import type { TokenRecord } from '../corpus/read-token-shard.js';
import type { ScanRecord } from '../corpus/records.js';
import { badInput } from '../errors.js';
import { readCandidates } from '../scan/cluster-verdicts.js';
import { cellOf, countMemory, newCounts } from '../scan/counting/counts.js';
import { newWaitingCells } from '../scan/counting/waiting-cells.js';
import { type BoundGroup, bindPlan, describePlan } from '../scan/plan.js';
import { recordsOf } from '../scan/record-lines.js';
import { newShardScan } from '../scan/shard-scan.js';
import { stateOf, stateText } from '../scan/state.js';
import { newWantedCells } from '../scan/wanted-cells.js';
import type { CandidateLine, CountedLine, CountsLine } from '../scan/worker-lines.js';
import { type BrokenRecords, newBrokenRecords } from './broken-records.js';
import type { Edge } from './edge.js';
import { type PlanFlags, planFromFlags, withPlanFlags } from './scan-plan.js';

interface Flags extends PlanFlags {
	readonly shard: string;
	readonly count?: string[];
	readonly background?: boolean;
	readonly strict?: boolean;
}

/** Cells on a line. */
const CELLS_A_LINE = 4096;
/** Cells that are counted together. */
const WAITING = 2 ** 20;

/** Adds the command. */
export function addScanWorker(program: Command, edge: Edge): void {
	const command = program
		.command('scan-worker')
		.description(
			'scan one shard of a corpus, for a cluster: records as JSONL on standard input, its candidates and its state on standard output',
		)
		.requiredOption(
			'--shard <name>',
			'what the shard is called; each of a corpus must have a name of its own',
		)
		.option(
			'--count <files...>',
			'second pass, over the same records: count the windows of the candidates that all workers printed, into these files',
		)
		.option(
			'--background',
			'with --count: these records are text that is known not to come from here, and there is no state of them',
		)
		.option('--strict', 'what cannot be read ends the scan; otherwise it is counted and named');
	withPlanFlags(command).action(async (flags: Flags) => {
		if (flags.shard === '') throw badInput('--shard: must have a name');
		if (flags.background && flags.count === undefined)
			throw badInput('--background: is for --count; the first pass does not read a background');
		const plan = await planFromFlags(edge, flags);
		const groups = await bindPlan(plan);
		const broken = newBrokenRecords(edge, flags);
		const options = { fields: plan.fields, tokens: flags.tokens ?? false };
		const records = recordsOf(edge.input, options, broken.tell);
		const tooLarge = (message: string) => report(badInput(`standard input: ${message}`), broken.tell);
		const work = { groups, countCells: plan.countCells, records, broken, tooLarge };
		if (flags.count === undefined) await scanShard(edge, flags.shard, work);
		else await countShard(edge, { ...flags, count: flags.count }, work);
		broken.end();
	});
}

type Records = AsyncGenerator<(ScanRecord | TokenRecord)[]>;

/** What a pass is over. */
interface Work {
	readonly groups: readonly BoundGroup[];
	readonly countCells: number;
	readonly records: Records;
	readonly broken: BrokenRecords;
	/** Is told of a record that is too large to be looked at. */
	tooLarge(message: string): void;
}

async function scanShard(
	edge: Edge,
	shard: string,
	{ groups, countCells, records, broken, tooLarge }: Work,
): Promise<void> {
	let number = 0;
	const scan = newShardScan(groups, {
		candidate: (candidate) =>
			edge.out(`${JSON.stringify({ shard, number: number++, candidate } satisfies CandidateLine)}\n`),
		cells: () => undefined,
		tooLarge,
	});
	for await (const batch of records) {
		scan.add(batch);
		await edge.drained();
	}
	const totals = scan.finish();
	const samples = scan.samples.map((sample) => sample.windows());
	const row = { id: shard, ...totals, skipped: broken.count };
	await edge.drained();
	edge.out(`{"state":${stateText(stateOf(describePlan(groups, countCells), [row], samples)).trimEnd()}}\n`);
	await edge.drained();
}

async function countShard(
	edge: Edge,
	{ shard, count: files, background = false }: Flags & { readonly count: string[] },
	{ groups, countCells, records, broken, tooLarge }: Work,
): Promise<void> {
	const wanted = newWantedCells(groups, countCells);
	for await (const { line } of readCandidates(files, groups)) wanted.add(line.candidate);
	const counts = newCounts(countMemory(countCells), countCells);
	const waiting = newWaitingCells(countCells, WAITING);
	const scan = newShardScan(groups, {
		candidate: () => undefined,
		cells(low) {
			if (low.length > waiting.room) counts.add(waiting.take());
			waiting.add(low.filter((one) => wanted.has(cellOf(one, countCells))));
		},
		tooLarge,
	});
	let read = 0;
	for await (const batch of records) {
		read += batch.length;
		scan.addBackground(batch);
	}
	scan.finish();
	counts.add(waiting.take());
	let cells: [number, number][] = [];
	const put = async () => {
		if (cells.length > 0) edge.out(`${JSON.stringify({ counts: cells } satisfies CountsLine)}\n`);
		cells = [];
		await edge.drained();
	};
	for (const cell of wanted.all()) {
		const count = counts.of(cell);
		if (count > 0) cells.push([cell, count]);
		if (cells.length >= CELLS_A_LINE) await put();
	}
	await put();
	const counted = { shard, background, records: read, skipped: broken.count, cells: wanted.digest() };
	edge.out(`${JSON.stringify({ counted } satisfies CountedLine)}\n`);
	await edge.drained();
}
