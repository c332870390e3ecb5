/**
 * Writing a log.
 *
 * Entries are committed in groups: those that come while a group is being made durable are the next one. A group's lines
 * are on disk before its tree head is signed, and its head is on disk before any of them is acknowledged. So every
 * acknowledged entry lies under a signed head, and whatever a crash leaves behind the last whole head was never
 * acknowledged: the next writer cuts it off.
 *
 * @module
 */
import { existsSync, mkdirSync, statSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { bytesToHex } from '@noble/hashes/utils.js';
import { badInput, TouchmarkError } from '../errors.js';
import { checked } from '../input.js';
import type { LoggedAt } from '../keys/logged-at.js';
import { lockFile } from '../lock.js';
import { syncFolder } from '../output.js';
import { LogEntry, lineOf } from './entry.js';
import { filesOf, MAX_LINE, SEGMENT, SEGMENT_HEIGHT } from './folder.js';
import { leafHash, newTree, rootOf } from './merkle.js';
import { recover, type Standing } from './recover.js';
import { type Signer, signHead } from './tree-head.js';

/**
 * Least time between two groups, milliseconds: bounds the heads that a busy day leaves, and what signing costs. An entry
 * that comes after a pause does not wait.
 */
const INTERVAL = 50;

/** A log that this process alone writes. */
export interface LogWriter {
	/**
	 * Appends an entry. Entries stand in the order of the calls.
	 *
	 * @returns where it stands, once it is on disk under a signed head
	 * @throws (rejects) TouchmarkError `bad-input` for what is no entry, `failed` when the disk or an earlier group failed
	 */
	append(entry: LogEntry): Promise<LoggedAt>;
	/** Waits for what was appended, and gives the log back. */
	close(): Promise<void>;
}

interface Pending {
	readonly line: string;
	readonly time: string;
	resolve(at: LoggedAt): void;
	reject(error: unknown): void;
}

/**
 * Opens a log for writing, or begins one.
 *
 * Only the newest segment is read, so a change in an older one is not noticed here; `auditLog` finds it.
 *
 * @param folder made if it is not there
 * @param signer signs the heads; a log has one signer
 * @throws TouchmarkError `bad-input` when somebody else writes or signs it; `failed` when it does not agree with its head
 */
export async function openLog(folder: string, signer: Signer): Promise<LogWriter> {
	if (existsSync(folder) && !statSync(folder).isDirectory())
		throw badInput(`${folder}: is a file; a log is a folder`);
	mkdirSync(folder, { recursive: true });
	const unlock = lockFile(filesOf(folder).lock, 'somebody else writes this log');
	try {
		return newWriter(await newGroupWriter(folder, recover(folder, signer), signer), unlock);
	} catch (error) {
		unlock();
		throw error;
	}
}

function newWriter({ commit, close }: GroupWriter, unlock: () => void): LogWriter {
	let waiting: Pending[] = [];
	let failure: unknown;
	let closing = false;
	let running: Promise<void> | null = null;
	let wake = () => {};

	async function run(): Promise<void> {
		while (waiting.length > 0) {
			const group = waiting;
			waiting = [];
			const begun = performance.now();
			try {
				if (failure !== undefined) throw failure;
				const { first, leaves } = await commit(group.map(({ line }) => line));
				for (const [i, { time, resolve }] of group.entries())
					resolve({ index: first + i, time, leaf: bytesToHex(leaves[i]) });
			} catch (error) {
				failure = error;
				for (const { reject } of group) reject(error);
			}
			await pause(INTERVAL - (performance.now() - begun));
		}
		// In the same step as the last look at `waiting`, so that no entry falls between.
		running = null;
	}
	/** Ends early when the log is closed. */
	function pause(milliseconds: number): Promise<void> | undefined {
		if (closing || milliseconds <= 0) return;
		return new Promise((resolve) => {
			const timer = setTimeout(resolve, milliseconds);
			wake = () => {
				clearTimeout(timer);
				resolve();
			};
		});
	}
	return {
		append(entry) {
			return new Promise((resolve, reject) => {
				if (closing) throw new TouchmarkError('failed', 'the log is closed');
				const valid = checked(LogEntry, entry, `entry of type "${entry.type}"`);
				const line = lineOf(valid);
				if (line.length > MAX_LINE / 4) throw badInput(`entry of type "${valid.type}": is too long`);
				waiting.push({ line, time: valid.time, resolve, reject });
				// The group begins when the caller lets go, so that entries of one breath share it.
				running ??= Promise.resolve().then(run);
			});
		},
		async close() {
			if (closing) return;
			closing = true;
			wake();
			await running;
			await close();
			unlock();
		},
	};
}

/** Makes groups of lines durable. */
interface GroupWriter {
	/** @returns index of the first one, and the leaf hash of each */
	commit(lines: readonly string[]): Promise<{ first: number; leaves: readonly Uint8Array[] }>;
	close(): Promise<void>;
}

async function newGroupWriter(
	folder: string,
	{ full, tail }: Standing,
	signer: Signer,
): Promise<GroupWriter> {
	const files = filesOf(folder);
	const heads = await open(files.heads, 'a');
	const roots = await open(files.roots, 'a');
	let segment: FileHandle | null = null;
	let newest = tail;
	syncFolder(folder);

	/** Appends lines that fit into the newest segment. */
	async function write(lines: readonly string[], leaves: readonly Uint8Array[]): Promise<void> {
		if (segment === null) {
			segment = await open(files.segment(full.size / SEGMENT), 'a');
			syncFolder(folder);
		}
		await segment.appendFile(`${lines.join('\n')}\n`);
		for (const leaf of leaves) newest.append(leaf);
		await segment.datasync();
		if (newest.size < SEGMENT) return;
		const root = rootOf(newest.peaks);
		await roots.appendFile(`${bytesToHex(root)}\n`);
		await roots.datasync();
		await segment.close();
		segment = null;
		full.append(root, SEGMENT_HEIGHT);
		newest = newTree();
	}
	return {
		async commit(lines) {
			const first = full.size + newest.size;
			const leaves = lines.map((line) => leafHash(Buffer.from(line)));
			for (let done = 0; done < lines.length; ) {
				const end = done + SEGMENT - newest.size;
				await write(lines.slice(done, end), leaves.slice(done, end));
				done = end;
			}
			const root = rootOf([...full.peaks, ...newest.peaks]);
			await heads.appendFile(`${lineOf(signHead(full.size + newest.size, root, signer))}\n`);
			await heads.datasync();
			return { first, leaves };
		},
		async close() {
			await Promise.all([heads.close(), roots.close(), segment?.close()]);
		},
	};
}

/**
 * Appends entries, for whoever has a few: opens the log, waits until they are durable, and closes it.
 *
 * @returns where each one stands
 * @throws TouchmarkError as {@link openLog} and `append` do; then none of these entries counts
 */
export async function appendToLog(
	folder: string,
	entries: readonly LogEntry[],
	signer: Signer,
): Promise<LoggedAt[]> {
	const valid = entries.map((entry) => checked(LogEntry, entry, `entry of type "${entry.type}"`));
	const log = await openLog(folder, signer);
	try {
		return await Promise.all(valid.map((entry) => log.append(entry)));
	} finally {
		await log.close();
	}
}
