import { appendFileSync, existsSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type AuditLine, openAuditLog } from '../../src/server/audit-log.js';
import { newFolder } from '../cli/run-cli.js';
import { ringOf, serverFolder, startServer } from './running.js';

const answered = {
	key: 'a',
	digest: '0'.repeat(64),
	tokens: 5,
	answer: 'no-evidence/none',
	status: 200,
	code: null,
} as const;

describe('an audit log', () => {
	it('is gone on with, after a line that a crash left unfinished', async () => {
		const path = join(newFolder(), 'audit.jsonl');
		const first = await openAuditLog(path);
		first.append(answered);
		await first.close();
		appendFileSync(path, '{"time":"2026-');
		const second = await openAuditLog(path);
		second.append(answered);
		expect(second.digestOf({ text: 'a' })).toBe(first.digestOf({ text: 'a' }));
		expect(second.digestOf({ text: 'a' })).not.toBe(second.digestOf({ text: 'b' }));
		await second.close();
		const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
		expect(lines).toHaveLength(3);
		expect([lines[0], lines[2]].map((line) => JSON.parse(line).key)).toEqual(['a', 'a']);
	});

	it('counts a flood instead of filling the disk', async () => {
		const path = join(newFolder(), 'audit.jsonl');
		const log = await openAuditLog(path);
		const refused = { ...answered, tokens: null, answer: null };
		for (let i = 0; i < 10_000; i++) {
			log.append({ ...refused, key: null, status: 401, code: 'unauthorized' });
			log.append({ ...refused, key: i % 2 ? 'a' : 'b', status: 429, code: 'rate-limited' });
		}
		log.append(answered);
		await log.close();
		const lines = readFileSync(path, 'utf8')
			.trimEnd()
			.split('\n')
			.map((line): AuditLine => JSON.parse(line));
		expect(lines).toHaveLength(4);
		expect(lines.map(({ key, count }) => [key, count])).toEqual(
			expect.arrayContaining([
				['a', 1],
				['a', 5000],
				['b', 5000],
				[null, 10_000],
			]),
		);
	});
});

it.skipIf(!existsSync('/dev/full'))('a service that cannot record does not answer', async () => {
	const folder = await serverFolder(ringOf(new Uint8Array(32).fill(3)));
	const key = await folder.newKey('one');
	symlinkSync('/dev/full', folder.audit);
	const server = await startServer(folder);
	expect((await server.get('/readyz')).status).toBe(200);
	await server.detect(key, { text: 'a' });
	await expect.poll(async () => (await server.get('/readyz')).status).toBe(500);
	const { status, json } = await server.detect(key, { text: 'a' });
	expect(status).toBe(500);
	expect(json).toEqual({ error: { code: 'internal', message: 'the audit log cannot be written' } });
	expect(await server.stop()).toBe(1);
	expect(server.stderr()).toMatch(/audit\.jsonl: could not be written to its end\n$/);
});
