/**
 * `touchmark keys`: create a key ring, commit its keys to a log, list its marks.
 *
 * @module
 */

import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { loadTokenizer } from '../corpus/tokenizer.js';
import { badInput } from '../errors.js';
import { embeddedTokenizer } from '../generate/embedded.js';
import { createKeyring, type Keyring } from '../keys/keyring.js';
import { commitMarks } from '../ledger/log.js';
import { defaultMarks } from '../marks/defaults.js';
import { markId } from '../marks/mark-spec.js';
import { writeWhole } from '../output.js';
import { type CommonOptions, type Edge, warn } from './edge.js';
import { ringFromFlags } from './marks.js';
import { passphraseSource } from './passphrase.js';

interface RingFlags extends CommonOptions {
	readonly keyring: string;
	readonly passphraseCommand?: string;
}

/** Saves a ring; its file is readable by its owner only. */
export function saveRing(path: string, ring: Keyring): void {
	writeWhole(path, `${JSON.stringify(ring.toFile(), null, 1)}\n`, 0o600);
}

/** Adds the commands. */
export function addKeys(program: Command, edge: Edge): void {
	const keys = program.command('keys').description('key ring: create, commit, list');
	const ringCommand = (name: string, description: string) =>
		keys
			.command(name)
			.description(description)
			.requiredOption('--keyring <file>', 'the key ring')
			.option('--passphrase-command <command>', 'prints the passphrase of a sealed key ring');

	ringCommand('create', 'a new key ring with a shape and a choice mark for one deployment')
		.option('--deployment <name>', 'name of the deployment', 'default')
		.option('--tokenizer <path>', "tokenizer.json of the model to be marked (default: the embedded model's)")
		.option('--unsealed', 'no passphrase: the secret lies in the file in plain form (tests and trials only)')
		.action(async (flags: RingFlags & { deployment: string; tokenizer?: string; unsealed?: boolean }) => {
			if (existsSync(flags.keyring))
				throw badInput(`${flags.keyring}: exists already; key rings are never overwritten`);
			const tokenizer = flags.tokenizer === undefined ? embeddedTokenizer() : loadTokenizer(flags.tokenizer);
			const passphrase = passphraseSource(edge, flags.passphraseCommand);
			const ring = createKeyring(flags.unsealed ? { unsealed: true } : { passphrase: await passphrase() });
			for (const template of defaultMarks(flags.deployment, tokenizer.fingerprint)) ring.add(template);
			saveRing(flags.keyring, ring);
			if (flags.unsealed)
				warn(edge, flags, `${flags.keyring}: the secret is not sealed; use it for trials only`);
			report(ring, flags);
		});

	ringCommand('commit', 'log the commitment of every key that is in no log yet; do this before first use')
		.requiredOption('--log <file>', 'the append-only log')
		.action(async (flags: RingFlags & { log: string }) => {
			const ring = await ringFromFlags(edge, flags);
			commitMarks(flags.log, ring);
			saveRing(flags.keyring, ring);
			report(ring, flags);
		});

	ringCommand('list', 'the marks of a key ring').action(async (flags: RingFlags) => {
		report(await ringFromFlags(edge, flags), flags);
	});

	function report(ring: Keyring, flags: CommonOptions): void {
		for (const spec of ring.marks) {
			const row = { id: markId(spec), spec, logged: ring.logged(spec) };
			const { scheme, channel, contextWidth, layer, deployment, epoch } = spec;
			edge.out(
				flags.json
					? `${JSON.stringify(row)}\n`
					: `${row.id.slice(0, 16)}  ${channel.padEnd(6)}  ${scheme.name.padEnd(6)}  width ${contextWidth}  ${deployment}/${layer} epoch ${epoch}  ` +
							`${row.logged === null ? 'not committed' : `committed ${row.logged.time}`}\n`,
			);
		}
	}
}
