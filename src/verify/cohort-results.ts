/**
 * Which cohorts show, of all that were tested.
 *
 * @module
 */
import { z } from 'zod';
import type { Mark } from '../marks/mark.js';
import { benjaminiHochbergLog } from '../stats/false-discovery.js';
import { bonferroniLog } from '../stats/index.js';
import { ln } from '../stats/portable.js';
import { TestResult, toLog10 } from './test-result.js';

/** The test of one cohort's mark. */
export const CohortResult = TestResult.extend({
	cohort: z.string(),
	epoch: z.int(),
	/** Adjusted for the false discovery rate over all cohorts. */
	log10PAdjusted: z.number().max(0),
	/** Whether it is below the false discovery rate. */
	found: z.boolean(),
});
export type CohortResult = z.infer<typeof CohortResult>;

/**
 * Adjusts tests of cohorts' marks for their number. Keys of cohorts are independent of each other, and so are the p-values
 * of cohorts whose mark the tested text knows nothing of: what the false discovery rate asks for.
 *
 * @param hypotheses by which every p-value is multiplied first
 * @returns strongest first
 */
export function cohortResults(
	tests: readonly { readonly mark: Mark; readonly test: TestResult }[],
	fdr: number,
	hypotheses = 1,
): CohortResult[] {
	const adjusted = benjaminiHochbergLog(
		tests.map(({ test }) => bonferroniLog(test.log10P * Math.LN10, hypotheses, test.searchBits)),
	);
	return tests
		.map(({ mark: { spec }, test }, i) => ({
			...test,
			cohort: spec.member ?? '',
			epoch: spec.epoch,
			log10PAdjusted: toLog10(adjusted[i]),
			found: adjusted[i] <= ln(fdr),
		}))
		.sort((a, b) => a.log10P - b.log10P);
}
