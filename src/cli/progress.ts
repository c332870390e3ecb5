/**
 * Progress on a terminal; nothing in a pipe.
 *
 * @module
 */
import cliProgress from 'cli-progress';
import type { CommonOptions, Edge } from './edge.js';

/** A bar, shown on standard error. */
export interface Bar {
	add(count: number): void;
	stop(): void;
}

/** @param label what is counted */
export function progressBar(edge: Edge, options: CommonOptions, label: string, total: number): Bar {
	if (!edge.terminal || options.quiet) return { add: () => undefined, stop: () => undefined };
	const bar = new cliProgress.SingleBar({
		format: `${label.padEnd(34)} {bar} {value}/{total}  {eta_formatted}`,
		barsize: 24,
		stream: process.stderr,
		hideCursor: true,
	});
	bar.start(total, 0);
	return { add: (count) => bar.increment(count), stop: () => bar.stop() };
}
