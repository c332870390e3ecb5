/**
 * One process at a time.
 *
 * @module
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { badInput } from './errors.js';

/** Locks of this process. */
const held = new Set<string>();

/**
 * Takes a lock: a file that holds the number of the process. What a killed process left is taken over.
 *
 * @param path of the lock
 * @param holder what another one does that holds it, such as `another process writes this log`
 * @returns gives the lock back
 * @throws TouchmarkError `bad-input` when it is held already
 */
export function lockFile(path: string, holder: string): () => void {
	const name = resolve(path);
	try {
		if (existsSync(path) && !held.has(name) && !isRunning(Number(readFileSync(path, 'utf8')))) rmSync(path);
		writeFileSync(path, String(process.pid), { flag: 'wx' });
	} catch (error) {
		const code = error instanceof Error && 'code' in error ? String(error.code) : '';
		if (code === 'EEXIST')
			throw badInput(`${path}: ${holder}; wait for it (or delete this file, if none does)`, error);
		throw badInput(`${path}: cannot be written (${code})`, error);
	}
	held.add(name);
	return () => {
		rmSync(path, { force: true });
		held.delete(name);
	};
}

function isRunning(pid: number): boolean {
	// Our own number, where we hold no lock, was given again: in a container a new process often has the old one's.
	if (!Number.isSafeInteger(pid) || pid < 1 || pid === process.pid) return false;
	try {
		process.kill(pid, 0);
		return true;
	} catch (error) {
		return error instanceof Error && 'code' in error && error.code === 'EPERM';
	}
}
