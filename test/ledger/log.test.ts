import { createHash } from 'node:crypto';
import {
	appendFileSync,
	existsSync,
	readdirSync,
	readFileSync,
	rmSync,
	truncateSync,
	writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import nacl from 'tweetnacl';
import { describe, expect, it } from 'vitest';
import { createKeyring, type Keyring } from '../../src/keys/keyring.js';
import { auditLog } from '../../src/ledger/audit.js';
import { commitMarks } from '../../src/ledger/commit-marks.js';
import type { LogEntry } from '../../src/ledger/entry.js';
import { appendToLog, openLog } from '../../src/ledger/log.js';
import { readLog } from '../../src/ledger/read-log.js';
import { defaultMarks } from '../../src/marks/defaults.js';
import { canonicalBytes, markId } from '../../src/marks/mark-spec.js';
import { newFolder } from '../cli/run-cli.js';

const [shape] = defaultMarks('test', 'a'.repeat(64));

function newRing(epochs: number, seed = 1): Keyring {
	const ring = createKeyring({ unsealed: true }, new Uint8Array(32).fill(seed));
	for (let epoch = 0; epoch < epochs; epoch++) ring.add({ ...shape, epoch });
	return ring;
}
async function newLog(epochs: number) {
	const folder = join(newFolder(), 'log');
	const ring = newRing(epochs);
	await commitMarks(folder, ring);
	const file = (name: string) => join(folder, name);
	return { folder, ring, entries: file('entries-000000.jsonl'), heads: file('heads.jsonl') };
}
const commitments = (folder: string) => readLog(folder, ['key-commitment']).entries;
const receipt = (i: number): LogEntry => ({
	type: 'receipt',
	id: `r${i}`,
	policy: 0,
	tokens: [10, 10, 9],
	hash: 'c'.repeat(64),
	time: '2026-11-25T00:00:00Z',
});

describe('an entry', () => {
	it('is canonical JSON on a line, and its leaf is what the ring remembers', async () => {
		const { folder, ring, entries } = await newLog(2);
		const lines = readFileSync(entries, 'utf8').trimEnd().split('\n');
		lines.forEach((line, i) => {
			const entry: LogEntry = JSON.parse(line);
			expect(Buffer.from(canonicalBytes(entry)).toString()).toBe(line);
			expect(entry).toMatchObject({ markId: markId(ring.marks[i]) });
			const leaf = createHash('sha256').update(`\0${line}`).digest('hex');
			const { time } = entry as { time: string };
			expect(ring.logged(ring.marks[i])).toEqual({ index: i, time, leaf });
		});
		expect(commitments(folder)).toHaveLength(2);
	});
	it('of a ring makes it fit for use, once', async () => {
		const ring = newRing(1);
		const folder = join(newFolder(), 'log');
		expect(() => ring.bind(ring.marks[0], 'embed')).toThrow(/must be committed/);
		await commitMarks(folder, ring);
		expect(ring.bind(ring.marks[0], 'embed').id).toBe(markId(ring.marks[0]));
		expect(await commitMarks(folder, ring)).toEqual([]);
	});
	it('whose id is not that of its mark is not taken', async () => {
		const ring = newRing(1);
		const entry = { type: 'key-commitment', version: 1, time: '2026-11-24T00:00:00Z' } as const;
		const bad: LogEntry = { ...entry, markId: '0'.repeat(64), spec: ring.marks[0] };
		const folder = join(newFolder(), 'log');
		await expect(appendToLog(folder, [receipt(0), bad], ring)).rejects.toThrow(/markId/);
		expect(existsSync(folder)).toBe(false);
	});
});

describe('a writer', () => {
	it('takes entries in groups, each under one signed head, and says where they stand', async () => {
		const folder = join(newFolder(), 'log');
		const ring = newRing(0);
		const log = await openLog(folder, ring);
		const first = await Promise.all([0, 1, 2].map((i) => log.append(receipt(i))));
		const later = log.append(receipt(3));
		await log.close();
		expect([...first, await later].map(({ index }) => index)).toEqual([0, 1, 2, 3]);
		const heads = readFileSync(join(folder, 'heads.jsonl'), 'utf8').trimEnd().split('\n');
		expect(heads.map((line) => JSON.parse(line).size)).toEqual([0, 3, 4]);
		for (const line of heads) {
			const { size, root, time, publicKey, signature } = JSON.parse(line);
			const message = canonicalBytes({ domain: 'touchmark/v1/tree-head', size, root, time });
			expect(publicKey).toBe(bytesToHex(ring.publicKey));
			expect(nacl.sign.detached.verify(message, hexToBytes(signature), ring.publicKey)).toBe(true);
		}
		await expect(log.append(receipt(4))).rejects.toThrow(/closed/);
	});
	it('is alone: a second one is refused while the first has the log', async () => {
		const { folder, ring } = await newLog(1);
		const log = await openLog(folder, ring);
		await expect(openLog(folder, ring)).rejects.toThrow(/somebody else writes this log/);
		await log.close();
		await appendToLog(folder, [receipt(0)], ring);
		expect(readLog(folder, ['receipt']).head.size).toBe(2);
	});
	it('with another key is refused', async () => {
		const { folder } = await newLog(1);
		await expect(appendToLog(folder, [receipt(0)], newRing(1, 2))).rejects.toThrow(/another key ring/);
	});
	it('goes on across the end of a segment', { timeout: 60_000 }, async () => {
		const folder = join(newFolder(), 'log');
		const ring = newRing(0);
		const many = Array.from({ length: 65_530 }, (_, i) => receipt(i));
		await appendToLog(folder, many, ring);
		for (const part of [many.slice(0, 6), many.slice(0, 1), many.slice(0, 3)])
			await appendToLog(folder, part, ring);
		expect(readdirSync(folder).sort()).toEqual([
			'entries-000000.jsonl',
			'entries-000001.jsonl',
			'heads.jsonl',
			'roots.txt',
		]);
		expect(await auditLog(folder, { threads: 1 })).toMatchObject({ consistent: true, entries: 65_540 });
		expect(readLog(folder, ['receipt']).entries).toHaveLength(65_540);
	});
});

describe('a crash', () => {
	it('at any byte of a group leaves a log that the next one continues', async () => {
		const { folder, ring, entries, heads } = await newLog(1);
		const before = { entries: readFileSync(entries), heads: readFileSync(heads) };
		await appendToLog(folder, [receipt(0), receipt(1)], ring);
		const after = { entries: readFileSync(entries), heads: readFileSync(heads) };
		// Lines come first; the head begins when they are whole.
		const stages = [0, 1, 100, after.entries.length - before.entries.length].map((bytes) => [bytes, 0]);
		const head = after.heads.length - before.heads.length;
		for (const bytes of [1, 100, head - 2, head - 1]) stages.push([stages[3][0], bytes]);
		for (const [lineBytes, headBytes] of stages) {
			writeFileSync(entries, after.entries.subarray(0, before.entries.length + lineBytes));
			writeFileSync(heads, after.heads.subarray(0, before.heads.length + headBytes));
			const whole = lineBytes === stages[3][0] ? 2 : 0;
			const audited = await auditLog(folder);
			expect(audited).toMatchObject({ consistent: true, entries: 1, unacknowledged: whole });
			await appendToLog(folder, [receipt(7)], ring);
			expect(await auditLog(folder)).toMatchObject({ entries: 2, receipts: 1, unacknowledged: 0 });
			expect(readLog(folder, ['receipt']).entries).toMatchObject([{ id: 'r7' }]);
		}
	});
	it('before the first head leaves nothing', async () => {
		const folder = newFolder();
		writeFileSync(join(folder, 'heads.jsonl.tmp'), '{"publicKey":"');
		await appendToLog(folder, [receipt(0)], newRing(0));
		expect(readLog(folder, ['receipt']).head.size).toBe(1);
		expect(existsSync(join(folder, 'heads.jsonl.tmp'))).toBe(false);
	});
});

describe('tampering', () => {
	it.each<[string, (lines: string[]) => string[]]>([
		['the time of an entry', (lines) => lines.map((line) => line.replace(/"time":"\d{4}/, '"time":"2001'))],
		['the first entry gone', (lines) => lines.slice(1)],
		['the last entry gone', (lines) => lines.slice(0, 2)],
		['all entries gone', () => []],
		['two entries swapped', (lines) => [lines[1], lines[0], lines[2]]],
		['an entry twice', (lines) => [lines[0], lines[0], lines[1], lines[2]]],
		['a space after a colon', (lines) => [lines[0].replace('":', '": '), lines[1], lines[2]]],
	])('%s: found by reader, auditor and the next writer', async (_what, change) => {
		const { folder, ring, entries } = await newLog(3);
		const lines = readFileSync(entries, 'utf8').trimEnd().split('\n');
		const changed = change(lines)
			.map((line) => `${line}\n`)
			.join('');
		writeFileSync(entries, changed);
		expect(() => commitments(folder)).toThrow(/log/);
		expect(await auditLog(folder)).toMatchObject({ consistent: false });
		await expect(appendToLog(folder, [receipt(0)], ring)).rejects.toThrow(/entries-000000/);
		expect(readFileSync(entries, 'utf8')).toBe(changed);
	});
	it('entries without any head are a loss, not a beginning', async () => {
		const { folder, ring, heads } = await newLog(3);
		truncateSync(heads, 0);
		await expect(appendToLog(folder, [receipt(0)], ring)).rejects.toThrow(/no signed head/);
		rmSync(heads);
		await expect(appendToLog(folder, [receipt(0)], ring)).rejects.toThrow(/no signed head/);
		expect(() => commitments(folder)).toThrow(/no signed head/);
	});
	it('names the lines that a head covers, when a changed one still is an entry', async () => {
		const { folder, ring, entries } = await newLog(2);
		await appendToLog(folder, [receipt(0), receipt(1)], ring);
		const text = readFileSync(entries, 'utf8');
		writeFileSync(entries, text.replace('"id":"r1"', '"id":"r2"'));
		expect(await auditLog(folder)).toEqual({
			consistent: false,
			problem: expect.stringMatching(/entries-000000\.jsonl:3: .* line 4 was changed .*heads\.jsonl:3/),
		});
	});
	it('by who has the key: a head over another history is found', async () => {
		const { folder, ring, heads } = await newLog(2);
		const forged = join(newFolder(), 'log');
		await appendToLog(forged, [receipt(0), receipt(1), receipt(2)], ring);
		appendFileSync(heads, readFileSync(join(forged, 'heads.jsonl'), 'utf8').trimEnd().split('\n')[1]);
		appendFileSync(heads, '\n');
		expect(await auditLog(folder)).toMatchObject({ consistent: false });
	});
});

describe('an audit remarks', () => {
	it('receipts with one id, and a policy that is not there', async () => {
		const { folder, ring } = await newLog(1);
		await appendToLog(folder, [receipt(0), receipt(1), receipt(0)], ring);
		expect(await auditLog(folder)).toMatchObject({
			consistent: true,
			receipts: 3,
			remarks: [
				expect.stringMatching(/:2: names policy 0/),
				expect.stringMatching(/:4: its receipt id stands at .*:2 already/),
			],
		});
	});
});
