/** The real server on loopback, as a process of its own; everything that it says is kept. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { createMarker } from '../../src/embed/marker.js';
import {
	embeddedModel,
	embeddedPrompts,
	embeddedTokenizer,
	PROMPT_TOKENS,
} from '../../src/generate/embedded.js';
import { sampleTexts } from '../../src/generate/sample.js';
import { createKeyring, type Keyring } from '../../src/keys/keyring.js';
import { defaultMarks } from '../../src/marks/defaults.js';
import { MAIN } from '../cli/built-cli.js';
import { newFolder, runCli } from '../cli/run-cli.js';

export const tokenizer = embeddedTokenizer();

/** What came back, and in which words. */
export interface Reply {
	readonly status: number;
	readonly headers: Headers;
	readonly text: string;
	/** Undefined where it is not JSON. */
	readonly json: unknown;
}

/** Everything that servers of this file have sent, printed or written. */
export const seen: string[] = [];

/** A ring with both default marks, committed. @param master the secret, known to the test */
export function ringOf(master: Uint8Array): Keyring {
	const ring = createKeyring({ unsealed: true }, master);
	for (const template of defaultMarks('serve', tokenizer.fingerprint))
		ring.recordLogged(ring.add(template), {
			index: ring.marks.length - 1,
			time: '2026-01-01T00:00:00Z',
			leaf: '0'.repeat(64),
		});
	return ring;
}

/** Texts of the embedded teacher. @param ring null: unmarked */
export function textsOf(ring: Keyring | null, count: number, seed: string): string[] {
	const model = embeddedModel('teacher');
	const samples = sampleTexts({
		model,
		tokenizer,
		marker: createMarker({
			marks: ring === null ? [] : ring.marks.map((spec) => ring.bind(spec, 'embed')),
			vocabSize: model.vocabSize,
			specialTokens: tokenizer.specialTokens,
		}),
		prompts: embeddedPrompts().slice(0, count),
		maxTokens: model.maxLength - PROMPT_TOKENS,
		seed,
	});
	return [...samples].map(({ text }) => text);
}

/** A folder with a ring and a file of API keys. */
export async function serverFolder(ring: Keyring) {
	const folder = newFolder();
	const paths = {
		ring: `${folder}/ring.json`,
		apiKeys: `${folder}/api-keys.json`,
		audit: `${folder}/audit.jsonl`,
	};
	writeFileSync(paths.ring, JSON.stringify(ring.toFile()), { mode: 0o600 });
	/** Makes a key. */
	const newKey = async (name: string, ...flags: string[]): Promise<string> => {
		const { code, out } = await runCli([
			'api-keys',
			'add',
			name,
			'--api-keys',
			paths.apiKeys,
			'--json',
			...flags,
		]);
		if (code !== 0) throw new Error(`api-keys add ended with ${code}`);
		return JSON.parse(out).secret;
	};
	return { ...paths, newKey };
}

function headerLines(headers: Headers): string {
	const lines: string[] = [];
	headers.forEach((value, name) => {
		lines.push(`${name}: ${value}`);
	});
	return lines.join('\n');
}

/** A running server. */
export interface Running {
	readonly url: string;
	readonly child: ChildProcess;
	/** What it printed on standard error. */
	readonly stderr: () => string;
	/** Asks for a verdict. */
	detect(key: string | undefined, body: unknown, headers?: Record<string, string>): Promise<Reply>;
	get(path: string, init?: RequestInit): Promise<Reply>;
	/** Sends bytes as they are, and gives what came back when the connection ended. */
	raw(bytes: string, localAddress?: string): Promise<string>;
	/** Stops it. @returns the exit code */
	stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Starts one. */
export async function startServer(
	paths: { readonly ring: string; readonly apiKeys: string; readonly audit: string },
	...flags: string[]
): Promise<Running> {
	const child = spawn(
		process.execPath,
		[
			...[MAIN, 'serve', '--keyring', paths.ring, '--api-keys', paths.apiKeys, '--audit', paths.audit],
			...['--port', '0', '--json', ...flags],
		],
		{ stdio: ['ignore', 'pipe', 'pipe'] },
	);
	let stderr = '';
	child.stderr.setEncoding('latin1').on('data', (text: string) => {
		stderr += text;
		seen.push(text);
	});
	const lines = createInterface({ input: child.stdout });
	lines.on('line', (line) => seen.push(line));
	const [first] = (await Promise.race([once(lines, 'line'), once(child, 'exit')])) as [string];
	if (typeof first !== 'string') throw new Error(`the server ended: ${stderr}`);
	const { url } = JSON.parse(first) as { url: string };
	async function get(path: string, init: RequestInit = {}): Promise<Reply> {
		const response = await fetch(url + path, init);
		const text = Buffer.from(await response.arrayBuffer()).toString('latin1');
		seen.push(text, headerLines(response.headers));
		let json: unknown;
		try {
			json = JSON.parse(text);
		} catch {
			json = undefined;
		}
		return { status: response.status, headers: response.headers, text, json };
	}
	return {
		url,
		child,
		stderr: () => stderr,
		get,
		detect: (key, body, headers = {}) =>
			get('/v1/detect', {
				method: 'POST',
				headers: {
					'Content-Type': 'application/json',
					...(key === undefined ? {} : { Authorization: `Bearer ${key}` }),
					...headers,
				},
				body: typeof body === 'string' ? body : JSON.stringify(body),
			}),
		raw(bytes, localAddress) {
			const { hostname, port } = new URL(url);
			const socket = connect({
				host: hostname,
				port: Number(port),
				...(localAddress === undefined ? {} : { localAddress }),
			});
			let text = '';
			socket.setEncoding('latin1').on('data', (part: string) => {
				text += part;
			});
			socket.on('error', () => undefined);
			socket.write(bytes);
			return new Promise((resolve) => {
				socket.once('close', () => {
					seen.push(text);
					resolve(text);
				});
			});
		},
		async stop(signal = 'SIGTERM') {
			if (child.exitCode !== null) return child.exitCode;
			const ended = once(child, 'exit');
			child.kill(signal);
			return (await ended)[0];
		},
	};
}
