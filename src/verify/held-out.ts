/**
 * Held-out keys: the same pairs scored under keys that were never deployed.
 *
 * @module
 */
import { heldOutKey } from '../keys/derive.js';
import { bindMark, type Mark } from '../marks/mark.js';
import { logPValue } from './null-law.js';
import type { PairSet } from './pairs.js';
import { tallyPairs } from './tally.js';
import type { HeldOut } from './test-result.js';

/** Rank and the whole null sample. */
export interface HeldOutSample {
	readonly heldOut: HeldOut;
	/** log10 p under each held-out key. */
	readonly log10Ps: readonly number[];
}

/**
 * Scores the pairs under `count` held-out keys of the same mark.
 *
 * @param corpusDigest hexadecimal digest of what is tested; fixes the keys, so that nobody can draw again
 */
export function heldOutSample(
	pairs: PairSet,
	mark: Mark,
	corpusDigest: string,
	count: number,
): HeldOutSample {
	const logPOf = (candidate: Mark) => logPValue(tallyPairs(pairs, candidate), mark.scheme.null);
	const truth = logPOf(mark);
	const logPs = Array.from({ length: count }, (_, index) =>
		logPOf(bindMark(mark.spec, heldOutKey(mark.spec, mark.id, corpusDigest, index))),
	);
	const rank = 1 + logPs.filter((logP) => logP <= truth).length;
	return {
		heldOut: { count, rank, pValue: rank / (count + 1) },
		log10Ps: logPs.map((logP) => logP / Math.LN10),
	};
}
