/**
 * Round trips: text by other systems under configurations out of our key ring, found by `touchmark detect`; and text
 * marked by us, found by their detectors.
 *
 * @module
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMarker } from '../src/embed/marker.js';
import { randomStream } from '../src/embed/random.js';
import { HfConfig, hfMark } from '../src/marks/hf-config.js';
import type { Mark } from '../src/marks/mark.js';
import { VllmConfig, vllmMark } from '../src/marks/vllm-config.js';
import { type Bench, median, type Row } from './rows.js';

const V = 2048;
const TOKENS = 800;
const TEXTS = 5;

const FLEETS = [
	{ kind: 'vllm', target: '--vllm' },
	{ kind: 'vllm-dual', target: '--vllm' },
	{ kind: 'hf-kgw', target: '--hf' },
	{ kind: 'hf-selfhash', target: '--hf' },
	{ kind: 'hf-synthid', target: '--hf' },
] as const;

/** Texts marked by our embed session over random logits. */
function ours(mark: Mark): number[][] {
	const random = randomStream('interop');
	const marker = createMarker({ marks: [mark], vocabSize: V, unkeyedShare: 0 });
	return Array.from({ length: TEXTS }, (_, i) => {
		const generation = marker.start({ seed: `interop/${i}` });
		for (let step = 0; step < TOKENS; step++)
			marker.step(
				[generation],
				// A few likely tokens and a long tail, as a model has.
				Float32Array.from({ length: V }, () => -2 * Math.log(1 - random.next())),
			);
		return [...generation.tokens];
	});
}

export const bench: Bench = {
	about:
		`Round trips on ${TEXTS} texts of ${TOKENS} tokens, vocabulary ${V}, random logits. \`found by us\`: written by transformers or ` +
		'vLLM under a configuration that `touchmark keys export` wrote, found by `touchmark detect --keyring` (median and largest log10 p). ' +
		"`found by them`: written by our embed session, found by upstream's own detector. Peer: the goal, log10 p of −20 or the z of 9.3 that it corresponds to.",
	async run({ peers }) {
		if (peers === undefined) throw new Error('give --peers PYTHON: see bench/peers/README.md');
		const folder = mkdtempSync(join(tmpdir(), 'touchmark-interop-'));
		const path = (name: string) => join(folder, name);
		const ring = path('ring.json');
		const touchmark = (...args: string[]) =>
			execFileSync('node', ['dist/cli/main.js', ...args, '--keyring', ring], {
				encoding: 'utf8',
				stdio: ['ignore', 'pipe', 'ignore'],
			});
		const python = (script: string, ...args: string[]) =>
			execFileSync(peers, [`bench/peers/${script}`, ...args], {
				encoding: 'utf8',
				stdio: ['ignore', 'pipe', 'ignore'],
			});
		const lines = (text: string) =>
			text
				.trimEnd()
				.split('\n')
				.map((line) => JSON.parse(line) as Record<string, number | null>);
		touchmark('keys', 'create', '--unsealed');
		const rows: Row[] = [];
		const notes: string[] = [];
		for (const { kind, target } of FLEETS) {
			const added = JSON.parse(
				touchmark(
					'keys',
					'add',
					'--for',
					kind,
					...(kind.startsWith('hf-') ? ['--vocab-size', String(V)] : []),
					'--json',
				)
					.trimEnd()
					.split('\n')
					.at(-1) ?? '',
			) as { id: string };
			touchmark('keys', 'commit', '--log', path('keys.log'));
			const config = path(`${kind}.json`);
			touchmark('keys', 'export', target, '--mark', added.id, '--out', config);
			const written = path(`${kind}.jsonl`);
			python(
				'generate.py',
				target,
				config,
				'--out',
				written,
				'--count',
				String(TEXTS),
				'--tokens',
				String(TOKENS),
				'--vocab-size',
				String(V),
			);
			const found = lines(touchmark('detect', '--tokens', written, '--json')).map(
				(result) => result.log10P as number,
			);
			const add = (name: string, value: number, peer: number, peerName: string, unit: string) =>
				rows.push({ case: name, ours: value, peer, peerName, unit, ratio: value / peer });
			add(`${kind} found by us, median`, median(found), -20, 'goal', 'log10 p');
			add(`${kind} found by us, weakest`, Math.max(...found), -20, 'goal', 'log10 p');

			const json = JSON.parse(readFileSync(config, 'utf8')) as object;
			// A detector has no model to take the vocabulary from.
			const known = path(`${kind}-known.json`);
			writeFileSync(
				known,
				JSON.stringify(kind === 'hf-kgw' || kind === 'hf-selfhash' ? { ...json, vocab_size: V } : json),
			);
			const mark =
				target === '--hf'
					? hfMark(HfConfig.parse(JSON.parse(readFileSync(known, 'utf8'))))
					: vllmMark(VllmConfig.parse(json));
			const marked = path(`${kind}-ours.jsonl`);
			writeFileSync(
				marked,
				`${ours(mark)
					.map((text) => JSON.stringify(text))
					.join('\n')}\n`,
			);
			const said = lines(python('detect.py', target, known, marked));
			notes.push(`${kind}, upstream's own words on the first of our texts: \`${JSON.stringify(said[0])}\``);
			for (const key of ['z', 'zUnique', 'zScore', 'log10P', 'mean'])
				if (key in said[0]) {
					// Upstream's p-value underflows to 0 below 1e-308, which JSON has no logarithm for.
					const values = said.map((one) => one[key] ?? -308);
					const weakest = key === 'log10P' ? Math.max(...values) : Math.min(...values);
					// Of a mean over n-grams and 30 layers, its z.
					const z = 2 * (weakest - 0.5) * Math.sqrt((TOKENS - 4) * 30);
					if (key === 'mean') add(`${kind} found by them, weakest z of the mean`, z, 9.3, 'goal', 'z');
					else if (key === 'log10P') add(`${kind} found by them, weakest`, weakest, -20, 'goal', 'log10 p');
					else add(`${kind} found by them, weakest ${key}`, weakest, 9.3, 'goal', 'z');
				}
		}
		return { rows, notes };
	},
};
