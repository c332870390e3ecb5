/** RFC 3161: recorded answers of Sigstore's authority, and a real one, OpenSSL's, on loopback (skipped where there is no `openssl`). */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createKeyring } from '../../src/keys/keyring.js';
import { auditLog } from '../../src/ledger/audit.js';
import type { TimestampEntry } from '../../src/ledger/entry.js';
import { appendToLog } from '../../src/ledger/log.js';
import { readLog } from '../../src/ledger/read-log.js';
import { checkTimestamp, requestTimestamp, verifyToken } from '../../src/ledger/timestamp.js';
import { signHead } from '../../src/ledger/tree-head.js';
import { newFolder } from '../cli/run-cli.js';
import { type Authority, hasOpenssl, startAuthority } from './authority.js';

const ring = createKeyring({ unsealed: true }, new Uint8Array(32).fill(5));

describe("Sigstore's authority", () => {
	const read = (name: string) => readFileSync(join('test/vectors/rfc3161', name));
	const verify = (name: string, text = 'hello', trusted = String(read('ts_chain.pem'))) =>
		verifyToken(read(`response-${name}.tsr`), Buffer.from(text), 'token', trusted);
	it.each(['sha256', 'sha384', 'sha512', 'no-embedded-cert'])('%s: valid', async (name) => {
		expect((await verify(name)).genTime.toISOString()).toMatch(/^2025-0[56]-/);
	});
	it('with a signature that was changed, or over another text: refused', async () => {
		await expect(verify('invalid-signature')).rejects.toThrow(/signature does not verify/);
		await expect(verify('sha256', 'hellp')).rejects.toThrow(/something else/);
	});
});

describe.skipIf(!hasOpenssl)('a time-stamping authority', () => {
	let authority: Authority;
	let url: string;
	const file = (name: string) => join(authority.folder, name);
	const head = signHead(3, new Uint8Array(32).fill(1), ring);

	beforeAll(async () => {
		authority = await startAuthority((contentType) => {
			expect(contentType).toBe('application/timestamp-query');
		});
		url = authority.url;
	});
	afterAll(() => authority?.close());

	it('stamps a head; its certificate is trusted when its root is given, and not otherwise', async () => {
		authority.answer = authority.honest;
		const entry = await requestTimestamp(head, url);
		const { size, time, trusted } = await checkTimestamp(entry, 'entry', authority.root);
		expect({ size, trusted }).toEqual({ size: 3, trusted: true });
		expect(Math.abs(Date.parse(time) - Date.now())).toBeLessThan(60_000);
		expect(await checkTimestamp(entry, 'entry')).toMatchObject({ trusted: false });
		await expect(checkTimestamp(entry, 'entry', authority.other)).rejects.toThrow(
			/no certificate that is trusted/,
		);
		// OpenSSL itself agrees, over the same bytes.
		writeFileSync(file('token.tsr'), Buffer.from(entry.token, 'base64'));
		writeFileSync(file('head'), JSON.stringify(head, Object.keys(head).sort()));
		expect(
			String(authority.openssl('ts', '-verify', '-data', 'head', '-in', 'token.tsr', '-CAfile', 'root.pem')),
		).toMatch(/OK/);
	});
	it('whose stamp is of another head, or was changed, is found', async () => {
		authority.answer = authority.honest;
		const entry = await requestTimestamp(head, url);
		const other: TimestampEntry = { ...entry, head: signHead(4, new Uint8Array(32).fill(1), ring) };
		await expect(checkTimestamp(other, 'entry')).rejects.toThrow(/something else than its head/);
		const token = Buffer.from(entry.token, 'base64');
		token[token.length - 5] ^= 1;
		await expect(checkTimestamp({ ...entry, token: token.toString('base64') }, 'entry')).rejects.toThrow(
			/time stamp/,
		);
	});
	it('that answers an older request, or nonsense, is refused', async () => {
		authority.answer = authority.honest;
		await requestTimestamp(head, url);
		const old = readFileSync(file('response.tsr'));
		authority.answer = () => old;
		await expect(requestTimestamp(head, url)).rejects.toThrow(/another request/);
		authority.answer = () => Buffer.from('hello');
		await expect(requestTimestamp(head, url)).rejects.toThrow(/no answer of an authority/);
		await expect(requestTimestamp(head, 'http://127.0.0.1:9/')).rejects.toThrow(/does not answer/);
	});
	it('enters the log, and the audit knows its heads', async () => {
		authority.answer = authority.honest;
		const log = join(newFolder(), 'log');
		const policy = {
			type: 'policy',
			version: 1,
			time: '2026-11-25T00:00:00Z',
			marks: [],
			unkeyedShare: 0,
			temperature: 1,
		} as const;
		await appendToLog(log, [{ ...policy, marks: [] }], ring);
		await appendToLog(log, [await requestTimestamp(readLog(log, []).head, url)], ring);
		expect(await auditLog(log, { trusted: authority.root })).toMatchObject({
			consistent: true,
			entries: 2,
			stamped: [{ size: 1, trusted: true }],
		});
		// A head of the same key over another history.
		await appendToLog(log, [await requestTimestamp(signHead(1, new Uint8Array(32), ring), url)], ring);
		expect(await auditLog(log)).toMatchObject({
			consistent: false,
			problem: expect.stringMatching(/:3: is a time stamp of a tree head that this log does not have/),
		});
	});
});
