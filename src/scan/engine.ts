/**
 * A scan on all cores of one machine, from files to a result. Memory does not grow with the corpus, and the result does not
 * depend on the number of threads, on interruptions or on the order of events.
 *
 * @module
 */
import { mkdtempSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readJsonLines } from '../corpus/documents.js';
import type { Shard } from '../corpus/shards.js';
import type { Keyring } from '../keys/keyring.js';
import { type CorpusParts, type CorpusPaths, changedAt, corpusParts } from './corpus-parts.js';
import { type ResultOptions, resultOfState, type ScanResult } from './corpus-result.js';
import type { Counts } from './counting/counts.js';
import { decideAll, type FlaggedOfShard, flaggedRecords, type PlacedCandidate } from './judge-candidates.js';
import { type BoundGroup, bindPlan, describePlan, digestOf } from './plan.js';
import { type RunOptions, runShards } from './run-shards.js';
import type { Sample } from './sample.js';
import {
	checkFlaggedPath,
	FILES,
	flaggedBefore,
	type Skipped,
	scanBefore,
	writeFlagged,
	writeScan,
} from './scan-files.js';
import { estimateShare, scoreServed } from './served-sample.js';
import { isByIds } from './shard-records.js';
import type { Candidate } from './shard-scan.js';
import { newSpills, tallySpills } from './spill.js';
import { type ScanState, type ShardRow, signState, stateOf, totalsOf } from './state.js';
import { newJudge } from './verdicts.js';
import { filesOf, openWorkFolder } from './work-folder.js';
import type { ShardFindings } from './worker.js';

