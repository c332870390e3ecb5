/**
 * `touchmark transcript`: is a transcript whole, and who signed it?
 *
 * @module
 */
import type { Command } from 'commander';
import { verifyTranscript } from '../collect/transcript.js';
import { badInput, TouchmarkError } from '../errors.js';
import { checked, parseJson } from '../input.js';
import { KeyringFile } from '../keys/keyring.js';
import type { CommonOptions, Edge } from './edge.js';
import { readText } from './marks.js';

interface Flags extends CommonOptions {
	readonly keyring?: string;
	readonly publicKey?: string;
}

/** Adds the command. */
export function addTranscript(program: Command, edge: Edge): void {
	program
		.command('transcript')
		.description('check a transcript of `collect`: its records, its journal, its signature')
		.argument('<folder>', 'the --out of collect')
		.option('--keyring <file>', 'key ring that must have signed it; it is not opened')
		.option('--public-key <hex>', 'Ed25519 key that must have signed it')
		.action(async (folder: string, flags: Flags) => {
			const wanted = wantedKey(flags);
			const statement = await verifyTranscript(folder);
			const { publicKey, records } = statement;
			if (wanted !== undefined && publicKey !== wanted)
				throw new TouchmarkError(
					'failed',
					`${folder}: is ${publicKey === null ? 'not signed' : `signed by another key, ${publicKey}`}`,
				);
			edge.out(
				flags.json
					? `${JSON.stringify({ valid: true, publicKey, records, statement })}\n`
					: `${records.count} records, root ${records.root}: whole, ${publicKey === null ? 'not signed' : `signed by ${publicKey}`}\n`,
			);
		});
}

function wantedKey({ keyring, publicKey }: Flags): string | undefined {
	if (keyring !== undefined && publicKey !== undefined)
		throw badInput('give one of --keyring FILE, --public-key HEX');
	return keyring === undefined
		? publicKey?.toLowerCase()
		: checked(KeyringFile, parseJson(readText(keyring), keyring), keyring).publicKey;
}
