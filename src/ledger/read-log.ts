/**
 * Reading a log's entries.
 *
 * @module
 */
import { bytesToHex } from '@noble/hashes/utils.js';
import type { LogEntry } from './entry.js';
import { filesOf, inconsistent, mustBeLog, newestHead, parseEntry, SEGMENT, wholeLines } from './folder.js';
import { leafHash, newTree, rootOf } from './merkle.js';
import { isSignedHead, type TreeHead } from './tree-head.js';

/** Entries of some types, and the head that covers them. */
export interface LogContent<T extends LogEntry['type']> {
	readonly entries: Extract<LogEntry, { type: T }>[];
	readonly head: TreeHead;
}

/**
 * Reads the entries of these types, and checks all that there are against the newest head. Memory holds the entries
 * that are returned, and one segment.
 *
 * @throws TouchmarkError `bad-input` for what is no log; `failed` that names file and line where it does not agree
 */
export function readLog<T extends LogEntry['type']>(folder: string, types: readonly T[]): LogContent<T> {
	const entries: LogContent<T>['entries'] = [];
	const head = visitLog(folder, types, (entry) => entries.push(entry));
	return { entries, head };
}

/**
 * The same for entries that are looked at one by one.
 *
 * @param visit gets each entry and its index; what it got must not count before this returns
 * @returns the head that covers them
 * @throws TouchmarkError as {@link readLog} does
 */
export function visitLog<T extends LogEntry['type']>(
	folder: string,
	types: readonly T[],
	visit: (entry: Extract<LogEntry, { type: T }>, index: number) => void,
): TreeHead {
	mustBeLog(folder);
	const files = filesOf(folder);
	const head = newestHead(folder)?.head;
	if (head === undefined) throw inconsistent(files.heads, 'holds no signed head');
	if (!isSignedHead(head))
		throw inconsistent(files.heads, 'field "signature" of the last head does not verify');
	const wanted = types.map((type) => `"type":"${type}"`);
	const tree = newTree();
	for (let number = 0; tree.size < head.size; number++) {
		const path = files.segment(number);
		const begin = tree.size;
		for (const line of wholeLines(path)) {
			if (tree.size === head.size) break;
			tree.append(leafHash(line));
			// Canonical JSON has no spaces, so a line without these bytes is of another type.
			if (!wanted.some((mark) => line.includes(mark))) continue;
			const entry = parseEntry(line, `${path}:${tree.size - begin}`);
			if (types.some((type) => type === entry.type))
				visit(entry as Extract<LogEntry, { type: T }>, tree.size - 1);
		}
		if (tree.size < Math.min(head.size, begin + SEGMENT))
			throw inconsistent(path, `holds ${tree.size - begin} entries, but a signed head covers more`);
	}
	if (bytesToHex(rootOf(tree.peaks)) !== head.root)
		throw inconsistent(folder, 'an entry was changed after it was signed; `touchmark log audit` says where');
	return head;
}
