/**
 * What every command shares: where output goes, how files are written, which exit code means what.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import { TouchmarkError } from '../errors.js';

/** The outside of a run; a test gives its own. */
export interface Edge {
	out(text: string): void;
	err(text: string): void;
	readonly env: Readonly<Record<string, string | undefined>>;
	/** Progress bars are shown only on a terminal. */
	readonly terminal: boolean;
}

/** Exit codes (see `touchmark --help`). */
export const EXIT = { ran: 0, failed: 1, badInput: 2, detected: 3 } as const;

/** Writes a file so that it is either whole or not there. `mode` 0600 for secrets. */
export function writeWhole(path: string, data: string, mode = 0o644): void {
	const temporary = `${path}.${randomBytes(4).toString('hex')}.tmp`;
	try {
		writeFileSync(temporary, data, { mode });
		renameSync(temporary, path);
	} catch (error) {
		const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
		throw new TouchmarkError('failed', `${path}: cannot be written${code}`, { cause: error });
	}
}

/** Options that every command has. */
export interface CommonOptions {
	readonly json?: boolean;
	readonly quiet?: boolean;
}

/** A warning on standard error, unless `--quiet`. */
export function warn(edge: Edge, options: CommonOptions, text: string): void {
	if (!options.quiet) edge.err(`warning: ${text}\n`);
}
