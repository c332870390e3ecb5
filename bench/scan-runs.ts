/**
 * `touchmark scan` as a process of its own, for benches.
 *
 * @module
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { loadTokenizer } from '../src/corpus/load-tokenizer.js';
import { createKeyring } from '../src/keys/keyring.js';
import { defaultMarks } from '../src/marks/defaults.js';

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

/** Writes a ring with both default marks for a tokenizer. */
export function writeRing(path: string, tokenizer: string): void {
	const ring = createKeyring({ unsealed: true }, new Uint8Array(32).fill(9));
	for (const template of defaultMarks('bench', loadTokenizer(tokenizer).fingerprint)) ring.add(template);
	writeFileSync(path, JSON.stringify(ring.toFile()));
}
