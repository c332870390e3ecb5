import { defineConfig } from 'tsup';

export default defineConfig({
	// One output file a source file: workers and models are found by their place.
	entry: ['src/**/*.ts', '!src/**/*.d.ts', '!src/*/kernel/**'],
	bundle: false,
	format: 'esm',
	target: 'node20',
	clean: true,
	silent: true,
});
