/**
 * `touchmark scan`: which records of a corpus of any size are marked, and is the corpus as a whole?
 *
 * @module
 */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { tokenizerFingerprint } from '../corpus/open-tokenizer.js';
import { badInput } from '../errors.js';
import { MODELS } from '../generate/embedded.js';
import type { ScanResult } from '../scan/corpus-result.js';
import { FILES, scan } from '../scan/engine.js';
import type { PlannedGroup } from '../scan/plan.js';
import { isFinding } from '../verify/test-result.js';
import { type Edge, EXIT, warn } from './edge.js';
import { type ChosenMarks, type MarkFlags, marksFromFlags, ringFromFlags, withKeyFlags } from './marks.js';
import { parseInteger, parseLevel, parseRate } from './numbers.js';
import { progressBar } from './progress.js';
import { type ServedFlags, scanServed } from './scan-served.js';

interface Flags extends Omit<MarkFlags, 'tokenizer'>, Omit<ServedFlags, 'served'> {
	readonly tokenizer?: string[];
	readonly served?: string;
	readonly tokens?: boolean;
	readonly promptField: string;
	readonly workers: number;
	readonly resume?: boolean;
	readonly exact?: boolean;
	readonly flagged?: string;
	readonly servedSample?: string[];
	readonly level: number;
	readonly fdr: number;
	readonly heldOutKeys: number;
}

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
		.option('--tokens', 'records are token ids: one JSON array a line, or a column or field of them')
		.option('--text-field <name>', 'field of a record that holds the text', 'text')
		.option(
			'--prompt-field <name>',
			'field that holds what the author was given; its contexts are not scored',
			'prompt',
		)
		.option(
			'--level <p>',
			'error rate of the verdict on the corpus, corrected for the number of tests',
			parseLevel,
			1e-6,
		)
		.option(
			'--fdr <share>',
			'share of the reported records that may be wrong, on average',
			parseRate('--fdr'),
			0.05,
		)
		.option(
			'--held-out-keys <k>',
			'keys that were never deployed to rank each mark among, on the sample',
			parseInteger('--held-out-keys', 0, 100_000),
			0,
		)
		.option('--tokenizer <paths...>', 'tokenizer.json of each marked model, its folder, or tiktoken:NAME')
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
		)
		.option('--fail-on-detect', 'exit with 3 when something is found');
	withKeyFlags(command).action(async (paths: string[], flags: Flags) => {
		const { served } = flags;
		if (served !== undefined) return scanServed(edge, paths, { ...flags, served }, exit);
		const { tokenizer: _, ...keyFlags } = flags;
		const began = performance.now();
		const chosen = await marksFromFlags(edge, keyFlags);
		let bar: ReturnType<typeof progressBar> | undefined;
		let before = 0;
		let told = 0;
		const result = await scan({
			plan: {
				groups: await groupsOf(chosen, flags),
				fields: { text: flags.textField, prompt: flags.promptField },
			},
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
		if ((isFinding(result.verdict) || (result.flagged ?? 0) > 0) && flags.failOnDetect) exit(EXIT.detected);
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

/** Marks by the tokenizer of their text. @throws TouchmarkError `bad-input` where one is missing */
async function groupsOf(
	{ marks, sources, searchBits }: ChosenMarks,
	{ tokens, tokenizer = [] }: Flags,
): Promise<PlannedGroup[]> {
	const planned = marks.map((mark, i) => ({
		fingerprint: mark.spec.tokenizer,
		mark: { source: sources[i], searchBits: searchBits(mark) },
	}));
	if (tokens) return [{ tokenizer: null, marks: planned.map(({ mark }) => mark) }];
	const given = new Map<string, string>();
	for (const path of tokenizer) given.set(await tokenizerFingerprint(path), path);
	const embedded = join(MODELS, 'teacher');
	given.set(await tokenizerFingerprint(embedded), embedded);
	const groups = new Map<string, PlannedGroup & { marks: PlannedGroup['marks'][number][] }>();
	for (const { fingerprint, mark } of planned) {
		const only = fingerprint === null && tokenizer.length === 1 ? tokenizer[0] : undefined;
		const path = only ?? (fingerprint === null ? undefined : given.get(fingerprint));
		if (path === undefined)
			throw badInput(
				fingerprint === null
					? 'give --tokenizer PATH, one: the marks do not say which they were made for (or --tokens with token ids)'
					: `give --tokenizer PATH: none that was given has the fingerprint ${fingerprint.slice(0, 16)}… that a mark was made for (or --tokens with token ids)`,
			);
		const group = groups.get(path) ?? { tokenizer: path, marks: [] };
		group.marks.push(mark);
		groups.set(path, group);
	}
	return [...groups.values()];
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
