/**
 * A scan on all cores of one machine, from files to a result. Memory does not grow with the corpus, and the result does not
 * depend on the number of threads, on interruptions or on the order of events.
 *
 * @module
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, extname, join } from 'node:path';
import { z } from 'zod';
import { isUrl } from '../corpus/byte-source.js';
import { readJsonLines } from '../corpus/documents.js';
import { planShards, type Shard } from '../corpus/shards.js';
import { badInput } from '../errors.js';
import { checked, parseJson } from '../input.js';
import type { Keyring } from '../keys/keyring.js';
import { writePieces, writePiecesAsTheyCome, writeWhole } from '../output.js';
import { type ResultOptions, resultOfState, type ScanResult } from './corpus-result.js';
import {
	type CandidatesOf,
	decideAll,
	type FlaggedOfShard,
	flaggedRecords,
	jsonLines,
	type PlacedCandidate,
} from './judge-candidates.js';
import { bindPlan, describePlan, digestOf } from './plan.js';
import { type RunOptions, runShards } from './run-shards.js';
import { estimateShare, scoreServed } from './served-sample.js';
import { isByIds } from './shard-records.js';
import type { Candidate } from './shard-scan.js';
import { newSpills, tallySpills } from './spill.js';
import { type ShardRow, signState, stateOf, stateText, totalsOf } from './state.js';
import { newJudge } from './verdicts.js';
import { filesOf, openWorkFolder } from './work-folder.js';
import type { ShardFindings } from './worker.js';

/** What is scanned, and how. */
export interface ScanOptions extends RunOptions, Omit<ResultOptions, 'verdicts' | 'tallies'> {
	readonly paths: readonly string[];
	/** Text that is known to be innocent: what is common in it is not scored for a record. */
	readonly background?: readonly string[];
	/** Text that the provider is known to have served, under the same marks: says what marked text scores. */
	readonly servedSample?: readonly string[];
	/** Where results are written; without it, nowhere. */
	readonly out?: string;
	/** File for the records that are reported too: Parquet (`.parquet`) or JSONL (`.jsonl`, `.ndjson`). */
	readonly flagged?: string;
	/** Goes on with what an earlier run left in `out`. */
	readonly resume?: boolean;
	/** Signs the state. */
	readonly signer?: Pick<Keyring, 'publicKey' | 'sign'>;
	/** Is told of what cannot be read. */
	problem?(message: string): void;
	/** Is told the evidence of each record that has some, log₁₀ of its e-value; all others have e = 0. */
	evidence?(record: Pick<Candidate, 'record' | 'part'>, log10E: number): void;
}

/** Files in `out`. */
export const FILES = {
	state: 'state.json',
	result: 'result.json',
	flagged: 'flagged.jsonl',
	skipped: 'skipped.jsonl',
	work: 'work',
} as const;

/** Share of windows taken for common by mistake that nobody is told of. */
const MOST_CROWDING = 0.05;