/** What is scanned, and how. */
export interface ScanOptions extends CorpusPaths, RunOptions, Omit<ResultOptions, 'verdicts' | 'tallies'> {
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

/** Share of windows taken for common by mistake that nobody is told of. */
const MOST_CROWDING = 0.05;

/** Scans. @throws TouchmarkError `bad-input` */
export async function scan(options: ScanOptions): Promise<ScanResult> {
	const { plan, out, flagged, resume = false, strict = false, problem } = options;
	if (flagged !== undefined) checkFlaggedPath(flagged);
	const groups = await bindPlan(plan, false);
	const parts = await corpusParts(options, strict);
	for (const { unreadable } of [parts.served, parts.background, parts.corpus].filter((one) => one !== null))
		for (const message of unreadable) problem?.(message);
	const digests = digestsOf(options, groups, parts);
	if (out !== undefined) {
		const before = scanBefore(out, digests.result, resume);
		if (before !== undefined) {
			if (flagged !== undefined) await writeFlagged(flagged, flaggedBefore(out));
			return before;
		}
	}
	const folder = out === undefined ? mkdtempSync(join(tmpdir(), 'touchmark-scan-')) : join(out, FILES.work);
	const work = openWorkFolder(folder, digests.work, resume);
	try {
		const all = inOrder(parts);
		const ran = await runShards(
			options,
			groups,
			all,
			parts.background.shards.length,
			work,
			out !== undefined,
		);
		const found = all.map((_, number) => findingsOf(folder, number));
		const { state, result, reported } = await conclude(options, groups, parts, { ...ran, found, folder });
		if (out !== undefined)
			await writeScan(out, digests.result, {
				...{ state, result, flagged: reported() },
				skipped: [
					...[...parts.background.unreadable, ...parts.corpus.unreadable].map(
						(message): Skipped => ({ shard: null, message }),
					),
					...all.flatMap(({ id }, i) => found[i].named.map((message): Skipped => ({ shard: id, message }))),
				],
			});
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

/** What a scan that goes on with another one's work, or prints its result, must have in common with it. */
function digestsOf(
	{ plan, strict = false, exact = false, level, fdr, heldOutKeys = 0 }: ScanOptions,
	groups: readonly BoundGroup[],
	{ corpus, background, served }: CorpusParts,
): { readonly work: string; readonly result: string } {
	const work = digestOf({
		description: describePlan(groups, plan.countCells),
		fields: plan.fields,
		byIds: isByIds(plan),
		strict,
		exact,
		shards: corpus.shards,
		innocent: background.shards,
		changed: [...background.shards, ...corpus.shards].map(changedAt),
	});
	const result = digestOf({
		...{ digest: work, level, fdr, heldOutKeys },
		searchBits: groups.map(({ marks }) => marks.map(({ searchBits }) => searchBits)),
		served: (served?.shards ?? []).map((shard) => ({ ...shard, changed: changedAt(shard) })),
	});
	return { work, result };
}

/** All parts that are run, as they are numbered: those that are only counted come first. */
function inOrder({ background, corpus }: CorpusParts): Shard[] {
	return [...background.shards, ...corpus.shards];
}

/** What was found in a part. The sample that is in the file too is not kept: there may be very many parts. */
function findingsOf(folder: string, number: number): ShardFindings {
	const { totals, skipped, named, spilled } = JSON.parse(readFileSync(filesOf(folder).found(number), 'utf8'));
	return { totals, skipped, named, spilled };
}

/** What a scan is, once all parts have been run. */
interface Ran {
	readonly samples: readonly Sample[];
	readonly counts: Counts;
	/** Of each part. */
	readonly found: readonly ShardFindings[];
	/** That it worked in. */
	readonly folder: string;
}

/** What a scan says. */
interface Concluded {
	readonly state: ScanState;
	readonly result: ScanResult;
	/** Records that are reported. */
	reported(): AsyncGenerator<FlaggedOfShard>;
}

/** Judges the records, and the corpus. */
async function conclude(
	options: ScanOptions,
	groups: readonly BoundGroup[],
	parts: CorpusParts,
	{ samples, counts, found, folder }: Ran,
): Promise<Concluded> {
	const { plan, exact = false, signer, problem } = options;
	const first = parts.background.shards.length;
	const rows = parts.corpus.shards.map(({ id }, i): ShardRow => {
		const { totals, skipped } = found[first + i];
		return { id, ...totals, skipped };
	});
	for (const message of parts.corpus.unreadable)
		rows.push({ id: `unreadable: ${message}`, ...NOTHING, skipped: 1 });
	const unsigned = stateOf(
		describePlan(groups, plan.countCells),
		rows,
		samples.map((sample) => sample.windows()),
	);
	const state = signer === undefined ? unsigned : signState(unsigned, signer);
	const crowding = counts.crowding();
	if (crowding > MOST_CROWDING)
		problem?.(
			`the corpus is so large that ${Math.round(100 * crowding)} % of windows are taken for common ones and not scored for a record; to miss fewer records, give more --count-memory, or scan it in parts`,
		);
	const judge = newJudge(groups, counts.isCommon);
	const candidates = () => candidatesOf(parts.corpus.shards, first, folder);
	const verdicts = await decideAll(judge, candidates, totalsOf(unsigned), options.fdr, options.evidence);
	const tallies = exact ? { tallies: exactTallies(groups, found, folder) } : {};
	const tested = resultOfState(state, groups, { ...options, ...tallies, verdicts });
	const reported = () => flaggedRecords(judge, candidates, verdicts);
	const share = parts.served === null ? {} : await servedShare(options, tested, parts.served.shards);
	return { state, result: { ...tested, ...share }, reported };
}

/** The share that the served sample tells; what keeps it from telling is a problem. */
async function servedShare(
	{ plan, strict = false, problem }: ScanOptions,
	{ tests }: ScanResult,
	served: readonly Shard[],
): Promise<Pick<ScanResult, 'shareEstimate'>> {
	const told = strict ? undefined : (error: Error) => problem?.(error.message);
	const estimate = estimateShare(tests, await scoreServed(plan, served, told));
	if ('share' in estimate) return { shareEstimate: estimate.share };
	problem?.(estimate.problem);
	return {};
}

const NOTHING = { records: 0, judged: 0, tokens: 0, candidates: 0 };

/** Tallies of all distinct pairs, by mark, from the files that they were spilled to. */
function exactTallies(groups: readonly BoundGroup[], found: readonly ShardFindings[], folder: string) {
	const files = filesOf(folder);
	return new Map(
		newSpills(groups).map(({ mark }, i) => [
			mark.id,
			tallySpills(
				found.flatMap(({ spilled }, number) =>
					Array.from({ length: spilled[i] }, (_, piece) => files.pairs(number, i, piece)),
				),
			),
		]),
	);
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
