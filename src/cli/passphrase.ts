/**
 * Where the passphrase of a sealed key ring comes from: a command (a key-management service, a secret
 * store), the environment, or a prompt.
 *
 * @module
 */
import { execFileSync } from 'node:child_process';
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { badInput, TouchmarkError } from '../errors.js';
import type { PassphraseSource } from '../keys/keyring.js';
import type { Edge } from './edge.js';

/** The variable that an unattended fleet may set. */
export const PASSPHRASE_VARIABLE = 'TOUCHMARK_PASSPHRASE';

/**
 * @param command shell command that prints the passphrase (first line)
 * @throws (when asked) TouchmarkError when no source gives one; never quotes what a command printed
 */
export function passphraseSource(edge: Edge, command?: string): PassphraseSource {
	return async () => {
		if (command !== undefined) {
			try {
				const output = execFileSync('/bin/sh', ['-c', command], {
					encoding: 'utf8',
					stdio: ['ignore', 'pipe', 'ignore'],
				});
				return output.split(/\r?\n/)[0];
			} catch (error) {
				const status = (error as { status?: number | null }).status ?? 'a signal';
				throw new TouchmarkError('failed', `the passphrase command ended with ${status}`);
			}
		}
		const fromEnvironment = edge.env[PASSPHRASE_VARIABLE];
		if (fromEnvironment) return fromEnvironment;
		if (!edge.terminal || !process.stdin.isTTY)
			throw badInput(`the key ring is sealed: set ${PASSPHRASE_VARIABLE} or give --passphrase-command`);
		edge.err('Passphrase: ');
		const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
		const prompt = createInterface({ input: process.stdin, output: silent, terminal: true });
		try {
			return await prompt.question('');
		} finally {
			prompt.close();
			edge.err('\n');
		}
	};
}
