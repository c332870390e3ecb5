/**
 * The audit of one segment: its lines are canonical entries, and every tree head that was signed while it was the newest
 * one has the root that it should. Plain data in and out, so that it runs in a thread of its own.
 *
 * @module
 */
import { hash } from 'node:crypto';
import { bytesToHex } from '@noble/hashes/utils.js';
import { TouchmarkError } from '../errors.js';
import type { LogEntry, TimestampEntry } from './entry.js';
import { inconsistent, parseEntry, parseHead, SEGMENT, wholeLines } from './folder.js';
import { leafHash, newTree, rootOf, type Subtree } from './merkle.js';
import { isSignedHead } from './tree-head.js';

/** A line of `heads.jsonl`. */
export interface HeadLine {
	readonly text: string;
	/** Where it stands, for messages. */
	readonly where: string;
}

/** What is audited. */
export interface SegmentTask {
	readonly path: string;
	readonly number: number;
	/** Complete subtrees over the segments before it, from their noted roots. */
	readonly before: readonly Subtree[];
	/** Heads whose newest entry is in this segment, in their order. */
	readonly heads: readonly HeadLine[];
	/** Entries of this segment that lie under a head. */
	readonly covered: number;
}

/** What was found. */
export interface SegmentFindings {
	/** The first thing that is wrong, in one sentence; then nothing else counts. */
	readonly problem: string | null;
	/** Root of a full segment. */
	readonly root: string | null;
	/** 64 bits of the hash of each receipt's id. */
	readonly ids: BigUint64Array;
	/** Indices of policies that stand here. */
	readonly policies: readonly number[];
	/** Policies that receipts name, each with the place of the first that does. */
	readonly named: ReadonlyMap<number, string>;
	readonly stamps: readonly { readonly entry: TimestampEntry; readonly where: string }[];
}

/** 64 bits of the hash of a receipt's id. */
export function idWord(id: string): bigint {
	return hash('sha256', id, 'buffer').readBigUInt64LE();
}

/** Audits a segment, as far as the first thing that is wrong in it. */
export default function auditSegment(task: SegmentTask): SegmentFindings {
	const notes = newNotes();
	try {
		const root = checkSegment(task, notes.take);
		return { problem: null, root, ...notes.findings() };
	} catch (error) {
		if (!TouchmarkError.isInstance(error)) throw error;
		return { problem: error.message, root: null, ...notes.findings() };
	}
}

/** Checks entries and heads against each other. @returns the root of a full segment */
function checkSegment(
	{ path, number, before, heads, covered }: SegmentTask,
	take: (entry: LogEntry, index: number, where: string) => void,
): string | null {
	const first = number * SEGMENT;
	const signed = heads.map(({ text, where }) => {
		const head = parseHead(text, where);
		if (!isSignedHead(head)) throw inconsistent(where, 'field "signature" does not verify');
		return head;
	});
	const tree = newTree();
	let next = 0;
	function checkHead(): void {
		if (signed[next]?.size !== first + tree.size) return;
		if (bytesToHex(rootOf([...before, ...tree.peaks])) !== signed[next].root) {
			const from = next === 0 ? 1 : signed[next - 1].size - first + 1;
			throw inconsistent(
				`${path}:${from}`,
				`an entry from here to line ${tree.size} was changed after it was signed (${heads[next].where})`,
			);
		}
		next++;
	}
	checkHead();
	for (const line of wholeLines(path)) {
		if (tree.size === covered) break;
		tree.append(leafHash(line));
		const where = `${path}:${tree.size}`;
		take(parseEntry(line, where), first + tree.size - 1, where);
		checkHead();
	}
	if (tree.size < covered)
		throw inconsistent(path, `holds ${tree.size} entries, but a signed head covers ${covered} of them`);
	return tree.size === SEGMENT ? bytesToHex(rootOf(tree.peaks)) : null;
}

/** What entries say that must be compared with other segments. */
function newNotes() {
	const ids: bigint[] = [];
	const policies: number[] = [];
	const named = new Map<number, string>();
	const stamps: { entry: TimestampEntry; where: string }[] = [];
	return {
		take(entry: LogEntry, index: number, where: string): void {
			if (entry.type === 'receipt') {
				ids.push(idWord(entry.id));
				if (!named.has(entry.policy)) named.set(entry.policy, where);
			} else if (entry.type === 'policy') policies.push(index);
			else if (entry.type === 'timestamp') stamps.push({ entry, where });
		},
		findings: () => ({ ids: BigUint64Array.from(ids), policies, named, stamps }),
	};
}
