/**
 * Verdicts on all candidates of a scan, wherever they were kept: read twice, once to decide and once to write.
 *
 * @module
 */
import { badInput } from '../errors.js';
import { toLog10 } from '../verify/test-result.js';
import type { Candidate } from './shard-scan.js';
import { decide, type FlaggedRecord, flaggedRecord, type Judge, type RecordVerdicts } from './verdicts.js';

/** A candidate and the shard that it is in. */
export interface PlacedCandidate {
	readonly shard: string;
	readonly candidate: Candidate;
}

/** Gives all candidates, each time in the same order. */
export type CandidatesOf = () => AsyncGenerator<PlacedCandidate>;

/**
 * The e-values of all candidates, and what is reported. The order of candidates does not matter.
 *
 * @param totals how many verdicts and candidates there are
 * @param fdr false discovery rate
 * @param evidence is told that of each candidate that has some
 */
export async function decideAll(
	judge: Judge,
	candidates: CandidatesOf,
	totals: { readonly judged: number; readonly candidates: number },
	fdr: number,
	evidence?: (candidate: Candidate, log10E: number) => void,
): Promise<RecordVerdicts> {
	const logEs = new Float64Array(totals.candidates);
	let count = 0;
	for await (const { candidate } of candidates()) {
		const { logE } = judge.judge(candidate);
		logEs[count++] = logE;
		if (logE > -Infinity) evidence?.(candidate, toLog10(logE));
	}
	// A list that lacks some would be filled up with e-values of 1.
	if (count !== totals.candidates)
		throw badInput(`there are ${count} of ${totals.candidates} candidates; scan again`);
	return decide(logEs, totals.judged, fdr);
}

/** A record that is reported, and the shard that it is in. */
export interface FlaggedOfShard extends FlaggedRecord {
	readonly shard: string;
}

/** The records that are reported, in the order of the candidates. */
export async function* flaggedRecords(
	judge: Judge,
	candidates: CandidatesOf,
	{ logLeastE }: RecordVerdicts,
): AsyncGenerator<FlaggedOfShard> {
	for await (const { shard, candidate } of candidates()) {
		const evidence = judge.judge(candidate);
		if (evidence.logE >= logLeastE) yield { shard, ...flaggedRecord(candidate, evidence) };
	}
}

/** One line of JSON each. */
export async function* jsonLines(records: AsyncIterable<object>): AsyncGenerator<string> {
	for await (const record of records) yield `${JSON.stringify(record)}\n`;
}
