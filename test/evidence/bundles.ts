/** A real bundle: marked answers of the embedded model, tested through the built command line. */
import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Signer } from '../../src/evidence/dsse.js';
import { type Ended, runBuilt } from '../cli/built-cli.js';
import { newFolder, runCli } from '../cli/run-cli.js';
import { hasOpenssl, startAuthority } from '../ledger/authority.js';

/** What comes before the seed in the DER form of an Ed25519 private key (RFC 8410). */
const DER_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

/** Who signs with this seed, by the host's own code: thousands of bundles take their time otherwise. */
export function signerOf(seed: Uint8Array): Signer {
	const key = createPrivateKey({ key: Buffer.concat([DER_PREFIX, seed]), format: 'der', type: 'pkcs8' });
	const publicKey = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32);
	return { publicKey, sign: (message) => sign(null, message, key) };
}

/** The files of a bundle and what it was made with. */
export interface Example {
	readonly path: (name: string) => string;
	readonly bundle: () => Buffer;
	/** Folder of the files that were tested. */
	readonly corpus: string;
	readonly keys: string;
	readonly trust: string;
	/** The plan, to change and build again. */
	readonly plan: { tests: { args: unknown[] }[] } & Record<string, unknown>;
	/** Runs a command in this process; gives what it prints. */
	run(...args: string[]): Promise<string>;
}

/** Makes it: a rival that wrote marked answers, another that did not, and a trial of served answers. */
export async function exampleBundle(): Promise<Example> {
	const folder = newFolder();
	const path = (name: string) => join(folder, name);
	const printed = (args: readonly string[], { code, out, err }: Ended) => {
		if (code !== 0) throw new Error(`touchmark ${args.join(' ')}: ${err}${out}`);
		return out;
	};
	const run = async (...args: string[]) => printed(args, await runCli(args));
	const ring = ['--keyring', path('ring.json')];
	const log = ['--log', path('log')];
	await run('keys', 'create', '--unsealed', '--quiet', ...ring);
	await run('keys', 'commit', ...ring, ...log);
	let authorities: string | undefined;
	if (hasOpenssl) {
		const authority = await startAuthority();
		await run('log', 'timestamp', ...log, ...ring, '--authority', authority.url);
		authority.close();
		authorities = authority.root;
	}
	await run('keys', 'open', ...ring, '--epoch', '0', '--out', path('keys.json'));
	await run('keys', 'create', '--unsealed', '--quiet', '--keyring', path('lab.json'));
	const answers = async (count: string, ...flags: string[]) =>
		(await run('generate', '--json', '--count', count, '--max-tokens', '112', ...flags))
			.trimEnd()
			.split('\n')
			.map((line) => {
				const { prompt, text } = JSON.parse(line) as { prompt: string; text: string };
				return { prompt, text };
			});
	const put = (name: string, rows: readonly object[]) =>
		writeFileSync(path(name), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
	put('rival.jsonl', await answers('16', ...ring, '--seed', 'rival'));
	const elsewhere = ['--keyring', path('elsewhere.json')];
	await run('keys', 'create', '--unsealed', '--quiet', ...elsewhere);
	await run('keys', 'commit', ...elsewhere, '--log', path('elsewhere'));
	put('other.jsonl', await answers('6', ...elsewhere, '--seed', 'other'));
	// First of all a pair of an account that nobody suspects, and two with one text, which no test counts.
	const left = ['c0', 'r0', 'r1'];
	const pairs = [...left, ...Array.from({ length: 60 }, (_, i) => `p${i}`)];
	put(
		'pairs.jsonl',
		pairs.map((id) => ({
			...{ id, account: id === 'c0' ? 'zed' : 'ada', prompt: `q ${id}` },
			...{ a: id.startsWith('r') ? 'again' : `one ${id}`, b: `two ${id}`, receipt: id },
		})),
	);
	put(
		'scores.jsonl',
		pairs.map((id, i) => ({ id, a: i % 2 === 0 ? 2 + i : 1, b: i % 2 === 0 ? 1 : 2 + i })),
	);
	put(
		'coins.jsonl',
		pairs.map((id, i) => ({ id, served: i % 2 === 0 ? 'a' : 'b' })),
	);
	const plan = {
		title: 'Two suspects',
		suspects: [
			{ name: 'rival', released: '2099-01-01T00:00:00Z' },
			{ name: 'other', released: '2099-01-01T00:00:00Z' },
		],
		tests: [
			{
				suspect: 'rival',
				command: 'radioactivity',
				args: ['--suspect', { file: 'rival.jsonl' }, '--held-out-keys', '19', '--hypotheses', '1000'],
			},
			{
				suspect: 'other',
				command: 'radioactivity',
				args: [
					...[
						'--suspect',
						{ file: 'other.jsonl', prefix: 'other=' },
						{ file: 'rival.jsonl', prefix: 'rival=' },
					],
					...['--held-out-keys', '19'],
				],
			},
			{ suspect: 'rival', command: 'detect', args: [{ file: 'rival.jsonl' }] },
			{
				suspect: 'rival',
				command: 'exposure',
				args: [
					'--pairs',
					{ file: 'pairs.jsonl' },
					'--scores',
					{ file: 'scores.jsonl' },
					'--coins',
					{ file: 'coins.jsonl' },
					'--control-account',
					'zed',
				],
			},
			{ suspect: 'rival', command: 'scan', args: [{ file: 'rival.jsonl' }] },
		],
	};
	writeFileSync(path('plan.json'), JSON.stringify(plan));
	// It runs the tests as processes of the built command line.
	const build = ['evidence', 'build', 'plan.json', ...ring, '--key', 'keys.json', ...log];
	const args = [...build, '--out', 'bundle.json', '--json'];
	const built = JSON.parse(printed(args, await runBuilt(args, { folder }))) as { signers: string[] };
	const head = readFileSync(path('log/heads.jsonl'), 'utf8').trimEnd().split('\n').at(-1) ?? '';
	writeFileSync(
		path('trust.json'),
		JSON.stringify({
			...{ format: 'touchmark-trust', version: 1 },
			signers: [{ name: 'the provider', publicKey: built.signers[0] }],
			logs: [{ name: 'the log', publicKey: (JSON.parse(head) as { publicKey: string }).publicKey }],
			...(authorities === undefined ? {} : { authorities }),
		}),
	);
	return {
		...{ path, run, plan, corpus: folder, keys: path('keys.json'), trust: path('trust.json') },
		bundle: () => readFileSync(path('bundle.json')),
	};
}
