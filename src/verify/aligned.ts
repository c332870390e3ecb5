/**
 * Texts whose mark is found by alignment: ranked against keys that were never deployed. No law of the score is known,
 * so the p-value is the rank's, and it never makes a verdict by itself.
 *
 * @module
 */

import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { heldOutKey } from '../keys/derive.js';
import { bindMark, type Mark } from '../marks/mark.js';
import { ln } from '../stats/portable.js';
import { type Decision, resultOf, type TestResult } from './test-result.js';

/** Held-out keys that a text is ranked against. */
export const ALIGNED_HELD_OUT = 99;

/** The mark under each key that a text is ranked against: the same keys for the same ids. */
export function* heldOutMarks(ids: ArrayLike<number>, mark: Mark, count = ALIGNED_HELD_OUT): Generator<Mark> {
	const digest = bytesToHex(sha256(new Uint8Array(Uint32Array.from(ids).buffer)));
	for (let index = 0; index < count; index++)
		yield bindMark(mark.spec, heldOutKey(mark.spec, mark.id, digest, index));
}

/**
 * Tests one text.
 *
 * @param mark one whose scheme aligns
 * @throws TypeError when it does not
 */
export function testAligned(
	tokens: ArrayLike<number>,
	mark: Mark,
	decision: Decision,
	heldOutKeys = ALIGNED_HELD_OUT,
): TestResult {
	const scoreUnder = (candidate: Mark): number => {
		if (candidate.scheme.align === undefined) throw new TypeError('this mark is not found by alignment');
		return candidate.scheme.align(tokens);
	};
	const score = scoreUnder(mark);
	const others = Array.from(heldOutMarks(tokens, mark, heldOutKeys), scoreUnder);
	const rank = 1 + others.filter((other) => other >= score).length;
	const pValue = rank / (heldOutKeys + 1);
	const result = resultOf(mark, decision, {
		statistic: 'alignment',
		scored: tokens.length,
		score,
		logP: ln(pValue),
		effect: {
			mean: tokens.length === 0 ? null : score / tokens.length,
			expected: others.reduce((sum, other) => sum + other, 0) / Math.max(1, heldOutKeys * tokens.length),
			ci95: null,
		},
	});
	// A rank is a check, not evidence: corrected for anything it says nothing.
	return { ...result, pValue, log10PCorrected: 0, heldOut: { count: heldOutKeys, rank, pValue } };
}
