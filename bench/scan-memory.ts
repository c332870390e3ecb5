/**
 * Memory and speed of a scan on corpora of three sizes.
 *
 * @module
 */
import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench, Row } from './rows.js';
import { makeTextCorpus } from './scan-corpus.js';
import { MB, scanned, withRing } from './scan-runs.js';

export const bench: Bench = {
	about:
		'`touchmark scan` on two cores with both default marks (llama3_1; quick: the embedded vocabulary) of corpora of 100 MB, 1 GB and ' +
		'10 GB of JSONL text: peak resident size of the process, and speed. One run each.',
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
			const sizes = quick ? [2, 4, 8] : [100, 1000, 10_000];
			const measured: { size: number; rss: number; speed: number }[] = [];
			for (const size of sizes) {
				const path = join(folder, 'sized.jsonl');
				makeTextCorpus(path, size * MB, `size-${size}`);
				const result = scanned(2, [path, ...flags]);
				measured.push({
					size,
					rss: result.peakRssBytes / 2 ** 20,
					speed: statSync(path).size / MB / result.seconds,
				});
				rmSync(path);
				notes.push(
					`${size} MB: ${Math.round(result.seconds)} s, ${Math.round(result.peakRssBytes / 2 ** 20)} MiB.`,
				);
			}
			const nameOf = (size: number) => (size >= 1000 ? `${size / 1000}GB` : `${size}MB`);
			const [small, middle, large] = measured;
			for (const { size, rss } of [middle, large])
				row(`memory@${nameOf(size)}`, rss, small.rss, `memory@${nameOf(small.size)}`, 'MiB', true);
			row(`memory@${nameOf(large.size)}-limit`, large.rss, 1e9 / 2 ** 20, 'goal: 1 GB', 'MiB', true);
			row(
				`throughput@${nameOf(large.size)}`,
				large.speed,
				middle.speed,
				`throughput@${nameOf(middle.size)}`,
				'MB/s',
			);

			return { rows, notes };
		}),
};
