/**
 * The second test for gumbel text that may have been edited: truncated goodness of fit. Where edits wiped the mark
 * from most tokens, a few very small p-values remain that a sum of all scores drowns. To be declared beforehand: it
 * counts as a hypothesis of its own.
 *
 * @module
 */

import { badInput } from '../errors.js';
import type { Mark } from '../marks/mark.js';
import { SCORE_UNIT } from '../schemes/fixed-log.js';
import { logGoodnessOfFit } from '../stats/index.js';
import { exp } from '../stats/portable.js';
import type { PairSet } from './pairs.js';
import { scoreList } from './tally.js';
import { type Decision, resultOf, type TestResult } from './test-result.js';

/**
 * Tests pairs for a gumbel mark.
 *
 * @throws TouchmarkError `bad-input` for a mark whose scores are not exponential
 */
export function testEdited(pairs: PairSet, mark: Mark, decision: Decision): TestResult {
	const law = mark.scheme.null;
	if (law.kind !== 'exponential') throw badInput('goodness of fit is a test of gumbel marks');
	const scores = scoreList(pairs, mark);
	// e^(−score) is a p-value of its pair: scores are rounded down and lie below Exp(1) + shift.
	const pValues = scores.map((score) => Math.min(1, exp(law.shift - score / SCORE_UNIT) * (1 + 2 ** -50)));
	const { statistic, logP } = logGoodnessOfFit(pValues);
	const scored = scores.length;
	return resultOf(mark, decision, {
		statistic: 'goodness-of-fit',
		scored,
		score: statistic,
		logP,
		effect: {
			mean: scored === 0 ? null : scores.reduce((sum, score) => sum + score, 0) / SCORE_UNIT / scored,
			expected: 1,
			ci95: null,
		},
	});
}
