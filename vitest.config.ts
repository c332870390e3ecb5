import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
	test: {
		include: ['test/**/*.test.ts'],
		globalSetup: 'test/temporary.ts',
		// A thread begins sooner than a process; the default of one fewer than there are cores is one on two cores.
		pool: 'threads',
		maxWorkers: availableParallelism(),
		testTimeout: 120_000,
		hookTimeout: 180_000,
	},
});
