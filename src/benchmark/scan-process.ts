/**
 * One scan in a process of its own, so that its time and its memory are its own. Talks to the process that forked it.
 *
 * @module
 */
import { scan } from '../scan/engine.js';
import type { FromScan, ScanOrder } from './run-scan.js';

// Whoever asked is gone, or has the answer.
process.on('disconnect', () => process.exit());
process.once('message', (order) => {
	const evidence: { record: string; log10E: number }[] = [];
	const say = (what: FromScan) => process.send?.(what);
	scan({
		...(order as ScanOrder),
		progress: (bytes, of) => say({ kind: 'progress', bytes, of }),
		problem: (message) => say({ kind: 'problem', message }),
		evidence: ({ record }, log10E) => evidence.push({ record, log10E }),
	})
		.then((result) => {
			// Time counts from the start of the process.
			const seconds = performance.now() / 1000;
			say({
				kind: 'done',
				result,
				evidence,
				seconds,
				peakRssBytes: process.resourceUsage().maxRSS * 1024,
			});
		})
		.catch((error: Error) => say({ kind: 'failed', message: error.message, code: codeOf(error) }))
		.finally(() => process.disconnect());
});

function codeOf(error: Error): string | null {
	return 'code' in error && typeof error.code === 'string' ? error.code : null;
}
