/**
 * Writing files.
 *
 * @module
 */
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { TouchmarkError } from './errors.js';

/** Writes a file so that it is either whole or not there. `mode` 0600 for secrets. */
export function writeWhole(path: string, data: string, mode = 0o644): void {
	writePieces(path, [data], mode);
}

/** {@link writeWhole} for files that need not fit into one string; pieces are taken one by one. */
export function writePieces(path: string, pieces: Iterable<string | Uint8Array>, mode = 0o644): void {
	const { temporary, writing, finish } = newFile(path);
	writing(() => {
		const file = openSync(temporary, 'w', mode);
		try {
			for (const piece of pieces) writeFileSync(file, piece);
		} finally {
			closeSync(file);
		}
	});
	finish();
}

/** {@link writePieces} for pieces that take time to come. An error of whoever makes them is passed on. */
export async function writePiecesAsTheyCome(path: string, pieces: AsyncIterable<string>): Promise<void> {
	const { temporary, writing, finish } = newFile(path);
	const file = writing(() => openSync(temporary, 'w', 0o644));
	try {
		for await (const piece of pieces) writing(() => writeFileSync(file, piece));
	} finally {
		closeSync(file);
	}
	finish();
}

/** A file that is written under a temporary name. */
export interface NewFile {
	readonly temporary: string;
	/** Does some of the writing. @throws TouchmarkError `failed` when that fails */
	writing<T>(work: () => T): T;
	/** Gives the file its name. */
	finish(): void;
}

/** Begins a file that is either whole or not there, whoever writes it. */
export function newFile(path: string): NewFile {
	const temporary = `${path}.${randomBytes(4).toString('hex')}.tmp`;
	function writing<T>(work: () => T): T {
		try {
			return work();
		} catch (error) {
			if (existsSync(temporary)) rmSync(temporary);
			const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
			throw new TouchmarkError('failed', `${path}: cannot be written${code}`, { cause: error });
		}
	}
	return { temporary, writing, finish: () => writing(() => renameSync(temporary, path)) };
}

/** Writes (`w`) or appends (`a`) to a file; it is on disk when this returns. New files are their owner's only. */
export function writeDurably(path: string, data: string, flags: 'a' | 'w'): void {
	const file = openSync(path, flags, 0o600);
	try {
		writeFileSync(file, data);
		fsyncSync(file);
	} finally {
		closeSync(file);
	}
}

/** Makes sure that names of new and renamed files survive a loss of power. */
export function syncFolder(folder: string): void {
	const handle = openSync(folder, 'r');
	try {
		fsyncSync(handle);
	} finally {
		closeSync(handle);
	}
}
