import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { run } from '../../src/cli/run.js';
import { expectNoSecrets } from './secrets.js';

/** What a run printed and how it ended. */
export interface Outcome {
	readonly code: number;
	readonly out: string;
	readonly err: string;
}

/** Runs the command line in this process, not on a terminal. @param input what comes on standard input */
export async function runCli(
	args: readonly string[],
	env: Record<string, string> = {},
	input = '',
): Promise<Outcome> {
	let out = '';
	let err = '';
	const code = await run(args, {
		out: (text) => {
			out += text;
		},
		err: (text) => {
			err += text;
		},
		drained: async () => undefined,
		input: Readable.from(input === '' ? [] : [Buffer.from(input)]),
		env,
		terminal: false,
	});
	expectNoSecrets({ args, printed: [out, err], env });
	return { code, out, err };
}

/** The values of JSON lines. */
export function jsonLines(text: string) {
	return text
		.trimEnd()
		.split('\n')
		.map((line) => JSON.parse(line));
}

/** A new empty folder. */
export function newFolder(): string {
	return mkdtempSync(join(tmpdir(), 'touchmark-'));
}
