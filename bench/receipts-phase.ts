/**
 * One phase of the `receipts` bench, in a process of its own so that its memory is its own:
 * `receipts-phase.ts PHASE FOLDER COUNT`. Prints one JSON object. Runs the built package, as a server does.
 *
 * @module
 */
import { createHash, hash, randomUUID } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Receipt } from '../src/embed/receipt.js';

const [phase, folder, countText] = process.argv.slice(2);
const count = Number(countText);
const { createKeyring, openAccounts } = (await import(
	new URL('../dist/keys/index.js', import.meta.url).href
)) as typeof import('../src/keys/index.js');
const { auditLog, checkProof, newReceiptLog, openLog, openProver } = (await import(
	new URL('../dist/ledger/index.js', import.meta.url).href
)) as typeof import('../src/ledger/index.js');

const ACCOUNTS = 24_000;
/** Answers that end while others are being made durable. */
const IN_FLIGHT = 4096;
const log = join(folder, 'log');
const ring = createKeyring({ unsealed: true }, new Uint8Array(32).fill(7));
const marks = [hash('sha256', 'shape'), hash('sha256', 'choice')];

function receiptOf(i: number): Receipt {
	const tokens = 100 + (i % 400);
	const keyed = Math.floor(0.9 * tokens);
	return {
		version: 1,
		id: randomUUID(),
		status: 'finished',
		marks,
		unkeyedShare: 0.1,
		temperature: i % 3 === 0 ? 0.7 : 1,
		tokens,
		segments: [{ reason: 'answer', marked: true, tokens, tilted: tokens, keyed }],
		salt: '0'.repeat(32),
		outputHash: hash('sha256', String(i)),
		time: new Date().toISOString(),
	};
}

const seconds = (begun: number) => (performance.now() - begun) / 1000;

const PHASES: Record<string, () => Promise<object>> = {
	async accounts() {
		const begun = performance.now();
		const names = Array.from({ length: ACCOUNTS }, (_, i) => `account ${i}`);
		openAccounts(join(folder, 'accounts.jsonl'), ring).add(names);
		const added = seconds(begun);
		const again = performance.now();
		openAccounts(join(folder, 'accounts.jsonl'), ring);
		return { added, opened: seconds(again) };
	},
	async write() {
		const accounts = openAccounts(join(folder, 'accounts.jsonl'), ring).all;
		const writer = await openLog(log, ring);
		const receipts = newReceiptLog(writer);
		const begun = performance.now();
		let inFlight = 0;
		let room = () => {};
		let failure: unknown;
		const rates: number[] = [];
		let window = begun;
		for (let i = 0; i < count; i++) {
			inFlight++;
			receipts.append(receiptOf(i), accounts[(i * 7919) % accounts.length]).then(
				() => {
					inFlight--;
					room();
				},
				(error: unknown) => {
					failure = error;
					room();
				},
			);
			while (inFlight >= IN_FLIGHT && failure === undefined)
				await new Promise<void>((resolve) => {
					room = resolve;
				});
			if (failure !== undefined) throw failure;
			if ((i + 1) % 500_000 === 0) {
				rates.push(500_000 / seconds(window));
				window = performance.now();
			}
		}
		while (inFlight > 0 && failure === undefined)
			await new Promise<void>((resolve) => {
				room = resolve;
			});
		if (failure !== undefined) throw failure;
		await writer.close();
		const written = seconds(begun);
		const bytes = readdirSync(log).map((name) => [name, statSync(join(log, name)).size] as const);
		const sum = (of: RegExp) => bytes.reduce((total, [name, size]) => total + (of.test(name) ? size : 0), 0);
		return {
			seconds: written,
			slowest: rates.length === 0 ? count / written : Math.min(...rates),
			entryBytes: sum(/^entries/),
			bytes: sum(/./),
			fullBytes: JSON.stringify(receiptOf(1)).length + 1,
			heads: readFileSync(join(log, 'heads.jsonl'), 'utf8').split('\n').length - 2,
		};
	},
	async prove() {
		const opening = performance.now();
		const prover = openProver(log);
		const opened = seconds(opening);
		const sizes = readFileSync(join(log, 'heads.jsonl'), 'utf8')
			.trimEnd()
			.split('\n')
			.map((line) => (JSON.parse(line) as { size: number }).size)
			.filter((size) => size > 0);
		/** Uniform in [0, below), from a fixed seed. */
		const draw = (label: string, below: number) =>
			createHash('sha256').update(label).digest().readUIntBE(0, 6) % below;
		let begun = performance.now();
		for (let i = 0; i < count; i++)
			checkProof(prover.inclusion(draw(`leaf ${i}`, prover.head.size)), 'proof');
		const inclusion = seconds(begun) / count;
		begun = performance.now();
		for (let i = 0; i < count; i++) {
			const pair = [draw(`a ${i}`, sizes.length), draw(`b ${i}`, sizes.length)].sort((a, b) => a - b);
			checkProof(prover.consistency(sizes[pair[0]], sizes[pair[1]]), 'proof');
		}
		return { opened, inclusion, consistency: seconds(begun) / count };
	},
	async audit() {
		const begun = performance.now();
		const audit = await auditLog(log);
		if (!audit.consistent) throw new Error(audit.problem);
		if (audit.remarks.length > 0) throw new Error(audit.remarks[0]);
		return { receipts: audit.receipts, seconds: seconds(begun) };
	},
	/** Peer: the same lines, in groups of `count`, appended to one file and made durable; nothing else. */
	async plain() {
		const lines = readFileSync(join(log, 'entries-000000.jsonl'), 'utf8').trimEnd().split('\n');
		const begun = performance.now();
		const file = openSync(join(folder, 'plain.jsonl'), 'w');
		for (let i = 0; i < lines.length; i += count) {
			writeFileSync(file, `${lines.slice(i, i + count).join('\n')}\n`);
			fsyncSync(file);
		}
		closeSync(file);
		return { seconds: seconds(begun), lines: lines.length };
	},
};

const before = process.cpuUsage();
const result = await PHASES[phase]();
const { user, system } = process.cpuUsage(before);
const peakMiB = process.resourceUsage().maxRSS / 1024;
console.log(JSON.stringify({ ...result, processor: (user + system) / 1e6, peakMiB }));
