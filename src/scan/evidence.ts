/**
 * The evidence that one record is marked, as an e-value: the mean, with weights fixed beforehand, of the e-values of the
 * whole record and of spans in it. A span of marked text inside a long record is found, and pays for the places where it
 * might have been.
 *
 * Members of the family that are not {@link CONSPICUOUS} count as 0, which only lowers the mean. So a record without any
 * such member has no evidence, and needs no second look.
 *
 * @module
 */
import { SCORE_UNIT } from '../schemes/fixed-log.js';
import type { NullLaw } from '../schemes/scheme.js';
import { logSum } from '../stats/log-mean.js';
import { ln } from '../stats/portable.js';
import { logEValue } from '../verify/null-law.js';

/** Standard deviations above the mean from which a span counts. */
export const CONSPICUOUS = 4;
/** Pairs in the shortest spans. Spans of each length overlap by half; each length is twice the one before. */
export const SHORTEST = 64;

/** Mean and standard deviation of one score under the null. @throws RangeError for a law that no sum has */
export function momentsOf(law: NullLaw): { mean: number; deviation: number } {
	switch (law.kind) {
		case 'bernoulli':
			return { mean: law.trials * law.p, deviation: Math.sqrt(law.trials * law.p * (1 - law.p)) };
		case 'weighted-bernoulli': {
			const total = law.weights.reduce((sum, weight) => sum + weight, 0);
			const squares = law.weights.reduce((sum, weight) => sum + weight * weight, 0);
			return { mean: total * law.p, deviation: Math.sqrt(squares * law.p * (1 - law.p)) };
		}
		case 'exponential':
			return { mean: 1 + law.shift, deviation: 1 };
		case 'two-exponentials':
			return { mean: law.a + law.b + law.shift, deviation: Math.hypot(law.a, law.b) };
		case 'held-out':
			throw new RangeError('a mark that is found by alignment has no law of a sum');
	}
}

/**
 * Calls back with every member for a record of n pairs: the whole, and spans.
 *
 * @param visit weights add up to 1; returns true to stop
 * @returns whether it was stopped
 */
export function someMember(n: number, visit: (from: number, to: number, weight: number) => boolean): boolean {
	let lengths = 0;
	for (let length = SHORTEST; 2 * length <= n; length *= 2) lengths++;
	if (visit(0, n, lengths === 0 ? 1 : 0.5)) return true;
	for (let i = 0, length = SHORTEST; i < lengths; i++, length *= 2) {
		const step = length / 2;
		const places = Math.floor((n - length) / step) + 1;
		const weight = 0.5 / (lengths * places);
		for (let from = 0; from + length <= n; from += step) if (visit(from, from + length, weight)) return true;
	}
	return false;
}

/**
 * Whether scores add up to so much more than chance gives.
 *
 * @param deviations above the mean
 * @param n how many scores
 * @param sum of them, in units of 2^-32
 */
export function isAbove(
	deviations: number,
	n: number,
	sum: number,
	{ mean, deviation }: { readonly mean: number; readonly deviation: number },
): boolean {
	return n > 0 && sum / SCORE_UNIT - n * mean >= deviations * deviation * Math.sqrt(n);
}

/** Evidence of a record. */
export interface RecordEvidence {
	/** ln of the e-value; −Infinity where no member is conspicuous. */
	readonly logE: number;
	/** The member that has most of it: pairs from (inclusive) and to (exclusive), and their score. */
	readonly span: { readonly from: number; readonly to: number; readonly score: number } | null;
}

/**
 * The e-value of a record.
 *
 * @param scores of its distinct pairs in order, integers in units of 2^-32
 */
export function recordEvidence(scores: Float64Array, law: NullLaw): RecordEvidence {
	const moments = momentsOf(law);
	const sums = new Float64Array(scores.length + 1);
	for (let i = 0; i < scores.length; i++) sums[i + 1] = sums[i] + scores[i];
	const terms: number[] = [];
	let span: RecordEvidence['span'] = null;
	let most = -Infinity;
	someMember(scores.length, (from, to, weight) => {
		const n = to - from;
		const sum = sums[to] - sums[from];
		if (!isAbove(CONSPICUOUS, n, sum, moments)) return false;
		const term = ln(weight) + logEValue({ scored: n, sum: BigInt(Math.floor(sum)) }, law);
		terms.push(term);
		if (term > most) {
			most = term;
			span = { from, to, score: sum / SCORE_UNIT };
		}
		return false;
	});
	return { logE: logSum(terms), span };
}
