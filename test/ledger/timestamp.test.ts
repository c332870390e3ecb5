/** RFC 3161: recorded answers of Sigstore's authority, and a real one, OpenSSL's, on loopback (skipped where there is no `openssl`). */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
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

const folder = newFolder();
const file = (name: string) => join(folder, name);
const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
const ring = createKeyring({ unsealed: true }, new Uint8Array(32).fill(5));

/** What `openssl ts` needs to know. */
const CONFIG = `[tsa]
default_tsa = stamps
[stamps]
serial = ${file('serial')}
signer_cert = ${file('tsa.pem')}
signer_key = ${file('tsa.key')}
signer_digest = sha256
default_policy = 1.2.3.4
digests = sha256
accuracy = secs:1
[stamping]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
[plain]
basicConstraints = critical, CA:false
`;

function certificate(name: string, algorithm: string[], extensions: string): void {
	openssl(
		'req',
		'-new',
		'-nodes',
		'-newkey',
		...algorithm,
		'-keyout',
		`${name}.key`,
		'-out',
		`${name}.csr`,
		'-subj',
		`/CN=${name}`,
	);
	openssl(
		...['x509', '-req', '-in', `${name}.csr`, '-CA', 'root.pem', '-CAkey', 'root.key', '-CAcreateserial'],
		...['-days', '2', '-extfile', 'tsa.cnf', '-extensions', extensions, '-out', `${name}.pem`],
	);
}

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
	let server: Server;
	let url: string;
	let answer: (request: Buffer) => Buffer;
	const honest = (request: Buffer) => {
		writeFileSync(file('request.tsq'), request);
		openssl('ts', '-reply', '-config', 'tsa.cnf', '-queryfile', 'request.tsq', '-out', 'response.tsr');
		return readFileSync(file('response.tsr'));
	};
	const root = () => readFileSync(file('root.pem'), 'utf8');
	const head = signHead(3, new Uint8Array(32).fill(1), ring);

	beforeAll(async () => {
		writeFileSync(file('tsa.cnf'), CONFIG);
		writeFileSync(file('serial'), '01\n');
		for (const name of ['root', 'other'])
			openssl(
				'req',
				'-x509',
				'-nodes',
				'-newkey',
				'rsa:2048',
				'-keyout',
				`${name}.key`,
				'-out',
				`${name}.pem`,
				'-days',
				'2',
				'-subj',
				`/CN=${name}`,
			);
		certificate('tsa', ['rsa:2048'], 'stamping');
		server = createServer((request, response) => {
			const parts: Buffer[] = [];
			request.on('data', (part: Buffer) => parts.push(part));
			request.on('end', () => {
				expect(request.headers['content-type']).toBe('application/timestamp-query');
				response.end(answer(Buffer.concat(parts)));
			});
		});
		await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
		url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
	});
	afterAll(() => server?.close());

	it('stamps a head; its certificate is trusted when its root is given, and not otherwise', async () => {
		answer = honest;
		const entry = await requestTimestamp(head, url);
		const { size, time, trusted } = await checkTimestamp(entry, 'entry', root());
		expect({ size, trusted }).toEqual({ size: 3, trusted: true });
		expect(Math.abs(Date.parse(time) - Date.now())).toBeLessThan(60_000);
		expect(await checkTimestamp(entry, 'entry')).toMatchObject({ trusted: false });
		const other = readFileSync(file('other.pem'), 'utf8');
		await expect(checkTimestamp(entry, 'entry', other)).rejects.toThrow(/no certificate that is trusted/);
		// OpenSSL itself agrees, over the same bytes.
		writeFileSync(file('token.tsr'), Buffer.from(entry.token, 'base64'));
		writeFileSync(file('head'), JSON.stringify(head, Object.keys(head).sort()));
		expect(
			String(openssl('ts', '-verify', '-data', 'head', '-in', 'token.tsr', '-CAfile', 'root.pem')),
		).toMatch(/OK/);
	});
	it('whose stamp is of another head, or was changed, is found', async () => {
		answer = honest;
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
		answer = honest;
		await requestTimestamp(head, url);
		const old = readFileSync(file('response.tsr'));
		answer = () => old;
		await expect(requestTimestamp(head, url)).rejects.toThrow(/another request/);
		answer = () => Buffer.from('hello');
		await expect(requestTimestamp(head, url)).rejects.toThrow(/no answer of an authority/);
		await expect(requestTimestamp(head, 'http://127.0.0.1:9/')).rejects.toThrow(/does not answer/);
	});
	it('enters the log, and the audit knows its heads', async () => {
		answer = honest;
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
		expect(await auditLog(log, { trusted: root() })).toMatchObject({
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
