/** A time-stamping authority (RFC 3161) on loopback: OpenSSL's. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { newFolder } from '../cli/run-cli.js';

/** Without `openssl` there is no authority, and tests that need one are skipped. */
export const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

/** What `openssl ts` needs to know. */
const configOf = (file: (name: string) => string) => `[tsa]
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

/** An authority with a certificate of its root, and another root that vouches for nobody. */
export interface Authority {
	readonly url: string;
	readonly folder: string;
	/** PEM. */
	readonly root: string;
	readonly other: string;
	openssl(...args: string[]): Buffer;
	/** Its honest answer to a request. */
	honest(request: Buffer): Buffer;
	/** What it answers; honest unless set. */
	answer: (request: Buffer) => Buffer;
	close(): void;
}

/** Starts one. @param onRequest is shown the content type of each request */
export async function startAuthority(
	onRequest?: (contentType: string | undefined) => void,
): Promise<Authority> {
	const folder = newFolder();
	const file = (name: string) => join(folder, name);
	const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
	writeFileSync(file('tsa.cnf'), configOf(file));
	writeFileSync(file('serial'), '01\n');
	for (const name of ['root', 'other'])
		openssl(
			...['req', '-x509', '-nodes', '-newkey', 'rsa:2048', '-keyout', `${name}.key`, '-out', `${name}.pem`],
			...['-days', '2', '-subj', `/CN=${name}`],
		);
	openssl(
		...['req', '-new', '-nodes', '-newkey', 'rsa:2048', '-keyout', 'tsa.key', '-out', 'tsa.csr'],
		...['-subj', '/CN=tsa'],
	);
	openssl(
		...['x509', '-req', '-in', 'tsa.csr', '-CA', 'root.pem', '-CAkey', 'root.key', '-CAcreateserial'],
		...['-days', '2', '-extfile', 'tsa.cnf', '-extensions', 'stamping', '-out', 'tsa.pem'],
	);
	const honest = (request: Buffer) => {
		writeFileSync(file('request.tsq'), request);
		openssl('ts', '-reply', '-config', 'tsa.cnf', '-queryfile', 'request.tsq', '-out', 'response.tsr');
		return readFileSync(file('response.tsr'));
	};
	const server = createServer((request, response) => {
		const parts: Buffer[] = [];
		request.on('data', (part: Buffer) => parts.push(part));
		request.on('end', () => {
			onRequest?.(request.headers['content-type']);
			response.end(authority.answer(Buffer.concat(parts)));
		});
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const authority: Authority = {
		url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
		...{ folder, openssl, honest, answer: honest },
		root: readFileSync(file('root.pem'), 'utf8'),
		other: readFileSync(file('other.pem'), 'utf8'),
		close: () => server.close(),
	};
	return authority;
}
