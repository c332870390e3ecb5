/**
 * What a scan says of the whole corpus: tests on the sample of distinct windows, beside the mean evidence of records.
 *
 * @module
 */
import { z } from 'zod';
import { SCORE_UNIT } from '../schemes/fixed-log.js';
import type { NullLaw } from '../schemes/scheme.js';
import { lastBelow } from '../stats/bisect.js';
import { bonferroniLog } from '../stats/correction.js';
import { logSum } from '../stats/log-mean.js';
import { exp, ln, log10 } from '../stats/portable.js';
import { logBinomialUpperTail } from '../stats/tails.js';
import { heldOutSample } from '../verify/held-out.js';
import { pairsOfRows } from '../verify/pairs.js';
import { scoreList, type Tally, tallyPairs } from '../verify/tally.js';
import { TestResult, testTally, toLog10, Verdict } from '../verify/test-result.js';
import type { BoundGroup } from './plan.js';
import { type ScanState, samplesOf, shapesOf, stateDigest, totalsOf } from './state.js';
import { BOUND_LEVEL, type RecordVerdicts } from './verdicts.js';

const Count = z.int().min(0);

/** Result of a scan. */
export const ScanResult = z.object({
	records: Count,
	/** Records that could not be read. */
	skipped: Count,
	tokens: Count,
	/** Distinct pairs that the tests of the corpus scored, over all marks: of the sample, or all. */
	scored: Count,
	log10P: z.number().max(0),
	log10E: z.number(),
	/** Tests that log10P is corrected for. */
	hypotheses: z.int().min(1),
	/** Records, or parts of long ones, that were judged, and that are reported; null where records were not judged. */
	judged: Count,
	flagged: Count.nullable(),
	/** At most this share of what is flagged is wrong, on average. */
	fdr: z.number(),
	/** At least so many of the flagged records hold marked text, with 95 % confidence. */
	markedAtLeast: Count.nullable(),
	/** At least this share of the distinct windows is marked, with 95 % confidence. */
	shareLower95: z.number().min(0).max(1),
	/** Estimated share of marked distinct windows, where a served sample says what marked text scores. */
	shareEstimate: z.number().optional(),
	verdict: Verdict,
	level: z.number(),
	/** One test a mark, on the sample. */
	tests: z.array(TestResult),
	stateDigest: z.string(),
});
export type ScanResult = z.infer<typeof ScanResult>;

/** How a result is made. */
export interface ResultOptions {
	readonly level: number;
	readonly fdr: number;
	/** Keys that were never deployed, for each mark; they run on the sample. */
	readonly heldOutKeys?: number;
	/** Null where records were not judged. */
	readonly verdicts: RecordVerdicts | null;
	/** By mark, the tally of all distinct pairs, where it is known; the sample's otherwise. */
	readonly tallies?: ReadonlyMap<string, Tally>;
}

/** Tests a state. */
export function resultOfState(
	state: ScanState,
	groups: readonly BoundGroup[],
	{ level, fdr, heldOutKeys = 0, verdicts, tallies }: ResultOptions,
): ScanResult {
	const samples = samplesOf(state, 'state');
	const shapes = shapesOf(state.plan);
	const digest = stateDigest(state);
	const marks = groups.flatMap((group) => group.marks.map((bound) => ({ group, bound })));
	// Each mark once, and all records together once.
	const hypotheses = marks.length + (verdicts === null ? 0 : 1);
	const bounds: number[] = [];
	const tests = marks.map(({ group, bound }) => {
		const { mark, searchBits, shape } = bound;
		const index = shapes.findIndex((one) => one.group === group.number) + shape;
		const pairs = pairsOfRows(shapes[index].shape.contextWidth, samples[index].rows);
		const tally = tallies?.get(mark.id) ?? tallyPairs(pairs, mark);
		const test = testTally(tally, mark, { level, hypotheses, searchBits }, 'marked-text');
		if (searchBits === 0)
			bounds.push(shareAtLeast(scoreList(pairs, mark), mark.scheme.null, BOUND_LEVEL / marks.length));
		return heldOutKeys === 0
			? test
			: { ...test, heldOut: heldOutSample(pairs, mark, digest, heldOutKeys).heldOut };
	});
	const totals = totalsOf(state);
	const recordsLogE = verdicts?.logMeanE ?? -Infinity;
	const logEs = [...tests.map((test, i) => test.log10E * Math.LN10 - marks[i].bound.searchBits * Math.LN2)];
	if (verdicts !== null) logEs.push(recordsLogE);
	const log10P = Math.min(
		0,
		...tests.map((test) => test.log10PCorrected),
		...(verdicts === null ? [] : [toLog10(bonferroniLog(Math.min(0, -recordsLogE), hypotheses))]),
	);
	const powerful = tests.some((test) => test.power >= 0.5);
	return {
		records: totals.records,
		skipped: totals.skipped,
		tokens: totals.tokens,
		scored: tests.reduce((sum, { scored }) => sum + scored, 0),
		log10P,
		log10E: toLog10(logSum(logEs) - ln(logEs.length)),
		hypotheses,
		judged: totals.judged,
		flagged: verdicts?.flagged ?? null,
		fdr,
		markedAtLeast: verdicts?.trueAtLeast ?? null,
		shareLower95: Math.max(0, ...bounds),
		verdict: log10P <= log10(level) ? 'marked' : powerful ? 'no-evidence' : 'too-little-data',
		level,
		tests,
		stateDigest: digest,
	};
}

/**
 * A lower bound of the share of marked windows. A window that is not marked has a high score with a known probability p,
 * and a marked one with 1 at most: of n sampled ones, the number of high scores is at most Binomial(n, s + (1 − s)·p), where s
 * is the share of marked ones. (Sampling without replacement spreads less.)
 *
 * @param level 1 − confidence
 */
export function shareAtLeast(scores: Float64Array, law: NullLaw, level: number): number {
	const cut = highScore(law);
	if (cut === null || scores.length === 0) return 0;
	let high = 0;
	for (const score of scores) if (score >= cut.units) high++;
	const excess = (share: number) =>
		logBinomialUpperTail(high, scores.length, share + (1 - share) * cut.p) - ln(level);
	if (excess(0) > 0) return 0;
	const start = (high / scores.length - cut.p) / (1 - cut.p);
	return lastBelow(0, 1, excess, start, 1 / Math.sqrt(scores.length));
}

/** A score that is high, and the probability of one as high at most under the null; null where no bound is known. */
function highScore(law: NullLaw): { units: number; p: number } | null {
	switch (law.kind) {
		case 'bernoulli': {
			const least = Math.floor(law.trials * law.p) + 1;
			return { units: least * SCORE_UNIT, p: exp(logBinomialUpperTail(least, law.trials, law.p)) };
		}
		case 'exponential':
			return { units: Math.ceil((Math.LN2 + law.shift) * SCORE_UNIT), p: 0.5 };
		default:
			return null;
	}
}
