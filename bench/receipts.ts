/**
 * `receipts`: receipts at serving speed, from accounts to audit.
 *
 * @module
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { killTrials } from './receipts-kills.js';
import type { Bench, Row } from './rows.js';

const PHASE = fileURLToPath(new URL('./receipts-phase.ts', import.meta.url));
const SQLITE = fileURLToPath(new URL('./peers/sqlite_append.py', import.meta.url));

interface Measured {
	readonly [name: string]: number;
}

function runPhase(phase: string, folder: string, count: number): Measured {
	const args = ['--import', 'tsx', PHASE, phase, folder, String(count)];
	return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as Measured;
}

/** The peer that every machine has; null where Python is not there. */
function sqlite(folder: string, group: number): Measured | null {
	const args = [SQLITE, join(folder, 'log', 'entries-000000.jsonl'), join(folder, 'peer.db'), String(group)];
	try {
		return JSON.parse(execFileSync('python3', args, { encoding: 'utf8' })) as Measured;
	} catch {
		return null;
	}
}

const row = (name: string, ours: number, peer: number, peerName: string, unit: string): Row => ({
	case: name,
	ours,
	peer,
	peerName,
	unit,
	ratio: unit === 'receipts/s' ? ours / peer : peer / ours,
});
const show = (value: number, digits = 0) => value.toLocaleString('en', { maximumFractionDigits: digits });

export const bench: Bench = {
	about:
		'Receipts from 24,000 accounts: made durable under signed tree heads, proven, audited. `append` counts receipts from the ' +
		"session's receipt to the acknowledgement, tag and policy included, with 4,096 in flight; one process writes. Its peers append " +
		'65,536 of the same finished lines durably in groups of the same mean size and do nothing else: no checks, no tree, no ' +
		'signatures. `bytes` are those of the folder for each receipt, heads and roots included; its peer is the full receipt of ' +
		'the session as JSON. Memory is the peak of a process of its own for each phase.',
	async run({ quick }) {
		const receipts = quick ? 300_000 : 16_000_000;
		const proofs = quick ? 20 : 200;
		const kills = quick ? 10 : 200;
		const folder = mkdtempSync(join(tmpdir(), 'touchmark-receipts-'));
		try {
			const accounts = runPhase('accounts', folder, 0);
			const write = runPhase('write', folder, receipts);
			const group = Math.round(receipts / write.heads);
			const prove = runPhase('prove', folder, proofs);
			const audit = runPhase('audit', folder, 0);
			if (audit.receipts !== receipts) throw new Error(`${audit.receipts} receipts were audited`);
			const plain = runPhase('plain', folder, group);
			const database = sqlite(folder, group);
			const killed = await killTrials(kills);
			const rate = receipts / write.seconds;
			const rows = [
				row('append', rate, plain.lines / plain.seconds, 'plain append and fsync', 'receipts/s'),
				...(database === null
					? []
					: [row('append', rate, database.lines / database.seconds, 'SQLite, WAL', 'receipts/s')]),
				row('bytes', write.bytes / receipts, write.fullBytes, 'the full receipt as JSON', 'bytes'),
			];
			const notes = [
				`${show(receipts)} receipts written in ${show(write.seconds)} s, slowest half million ${show(write.slowest)}/s, ${show((1e6 * write.processor) / receipts, 1)} µs of processor time each; ${show(write.heads)} signed heads, ${show(group)} receipts under each; peak ${show(write.peakMiB)} MiB. Entries take ${show(write.entryBytes / receipts, 1)} bytes a receipt, heads and roots ${show((write.bytes - write.entryBytes) / receipts, 1)}.`,
				`Proven: log opened in ${show(1000 * prove.opened)} ms; ${proofs} random inclusion proofs ${show(1000 * prove.inclusion)} ms each, ${proofs} consistency proofs between random heads ${show(1000 * prove.consistency)} ms each, all checked; peak ${show(prove.peakMiB)} MiB.`,
				`Audited in ${show(audit.seconds)} s (${show(receipts / audit.seconds)} receipts/s; ${show((1e6 * audit.processor) / receipts, 1)} µs of processor time each), peak ${show(audit.peakMiB)} MiB.`,
				`24,000 accounts added in ${show(accounts.added, 1)} s and opened in ${show(accounts.opened, 1)} s.`,
				`${killed.kills} kills of a writing process, each followed by an audit: ${killed.acknowledged} receipts were acknowledged, ${killed.lost} of them lost, ${killed.inconsistent} logs inconsistent; ${killed.cut} kills left something behind the last head.`,
			];
			return { rows, notes };
		} finally {
			rmSync(folder, { recursive: true });
		}
	},
};
