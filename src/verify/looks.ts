/**
 * A test of inheritance that is looked at while answers come in, and stops when the level is reached.
 *
 * Every look weighs all answers so far anew (`radioactivity.ts`), so that looks share their data in whatever way. The
 * k-th look counts as k(k + 1) hypotheses beside those that were declared, that is, it is made at level α/(k(k + 1)). By
 * the union bound
 *
 *     P(some look finds the mark) ≤ Σ_k α/(k(k + 1)) = α,
 *
 * however looks depend on one another, and however many there will be. When to stop may depend on everything; what is asked, and at how
 * many answers a look is made, may not depend on a look. Where references are missing, `sequential.ts` has no price a look.
 *
 * @module
 */
import type { Mark } from '../marks/mark.js';
import {
	type Observations,
	type RadioactivityOptions,
	type RadioactivityResult,
	radioactivity,
} from './radioactivity.js';
import { isFinding } from './test-result.js';

/** What one look says. */
export interface Look {
	/** Its number: 1, 2, 3, … */
	readonly look: number;
	/** Whether this look found a mark, at the level that is its own; from then on one may stop, or not. */
	readonly reached: boolean;
	/** The test of everything so far. Its `hypotheses` hold the price of the look, and all that is corrected has paid it. */
	readonly result: RadioactivityResult;
}

/** A running test of one suspect. */
export interface Looks {
	/**
	 * Looks at everything so far.
	 *
	 * Call it at the numbers of queries that {@link nextLookSize} gives, and at last once more when no more can be asked. How
	 * often it is called must not depend on what it said, but for stopping.
	 *
	 * @param observations all queries, those of earlier looks included
	 * @throws TouchmarkError as {@link radioactivity}
	 */
	look(observations: Observations): Look;
}

/** Queries of the first look; then a quarter more from look to look (docs/statistics.md says why). */
const FIRST = 100;
const GROWTH = 1.25;

/** How to test at looks. */
export interface LooksOptions extends Omit<RadioactivityOptions, 'weightsDigests'> {
	/** Looks that were taken before, at fewer queries of the same suspect. Default 0. */
	readonly taken?: number;
}

/**
 * Starts to look. `level` and `hypotheses` are for all looks together.
 *
 * @example
 * const looks = newLooks([mark], { level: 1e-6 });
 * do await askUntil(answers, nextLookSize(answers.length));
 * while (!looks.look(observed(answers)).reached && answers.length < budget);
 */
export function newLooks(
	marks: readonly Mark[],
	{ taken = 0, hypotheses = 1, ...options }: LooksOptions = {},
): Looks {
	let look = taken;
	return {
		look(observations) {
			const { result } = radioactivity(observations, marks, {
				...options,
				hypotheses: hypotheses * (look + 1) * (look + 2),
			});
			look++;
			return { look, reached: isFinding(result.verdict), result };
		},
	};
}

/** Queries of the k-th look. */
export function lookSize(look: number): number {
	return Math.ceil(FIRST * GROWTH ** (look - 1));
}

/** Queries, answers or readings, at which the next look is due when so many have been looked at. */
export function nextLookSize(queries: number): number {
	let look = 1;
	while (lookSize(look) <= queries) look++;
	return lookSize(look);
}
