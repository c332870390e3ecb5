/**
 * What a benchmark of the scan says: each scan beside the truth, and all together.
 *
 * @module
 */
import { LENGTH_CLASSES } from './lengths.js';

/** A planted record, after a scan. */
export interface PlantedOutcome {
	/** As drawn. */
	readonly tokens: number;
	/** log₁₀ of its e-value; null where it has no evidence (e = 0). */
	readonly log10E: number | null;
	readonly found: boolean;
}

/** One scan. */
export interface BenchmarkRun {
	/** What its keys and planted records are made from. */
	readonly seed: string;
	/** Planted records. */
	readonly planted: number;
	/** Planted records that are reported. */
	readonly found: number;
	/** Other records, or parts of them, that are reported. */
	readonly falsePositives: number;
	readonly records: number;
	/** Records that could not be read. */
	readonly skipped: number;
	readonly tokens: number;
	/** Of a process that does this scan and nothing else, its start included. */
	readonly seconds: number;
	readonly tokensPerSecond: number;
	readonly recordsPerSecond: number;
	readonly peakRssBytes: number;
	/** Of the corpus, corrected for the number of tests. */
	readonly log10P: number;
	readonly log10E: number;
	readonly verdict: string;
	/** At least so many of the reported records are marked, as the scan says with 95 % confidence. */
	readonly markedAtLeast: number;
	/** At least this share of the distinct windows is marked, as the scan says with 95 % confidence. */
	readonly shareLower95: number;
	/** Share of the distinct windows that planted records have: no larger than this is the marked share. */
	readonly plantedShare: number;
}

/** A run with what the page draws. */
export interface ObservedRun {
	readonly run: BenchmarkRun;
	readonly outcomes: readonly PlantedOutcome[];
	/** log₁₀ e-values of the other records that have evidence. */
	readonly otherLog10Es: readonly number[];
}

/** Result of `touchmark bench`. */
export interface BenchmarkResult {
	/** Whether the corpus was made up. */
	readonly made: boolean;
	/** Planted records, as a share of the corpus' own. */
	readonly share: number;
	readonly level: number;
	readonly fdr: number;
	/** The first has no planted records. */
	readonly runs: readonly BenchmarkRun[];
	/** Over all runs. */
	readonly all: {
		readonly planted: number;
		readonly found: number;
		readonly falsePositives: number;
		/** Share of the reported records that were not planted, the mean of the runs with planted records. */
		readonly falseDiscoveryRate: number;
		/** Medians of the runs. */
		readonly tokensPerSecond: number;
		readonly recordsPerSecond: number;
		/** The greatest. */
		readonly peakRssBytes: number;
		/** Runs whose lower bounds held. */
		readonly markedAtLeastHeld: number;
		readonly shareLower95Held: number;
	};
	/** Planted records by tokens, `from` to `to`, and how many of them were found. */
	readonly power: readonly {
		readonly from: number;
		readonly to: number;
		readonly planted: number;
		readonly found: number;
	}[];
	/** log₁₀ e-values, ascending; records without evidence have e = 0 and are counted only. */
	readonly evidence: {
		readonly planted: readonly number[];
		readonly plantedWithout: number;
		readonly others: readonly number[];
		readonly othersWithout: number;
	};
}

/**
 * Puts runs together.
 *
 * @param observed the first has no planted records
 */
export function benchmarkResult(
	observed: readonly ObservedRun[],
	options: Pick<BenchmarkResult, 'made' | 'share' | 'level' | 'fdr'>,
): BenchmarkResult {
	const runs = observed.map(({ run }) => run);
	const outcomes = observed.flatMap((one) => one.outcomes);
	const others = observed.flatMap((one) => one.otherLog10Es);
	const sum = (of: (run: BenchmarkRun) => number) => runs.reduce((total, run) => total + of(run), 0);
	const known = outcomes.flatMap(({ log10E }) => (log10E === null ? [] : [log10E]));
	const planting = runs.filter(({ planted }) => planted > 0);
	const wrong = planting.map(
		({ found, falsePositives }) => falsePositives / Math.max(1, found + falsePositives),
	);
	const { made, share, level, fdr } = options;
	return {
		...{ made, share, level, fdr },
		runs,
		all: {
			planted: outcomes.length,
			found: sum(({ found }) => found),
			falsePositives: sum(({ falsePositives }) => falsePositives),
			falseDiscoveryRate: wrong.reduce((total, one) => total + one, 0) / Math.max(1, wrong.length),
			tokensPerSecond: median(runs.map(({ tokensPerSecond }) => tokensPerSecond)),
			recordsPerSecond: median(runs.map(({ recordsPerSecond }) => recordsPerSecond)),
			peakRssBytes: Math.max(...runs.map(({ peakRssBytes }) => peakRssBytes)),
			markedAtLeastHeld: runs.filter(({ markedAtLeast, found }) => markedAtLeast <= found).length,
			shareLower95Held: runs.filter(({ shareLower95, plantedShare }) => shareLower95 <= plantedShare).length,
		},
		power: LENGTH_CLASSES.map(([from, to]) => {
			const some = outcomes.filter(({ tokens }) => tokens >= from && tokens < to);
			return { from, to: to - 1, planted: some.length, found: some.filter(({ found }) => found).length };
		}),
		evidence: {
			planted: known.sort((a, b) => a - b),
			plantedWithout: outcomes.length - known.length,
			others: others.sort((a, b) => a - b),
			othersWithout: sum(({ records, planted }) => records - planted) - others.length,
		},
	};
}

function median(values: readonly number[]): number {
	const sorted = [...values].sort((a, b) => a - b);
	const middle = sorted.length >> 1;
	return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
