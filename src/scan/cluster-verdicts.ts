/**
 * Verdicts on records that many processes scanned: their candidates, and the counts of a second pass. The same verdicts as
 * those of a scan on one machine, or none: what is missing, doubled or of other records is refused.
 *
 * @module
 */
import { readLines } from '../corpus/lines.js';
import { badInput } from '../errors.js';
import { checked, parseJson } from '../input.js';
import { countMemory, newCounts } from './counting/counts.js';
import { type CandidatesOf, decideAll, flaggedRecords, jsonLines } from './judge-candidates.js';
import type { BoundGroup } from './plan.js';
import { type ScanState, type ShardRow, totalsOf } from './state.js';
import { type IsCommon, newJudge, type RecordVerdicts } from './verdicts.js';
import { newWantedCells, type WantedCells } from './wanted-cells.js';
import { CandidateLine, CountedLine, CountsLine } from './worker-lines.js';

/** Where the candidates and counts are. */
export interface ClusterFiles {
	/** Files that workers printed. */
	readonly candidates: readonly string[];
	/** Files that workers printed in the second pass; none are needed where there are no candidates. */
	readonly counts: readonly string[];
}

/** Candidates out of files. Other lines of workers are passed over. @throws TouchmarkError `bad-input` */
export async function* readCandidates(
	paths: readonly string[],
	groups: readonly BoundGroup[],
): AsyncGenerator<{ line: CandidateLine; where: string }> {
	for (const path of paths)
		for await (const { text, number } of readLines(path)) {
			if (text.trim() === '') continue;
			const where = `${path}:${number}`;
			const value = parseJson(text, where);
			if (isState(value)) continue;
			const line = checked(CandidateLine, value, where);
			if (line.candidate.group >= groups.length)
				throw badInput(`${where}: is of other marks or tokenizers than were given`);
			yield { line, where };
		}
}

function isState(value: unknown): boolean {
	return typeof value === 'object' && value !== null && 'state' in value;
}

/**
 * Decides.
 *
 * @param groups the marks of the state
 * @param fdr false discovery rate
 * @throws TouchmarkError `bad-input` for candidates or counts that are not those of this state's shards, each once
 */
export async function clusterVerdicts(
	state: ScanState,
	groups: readonly BoundGroup[],
	files: ClusterFiles,
	fdr: number,
): Promise<{ verdicts: RecordVerdicts; flagged: () => AsyncGenerator<string> }> {
	const rows = new Map(state.shards.map((row) => [row.id, row]));
	const wanted = await cellsOfCandidates(files.candidates, groups, rows, state.plan.countCells);
	const totals = totalsOf(state);
	const isCommon =
		totals.candidates === 0 && files.counts.length === 0
			? () => false
			: await countsOf(files.counts, rows, wanted, state.plan.countCells);
	const judge = newJudge(groups, isCommon);
	const candidates: CandidatesOf = async function* () {
		for await (const { line } of readCandidates(files.candidates, groups)) yield line;
	};
	const verdicts = await decideAll(judge, candidates, totals, fdr);
	return { verdicts, flagged: () => jsonLines(flaggedRecords(judge, candidates, verdicts)) };
}

/** The cells of all candidates, of which each shard must have all, in order. */
async function cellsOfCandidates(
	paths: readonly string[],
	groups: readonly BoundGroup[],
	rows: ReadonlyMap<string, ShardRow>,
	cells: number,
): Promise<WantedCells> {
	const wanted = newWantedCells(groups, cells);
	const next = new Map<string, number>();
	for await (const { line, where } of readCandidates(paths, groups)) {
		const { shard, number, candidate } = line;
		const expected = next.get(shard) ?? 0;
		if (number !== expected || number >= (rows.get(shard)?.candidates ?? 0))
			throw badInput(
				`${where}: candidate ${number} of shard "${shard}" does not belong here; give what one worker printed of each shard of the state, once`,
			);
		next.set(shard, expected + 1);
		wanted.add(candidate);
	}
	for (const { id, candidates } of rows.values())
		if ((next.get(id) ?? 0) !== candidates)
			throw badInput(
				`shard "${id}" has ${candidates} candidates, of which ${next.get(id) ?? 0} were given; give what its worker printed`,
			);
	return wanted;
}

/** What is common by the counts of all shards. */
async function countsOf(
	paths: readonly string[],
	rows: ReadonlyMap<string, ShardRow>,
	wanted: WantedCells,
	countCells: number,
): Promise<IsCommon> {
	const counts = newCounts(countMemory(countCells), countCells);
	const digest = wanted.digest();
	const counted = new Set<string>();
	for (const path of paths) {
		let open = false;
		for await (const { text, number } of readLines(path)) {
			if (text.trim() === '') continue;
			const where = `${path}:${number}`;
			const value = parseJson(text, where);
			if (typeof value === 'object' && value !== null && 'counts' in value) {
				for (const [cell, count] of checked(CountsLine, value, where).counts) counts.raise(cell, count);
				open = true;
				continue;
			}
			const { shard, background, records, skipped, cells } = checked(CountedLine, value, where).counted;
			open = false;
			const name = `${background ? 'background' : 'shard'} "${shard}"`;
			const row = rows.get(shard);
			if (cells !== digest)
				throw badInput(`${where}: ${name} was counted for other candidates; count it again for these`);
			if (counted.has(name)) throw badInput(`${where}: ${name} is counted twice; give its counts once`);
			if (!background && (row?.records !== records || row.skipped !== skipped))
				throw badInput(
					`${where}: ${name} was counted with other records than its state has; scan and count it again`,
				);
			counted.add(name);
		}
		if (open) throw badInput(`${path}: does not say what was counted, so it is not whole; count it again`);
	}
	const missing = [...rows.keys()].find((id) => !counted.has(`shard "${id}"`) && rows.get(id)?.records !== 0);
	if (missing !== undefined)
		throw badInput(
			`shard "${missing}" was not counted; give the counts of all shards (\`touchmark scan-worker --count\`)`,
		);
	return counts.isCommon;
}
