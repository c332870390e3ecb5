/**
 * How fast a corpus is scanned beside tokenization alone and beside detectors in Python.
 *
 * @module
 */
import { closeSync, createReadStream, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { loadTokenizer } from '../src/corpus/load-tokenizer.js';
import { type Bench, median, type Row } from './rows.js';
import { makeTextCorpus } from './scan-corpus.js';
import { peerScan } from './scan-peers.js';
import { MB, onCores, scanned, withRing } from './scan-runs.js';

function alone(cores: number, corpus: string, tokenizer: string): { seconds: number; tokens: number } {
	const command = [process.execPath, 'bench/scan-alone.mjs', corpus, tokenizer, String(cores)];
	return JSON.parse(onCores(cores, command)) as { seconds: number; tokens: number };
}

/** The corpus as token ids, an array a line. */
async function writeTokens(corpus: string, path: string, tokenizer: string): Promise<void> {
	const { encode } = loadTokenizer(tokenizer);
	const file = openSync(path, 'w');
	for await (const line of createInterface({ input: createReadStream(corpus) }))
		writeSync(file, `${JSON.stringify(encode((JSON.parse(line) as { text: string }).text))}\n`);
	closeSync(file);
}

/** Detectors in Python, and how much of the corpus each is given: some take minutes for a megabyte. */
const PEERS = [
	{ detector: 'none', megabytes: 30, name: 'Hugging Face tokenizers (Rust) alone' },
	{ detector: 'transformers-kgw', megabytes: 0.5, name: 'transformers-kgw' },
	{ detector: 'transformers-synthid', megabytes: 3, name: 'transformers-synthid' },
	{ detector: 'vllm-gumbel', megabytes: 3, name: 'vllm-gumbel' },
] as const;

export const bench: Bench = {
	about:
		'`touchmark scan` as a whole process, start included, with both default marks and a real vocabulary (llama3_1; ' +
		'quick: the embedded one). `jsonl-2-cores`: from JSONL text on two cores, beside a process that reads and tokenizes ' +
		'the same corpus on two cores with the same code and does nothing else. `2-cores`: the same scan held to one core; ' +
		'`tokenize-2-cores`: tokenization alone on both and on one, which is what this machine allows. ' +
		'`tokens-2-cores`: the same corpus from token ids. On 1 GB, two rounds, each there and back: medians of ' +
		'speeds, and for the first three rows the medians of each round’s own ratio, since a machine may be faster in one round than in the next. ' +
		'`python-…`: detectors with a pool of two processes ' +
		'over the same JSONL, text in, without their start; `python-none` only tokenizes.',
	run: ({ quick, peers }) =>
		withRing(quick, async ({ folder, tokenizer, keyring }) => {
			const flags = ['--keyring', keyring, '--tokenizer', tokenizer];
			const rows: Row[] = [];
			const notes: string[] = [];
			const row = (name: string, ours: number, peer: number, peerName: string) =>
				rows.push({ case: name, ours, peer, peerName, unit: 'tokens/s', ratio: ours / peer });

			const text = join(folder, 'text.jsonl');
			const { bytes } = makeTextCorpus(text, (quick ? 10 : 1000) * MB, 'speed');
			const ids = join(folder, 'tokens.jsonl');
			await writeTokens(text, ids, tokenizer);
			// First, since they are what may be missing.
			const python: { readonly detector: string; readonly name: string; readonly speed: number }[] = [];
			for (const { detector, megabytes, name } of peers === undefined ? [] : PEERS) {
				const of = await peerScan({
					...{ python: peers ?? '', detector, corpus: text, tokenizer },
					bytes: (quick ? 0.2 : megabytes) * MB,
				});
				python.push({ detector, name, speed: of.tokens / of.seconds });
				notes.push(`${name}: ${JSON.stringify(of.versions)}.`);
			}
			let tokens = 0;
			// In the order in which they run: those that are compared stand near each other.
			const runs = {
				tokens: () => scanned(2, [ids, '--tokens', '--keyring', keyring]).seconds,
				two: () => {
					const whole = scanned(2, [text, ...flags]);
					tokens = whole.tokens;
					return whole.seconds;
				},
				alone: () => alone(2, text, tokenizer).seconds,
				one: () => scanned(1, [text, ...flags]).seconds,
				aloneOne: () => alone(1, text, tokenizer).seconds,
			};
			type Name = keyof typeof runs;
			const names = Object.keys(runs) as Name[];
			const times: Record<Name, number[]> = { tokens: [], two: [], alone: [], one: [], aloneOne: [] };
			// There and back, so that a machine that grows slower or faster meanwhile does so to all alike.
			for (let round = 0; round < (quick ? 1 : 2); round++)
				for (const name of [...names, ...names.toReversed()]) times[name].push(runs[name]());
			const rate = (name: Name) => tokens / median(times[name]);
			/** Seconds of both runs of each round. */
			const rounds = (name: Name) =>
				times[name].flatMap((seconds, i) => (i % 2 === 0 ? [seconds + times[name][i + 1]] : []));
			const compare = (name: string, ours: Name, peer: Name, peerName: string) => {
				const own = rounds(ours);
				rows.push({
					...{ case: name, ours: rate(ours), peer: rate(peer), peerName, unit: 'tokens/s' },
					ratio: median(rounds(peer).map((seconds, round) => seconds / own[round])),
				});
			};
			compare('jsonl-2-cores', 'two', 'alone', 'tokenize-only');
			compare('2-cores', 'two', 'one', '1-core');
			compare('tokenize-2-cores', 'alone', 'aloneOne', 'tokenize-only, 1-core');
			row('tokens-2-cores', rate('tokens'), 15 * MB, 'goal');
			notes.push(
				`Corpus of ${Math.round(bytes / MB)} MB, ${tokens.toLocaleString('en')} tokens. Seconds: ${JSON.stringify(times)}.`,
			);

			for (const { detector, name, speed } of python)
				row(`python-${detector}`, rate('two'), speed, `${name}, 2 processes`);
			return { rows, notes };
		}),
};
