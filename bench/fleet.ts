/**
 * What a mark costs the hosts that serve models from Python: `integrations/python` in transformers and in vLLM's sampler.
 *
 * @module
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { smollm2Logits, widened } from './real-logits.js';
import type { Bench } from './rows.js';

const V = 128_256;

interface Measured {
	readonly versions: Readonly<Record<string, string>>;
	readonly rows: readonly { case: string; ours: number; peer: number; peerName: string }[];
}

export const bench: Bench = {
	about:
		'From logits to ids, on one core, all contenders of a case in turn in one process, medians. Logits of SmolLM2, widened to 128,256. ' +
		'Ours: the three layers of a new ring (shape, choice, account), every request with an account; it samples by temperature, top-k and ' +
		'top-p too. `full`: temperature 1, whole distribution; `top50`: top-k 50, top-p 0.95; after @, requests in the batch. transformers: ' +
		'the processors, softmax and multinomial of `generate`; kgw is its default (lefthash), SynthID has 30 layers. ' +
		'vLLM: `Sampler.forward` with and without our processor, beside the path that its own watermark takes on a CPU.',
	async run({ quick, peers }) {
		if (peers === undefined)
			throw new Error('give --peers PYTHON: see bench/peers/README.md and integrations/python/README.md');
		const folder = mkdtempSync(join(tmpdir(), 'touchmark-fleet-'));
		const path = (name: string) => join(folder, name);
		const touchmark = (...args: string[]) =>
			execFileSync('node', ['dist/cli/main.js', ...args, '--keyring', path('ring.json')], {
				encoding: 'utf8',
				stdio: ['ignore', 'pipe', 'ignore'],
			});
		const accounts = ['--accounts', path('accounts.jsonl')];
		touchmark('keys', 'create', '--unsealed', '--account-layer');
		touchmark('keys', 'open', '--epoch', '0', '--out', path('marks.json'));
		touchmark('accounts', 'add', 'someone', ...accounts);
		const { account } = JSON.parse(touchmark('accounts', 'export', ...accounts)) as { account: string };
		const rows = smollm2Logits().map((row) => widened(row, V));
		writeFileSync(path('logits.f32'), Buffer.concat(rows.map((row) => Buffer.from(row.buffer))));
		writeFileSync(
			path('plan.json'),
			JSON.stringify({
				marks: path('marks.json'),
				account,
				logits: path('logits.f32'),
				vocabulary: V,
				batches: quick ? [1] : [1, 8, 32],
				repeats: quick ? 3 : 5,
			}),
		);
		const measured = JSON.parse(
			execFileSync(peers, ['bench/peers/fleet.py', path('plan.json')], {
				encoding: 'utf8',
				stdio: ['ignore', 'pipe', 'inherit'],
				maxBuffer: 1 << 26,
			}),
		) as Measured;
		return {
			rows: measured.rows.map((row) => ({
				...row,
				ours: 1e6 * row.ours,
				peer: 1e6 * row.peer,
				unit: 'µs/step',
				ratio: row.peer / row.ours,
			})),
			notes: [
				`${Object.entries(measured.versions)
					.map(([name, version]) => `${name} ${version}`)
					.join(', ')}, one thread.`,
				'`its call alone` is the bias without the draw, beside our whole step with it; of a step with SynthID the draw is a twentieth or less.',
				"vLLM's own watermark draws with a fused kernel on a GPU; its sampler for that does not run on a CPU. Its row here leaves out contexts and deduplication.",
				'With top-k and top-p vLLM sorts whole rows on a CPU, and a row with one token left sooner (2 ms instead of 11): hence ours below `without a mark`.',
			],
		};
	},
};
