/**
 * Is this text marked? The scan of one shard with one document.
 *
 * @module
 */
import { z } from 'zod';
import type { Mark } from '../marks/mark.js';
import { newPairSet } from './pairs.js';
import { tallyPairs } from './tally.js';
import { DEFAULT_LEVEL, isFound, TestResult, testTally, Verdict } from './test-result.js';

/** The headline is the strongest test; `tests` holds one a mark. */
export const DetectResult = TestResult.extend({
	id: z.string(),
	level: z.number(),
	verdict: Verdict,
	tests: z.array(TestResult),
});
export type DetectResult = z.infer<typeof DetectResult>;

/** How to decide. */
export interface DetectOptions {
	/** Default 1e-6, corrected for the number of marks. */
	readonly level?: number;
	/** Bits of key space to pay for when the keys were not committed beforehand. Default 0. */
	readonly searchBits?: number;
	/** Ids that the author was given (a prompt). */
	readonly given?: ArrayLike<number>;
}

/**
 * Tests one document for every mark.
 *
 * @param marks one or more; the verdict is corrected for their number
 */
export function detect(
	id: string,
	tokens: ArrayLike<number>,
	marks: readonly [Mark, ...Mark[]],
	options: DetectOptions = {},
): DetectResult {
	const { level = DEFAULT_LEVEL, searchBits = 0, given = [] } = options;
	const decision = { level, hypotheses: marks.length, searchBits };
	const tests = marks.map((mark) => {
		const pairs = newPairSet(mark.spec);
		pairs.add(tokens, given);
		return testTally(tallyPairs(pairs, mark), mark, decision, 'marked-text');
	});
	const headline = tests.reduce((best, test) => (test.log10P < best.log10P ? test : best));
	const powerful = tests.some((test) => test.power >= 0.5);
	const verdict = isFound(headline, level) ? 'marked' : powerful ? 'no-evidence' : 'too-little-data';
	return { id, ...headline, level, verdict, tests };
}
