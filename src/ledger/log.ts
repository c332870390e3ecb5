/**
 * The append-only log: one canonical JSON entry a line, and beside it a signed tree head that covers them.
 *
 * An entry counts once it is on disk; a torn last line (power loss) was never acknowledged and is cut off by
 * the next append.
 *
 * @module
 */

import {
	closeSync,
	existsSync,
	fsyncSync,
	openSync,
	readFileSync,
	renameSync,
	truncateSync,
	writeFileSync,
} from 'node:fs';
import { bytesToHex, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import nacl from 'tweetnacl';
import { z } from 'zod';
import { badInput } from '../errors.js';
import { checked, hexOf, parseJson } from '../input.js';
import type { Keyring } from '../keys/keyring.js';
import type { LoggedAt } from '../keys/logged-at.js';
import { ArmRecord, ArmSpec, armId } from '../marks/arm.js';
import { canonicalBytes, MarkSpec, markId } from '../marks/mark-spec.js';
import { leafHash, rootHash } from './merkle.js';

/** What can be logged. Receipts join this union later. */
export const LogEntry = z.discriminatedUnion('type', [
	z
		.strictObject({
			type: z.literal('key-commitment'),
			version: z.literal(1),
			time: z.iso.datetime(),
			markId: hexOf(32),
			spec: MarkSpec,
		})
		.refine((entry) => entry.markId === markId(entry.spec), {
			path: ['markId'],
			error: 'is not the id of the spec',
		}),
	z
		.strictObject({
			type: z.literal('arm-commitment'),
			version: z.literal(1),
			time: z.iso.datetime(),
			armId: hexOf(32),
			spec: ArmSpec,
		})
		.refine((entry) => entry.armId === armId(entry.spec), {
			path: ['armId'],
			error: 'is not the id of the spec',
		}),
	/** An enrolled request, logged before the first token of its answer leaves. */
	z.strictObject({
		type: z.literal('arm-record'),
		version: z.literal(1),
		time: z.iso.datetime(),
		record: ArmRecord,
	}),
]);
export type LogEntry = z.infer<typeof LogEntry>;

/** Signed statement that the first `size` entries have this root. */
export const TreeHead = z.strictObject({
	size: z.int().min(0),
	root: hexOf(32),
	time: z.iso.datetime(),
	publicKey: hexOf(32),
	signature: hexOf(64),
});
export type TreeHead = z.infer<typeof TreeHead>;

/** The bytes that a tree head signs. */
function headMessage(head: Pick<TreeHead, 'size' | 'root' | 'time'>): Uint8Array {
	const { size, root, time } = head;
	return canonicalBytes({ domain: 'touchmark/v1/tree-head', size, root, time });
}

/** Whole lines of the file, without the torn one that a crash may have left. */
function wholeLines(path: string): { lines: string[]; bytes: number } {
	if (!existsSync(path)) return { lines: [], bytes: 0 };
	const content = readFileSync(path);
	const end = content.lastIndexOf(10) + 1;
	const lines = content.subarray(0, end).toString('utf8').split('\n');
	lines.pop();
	return { lines, bytes: end };
}

function writeDurably(path: string, data: Uint8Array, flags: 'a' | 'w'): void {
	const file = openSync(path, flags);
	try {
		writeFileSync(file, data);
		fsyncSync(file);
	} finally {
		closeSync(file);
	}
}

function headPath(path: string): string {
	return `${path}.head.json`;
}

/** Signs the head of the tree over these leaves; the file is either the old head or the new one. */
function writeHead(path: string, leaves: readonly Uint8Array[], ring: Keyring): void {
	const head = { size: leaves.length, root: bytesToHex(rootHash(leaves)), time: new Date().toISOString() };
	const signed: TreeHead = {
		...head,
		publicKey: bytesToHex(ring.publicKey),
		signature: bytesToHex(ring.sign(headMessage(head))),
	};
	const temporary = `${headPath(path)}.tmp`;
	writeDurably(temporary, utf8ToBytes(`${JSON.stringify(signed)}\n`), 'w');
	renameSync(temporary, headPath(path));
}

/**
 * Appends entries and signs the new tree head. A new log gets the head of an empty tree first, so that a crash
 * during its first append leaves a log that agrees with its head.
 *
 * @param path the log; the head is written to `{path}.head.json`
 * @returns where each entry stands
 * @throws TouchmarkError `bad-input` when the log on disk does not agree with its own head
 */
export function appendToLog(path: string, entries: readonly LogEntry[], ring: Keyring): LoggedAt[] {
	if (existsSync(path) || existsSync(headPath(path))) verifyLog(path);
	else writeHead(path, [], ring);
	const { lines, bytes } = wholeLines(path);
	if (existsSync(path)) truncateSync(path, bytes);
	const added = entries.map((entry) => canonicalBytes(LogEntry.parse(entry)));
	writeDurably(
		path,
		utf8ToBytes(added.map((line) => `${Buffer.from(line).toString('utf8')}\n`).join('')),
		'a',
	);

	writeHead(path, [...lines.map(utf8ToBytes), ...added].map(leafHash), ring);
	return entries.map((entry, i) => ({
		index: lines.length + i,
		time: entry.time,
		leaf: bytesToHex(leafHash(added[i])),
	}));
}

/**
 * Reads a log and checks it against its signed head. Entries after the head (a crash between the two writes)
 * are allowed; entries missing or changed before it are not.
 *
 * @throws TouchmarkError `bad-input` that names the line
 */
export function verifyLog(path: string): { entries: LogEntry[]; head: TreeHead } {
	const headFile = headPath(path);
	if (!existsSync(headFile)) throw badInput(`${path}: the log or its head ${headFile} is missing`);
	const head = checked(TreeHead, parseJson(readFileSync(headFile, 'utf8'), headFile), headFile);
	const { lines } = wholeLines(path);
	const entries = lines.map((line, i) =>
		checked(LogEntry, parseJson(line, `${path}:${i + 1}`), `${path}:${i + 1}`),
	);
	if (lines.length < head.size)
		throw badInput(`${path}: holds ${lines.length} entries, but its signed head covers ${head.size}`);
	const root = rootHash(lines.slice(0, head.size).map((line) => leafHash(utf8ToBytes(line))));
	if (bytesToHex(root) !== head.root) throw badInput(`${path}: an entry was changed after it was signed`);
	const signature = hexToBytes(head.signature);
	if (!nacl.sign.detached.verify(headMessage(head), signature, hexToBytes(head.publicKey)))
		throw badInput(`${headFile}: field "signature" does not verify`);
	return { entries, head };
}

/**
 * Commits every mark and arm of the ring that is in no log yet, and records that in the ring.
 *
 * @returns the specs that were committed now
 */
export function commitMarks(path: string, ring: Keyring): (MarkSpec | ArmSpec)[] {
	const specs = [...ring.marks, ...ring.arms].filter((spec) => ring.logged(spec) === null);
	if (specs.length === 0) return [];
	const time = new Date().toISOString();
	const entries = specs.map(
		(spec): LogEntry =>
			spec.channel === 'arm'
				? { type: 'arm-commitment', version: 1, time, armId: armId(spec), spec }
				: { type: 'key-commitment', version: 1, time, markId: markId(spec), spec },
	);
	appendToLog(path, entries, ring).forEach((at, i) => {
		ring.recordLogged(specs[i], at);
	});
	return specs;
}
