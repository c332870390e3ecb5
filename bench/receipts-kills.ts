/**
 * Kills of a process that writes receipts, each followed by an audit of what it left.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { randomStream } from '../src/embed/random.js';
import { createKeyring } from '../src/keys/keyring.js';
import { auditLog } from '../src/ledger/audit.js';
import type { LogEntry } from '../src/ledger/entry.js';
import { filesOf, segmentsOf, wholeLines } from '../src/ledger/folder.js';
import { appendToLog } from '../src/ledger/log.js';
import { leafHash } from '../src/ledger/merkle.js';

const WRITER = fileURLToPath(new URL('./receipts-writer.mjs', import.meta.url));
/** Kills in one log; then another is begun, so that audits stay short. */
const KILLS_A_LOG = 20;

/** What came of it. */
export interface Killed {
	readonly kills: number;
	/** Receipts that were acknowledged before their process died. */
	readonly acknowledged: number;
	/** Acknowledged ones that the log did not hold, under a signed head, after any later kill. */
	readonly lost: number;
	/** Audits that failed. */
	readonly inconsistent: number;
	/** Kills that left whole lines which no head covers. */
	readonly cut: number;
}

/** Kills a process so many milliseconds after it said a word. @returns what it said that it had acknowledged */
async function killedAfter(
	folder: string,
	run: number,
	word: 'opening' | 'open',
	milliseconds: number,
): Promise<[number, string][]> {
	const child = spawn(process.execPath, [WRITER, folder, String(run)], {
		stdio: ['ignore', 'pipe', 'inherit'],
	});
	let said = '';
	let killing = false;
	child.stdout.setEncoding('utf8').on('data', (text: string) => {
		said += text;
		if (killing || !`\n${said}`.includes(`\n${word}\n`)) return;
		killing = true;
		setTimeout(() => child.kill('SIGKILL'), milliseconds);
	});
	const signal = await new Promise((resolve) => child.on('close', (_code, by) => resolve(by)));
	if (signal !== 'SIGKILL') throw new Error(`the writer ended by itself (${String(signal)})`);
	// Its last line may be torn, as the process was.
	const lines = said.slice(0, said.lastIndexOf('\n')).split('\n');
	return lines.flatMap((line) => {
		const [, index, leaf] = /^(\d+) ([0-9a-f]{64})$/.exec(line) ?? [];
		return leaf === undefined ? [] : [[Number(index), leaf] as [number, string]];
	});
}

/** @param atSegmentEnd begin the first log shortly before the end of a segment */
export async function killTrials(kills: number, atSegmentEnd = true): Promise<Killed> {
	const random = randomStream('receipts/kills');
	const total = { acknowledged: 0, lost: 0, inconsistent: 0, cut: 0 };
	for (let done = 0; done < kills; done += KILLS_A_LOG) {
		const folder = join(mkdtempSync(join(tmpdir(), 'touchmark-kills-')), 'log');
		await begin(folder, atSegmentEnd && done === 0 ? 64_500 : 0);
		const acknowledged: [number, string][] = [];
		for (let run = done; run < Math.min(kills, done + KILLS_A_LOG); run++) {
			// Some while the log is opened (and what the kill before left is cut off), most while groups come and go.
			const word = run % 5 === 4 ? 'opening' : 'open';
			acknowledged.push(...(await killedAfter(folder, run, word, 300 * random.next())));
			const audit = await auditLog(folder, { threads: 1 });
			if (!audit.consistent) {
				total.inconsistent++;
				continue;
			}
			if (audit.unacknowledged > 0) total.cut++;
			const leaves = leavesOf(folder, audit.entries);
			total.lost += acknowledged.filter(([index, leaf]) => leaves[index] !== leaf).length;
		}
		total.acknowledged += acknowledged.length;
		rmSync(folder, { recursive: true });
	}
	return { kills, ...total };
}

async function begin(folder: string, entries: number): Promise<void> {
	const ring = createKeyring({ unsealed: true }, new Uint8Array(32).fill(9));
	const time = new Date().toISOString();
	const policy: LogEntry = { type: 'policy', version: 1, time, marks: [], unkeyedShare: 0, temperature: 0 };
	await appendToLog(
		folder,
		Array.from({ length: entries }, () => policy),
		ring,
	);
}

/** Leaf hashes of the entries under the newest head. */
function leavesOf(folder: string, entries: number): string[] {
	const found: string[] = [];
	for (const number of segmentsOf(folder))
		for (const line of wholeLines(filesOf(folder).segment(number)))
			if (found.length < entries) found.push(Buffer.from(leafHash(line)).toString('hex'));
	return found;
}
