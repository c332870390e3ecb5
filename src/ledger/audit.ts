/**
 * The audit of a log: everything is computed again. Every line is a canonical entry; the noted roots are those of the
 * segments; every signed head that there ever was has the root of the entries that it covers, so that each tree begins
 * with the one before; one key signed them all.
 *
 * Segments are audited side by side. Memory: a segment a thread, and 8 bytes an entry (to find ids that occur twice).
 *
 * @module
 */
import { availableParallelism } from 'node:os';
import { bytesToHex } from '@noble/hashes/utils.js';
import Tinypool from 'tinypool';
import { TouchmarkError } from '../errors.js';
import { newAcross } from './audit-across.js';
import auditSegment, { type HeadLine, type SegmentFindings, type SegmentTask } from './audit-segment.js';
import {
	filesOf,
	inconsistent,
	mustBeLog,
	newestHead,
	notedRoots,
	parseHead,
	SEGMENT,
	segmentsOf,
	wholeLines,
} from './folder.js';
import { newTree, type Subtree } from './merkle.js';
import type { Stamped } from './timestamp.js';
import type { TreeHead } from './tree-head.js';

/** What an audit found. */
export type Audit =
	| {
			readonly consistent: true;
			readonly problem: null;
			/** Entries under the newest head, and the receipts among them. */
			readonly entries: number;
			readonly receipts: number;
			/** The newest head. Whose its key is must be known from elsewhere. */
			readonly treeHead: TreeHead;
			/** Whole lines behind the newest head: written, never acknowledged. */
			readonly unacknowledged: number;
			readonly stamped: readonly Stamped[];
			/** What is no inconsistency, and should not be: receipts without their policy, ids that occur twice. */
			readonly remarks: readonly string[];
	  }
	/** `problem` says what does not agree, with file and line. */
	| { readonly consistent: false; readonly problem: string };

/** How an audit is run. */
export interface AuditOptions {
	/** Default: one a core, at most 8. */
	readonly threads?: number;
	/** Certificates of time-stamping authorities, PEM; without them nobody vouches for time stamps. */
	readonly trusted?: string | undefined;
	/** Called after each segment with its number of entries, and that of all. */
	progress?(entries: number, of: number): void;
}

/** Audits a log. @throws TouchmarkError `bad-input` for what is no log */
export async function auditLog(folder: string, options: AuditOptions = {}): Promise<Audit> {
	mustBeLog(folder);
	try {
		return await audit(folder, options);
	} catch (error) {
		if (!TouchmarkError.isInstance(error)) throw error;
		return { consistent: false, problem: error.message };
	}
}

async function audit(
	folder: string,
	{ threads = Math.min(8, availableParallelism()), progress, trusted }: AuditOptions,
): Promise<Audit> {
	const files = filesOf(folder);
	const newest = newestHead(folder);
	if (newest === null) throw inconsistent(files.heads, 'holds no signed head');
	const { head, torn } = newest;
	// A crash leaves the beginning of a head, or all of it but its line feed.
	if (/\}./s.test(torn)) throw inconsistent(files.heads, 'its last head is followed by what is no line feed');
	const roots = notedRoots(folder, Math.floor(head.size / SEGMENT));
	const across = newAcross(head.size);
	const runner = newRunner(threads, head.size);
	try {
		for await (const [task, found] of inOrder(segmentTasks(folder, head, roots), runner.run, threads)) {
			if (found.problem !== null) throw new TouchmarkError('failed', found.problem);
			if (found.root !== null && found.root !== bytesToHex(roots[task.number].hash))
				throw inconsistent(`${files.roots}:${task.number + 1}`, `is not the root of ${task.path}`);
			across.take(found);
			progress?.(task.covered, head.size);
		}
	} finally {
		await runner.end();
	}
	const remarks = across.remarks(folder);
	const unacknowledged = segmentsOf(folder)
		.filter((number) => (number + 1) * SEGMENT > head.size)
		.reduce((sum, number) => sum + countLines(files.segment(number)), -(head.size % SEGMENT));
	return {
		consistent: true,
		problem: null,
		entries: head.size,
		receipts: across.receipts,
		treeHead: head,
		unacknowledged,
		stamped: await across.stamped(folder, trusted),
		remarks,
	};
}

function countLines(path: string): number {
	let lines = 0;
	for (const _ of wholeLines(path)) lines++;
	return lines;
}

/** Segments in order, each with its heads. */
function* segmentTasks(folder: string, newest: TreeHead, roots: readonly Subtree[]): Generator<SegmentTask> {
	const files = filesOf(folder);
	const before = newTree();
	let number = 0;
	let heads: HeadLine[] = [];
	const task = (covered: number): SegmentTask => ({
		path: files.segment(number),
		number,
		before: [...before.peaks],
		heads,
		covered,
	});
	let size = -1;
	let line = 0;
	for (const bytes of wholeLines(files.heads)) {
		const where = `${files.heads}:${++line}`;
		const text = String(bytes);
		const head = parseHead(text, where);
		if (head.size <= size) throw inconsistent(where, 'its tree is no larger than the one before');
		if (head.publicKey !== newest.publicKey) throw inconsistent(where, 'has another key than the last head');
		size = head.size;
		for (; size > (number + 1) * SEGMENT; number++) {
			yield task(SEGMENT);
			before.append(roots[number].hash, roots[number].height);
			heads = [];
		}
		heads.push({ text, where });
		// What a writer signed since the audit began is not its matter.
		if (size === newest.size) break;
	}
	yield task(newest.size - number * SEGMENT);
}

type Run = (task: SegmentTask) => Promise<SegmentFindings>;

/** Threads, where there is something to share. */
function newRunner(threads: number, entries: number): { run: Run; end(): Promise<void> } {
	if (threads === 1 || entries <= SEGMENT)
		return { run: async (task) => auditSegment(task), end: async () => {} };
	const pool = new Tinypool({
		filename: new URL('./audit-segment.js', import.meta.url).href,
		minThreads: threads,
		maxThreads: threads,
	});
	return { run: (task) => pool.run(task), end: () => pool.destroy() };
}

/** Runs tasks ahead of whoever takes the findings, in order. */
async function* inOrder(
	tasks: Iterable<SegmentTask>,
	run: Run,
	ahead: number,
): AsyncGenerator<[SegmentTask, SegmentFindings]> {
	const running: { task: SegmentTask; found: Promise<SegmentFindings> }[] = [];
	for (const task of tasks) {
		const found = run(task);
		// Whoever stops early ends the threads; what they still ran is not asked any more.
		found.catch(() => {});
		running.push({ task, found });
		const first = running.length > ahead ? running.shift() : undefined;
		if (first !== undefined) yield [first.task, await first.found];
	}
	for (const { task, found } of running) yield [task, await found];
}
