/**
 * How fast a corpus is scanned, in how much memory, beside tokenization alone and beside detectors in Python.
 *
 * @module
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
	closeSync,
	createReadStream,
	existsSync,
	mkdtempSync,
	openSync,
	rmSync,
	statSync,
	writeFileSync,
	writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { loadTokenizer } from '../src/corpus/load-tokenizer.js';
import { createKeyring } from '../src/keys/keyring.js';
import { defaultMarks } from '../src/marks/defaults.js';
import { type Bench, median, type Row } from './rows.js';
import { makeTextCorpus } from './scan-corpus.js';
import { peerScan } from './scan-peers.js';
import { tokenizerFile } from './tokenizers/vocabularies.js';

const MB = 1e6;

/** What a scan says of itself. */
interface Scanned {
	readonly records: number;
	readonly tokens: number;
	readonly seconds: number;
	readonly peakRssBytes: number;
	readonly stateDigest: string;
}

/** On so many cores: the process is held to them. */
function onCores(cores: number, command: string[]): string {
	const pinned = spawnSync('taskset', ['--version']).status === 0;
	const [file, ...args] = pinned
		? ['taskset', '-c', cores === 1 ? '0' : `0-${cores - 1}`, ...command]
		: command;
	return execFileSync(file, args, { encoding: 'utf8', maxBuffer: 2 ** 28 });
}

function scanned(cores: number, args: string[]): Scanned {
	const command = [process.execPath, 'dist/cli/main.js', 'scan', ...args, '--workers', String(cores)];
	return JSON.parse(onCores(cores, [...command, '--json', '--quiet'])) as Scanned;
}

function alone(cores: number, corpus: string, tokenizer: string): { seconds: number; tokens: number } {
	const command = [process.execPath, 'bench/scan-alone.mjs', corpus, tokenizer, String(cores)];
	return JSON.parse(onCores(cores, command)) as { seconds: number; tokens: number };
}

/** Copies of the corpus as token ids, an array a line; ids of each are moved on, so that windows are others. */
async function writeTokens(corpus: string, path: string, tokenizer: string, copies: number): Promise<void> {
	const { encode, vocabSize } = loadTokenizer(tokenizer);
	const file = openSync(path, 'w');
	for await (const line of createInterface({ input: createReadStream(corpus) })) {
		const ids = encode((JSON.parse(line) as { text: string }).text);
		for (let copy = 0; copy < copies; copy++)
			writeSync(file, `${JSON.stringify(ids.map((id) => (id + 7919 * copy) % vocabSize))}\n`);
	}
	closeSync(file);
}

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

const PEERS = ['transformers-kgw', 'transformers-synthid', 'vllm-gumbel'] as const;

export const bench: Bench = {
	about:
		'`touchmark scan` as a whole process, start included, with both default marks and a real vocabulary (llama3_1; ' +
		'quick: the embedded one). `jsonl-2-cores`: from JSONL text on two cores, beside a process that reads and tokenizes ' +
		'the same corpus on two cores with the same code and does nothing else. `2-cores`: the same scan held to one core. ' +
		'`tokens-2-cores`: from token ids, four copies of the corpus with other ids. Medians of interleaved runs on 300 MB. `memory@…`, `throughput@…`: peak resident ' +
		'size and speed on corpora of three sizes, one run each. `records@16M`: 16 million records of about 30 tokens that a ' +
		'second process makes as they are asked for, on the same two cores. `python-…`: detectors with a pool of two processes ' +
		'over the same JSONL, text in, without their start.',
	async run({ quick, peers }) {
		const folder = mkdtempSync(join(tmpdir(), 'touchmark-scan-bench-'));
		try {
			const tokenizer = tokenizerFile(quick ? 'embedded' : 'llama3_1');
			const keyring = join(folder, 'ring.json');
			const ring = createKeyring({ unsealed: true }, new Uint8Array(32).fill(9));
			for (const template of defaultMarks('bench', loadTokenizer(tokenizer).fingerprint)) ring.add(template);
			writeFileSync(keyring, JSON.stringify(ring.toFile()));
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

			const text = join(folder, 'text.jsonl');
			const { bytes } = makeTextCorpus(text, (quick ? 10 : 300) * MB, 'speed');
			const ids = join(folder, 'tokens.jsonl');
			const copies = quick ? 1 : 4;
			await writeTokens(text, ids, tokenizer, copies);
			const repeats = quick ? 1 : 3;
			const times: Record<'two' | 'one' | 'alone' | 'tokens', number[]> = {
				two: [],
				one: [],
				alone: [],
				tokens: [],
			};
			let tokens = 0;
			for (let i = 0; i < repeats; i++) {
				const whole = scanned(2, [text, ...flags]);
				tokens = whole.tokens;
				times.two.push(whole.seconds);
				times.alone.push(alone(2, text, tokenizer).seconds);
				times.tokens.push(scanned(2, [ids, '--tokens', '--keyring', keyring]).seconds);
				times.one.push(scanned(1, [text, ...flags]).seconds);
			}
			const rate = (name: keyof typeof times) => tokens / median(times[name]);
			row('jsonl-2-cores', rate('two'), rate('alone'), 'tokenize-only', 'tokens/s');
			row('2-cores', rate('two'), rate('one'), '1-core', 'tokens/s');
			row('tokens-2-cores', copies * rate('tokens'), 15 * MB, 'goal', 'tokens/s');
			notes.push(
				`Corpus of ${Math.round(bytes / MB)} MB, ${tokens.toLocaleString('en')} tokens. Seconds: ${JSON.stringify(times)}.`,
			);

			if (peers !== undefined) {
				for (const detector of PEERS) {
					const of = await peerScan({
						...{ python: peers, detector, corpus: text, tokenizer },
						bytes: (quick ? 0.2 : 3) * MB,
					});
					row(
						`python-${detector}`,
						rate('two'),
						of.tokens / of.seconds,
						`${detector}, 2 processes`,
						'tokens/s',
					);
					notes.push(`${detector}: ${JSON.stringify(of.versions)}.`);
				}
			}

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

			const records = quick ? 64_000 : 16_000_000;
			const many = await manyRecords(keyring, tokenizer, records);
			const perRecord = many.tokens / many.records;
			const hours = (records * 500) / rate('two') / 3600;
			row('records@16M', many.records / many.seconds, records / 3600, 'one hour for all', 'records/s');
			notes.push(
				`${many.records.toLocaleString('en')} records of ${perRecord.toFixed(1)} tokens in ${Math.round(many.seconds)} s, ` +
					`${Math.round(many.peakRssBytes / 2 ** 20)} MiB. At the speed of \`jsonl-2-cores\` records of 500 tokens would take ${hours.toFixed(2)} hours.`,
			);
			return { rows, notes };
		} finally {
			if (existsSync(folder)) rmSync(folder, { recursive: true });
		}
	},
};
