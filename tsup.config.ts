import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { defineConfig } from 'tsup';

const lockfile = createHash('sha256').update(readFileSync('package-lock.json')).digest('hex');

export default defineConfig({
	// One output file a source file: workers and models are found by their place.
	entry: ['src/**/*.ts', '!src/**/*.d.ts', '!src/**/kernel/**'],
	bundle: false,
	format: 'esm',
	target: 'node20',
	clean: true,
	silent: true,
	// Evidence says which dependencies computed it.
	define: { TOUCHMARK_LOCKFILE: JSON.stringify(lockfile) },
});
