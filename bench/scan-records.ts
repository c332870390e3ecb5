/**
 * A scan at the scale of the case: 16 million records, none of which is stored.
 *
 * @module
 */
import { spawn } from 'node:child_process';
import type { Bench } from './rows.js';
import { type Scanned, scanned, withRing } from './scan-runs.js';

/** Short records by the million, none of which is stored. */
async function manyRecords(keyring: string, tokenizer: string, records: number): Promise<Scanned> {
	const shards = 64;
	const child = spawn(
		process.execPath,
		['--import', 'tsx', 'bench/scan-server.ts', String(shards), String(records / shards)],
		{ stdio: ['pipe', 'pipe', 'inherit'] },
	);
	try {
		const port = await new Promise<string>((resolve) =>
			child.stdout.once('data', (data) => resolve(String(data).trim())),
		);
		const paths = Array.from({ length: shards }, (_, i) => `http://127.0.0.1:${port}/${i}.jsonl`);
		return scanned(2, [...paths, '--keyring', keyring, '--tokenizer', tokenizer]);
	} finally {
		child.stdin.end();
	}
}

export const bench: Bench = {
	about:
		'`touchmark scan` of 16 million records of about 53 tokens (llama3_1; quick: 64,000, the embedded vocabulary) with both ' +
		'default marks, on two cores that a second process shares, which makes the records as they are asked for over loopback.',
	run: ({ quick }) =>
		withRing(quick, async ({ tokenizer, keyring }) => {
			const records = quick ? 64_000 : 16_000_000;
			const many = await manyRecords(keyring, tokenizer, records);
			const perRecord = many.tokens / many.records;
			const speed = many.tokens / many.seconds;
			const hours = (records * 500) / speed / 3600;
			return {
				rows: [
					{
						case: 'records',
						ours: many.records / many.seconds,
						peer: records / 3600,
						peerName: 'one hour for all',
						unit: 'records/s',
						ratio: (many.records / many.seconds / records) * 3600,
					},
				],
				notes: [
					`${many.records.toLocaleString('en')} records of ${perRecord.toFixed(1)} tokens in ${Math.round(many.seconds)} s, ` +
						`${Math.round(many.peakRssBytes / 2 ** 20)} MiB. At the same ${Math.round(speed).toLocaleString('en')} tokens a second, ` +
						`records of 500 tokens would take ${hours.toFixed(1)} hours.`,
				],
			};
		}),
};
