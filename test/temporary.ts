/**
 * Everything that tests write to the system's temporary folder goes into one of its own, which is removed at the end.
 *
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export default function setup(): () => void {
	const folder = mkdtempSync(join(tmpdir(), 'touchmark-tests-'));
	process.env.TMPDIR = folder;
	return () => rmSync(folder, { recursive: true, force: true });
}
