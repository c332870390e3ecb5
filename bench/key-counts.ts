/**
 * What keys that were never deployed say of a corpus: false positives among its records, and accusations of its groups.
 * A task of a thread pool; also called as it is.
 *
 * @module
 */
import { randomStream } from '../src/embed/random.js';
import { bindMark } from '../src/marks/mark.js';
import type { MarkSpec } from '../src/marks/mark-spec.js';
import { SCORE_UNIT } from '../src/schemes/fixed-log.js';
import type { NullLaw } from '../src/schemes/scheme.js';
import { bernoulliCritical, exponentialCritical, logBernoulliAttainableSize } from '../src/stats/index.js';
import { logPValue } from '../src/verify/null-law.js';
import { freshKey } from './fresh-marks.js';
import type { Lists, PairCorpus } from './pair-corpus.js';

/** Plain data that a thread needs. */
export interface KeyTask {
	readonly corpus: PairCorpus;
	readonly spec: MarkSpec;
	/** Each key is drawn from a stream of its own: this name and its number. */
	readonly seed: string;
	readonly from: number;
	readonly to: number;
	/** Of a record's false positive. */
	readonly recordLevel: number;
	/** Of an accusation of a group. */
	readonly groupLevel: number;
}

/** What one key says. */
export interface KeyCounts {
	/** Records at or below their level, by all of their windows. */
	readonly all: number;
	/** The same by the windows that few records have. */
	readonly rare: number;
	/** Groups at or below theirs. */
	readonly accusations: number;
	/** log10 of the smallest p-value of a group, of those below 1e-3; 0 where there are none. */
	readonly smallest: number;
}

/** The smallest sum, in the units of `unitOf`, whose p-value over n pairs is at most a level: a table over n. */
function criticalSums(law: NullLaw, level: number): (n: number) => number {
	const known: number[] = [];
	return (n) => {
		known[n] ??= unitOf(law) * critical(n);
		return known[n];
	};
	function critical(n: number): number {
		if (law.kind === 'bernoulli') {
			const trials = n * law.trials;
			const least = bernoulliCritical(trials, law.p, Math.log(level));
			return least > trials ? Infinity : least;
		}
		if (law.kind === 'exponential') return exponentialCritical(n, Math.log(level)) + n * law.shift;
		throw new Error(`no critical sums for scores of law ${law.kind}`);
	}
}

/** The probability under the null that n pairs reach a level: below the level where sums are whole numbers. */
export function attainedSizes(law: NullLaw, level: number): (n: number) => number {
	const known: number[] = [];
	return (n) => {
		known[n] ??=
			law.kind === 'bernoulli'
				? Math.exp(logBernoulliAttainableSize(n * law.trials, law.p, Math.log(level)))
				: n > 0
					? level
					: 0;
		return known[n];
	};
}

/** Green lists are summed as ones, in bytes, of which more lie in a cache; others as they are. */
function unitOf(law: NullLaw): number {
	return law.kind === 'bernoulli' && law.trials === 1 ? 1 : SCORE_UNIT;
}

/** Sum of the scores of items `from` up to `to`. */
function sumOf(scores: Float64Array | Uint8Array, { items }: Lists, from: number, to: number): number {
	let sum = 0;
	for (let i = from; i < to; i++) sum += scores[items[i]];
	return sum;
}

/** Counts for the keys of a task, in order. */
export default function keyCounts(task: KeyTask): KeyCounts[] {
	const { corpus, spec, seed, recordLevel, groupLevel } = task;
	const { records, rare, groups } = corpus;
	// The law is the same for every key.
	const law = bindMark(spec, freshKey(spec, randomStream(seed))).scheme.null;
	const unit = unitOf(law);
	const recordCritical = criticalSums(law, recordLevel);
	const groupCritical = criticalSums(law, groupLevel);
	const smallCritical = criticalSums(law, 1e-3);
	const exact = new Float64Array(corpus.size);
	const scores = unit === 1 ? new Uint8Array(corpus.size) : exact;
	const counts: KeyCounts[] = [];
	for (let key = task.from; key < task.to; key++) {
		const { scheme } = bindMark(spec, freshKey(spec, randomStream(`${seed}/${key}`)));
		scheme.scores(corpus.rows, corpus.size, exact);
		if (unit === 1) for (let i = 0; i < exact.length; i++) scores[i] = exact[i] > 0 ? 1 : 0;
		let all = 0;
		let few = 0;
		for (let i = 0; i < rare.length; i++) {
			const from = records.starts[i];
			const to = records.starts[i + 1];
			const part = sumOf(scores, records, from, from + rare[i]);
			if (part >= recordCritical(rare[i])) few++;
			if (part + sumOf(scores, records, from + rare[i], to) >= recordCritical(to - from)) all++;
		}
		let accusations = 0;
		let smallest = 0;
		for (let group = 0; group + 1 < groups.starts.length; group++) {
			const from = groups.starts[group];
			const scored = groups.starts[group + 1] - from;
			const sum = sumOf(scores, groups, from, from + scored);
			if (sum >= groupCritical(scored)) accusations++;
			if (sum >= smallCritical(scored)) {
				const tally = { scored, sum: BigInt((SCORE_UNIT / unit) * sum) };
				smallest = Math.min(smallest, logPValue(tally, law) / Math.LN10);
			}
		}
		counts.push({ all, rare: few, accusations, smallest });
	}
	return counts;
}
