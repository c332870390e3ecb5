/**
 * `touchmark scan`: which records of a corpus of any size are marked, and is the corpus as a whole?
 *
 * @module
 */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import type { Command } from 'commander';
import type { ScanResult } from '../scan/corpus-result.js';
import { scan } from '../scan/engine.js';
import { FILES } from '../scan/scan-files.js';
import { type Edge, EXIT, warn } from './edge.js';
import { ringFromFlags } from './marks.js';
import { parseInteger } from './numbers.js';
import { progressBar } from './progress.js';
import {
	isFoundByScan,
	type PlanFlags,
	planFromFlags,
	withPlanFlags,
	withVerdictFlags,
} from './scan-plan.js';
import { type ServedFlags, scanServed } from './scan-served.js';

interface Flags extends PlanFlags, Omit<ServedFlags, 'served'> {
	readonly served?: string;
	readonly workers: number;
	readonly resume?: boolean;
	readonly exact?: boolean;
	readonly flagged?: string;
	readonly servedSample?: string[];
	readonly level: number;
	readonly fdr: number;
	readonly heldOutKeys: number;
}

/**
 * How much more than what is needed a heap may hold, in percent. Less costs both cores time for collection; 100 took
 * a tenth more memory on 1 GB than on 100 MB.
 */
const HEAP_GROWTH = 80;

/** Problems that are told one by one. */
const TOLD = 20;

/** Adds the command. */
export function addScan(program: Command, edge: Edge, exit: (code: number) => void): void {
	const command = program
		.command('scan')
		.description(
			'which records of a corpus are marked, and is it as a whole? With --served: which hold served answers, nearly word for word?',
		)
		.argument(
			'<paths...>',
			'files, folders, patterns or https addresses: JSONL, JSON, CSV, text, Parquet, also .gz and .zst',
		)
		.option(
			'--out <folder>',
			'where to write the state, the records that are reported, and what was left out',
		)
		.option(
			'--flagged <file>',
			'where to write the records that are reported besides: Parquet (.parquet, a row a record and mark) or JSONL (.jsonl)',
		)
		.option(
			'--served-sample <paths...>',
			'text that you are known to have served under these marks, 1,000 distinct windows at least: what it scores turns the mean score of the corpus into an estimate of its marked share',
		)
		.option('--workers <n>', 'threads', parseInteger('--workers', 1, 256), availableParallelism())
		.option('--resume', 'go on with an interrupted scan of the same --out')
		.option('--strict', 'what cannot be read ends the scan; otherwise it is counted and named')
		.option(
			'--background <paths...>',
			'text that is known not to come from here: what is common in it is not scored for a record (with --served: is no sign of a copy)',
		)
		.option(
			'--exact',
			'the tests of the corpus score all distinct pairs, spilled to disk (16 bytes a mark and pair), not a sample',
		)
		.option(
			'--served <log>',
			'log whose receipts hold fingerprints of what was served; no marks are looked for',
		)
		.option(
			'--salt <files...>',
			'with --served: salts of epochs in place of the ring (`touchmark keys open-salt`)',
		)
		.option(
			'--texts <file>',
			'with --served: served texts that are still held, {"id", "text"} a line, id of the receipt: matches become exhibits',
		)
		.option(
			'--accounts <file>',
			"with --served: accounts, to say whose a matched receipt is; needs the ring's key",
		);
	withVerdictFlags(withPlanFlags(command)).action(async (paths: string[], flags: Flags) => {
		const { served } = flags;
		if (served !== undefined) return scanServed(edge, paths, { ...flags, served }, exit);
		const began = performance.now();
		// Left alone, V8 lets the heap of a thread grow to several times what is needed before it looks for garbage.
		setFlagsFromString(`--heap-growing-percent=${HEAP_GROWTH}`);
		const plan = await planFromFlags(edge, flags);
		let bar: ReturnType<typeof progressBar> | undefined;
		let before = 0;
		let told = 0;
		const result = await scan({
			plan,
			paths,
			...pick(flags),
			...(flags.keyring === undefined ? {} : { signer: await ringFromFlags(edge, flags) }),
			progress(bytes, of) {
				bar ??= progressBar(edge, flags, 'bytes', of);
				bar.add(bytes - before);
				before = bytes;
			},
			problem(message) {
				if (told++ < TOLD) warn(edge, flags, message);
			},
		}).finally(() => bar?.stop());
		if (told > TOLD) warn(edge, flags, `… and ${told - TOLD} more`);
		const seconds = (performance.now() - began) / 1000;
		const peakRssBytes = process.resourceUsage().maxRSS * 1024;
		edge.out(
			flags.json
				? `${JSON.stringify({ ...result, seconds, peakRssBytes })}\n`
				: describe(result, seconds, peakRssBytes, flags.out),
		);
		if (flags.failOnDetect && isFoundByScan(result)) exit(EXIT.detected);
	});
}

function pick(flags: Flags) {
	const { background, out, workers, resume, strict, exact, level, fdr, heldOutKeys } = flags;
	const { flagged, servedSample } = flags;
	return {
		...{ workers, level, fdr, heldOutKeys },
		...(background === undefined ? {} : { background }),
		...(out === undefined ? {} : { out }),
		...(flagged === undefined ? {} : { flagged }),
		...(servedSample === undefined ? {} : { servedSample }),
		...(resume === undefined ? {} : { resume }),
		...(strict === undefined ? {} : { strict }),
		...(exact === undefined ? {} : { exact }),
	};
}

function describe(
	result: ScanResult,
	seconds: number,
	peakRssBytes: number,
	out: string | undefined,
): string {
	const { records, skipped, tokens, scored, log10P, hypotheses, verdict, shareLower95, shareEstimate } =
		result;
	const p = log10P < -3 ? `10^${log10P.toFixed(1)}` : (10 ** log10P).toPrecision(2);
	const estimate =
		shareEstimate === undefined ? '' : `, about ${(100 * shareEstimate).toFixed(1)} % by the served sample`;
	const rate = Math.round(tokens / seconds).toLocaleString('en');
	return (
		`${verdict}: p ≤ ${p}, corrected for ${hypotheses} tests; ${scored.toLocaleString('en')} distinct windows scored, at least ${(100 * shareLower95).toFixed(1)} % of them marked${estimate}\n` +
		`${result.flagged ?? 0} records reported as marked, of which at most ${100 * result.fdr} % are wrong on average; at least ${result.markedAtLeast ?? 0} hold marked text\n` +
		`${records.toLocaleString('en')} records, ${skipped} left out; ${tokens.toLocaleString('en')} tokens in ${seconds.toFixed(1)} s (${rate} a second), ${Math.round(peakRssBytes / 2 ** 20)} MiB\n` +
		(out === undefined ? '' : `  ${join(out, FILES.flagged)}, ${join(out, FILES.state)}\n`)
	);
}
