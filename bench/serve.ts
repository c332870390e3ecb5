/**
 * `serve`: the detection service under load, and its memory over time.
 *
 * @module
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import autocannon from 'autocannon';
import { loadTokenizer } from '../src/corpus/load-tokenizer.js';
import { newApiKey, writeApiKeys } from '../src/server/api-keys.js';
import { bookTexts } from './book-texts.js';
import type { Bench, Row } from './rows.js';
import { withRing } from './scan-runs.js';

/** Tokens of a text, texts, and connections that each ask again as soon as they are answered. */
const TOKENS = 300;
const TEXTS = 500;
const CONNECTIONS = 8;

/** The service in a process of its own, on as many cores as the bench has. */
async function startService(args: readonly string[]) {
	const pinned = spawnSync('taskset', ['--version']).status === 0;
	const command = [
		process.execPath,
		'dist/cli/main.js',
		'serve',
		...args,
		'--port',
		'0',
		'--json',
		'--quiet',
	];
	const [file, ...rest] = pinned ? ['taskset', '-c', '0,1', ...command] : command;
	const child = spawn(file, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
	const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
	const { url } = JSON.parse(line) as { url: string };
	return {
		url,
		/** A metric without labels. */
		async metric(name: string): Promise<number> {
			const text = await (await fetch(`${url}/metrics`)).text();
			return Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1]);
		},
		async stop(): Promise<void> {
			const ended = once(child, 'exit');
			child.kill('SIGTERM');
			const [code] = await ended;
			if (code !== 0) throw new Error(`the service ended with ${code}`);
		},
	};
}

export const bench: Bench = {
	about:
		'`touchmark serve` on two cores, which the load generator (autocannon, in the same machine) shares, with both default marks (llama3_1; quick: the ' +
		`embedded vocabulary) and an audit log: ${CONNECTIONS} connections that send texts of ${TOKENS} tokens as fast as they are answered, ` +
		`${TEXTS} different ones from novels, for ten minutes (quick: seconds). \`detections\`: answers a second. \`p99\`: of the time to an answer in the same run. \`memory\`: ` +
		'mean resident size of the process in the last tenth of the time, beside that in the second tenth.',
	run: ({ quick }) =>
		withRing(quick, async ({ folder, tokenizer, keyring }) => {
			const seconds = quick ? 10 : 600;
			const apiKeys = join(folder, 'api-keys.json');
			const { secret, key } = newApiKey('bench', {
				perDay: 1e9,
				perSecond: 1e6,
				burst: 1e6,
				detail: 'coarse',
			});
			writeApiKeys(apiKeys, [key]);
			const texts = bookTexts(loadTokenizer(tokenizer), TOKENS, TEXTS);
			const requests = texts.map((text) => ({ body: JSON.stringify({ text }) }));
			const service = await startService([
				...['--keyring', keyring, '--tokenizer', tokenizer, '--api-keys', apiKeys],
				...['--audit', join(folder, 'audit.jsonl')],
			]);
			const load = (duration: number) => {
				let clients = 0;
				return autocannon({
					url: `${service.url}/v1/detect`,
					method: 'POST',
					headers: { 'content-type': 'application/json', authorization: `Bearer ${secret}` },
					connections: CONNECTIONS,
					duration,
					requests,
					setupClient(client) {
						// Each begins elsewhere: no two ask the same at once.
						const from = (clients++ * 61) % requests.length;
						client.setRequests([...requests.slice(from), ...requests.slice(0, from)]);
					},
				});
			};
			await load(quick ? 2 : 10);
			const resident: number[] = [];
			const sampling = setInterval(async () => {
				resident.push((await service.metric('process_resident_memory_bytes')) / 2 ** 20);
			}, seconds * 10);
			const result = await load(seconds);
			clearInterval(sampling);
			const [inThread, detections] = [
				await service.metric('touchmark_detection_seconds_sum'),
				await service.metric('touchmark_detection_seconds_count'),
			];
			await service.stop();
			const { errors, timeouts, non2xx, latency } = result;
			if (errors + timeouts + non2xx > 0)
				throw new Error(`${errors} errors, ${timeouts} timeouts, ${non2xx} refusals`);
			const rate = result['2xx'] / result.duration;
			const tenth = Math.floor(resident.length / 10);
			const mean = (values: readonly number[]) => values.reduce((sum, one) => sum + one, 0) / values.length;
			const early = mean(resident.slice(tenth, 2 * tenth));
			const late = mean(resident.slice(-tenth));
			const rows: Row[] = [
				{ case: 'detections', ours: rate, peer: 500, peerName: 'goal', unit: 'a second', ratio: rate / 500 },
				{
					case: 'p99',
					ours: latency.p99,
					peer: 50,
					peerName: 'goal',
					unit: 'ms',
					ratio: 50 / Math.max(1, latency.p99),
				},
				{
					case: 'memory',
					ours: late,
					peer: early,
					peerName: 'the second tenth of the time',
					unit: 'MiB',
					ratio: early / late,
				},
			];
			const tenths = Array.from({ length: 10 }, (_, i) => mean(resident.slice(i * tenth, (i + 1) * tenth)));
			return {
				rows,
				notes: [
					`${result['2xx']} answers in ${Math.round(result.duration)} s, none refused; time to an answer: median ${latency.p50} ms, p99 ${latency.p99} ms, p99.9 ${latency.p99_9} ms, longest ${latency.max} ms.`,
					`In its thread a detection took ${((1000 * inThread) / detections).toFixed(2)} ms on average.`,
					`Resident size by tenths of the time: ${tenths.map((one) => Math.round(one)).join(', ')} MiB.`,
				],
			};
		}),
};
