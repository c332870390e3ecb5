/**
 * Reading and tokenizing alone, on as many threads as a scan and with its own readers: what a scan is measured against.
 * `scan-alone.mjs CORPUS TOKENIZER THREADS`; prints {"seconds","tokens"}.
 *
 * @module
 */
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

const { openTokenizer, planShards, readShard } = await import(
	new URL('../dist/corpus/index.js', import.meta.url).href
);

const FIELDS = { text: 'text', prompt: 'prompt' };

if (isMainThread) {
	const begun = performance.now();
	const [corpus, tokenizer, threads] = process.argv.slice(2);
	const shards = await planShards([corpus]);
	let tokens = 0;
	await Promise.all(
		Array.from({ length: Number(threads) }, () => {
			const worker = new Worker(fileURLToPath(import.meta.url), { workerData: tokenizer });
			return new Promise((resolve, reject) => {
				worker.on('error', reject);
				worker.on('message', (count) => {
					tokens += count;
					const next = shards.shift();
					worker.postMessage(next ?? null);
					if (next === undefined) resolve();
				});
			});
		}),
	);
	const { maxRSS, userCPUTime } = process.resourceUsage();
	console.log(
		JSON.stringify({ seconds: (performance.now() - begun) / 1000, tokens, maxRSS, cpu: userCPUTime / 1e6 }),
	);
	process.exit(0);
} else {
	const { encode } = await openTokenizer(workerData);
	parentPort?.on('message', async (shard) => {
		if (shard === null) return;
		let tokens = 0;
		for await (const batch of readShard(shard, FIELDS))
			for (const { text } of batch) tokens += encode(text).length;
		parentPort?.postMessage(tokens);
	});
	parentPort?.postMessage(0);
}
