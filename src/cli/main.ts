#!/usr/bin/env node
/**
 * The command line.
 *
 * @module
 */
import { once } from 'node:events';
import { run } from './run.js';

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
	// A reader that has seen enough (`| head`) is no failure.
	if (error.code === 'EPIPE') process.exit(0);
	throw error;
});
process.exitCode = await run(process.argv.slice(2), {
	out: (text) => process.stdout.write(text),
	err: (text) => process.stderr.write(text),
	drained: async () => {
		if (process.stdout.writableNeedDrain) await once(process.stdout, 'drain');
	},
	// Opened by who reads it.
	get input() {
		return process.stdin;
	},
	env: process.env,
	terminal: process.stderr.isTTY === true,
});
