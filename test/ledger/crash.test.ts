/** What a crash can leave behind, and what only tampering can. */

import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import nacl from 'tweetnacl';
import { describe, expect, it } from 'vitest';
import { createKeyring, type Keyring } from '../../src/keys/keyring.js';
import { appendToLog, commitMarks, type LogEntry, verifyLog } from '../../src/ledger/log.js';
import { defaultMarks } from '../../src/marks/defaults.js';
import { canonicalBytes, markId } from '../../src/marks/mark-spec.js';
import { newFolder } from '../cli/run-cli.js';
import { refusal } from '../refusal.js';

const [shape, choice] = defaultMarks('test', 'a'.repeat(64));

function newRing(epochs: number): Keyring {
	const ring = createKeyring({ unsealed: true }, new Uint8Array(32).fill(epochs));
	for (let epoch = 0; epoch < epochs; epoch++) ring.add({ ...shape, epoch });
	return ring;
}
function newLog(epochs: number) {
	const path = join(newFolder(), 'marks.log');
	const ring = newRing(epochs);
	commitMarks(path, ring);
	return { path, headPath: `${path}.head.json`, ring, content: readFileSync(path, 'utf8') };
}
/** Commits one mark more. */
function commitMore(path: string, ring: Keyring): void {
	ring.add({ ...choice, epoch: 77 });
	commitMarks(path, ring);
}
/** Entries of a log that agrees with its head. */
const size = (path: string) => verifyLog(path).entries.length;

describe('an entry', () => {
	it('is canonical JSON on a line, and its leaf is what the ring remembers', () => {
		const { path, ring, content } = newLog(2);
		const lines = content.trimEnd().split('\n');
		expect(content.endsWith('\n')).toBe(true);
		lines.forEach((line, i) => {
			const entry: LogEntry = JSON.parse(line);
			expect(Buffer.from(canonicalBytes(entry)).toString()).toBe(line);
			expect(entry).toMatchObject({ markId: markId(ring.marks[i]) });
			const leaf = createHash('sha256').update(`\0${line}`).digest('hex');
			expect(ring.logged(ring.marks[i])).toEqual({ index: i, time: entry.time, leaf });
		});
		expect(size(path)).toBe(2);
	});
	it('of a ring makes it fit for use', () => {
		const ring = newRing(1);
		expect(() => ring.bind(ring.marks[0], 'embed')).toThrow(/must be committed/);
		commitMarks(join(newFolder(), 'l.log'), ring);
		expect(ring.bind(ring.marks[0], 'embed').id).toBe(markId(ring.marks[0]));
	});
	it('whose id is not that of its mark is not taken', () => {
		const ring = newRing(1);
		const entry: LogEntry = {
			type: 'key-commitment',
			version: 1,
			time: '2026-11-24T00:00:00Z',
			markId: '0'.repeat(64),
			spec: ring.marks[0],
		};
		expect(() => appendToLog(join(newFolder(), 'l.log'), [entry], ring)).toThrow(/markId/);
	});
});

describe('the head', () => {
	it('is signed over size, root and time by the ring', () => {
		const { headPath, ring } = newLog(3);
		const { size, root, time, publicKey, signature } = JSON.parse(readFileSync(headPath, 'utf8'));
		const message = canonicalBytes({ domain: 'touchmark/v1/tree-head', size, root, time });
		expect(publicKey).toBe(bytesToHex(ring.publicKey));
		expect(nacl.sign.detached.verify(message, hexToBytes(signature), ring.publicKey)).toBe(true);
	});
	it.each(['size', 'root', 'time', 'publicKey', 'signature'])('with another %s is refused', (field) => {
		const { path, headPath } = newLog(3);
		const head = JSON.parse(readFileSync(headPath, 'utf8'));
		const other =
			{ size: 2, root: 'a'.repeat(64), time: '2020-01-01T00:00:00Z' }[field] ??
			head[field].replace(/^./, (c: string) => (c === '0' ? '1' : '0'));
		writeFileSync(headPath, JSON.stringify({ ...head, [field]: other }));
		expect(refusal(() => verifyLog(path))).toContain('marks.log');
		expect(refusal(() => commitMore(path, newRing(1)))).toContain('marks.log');
	});
	it('that is missing or no head is refused, and nothing is appended', () => {
		const { path, headPath, ring, content } = newLog(2);
		for (const text of ['', 'x', '{}', '[]']) {
			writeFileSync(headPath, text);
			expect(refusal(() => verifyLog(path))).toContain('head.json');
		}
		rmSync(headPath);
		expect(refusal(() => verifyLog(path))).toMatch(/head.* missing/);
		expect(refusal(() => commitMore(path, ring))).toMatch(/head.* missing/);
		expect(readFileSync(path, 'utf8')).toBe(content);
	});
});

