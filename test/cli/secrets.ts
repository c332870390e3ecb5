/**
 * Whether a command gave away a secret of the key rings that it was given: on the screen, in a log, in an error or in a file
 * that it wrote. Every command that the tests run in this process or as one of its own is looked at.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect } from 'vitest';
import { openKeyring } from '../../src/keys/keyring.js';

/** Commands whose purpose it is to write a key, into a file of its owner. */
const WRITE_KEYS = /^keys (create|add|commit|rotate|open|open-salt|export)\b/;
/** Flags that name what a command writes. */
const WRITES = new Set(['--out', '--log', '--report', '--flagged', '--graphml', '--save-scores', '--audit']);
/** Larger files are looked at up to here. */
const MOST = 2 ** 24;

/** Master secret, keys and salts of unsealed rings, by the ring's file. */
const known = new Map<string, readonly string[]>();

async function secretsOf(path: string): Promise<readonly string[]> {
	if (!existsSync(path) || !statSync(path).isFile() || statSync(path).size > 2 ** 20) return [];
	const text = readFileSync(path, 'utf8');
	const cached = known.get(text);
	if (cached !== undefined) return cached;
	let secrets: string[] = [];
	try {
		const file = JSON.parse(text) as { secret?: { unsealed?: string } };
		if (file.secret?.unsealed !== undefined) {
			const ring = await openKeyring(file, () => '', path);
			const opened = ring.marks.map((spec) => ring.open(spec));
			secrets = [
				file.secret.unsealed,
				...opened.flatMap(({ key, salt }) => (salt === null ? [key] : [key, salt])),
			];
		}
	} catch {
		// No ring, or one that a test has broken.
	}
	known.set(text, secrets);
	return secrets;
}

function* filesIn(path: string): Generator<string> {
	if (!existsSync(path)) return;
	if (statSync(path).isDirectory()) for (const name of readdirSync(path)) yield* filesIn(join(path, name));
	else yield path;
}

/** Fails the test when a secret is in what a command printed or wrote. @param folder where it ran */
export async function expectNoSecrets(args: readonly string[], printed: string, folder = '.'): Promise<void> {
	if (args.includes('--reveal')) return;
	const secrets = (await Promise.all(args.map((one) => secretsOf(resolve(folder, one))))).flat();
	if (secrets.length === 0) return;
	const texts = [printed];
	if (!WRITE_KEYS.test(args.slice(0, 2).join(' ')))
		for (const [i, flag] of args.entries())
			if (WRITES.has(flag) && i + 1 < args.length)
				// A ring that is given as something else is still a ring.
				for (const path of filesIn(resolve(folder, args[i + 1])))
					if ((await secretsOf(path)).length === 0)
						texts.push(readFileSync(path).subarray(0, MOST).toString('latin1'));
	for (const secret of secrets)
		for (const form of ['hex', 'base64', 'base64url', 'latin1'] as const) {
			const written = Buffer.from(secret, 'hex').toString(form).replace(/=+$/, '');
			const given = texts.some((text) => text.includes(written));
			expect(given, `${args.slice(0, 2).join(' ')} gave away a secret in ${form}`).toBe(false);
		}
}
