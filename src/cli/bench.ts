/**
 * `touchmark bench`: how fast does a scan run here, in how much memory, and what does it find of records that were planted?
 *
 * @module
 */
import { mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { BenchmarkResult, BenchmarkRun } from '../benchmark/benchmark-result.js';
import { renderBenchmark } from '../benchmark/page.js';
import { MOST_PLANTED, runBenchmark } from '../benchmark/run-benchmark.js';
import { writeWhole } from '../output.js';
import { VERSION } from '../version.js';
import { type CommonOptions, type Edge, warn } from './edge.js';
import { parseInteger, parseLevel, parseRate } from './numbers.js';
import { progressBar } from './progress.js';
import { tableText } from './table-text.js';

interface Flags extends CommonOptions {
	readonly share: number;
	readonly records: number;
	readonly seeds: number;
	readonly seed: string;
	readonly workers: number;
	readonly level: number;
	readonly fdr: number;
	readonly strict?: boolean;
	readonly textField: string;
	readonly promptField: string;
	readonly out: string;
}

const FILES = { result: 'bench.json', page: 'bench.html' } as const;
/** Problems that are told one by one. */
const TOLD = 20;

/** Adds the command. */
export function addBench(program: Command, edge: Edge): void {
	program
		.command('bench')
		.description(
			'plant marked records in a corpus and scan it: throughput, memory, what is found and what is wrong. Text is read with the embedded tokenizer',
		)
		.argument('[paths...]', 'the corpus, as `touchmark scan` reads it; without one, a corpus is made up')
		.option(
			'--share <share>',
			`planted records, as a share of the corpus; at most ${MOST_PLANTED} are planted`,
			parseRate('--share'),
			0.005,
		)
		.option(
			'--records <n>',
			'records of a corpus that is made up',
			parseInteger('--records', 1, 100_000_000),
			20_000,
		)
		.option(
			'--seeds <k>',
			'times that records are planted, each under keys of their own',
			parseInteger('--seeds', 1, 1000),
			3,
		)
		.option('--seed <text>', 'makes keys and texts', 'touchmark')
		.option('--workers <n>', 'threads of a scan', parseInteger('--workers', 1, 256), availableParallelism())
		.option('--level <p>', 'error rate of the verdict on the corpus', parseLevel, 1e-6)
		.option(
			'--fdr <share>',
			'share of the reported records that may be wrong, on average',
			parseRate('--fdr'),
			0.05,
		)
		.option('--strict', 'what cannot be read ends the benchmark; otherwise it is counted and named')
		.option('--text-field <name>', 'field of a record that holds the text', 'text')
		.option('--prompt-field <name>', 'field that holds what the author was given', 'prompt')
		.option('--out <folder>', 'where to write the page and the results', 'touchmark-bench')
		.action(async (paths: string[], flags: Flags) => {
			const began = performance.now();
			// Each scan meets the same problems.
			const told = new Set<string>();
			const { strict = false, textField: text, promptField: prompt, out, ...rest } = flags;
			mkdirSync(out, { recursive: true });
			const result = await runBenchmark(
				{ ...rest, paths, strict, fields: { text, prompt } },
				{
					stage: (label, total) => progressBar(edge, flags, label, total),
					warn(message) {
						if (told.has(message) || told.size >= TOLD) return;
						told.add(message);
						warn(edge, flags, message);
					},
				},
			);
			const seconds = (performance.now() - began) / 1000;
			const generatedAt = new Date().toISOString();
			writeWhole(join(out, FILES.result), `${JSON.stringify(result)}\n`);
			writeWhole(join(out, FILES.page), renderBenchmark({ result, version: VERSION, generatedAt, seconds }));
			edge.out(flags.json ? `${JSON.stringify(result)}\n` : describe(result, seconds, out));
		});
}

const COLUMNS = [
	'seed',
	'planted',
	'found',
	'wrong',
	'tokens/s',
	'records/s',
	'MiB',
	'log10 p',
	'log10 E',
	'marked ≥',
	'share ≥',
	'planted share',
];

function describe(result: BenchmarkResult, seconds: number, out: string): string {
	const { runs, all, power, fdr, made } = result;
	const whole = (value: number) => Math.round(value).toLocaleString('en');
	const row = (run: BenchmarkRun) => [
		run.seed,
		String(run.planted),
		String(run.found),
		String(run.falsePositives),
		whole(run.tokensPerSecond),
		whole(run.recordsPerSecond),
		whole(run.peakRssBytes / 2 ** 20),
		run.log10P.toFixed(1),
		run.log10E.toFixed(1),
		String(run.markedAtLeast),
		run.shareLower95.toFixed(4),
		run.plantedShare.toFixed(4),
	];
	const together = [
		'all',
		String(all.planted),
		String(all.found),
		String(all.falsePositives),
		whole(all.tokensPerSecond),
		whole(all.recordsPerSecond),
		whole(all.peakRssBytes / 2 ** 20),
		...['', '', '', '', ''],
	];
	const [{ records, tokens }] = runs;
	const classes = power
		.filter(({ planted }) => planted > 0)
		.map(({ from, to, planted, found }) => `${from} to ${to} tokens: ${found} of ${planted}`);
	return (
		`${whole(records)} records${made ? ', made up' : ''}, ${whole(tokens)} tokens of the embedded tokenizer; each scan is a process of its own\n\n` +
		`${tableText([COLUMNS, ...runs.map(row), together], [0])}\n\n` +
		`Found, by length: ${classes.join('; ')}.\n` +
		`Of the reported records ${(100 * all.falseDiscoveryRate).toFixed(1)} % are wrong on average; ${100 * fdr} % may be.\n` +
		`The lower bound of marked records held in ${all.markedAtLeastHeld} of ${runs.length} scans, that of the share in ${all.shareLower95Held}; 95 % of scans is what they promise.\n` +
		`${seconds.toFixed(0)} s. Page: ${join(out, FILES.page)}  Results: ${join(out, FILES.result)}\n`
	);
}
