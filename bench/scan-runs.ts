/**
 * `touchmark scan` as a process of its own, for benches.
 *
 * @module
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadTokenizer } from '../src/corpus/load-tokenizer.js';
import { createKeyring } from '../src/keys/keyring.js';
import { defaultMarks } from '../src/marks/defaults.js';
import { tokenizerFile } from './tokenizers/vocabularies.js';

/** Bytes of a megabyte. */
export const MB = 1e6;

/** What a scan says of itself. */
export interface Scanned {
	readonly records: number;
	readonly tokens: number;
	readonly seconds: number;
	readonly peakRssBytes: number;
	readonly stateDigest: string;
}

/** On so many cores: the process is held to them. */
export function onCores(cores: number, command: string[]): string {
	const pinned = spawnSync('taskset', ['--version']).status === 0;
	const [file, ...args] = pinned
		? ['taskset', '-c', cores === 1 ? '0' : `0-${cores - 1}`, ...command]
		: command;
	return execFileSync(file, args, { encoding: 'utf8', maxBuffer: 2 ** 28 });
}

/** Runs a scan, held to so many cores and as many threads. */
export function scanned(cores: number, args: string[]): Scanned {
	const command = [process.execPath, 'dist/cli/main.js', 'scan', ...args, '--workers', String(cores)];
	return JSON.parse(onCores(cores, [...command, '--json', '--quiet'])) as Scanned;
}

/** A folder that is removed in the end, with a ring of both default marks for a real vocabulary; quick: the embedded one. */
export async function withRing<T>(
	quick: boolean,
	run: (at: { readonly folder: string; readonly tokenizer: string; readonly keyring: string }) => Promise<T>,
): Promise<T> {
	const folder = mkdtempSync(join(tmpdir(), 'touchmark-scan-bench-'));
	try {
		const tokenizer = tokenizerFile(quick ? 'embedded' : 'llama3_1');
		const keyring = join(folder, 'ring.json');
		const ring = createKeyring({ unsealed: true }, new Uint8Array(32).fill(9));
		for (const template of defaultMarks('bench', loadTokenizer(tokenizer).fingerprint)) ring.add(template);
		writeFileSync(keyring, JSON.stringify(ring.toFile()));
		return await run({ folder, tokenizer, keyring });
	} finally {
		rmSync(folder, { recursive: true });
	}
}
