/**
 * A log on disk: a folder of plain files.
 *
 * - `entries-000000.jsonl`, `entries-000001.jsonl`, …: the entries, one a line, 65,536 in a file. Each full file is a
 *   complete subtree.
 * - `roots.txt`: the root of each full file, hexadecimal, one a line. It can be made again from the entries; it lets a
 *   writer begin, and a proof be made, without reading them all.
 * - `heads.jsonl`: every signed tree head that there ever was, one a line.
 * - `lock`: while somebody writes.
 *
 * @module
 */
import { closeSync, existsSync, fstatSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { hexToBytes } from '@noble/hashes/utils.js';
import { badInput, TouchmarkError } from '../errors.js';
import { checked, parseJson } from '../input.js';
import { LogEntry, lineOf } from './entry.js';
import { leafHash, type Subtree } from './merkle.js';
import { TreeHead } from './tree-head.js';

/** Height of a segment's tree. */
export const SEGMENT_HEIGHT = 16;
/** Entries of a full segment. */
export const SEGMENT = 2 ** SEGMENT_HEIGHT;
/** Bytes of a line of `roots.txt`. */
export const ROOT_LINE = 65;

/** Paths of a log's files. */
export function filesOf(folder: string) {
	return {
		heads: join(folder, 'heads.jsonl'),
		roots: join(folder, 'roots.txt'),
		lock: join(folder, 'lock'),
		segment: (number: number) => join(folder, `entries-${String(number).padStart(6, '0')}.jsonl`),
	};
}

/** Numbers of the segments that are there, ascending. */
export function segmentsOf(folder: string): number[] {
	const found = readdirSync(folder).flatMap((name) => /^entries-(\d{6,})\.jsonl$/.exec(name)?.[1] ?? []);
	return found.map(Number).sort((a, b) => a - b);
}

/** The log does not agree with itself. */
export function inconsistent(where: string, what: string): TouchmarkError {
	return new TouchmarkError('failed', `${where}: ${what}`);
}

/** @throws TouchmarkError `bad-input` when there is no log */
export function mustBeLog(folder: string): void {
	if (!existsSync(folder)) throw badInput(`${folder}: does not exist; give the folder of a log`);
	if (!statSync(folder).isDirectory()) throw badInput(`${folder}: is a file; a log is a folder`);
	if (!existsSync(filesOf(folder).heads) && segmentsOf(folder).length === 0)
		throw badInput(`${folder}: is no log; it has no heads.jsonl`);
}

/** Longest line, bytes. */
export const MAX_LINE = 2 ** 20;

/**
 * Whole lines of a file as bytes, each without its line feed; what follows the last line feed is left out. A file that is
 * not there has none.
 *
 * @throws TouchmarkError `failed` for a line over 1 MiB
 */
export function* wholeLines(path: string): Generator<Buffer> {
	if (!existsSync(path)) return;
	const file = openSync(path, 'r');
	try {
		let rest = Buffer.alloc(0);
		for (;;) {
			const chunk = Buffer.allocUnsafe(MAX_LINE);
			const bytes = chunk.subarray(0, readSync(file, chunk));
			if (bytes.length === 0) return;
			let start = 0;
			for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
				const line = bytes.subarray(start, end);
				yield rest.length > 0 ? Buffer.concat([rest, line]) : line;
				if (rest.length > 0) rest = Buffer.alloc(0);
				start = end + 1;
			}
			rest = Buffer.concat([rest, bytes.subarray(start)]);
			if (rest.length > MAX_LINE) throw inconsistent(path, 'holds a line of more than 1 MiB');
		}
	} finally {
		closeSync(file);
	}
}

/** The last whole line of a file, where it ends, and what follows it; reads the end of the file only. */
function lastLine(path: string): { text: string | null; end: number; torn: string } {
	if (!existsSync(path)) return { text: null, end: 0, torn: '' };
	const file = openSync(path, 'r');
	try {
		const { size } = fstatSync(file);
		// A head has less than 500 bytes, whole or torn.
		const tail = Buffer.alloc(Math.min(size, 4096));
		readSync(file, tail, 0, tail.length, size - tail.length);
		const end = tail.lastIndexOf(10);
		if (end < 0) return { text: null, end: 0, torn: tail.toString('utf8') };
		const start = end === 0 ? 0 : tail.lastIndexOf(10, end - 1) + 1;
		return {
			text: tail.toString('utf8', start, end),
			end: size - tail.length + end + 1,
			torn: tail.toString('utf8', end + 1),
		};
	} finally {
		closeSync(file);
	}
}

/** The newest head of a log. */
export interface NewestHead {
	readonly head: TreeHead;
	/** Where its line ends. */
	readonly end: number;
	/** What a crash left behind it. */
	readonly torn: string;
}

/** The newest signed head, not yet verified; null where none was written. @throws TouchmarkError `failed` */
export function newestHead(folder: string): NewestHead | null {
	const { heads } = filesOf(folder);
	const { text, end, torn } = lastLine(heads);
	return text === null ? null : { head: parseHead(text, `${heads}: last line`), end, torn };
}

/** A line of `heads.jsonl`. @throws TouchmarkError `failed` for what no writer wrote */
export function parseHead(text: string, where: string): TreeHead {
	const head = asInconsistent(() => checked(TreeHead, parseJson(text, where), where));
	if (lineOf(head) !== text) throw inconsistent(where, 'is not canonical JSON');
	return head;
}

/** A line of a segment. @throws TouchmarkError `failed` for what no writer wrote */
export function parseEntry(line: Buffer, where: string): LogEntry {
	const text = line.toString('utf8');
	const entry = asInconsistent(() => checked(LogEntry, parseJson(text, where), where));
	if (lineOf(entry) !== text || Buffer.byteLength(text) !== line.length)
		throw inconsistent(where, 'is not canonical JSON');
	return entry;
}

/** A file of a log is our own: what is wrong in it is a failure of the log, not of whoever names it. */
function asInconsistent<T>(read: () => T): T {
	try {
		return read();
	} catch (error) {
		throw TouchmarkError.isInstance(error) ? new TouchmarkError('failed', error.message) : error;
	}
}

/** Roots of the first `count` segments, as they are noted. @throws TouchmarkError when they are fewer */
export function notedRoots(folder: string, count: number): Subtree[] {
	const { roots } = filesOf(folder);
	const lines = [...wholeLines(roots)].slice(0, count).map(String);
	if (lines.length < count)
		throw inconsistent(roots, `holds ${lines.length} roots, but ${count} segments are full`);
	return lines.map((line, i) => {
		if (!/^[0-9a-f]{64}$/.test(line)) throw inconsistent(`${roots}:${i + 1}`, 'is not a hash');
		return { hash: hexToBytes(line), height: SEGMENT_HEIGHT };
	});
}

/** Leaf hashes of a segment's first `count` entries, and the bytes that they take. @throws TouchmarkError when they are fewer */
export function segmentLeaves(path: string, count: number): { leaves: Uint8Array[]; bytes: number } {
	const leaves: Uint8Array[] = [];
	let bytes = 0;
	for (const line of wholeLines(path)) {
		if (leaves.length === count) break;
		leaves.push(leafHash(line));
		bytes += line.length + 1;
	}
	if (leaves.length < count)
		throw inconsistent(path, `holds ${leaves.length} entries, but a signed head covers ${count} of them`);
	return { leaves, bytes };
}