/** Scans. @throws TouchmarkError `bad-input` */
export async function scan(options: ScanOptions): Promise<ScanResult> {
	const {
		plan,
		paths,
		background = [],
		out,
		resume = false,
		strict = false,
		exact = false,
		servedSample,
		flagged,
		problem,
	} = options;
	if (flagged !== undefined && !FLAGGED_ENDINGS.has(extname(flagged)))
		throw badInput(`${flagged}: must end in ${[...FLAGGED_ENDINGS].join(', ')}, which says what is written`);
	if (flagged !== undefined && !existsSync(dirname(flagged)))
		throw badInput(`${flagged}: cannot be written; its folder does not exist`);
	const groups = await bindPlan(plan, false);
	/** A served sample is no part of the corpus. */
	const told = strict ? undefined : (error: Error) => problem?.(error.message);
	const unreadable = new Set<string>();
	const broken = strict ? undefined : (error: Error) => unreadable.add(error.message);
	const shards = await planShards(paths, broken);
	// What is missing of a background is named too, but it is no part of the corpus.
	const missing = new Set<string>();
	const innocent =
		background.length === 0
			? []
			: await planShards(background, strict ? undefined : (error) => missing.add(error.message));
	const served = servedSample === undefined ? [] : await planShards(servedSample, told);
	if (shards.length === 0 && unreadable.size === 0)
		throw badInput(`${paths.join(', ')}: holds nothing to scan; give files, folders or patterns`);
	for (const message of [...missing, ...unreadable]) problem?.(message);
	const description = describePlan(groups, plan.countCells);
	const { fields } = plan;
	const changed = [...innocent, ...shards].map(({ path }) => changedAt(path));
	const digest = digestOf({
		description,
		fields,
		byIds: isByIds(plan),
		strict,
		exact,
		shards,
		innocent,
		changed,
	});
	const resultDigest = digestOf({
		...{ digest, level: options.level, fdr: options.fdr, heldOutKeys: options.heldOutKeys ?? 0 },
		searchBits: groups.map(({ marks }) => marks.map(({ searchBits }) => searchBits)),
		served: served.map((shard) => ({ ...shard, changed: changedAt(shard.path) })),
	});
	if (out !== undefined && existsSync(join(out, FILES.result))) {
		const before = finished(out, resultDigest, resume);
		if (flagged !== undefined) await writeFlagged(flagged, flaggedBefore(join(out, FILES.flagged)));
		return before;
	}
	const folder = out === undefined ? mkdtempSync(join(tmpdir(), 'touchmark-scan-')) : join(out, FILES.work);
	const work = openWorkFolder(folder, digest, resume);
	try {
		// Those that are only counted come first, in the numbering.
		const all = [...innocent, ...shards];
		const { samples, counts } = await runShards(
			options,
			groups,
			all,
			innocent.length,
			work,
			out !== undefined,
		);
		const files = filesOf(folder);
		const found = all.map((_, i): ShardFindings => {
			// The sample that is in the file too is not kept: there may be very many shards.
			const { totals, skipped, named, spilled } = JSON.parse(readFileSync(files.found(i), 'utf8'));
			return { totals, skipped, named, spilled };
		});
		const rows = shards.map(({ id }, i): ShardRow => {
			const { totals, skipped } = found[innocent.length + i];
			return { id, ...totals, skipped };
		});
		for (const message of unreadable) rows.push({ id: `unreadable: ${message}`, ...NOTHING, skipped: 1 });
		const unsigned = stateOf(
			description,
			rows,
			samples.map((sample) => sample.windows()),
		);
		const state = options.signer === undefined ? unsigned : signState(unsigned, options.signer);
		const crowding = counts.crowding();
		if (crowding > MOST_CROWDING)
			problem?.(
				`the corpus is so large that ${Math.round(100 * crowding)} % of windows are taken for common ones and not scored for a record; to miss fewer records, give more --count-memory, or scan it in parts`,
			);
		const judge = newJudge(groups, counts.isCommon);
		const candidates: CandidatesOf = () => candidatesOf(shards, innocent.length, folder);
		const totals = totalsOf(unsigned);
		const verdicts = await decideAll(judge, candidates, totals, options.fdr, options.evidence);
		const tallies = new Map(
			(exact ? newSpills(groups) : []).map(({ mark }, i) => [
				mark.id,
				tallySpills(
					found.flatMap(({ spilled }, number) =>
						Array.from({ length: spilled[i] }, (_, piece) => files.pairs(number, i, piece)),
					),
				),
			]),
		);
		const tested = resultOfState(state, groups, { ...options, verdicts, tallies });
		const estimate =
			servedSample === undefined ? null : estimateShare(tested.tests, await scoreServed(plan, served, told));
		if (estimate !== null && 'problem' in estimate) problem?.(estimate.problem);
		const result =
			estimate !== null && 'share' in estimate ? { ...tested, shareEstimate: estimate.share } : tested;
		const reported = () => flaggedRecords(judge, candidates, verdicts);
		if (out !== undefined) {
			writeWhole(join(out, FILES.state), stateText(state));
			await writePiecesAsTheyCome(join(out, FILES.flagged), jsonLines(reported()));
			writePieces(join(out, FILES.skipped), [
				...[...missing, ...unreadable].map((message) => `${JSON.stringify({ shard: null, message })}\n`),
				...all.flatMap(({ id }, i) =>
					found[i].named.map((message) => `${JSON.stringify({ shard: id, message })}\n`),
				),
			]);
			writeWhole(join(out, FILES.result), `${JSON.stringify({ digest: resultDigest, ...result })}\n`);
		}
		if (flagged !== undefined) await writeFlagged(flagged, reported());
		for (const { named, skipped } of found) {
			for (const message of named) problem?.(message);
			if (skipped > named.length) problem?.(`… and ${skipped - named.length} more`);
		}
		work.remove();
		return result;
	} catch (error) {
		if (out === undefined) work.remove();
		throw error;
	} finally {
		work.close();
	}
}

const NOTHING = { records: 0, judged: 0, tokens: 0, candidates: 0 };

/** When a file was changed last, in milliseconds; null for a URL. */
function changedAt(path: string): number | null {
	return isUrl(path) ? null : (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? null);
}

/** What a scan that ended before wrote. */
function finished(out: string, digest: string, resume: boolean): ScanResult {
	const path = join(out, FILES.result);
	const { digest: before, ...result } = checked(
		z.looseObject({ digest: z.string() }),
		parseJson(readFileSync(path, 'utf8'), path),
		path,
	);
	if (before !== digest || !resume)
		throw badInput(
			resume
				? `${out}: holds the results of a scan with other marks, files or flags; choose another folder`
				: `${out}: holds the results of a scan already; choose another folder, or give --resume to print them`,
		);
	// It may have been killed between its last two steps.
	rmSync(join(out, FILES.work), { recursive: true, force: true });
	return result as unknown as ScanResult;
}

/** Candidates in the order of shards and records. */
async function* candidatesOf(
	shards: readonly Shard[],
	first: number,
	folder: string,
): AsyncGenerator<PlacedCandidate> {
	for (const [i, { id }] of shards.entries()) {
		const path = filesOf(folder).candidates(first + i);
		if (statSync(path).size === 0) continue;
		for await (const { value } of readJsonLines(path)) yield { shard: id, candidate: value as Candidate };
	}
}

/** Those of a scan that has ended. */
async function* flaggedBefore(path: string): AsyncGenerator<FlaggedOfShard> {
	if (statSync(path).size === 0) return;
	for await (const { value } of readJsonLines(path)) yield value as FlaggedOfShard;
}

/** Endings of a file for reported records. */
const FLAGGED_ENDINGS: ReadonlySet<string> = new Set(['.parquet', '.jsonl', '.ndjson']);

async function writeFlagged(path: string, records: AsyncIterable<FlaggedOfShard>): Promise<void> {
	if (extname(path) === '.parquet') {
		const { writeFlaggedParquet } = await import('./flagged-parquet.js');
		await writeFlaggedParquet(path, records);
	} else await writePiecesAsTheyCome(path, jsonLines(records));
}
