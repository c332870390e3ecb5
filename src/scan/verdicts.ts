/**
 * Which records are marked: the candidates once more, without common windows, and e-BH over all records.
 *
 * @module
 */
import { eBenjaminiHochberg, trueDiscoveries } from '../stats/false-discovery.js';
import { logSum } from '../stats/log-mean.js';
import { ln } from '../stats/portable.js';
import { scoreList } from '../verify/tally.js';
import { toLog10 } from '../verify/test-result.js';
import { type RecordEvidence, recordEvidence } from './evidence.js';
import { type KeptWindows, keptWindows } from './kept-windows.js';
import { type BoundGroup, windowSeed } from './plan.js';
import type { Candidate } from './shard-scan.js';
import { newWindowCutter } from './windows.js';

/** Which windows are left out, by the second half of their hash. */
export type IsCommon = (low: number) => boolean;

/** What one mark says of a record. */
interface MarkEvidence extends RecordEvidence {
	readonly mark: string;
	/** Distinct pairs scored, common ones left out. */
	readonly scored: number;
	/** First and last token of the span, counted from the record's beginning, where pairs are windows. */
	readonly tokens: readonly [first: number, last: number] | null;
}

/** Judges candidates one by one. */
export interface Judge {
	/** Evidence of a record under each mark that it is judged by, and as a whole. */
	judge(candidate: Pick<Candidate, 'group' | 'first' | 'tokens' | 'left'>): {
		readonly logE: number;
		readonly marks: readonly MarkEvidence[];
	};
}

/** @param isCommon windows that are not scored for a record */
export function newJudge(groups: readonly BoundGroup[], isCommon: IsCommon): Judge {
	const cutters = groups.map((group) =>
		group.shapes.map((shape, i) => newWindowCutter(shape, windowSeed(group.number, i))),
	);
	return {
		judge({ group: number, first, tokens, left }) {
			const { judges } = groups[number];
			const ids = Uint32Array.from(tokens);
			const kept: KeptWindows[] = [];
			const keptOf = (shape: number): KeptWindows => {
				const cutter = cutters[number][shape];
				cutter.fill(ids, [ids.length]);
				return keptWindows(cutter.windows, left[shape] ?? [], isCommon);
			};
			const marks = judges.map(({ mark, shape }): MarkEvidence => {
				kept[shape] ??= keptOf(shape);
				const { pairs, places } = kept[shape];
				const scores = scoreList(pairs, mark);
				const evidence = recordEvidence(scores, mark.scheme.null);
				const { effective, mostPairs } = mark.scheme;
				const { selector, start, contextWidth } = mark.spec;
				const whole = selector === 'all' && effective === undefined && mostPairs === undefined;
				const { span } = evidence;
				const before = start === 'pad' ? contextWidth : 0;
				const ends = whole && span !== null ? [places[span.from], places[span.to - 1] + contextWidth] : null;
				return {
					...evidence,
					mark: mark.id,
					scored: scores.length,
					tokens: ends === null ? null : [first + Math.max(0, ends[0] - before), first + ends[1] - before],
				};
			});
			// The mean over marks; what a key that nobody committed to could have been searched for is paid for.
			const logE =
				logSum(marks.map((one, i) => one.logE - judges[i].searchBits * Math.LN2)) - ln(judges.length);
			return { logE, marks };
		},
	};
}

/** A record that is reported. */
export interface FlaggedRecord {
	readonly record: string;
	/** Which part of a record longer than {@link PART} tokens. */
	readonly part: number;
	readonly log10E: number;
	readonly marks: readonly {
		readonly mark: string;
		readonly log10E: number;
		readonly scored: number;
		/** Pairs and score of the span that tells most, and its first and last token. */
		readonly span: {
			readonly pairs: number;
			readonly score: number;
			readonly tokens: readonly [number, number] | null;
		};
	}[];
}

/** What all records together say. */
export interface RecordVerdicts {
	/** Verdicts that e-BH went over. */
	readonly judged: number;
	readonly flagged: number;
	/** So many of them are marked at the least, with 95 % confidence. */
	readonly trueAtLeast: number;
	/** ln of the mean e-value of all records: an e-value of the whole corpus. */
	readonly logMeanE: number;
	/** ln of the least e-value that is reported; Infinity where none is. */
	readonly logLeastE: number;
}

/** Error rate of bounds. */
export const BOUND_LEVEL = 0.05;

/**
 * Decides which e-values are reported.
 *
 * @param logEs of the candidates, in any order; all other records have e = 0
 * @param judged how many records there are
 * @param fdr false discovery rate
 */
export function decide(logEs: Float64Array, judged: number, fdr: number): RecordVerdicts {
	const sorted = Float64Array.from(logEs).sort().reverse();
	const flagged = judged === 0 ? 0 : eBenjaminiHochberg(sorted, judged, fdr);
	const reported = sorted.subarray(0, flagged);
	return {
		judged,
		flagged,
		trueAtLeast: flagged === 0 ? 0 : trueDiscoveries(reported, judged, BOUND_LEVEL),
		logMeanE: judged === 0 ? -Infinity : logSum(sorted) - ln(judged),
		logLeastE: flagged === 0 ? Infinity : sorted[flagged - 1],
	};
}

/** A flagged record as it is written. */
export function flaggedRecord(
	{ record, part }: Pick<Candidate, 'record' | 'part'>,
	{ logE, marks }: ReturnType<Judge['judge']>,
): FlaggedRecord {
	return {
		record,
		part,
		log10E: toLog10(logE),
		marks: marks.flatMap((one) =>
			one.span === null
				? []
				: [
						{
							mark: one.mark,
							log10E: toLog10(one.logE),
							scored: one.scored,
							span: { pairs: one.span.to - one.span.from, score: one.span.score, tokens: one.tokens },
						},
					],
		),
	};
}
