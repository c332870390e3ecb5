/**
 * Verdicts on all candidates of a scan, wherever they were kept: read twice, once to decide and once to write.
 *
 * @module
 */
import type { Candidate } from './shard-scan.js';
import { decide, flaggedRecord, type Judge, type RecordVerdicts } from './verdicts.js';

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
 */
export async function decideAll(
	judge: Judge,
	candidates: CandidatesOf,
	totals: { readonly judged: number; readonly candidates: number },
	fdr: number,
): Promise<RecordVerdicts> {
	const logEs = new Float64Array(totals.candidates);
	let count = 0;
	for await (const { candidate } of candidates()) logEs[count++] = judge.judge(candidate).logE;
	return decide(logEs, totals.judged, fdr);
}

/** Lines about the records that are reported, in the order of the candidates. */
export async function* flaggedLines(
	judge: Judge,
	candidates: CandidatesOf,
	{ logLeastE }: RecordVerdicts,
): AsyncGenerator<string> {
	for await (const { shard, candidate } of candidates()) {
		const evidence = judge.judge(candidate);
		if (evidence.logE >= logLeastE)
			yield `${JSON.stringify({ shard, ...flaggedRecord(candidate, evidence) })}\n`;
	}
}
