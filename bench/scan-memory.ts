/**
 * Memory and speed of a scan on corpora of three sizes.
 *
 * @module
 */
import { execFileSync } from 'node:child_process';
import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench, Row } from './rows.js';
import { makeTextCorpus } from './scan-corpus.js';
import { MB, scanned, withRing } from './scan-runs.js';

export const bench: Bench = {
	about:
		'`touchmark scan` on two cores with both default marks (llama3_1; quick: the embedded vocabulary) of corpora of 100 MB, 1 GB and ' +
		"10 GB of JSONL text: peak resident size of the process, and speed. One run each; 1 GB is scanned before and after 10 GB, since the machine's speed drifts, and the mean of both is what 10 GB is held against.",
	run: ({ quick }) =>
		withRing(quick, async ({ folder, tokenizer, keyring }) => {
			const flags = ['--keyring', keyring, '--tokenizer', tokenizer];
			const rows: Row[] = [];
			const notes: string[] = [];
			const row = (name: string, ours: number, other: number, peerName: string, unit: string, less = false) =>
				rows.push({
					case: name,
					ours,
					peer: other,
					peerName,
					unit,
					ratio: less ? other / ours : ours / other,
				});
			const measure = (size: number) => {
				const path = join(folder, 'sized.jsonl');
				makeTextCorpus(path, size * MB, `size-${size}`);
				// What was written goes to disk before the clock runs, not while it does.
				execFileSync('sync');
				const result = scanned(2, [path, ...flags]);
				const rss = result.peakRssBytes / 2 ** 20;
				const speed = statSync(path).size / MB / result.seconds;
				rmSync(path);
				notes.push(
					`${size} MB: ${Math.round(result.seconds)} s, ${speed.toFixed(2)} MB/s, ${Math.round(rss)} MiB.`,
				);
				return { size, rss, speed };
			};
			const nameOf = (size: number) => (size >= 1000 ? `${size / 1000}GB` : `${size}MB`);
			const [first, second, third] = quick ? [2, 4, 8] : [100, 1000, 10_000];
			const small = measure(first);
			const middle = measure(second);
			const large = measure(third);
			const again = measure(second);
			for (const { size, rss } of [middle, large])
				row(`memory@${nameOf(size)}`, rss, small.rss, `memory@${nameOf(small.size)}`, 'MiB', true);
			row(`memory@${nameOf(large.size)}-limit`, large.rss, 1e9 / 2 ** 20, 'goal: 1 GB', 'MiB', true);
			row(
				`throughput@${nameOf(large.size)}`,
				large.speed,
				(middle.speed + again.speed) / 2,
				`throughput@${nameOf(middle.size)}`,
				'MB/s',
			);

			return { rows, notes };
		}),
};