describe('a crash', () => {
	it('at any byte of an append leaves a log that the next append continues', () => {
		const { path, headPath, ring, content } = newLog(1);
		const head = readFileSync(headPath, 'utf8');
		const more = newRing(1);
		more.add(choice);
		const other = join(newFolder(), 'other.log');
		commitMarks(other, more);
		const line = readFileSync(other, 'utf8').split('\n')[1];
		for (let bytes = 0; bytes <= line.length + 1; bytes += bytes < 3 || bytes > line.length - 3 ? 1 : 97) {
			writeFileSync(path, content + `${line}\n`.slice(0, bytes));
			writeFileSync(headPath, head);
			const whole = bytes === line.length + 1 ? 2 : 1;
			expect(size(path)).toBe(whole);
			appendToLog(path, [JSON.parse(line)], ring);
			const { entries, head: now } = verifyLog(path);
			expect([entries.length, now.size]).toEqual([whole + 1, whole + 1]);
		}
	});
	it('during the very first append does too', () => {
		const path = join(newFolder(), 'first.log');
		const ring = newRing(2);
		commitMarks(path, ring);
		const content = readFileSync(path, 'utf8');
		for (const bytes of [0, 1, 100, content.length]) {
			const again = join(newFolder(), 'first.log');
			// What the first append does before its entries: the head of an empty tree, signed.
			appendToLog(again, [], ring);
			writeFileSync(again, content.slice(0, bytes));
			const entries = bytes === content.length ? 2 : 0;
			expect(verifyLog(again)).toMatchObject({ head: { size: 0 } });
			expect(size(again)).toBe(entries);
			commitMore(again, newRing(1));
			expect(verifyLog(again).head.size).toBe(entries + 2);
		}
	});
	it('before the first entry reached the disk leaves the signed head of an empty log', () => {
		const path = join(newFolder(), 'first.log');
		const ring = newRing(1);
		// The log cannot be created here, so the append stops between its two writes.
		symlinkSync('/nowhere/at/all', path);
		expect(() => commitMarks(path, ring)).toThrow();
		expect(ring.logged(ring.marks[0])).toBeNull();
		rmSync(path);
		expect(verifyLog(path)).toMatchObject({ entries: [], head: { size: 0 } });
		expect(commitMarks(path, ring)).toHaveLength(1);
		expect(size(path)).toBe(1);
	});
	it('leaves no temporary file behind once the next append is through', () => {
		const { path, headPath, ring } = newLog(1);
		writeFileSync(`${headPath}.tmp`, '{"size":');
		commitMore(path, ring);
		expect(existsSync(`${headPath}.tmp`)).toBe(false);
		expect(size(path)).toBe(2);
	});
});

describe('tampering', () => {
	it.each<[string, (lines: string[]) => string[]]>([
		['the time of an entry', (lines) => lines.map((line) => line.replace(/"time":"\d{4}/, '"time":"2001'))],
		['the first entry gone', (lines) => lines.slice(1)],
		['a middle entry gone', (lines) => [lines[0], lines[2]]],
		['the last entry gone', (lines) => lines.slice(0, 2)],
		['all entries gone', () => []],
		['two entries swapped', (lines) => [lines[1], lines[0], lines[2]]],
		['an entry twice', (lines) => [lines[0], lines[0], lines[1], lines[2]]],
		['a space after a colon', (lines) => [lines[0].replace('":', '": '), lines[1], lines[2]]],
	])('%s: refused by verification, and by the next append', (_what, change) => {
		const { path, ring, content } = newLog(3);
		writeFileSync(
			path,
			change(content.trimEnd().split('\n'))
				.map((line) => `${line}\n`)
				.join(''),
		);
		const changed = readFileSync(path, 'utf8');
		expect(refusal(() => verifyLog(path))).toMatch(/marks\.log/);
		expect(refusal(() => commitMore(path, ring))).toMatch(/marks\.log/);
		expect(readFileSync(path, 'utf8')).toBe(changed);
	});
	it('the log gone while its head is there: refused, and not begun anew', () => {
		const { path, headPath, ring } = newLog(3);
		const head = readFileSync(headPath, 'utf8');
		rmSync(path);
		expect(refusal(() => verifyLog(path))).toMatch(/holds 0 entries, but its signed head covers 3/);
		expect(refusal(() => commitMore(path, ring))).toMatch(/covers 3/);
		expect(readFileSync(headPath, 'utf8')).toBe(head);
		expect(existsSync(path)).toBe(false);
	});
	it.each<[string, (line: string) => string, RegExp]>([
		['a changed mark', (line) => line.replace('"epoch":1', '"epoch":9'), /marks\.log:2: field "markId"/],
		['a changed id', (line) => line.replace(/"markId":"./, '"markId":"g'), /marks\.log:2: field "markId"/],
		['no JSON', () => 'x', /marks\.log:2: is not valid JSON/],
		[
			'an unknown kind of entry',
			(line) => line.replace('key-commitment', 'key-note'),
			/marks\.log:2: field "type"/,
		],
		['an unknown field', (line) => line.replace('{', '{"a":1,'), /marks\.log:2: .*"a"/],
	])('%s in the second line: that line is named', (_what, change, sentence) => {
		const { path, content } = newLog(3);
		const lines = content.trimEnd().split('\n');
		lines[1] = change(lines[1]);
		writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
		expect(refusal(() => verifyLog(path))).toMatch(sentence);
	});
	it('also of entries that no head covers yet', () => {
		const { path, content } = newLog(1);
		appendFileSync(path, content.replace('"epoch":0', '"epoch":5'));
		expect(refusal(() => verifyLog(path))).toMatch(/marks\.log:2: field "markId"/);
	});
});
