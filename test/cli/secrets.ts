/**
 * Whether a command gave away a secret of what it was given: on the screen, in a log, in an error or in a file that it wrote.
 * Every command that the tests run, in this process or as one of its own, is looked at.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { expect } from 'vitest';
import { deriveKey, deriveMarkKey } from '../../src/keys/derive.js';
import { KeyringFile } from '../../src/keys/keyring.js';
import { OpenedMark } from '../../src/keys/opened-mark.js';
import { unseal } from '../../src/keys/sealed.js';

/** Commands whose purpose it is to write a key, into a file of its owner. */
const WRITE_KEYS = /^keys (open|open-salt|export)$/;
/** Flags that name what a command writes. */
const WRITES = new Set([
	...['--out', '--log', '--report', '--records', '--flagged', '--graphml', '--save-scores', '--manifest'],
	...['--audit', '--accounts'],
]);
/** Variables that hold a secret, which the tests give to a command. */
const SECRET_VARIABLE = /KEY|PASSPHRASE/;
/** Shorter secrets could be words. */
const LEAST = 8;
/** Larger files are looked at up to here. */
const MOST = 2 ** 24;

/** What a test knows of a command that it ran. */
export interface CommandSeen {
	readonly args: readonly string[];
	/** What it printed, byte by byte where it was a process (as Latin-1: a key need not be valid UTF-8). */
	readonly printed: readonly string[];
	/** What the test put into its environment. */
	readonly env?: Readonly<Record<string, string>>;
	/** Where it ran. */
	readonly folder?: string;
}

/** How a secret could be written. */
export function formsOf(secret: Uint8Array): string[] {
	const buffer = Buffer.from(secret);
	// Without the last characters, which depend on what follows.
	const whole = Math.floor((8 * buffer.length) / 6);
	return [
		buffer.toString('hex'),
		buffer.toString('hex').toUpperCase(),
		buffer.toString('base64').slice(0, whole),
		buffer.toString('base64url').slice(0, whole),
		buffer.toString('latin1'),
		[...buffer].join(','),
	];
}

/** Everything that follows from the master secret of a ring. */
function secretsOfRing({ secret, marks, arms = [] }: KeyringFile, passphrase: string | undefined) {
	if (!('unsealed' in secret) && passphrase === undefined) return [];
	const master = 'unsealed' in secret ? hexToBytes(secret.unsealed) : unseal(secret.sealed, passphrase ?? '');
	return [
		master,
		deriveKey(master, 'sign', {}),
		...['seal', 'name'].map((use) => deriveKey(master, 'pseudonym', { use })),
		...marks.flatMap(({ spec: { commitment: _, ...template } }) => [
			deriveMarkKey(master, template),
			deriveKey(master, 'commitment-salt', template),
			deriveKey(master, 'fingerprint', { epoch: template.epoch }),
		]),
		...arms.flatMap(({ spec: { commitment: _, ...template } }) => [
			deriveKey(master, 'arm', template),
			deriveKey(master, 'commitment-salt', template),
		]),
	];
}

/** Secrets of files that were read before, by their text. */
const known = new Map<string, readonly Uint8Array[]>();

/** Secrets of a file of keys: a ring, or marks that were opened. None of any other file. */
function secretsOf(path: string, passphrase: string | undefined): readonly Uint8Array[] {
	const found = statSync(path, { throwIfNoEntry: false });
	if (found === undefined || !found.isFile() || found.size > 2 ** 20) return [];
	const text = unlessGone(path, () => readFileSync(path, 'utf8'), '');
	if (!/"touchmark-(keyring|opened-mark)"/.test(text)) return [];
	const key = `${passphrase} ${text}`;
	let secrets = known.get(key);
	if (secrets === undefined) {
		try {
			const file: unknown = JSON.parse(text);
			const ring = KeyringFile.safeParse(file);
			secrets = ring.success
				? secretsOfRing(ring.data, passphrase)
				: OpenedMark.array()
						.parse(Array.isArray(file) ? file : [file])
						.flatMap((mark) => [mark.key, ...(mark.salt === null ? [] : [mark.salt])])
						.map(hexToBytes);
		} catch {
			// One that a test has broken, or a passphrase that is wrong.
			secrets = [];
		}
		known.set(key, secrets);
	}
	return secrets;
}

function* filesIn(path: string): Generator<string> {
	const found = statSync(path, { throwIfNoEntry: false });
	if (found === undefined) return;
	const names = () => readdirSync(path);
	if (found.isDirectory()) for (const name of unlessGone(path, names, [])) yield* filesIn(join(path, name));
	else yield path;
}

/** Reads what another process, which works beside the test, may have removed meanwhile: then nothing. */
function unlessGone<T>(path: string, read: () => T, nothing: T): T {
	try {
		return read();
	} catch (error) {
		if (existsSync(path)) throw error;
		return nothing;
	}
}

/** Fails the test when a secret of its files of keys or of its environment is in what a command printed or wrote. */
export function expectNoSecrets({ args, printed, env = {}, folder = '.' }: CommandSeen): void {
	if (args.includes('--reveal')) return;
	const passphrase = env.TOUCHMARK_PASSPHRASE;
	const written = args.flatMap((flag, i) =>
		WRITES.has(flag) && i + 1 < args.length ? [...filesIn(resolve(folder, args[i + 1]))] : [],
	);
	const secrets = [...args.map((one) => resolve(folder, one)), ...written].flatMap((path) =>
		secretsOf(path, passphrase),
	);
	for (const [name, value] of Object.entries(env))
		if (SECRET_VARIABLE.test(name)) secrets.push(utf8ToBytes(value));
	const texts = [...printed];
	if (!WRITE_KEYS.test(args.slice(0, 2).join(' ')))
		// A file of keys is still one where it is given as something else.
		for (const path of written)
			if (secretsOf(path, passphrase).length === 0)
				texts.push(unlessGone(path, () => readFileSync(path).subarray(0, MOST).toString('latin1'), ''));
	for (const form of secrets.filter(({ length }) => length >= LEAST).flatMap(formsOf))
		for (const text of texts)
			if (text.includes(form)) expect.unreachable(`${args.slice(0, 2).join(' ')} gave away a secret`);
}
