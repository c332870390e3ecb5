/**
 * Writing files.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import { TouchmarkError } from './errors.js';

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
