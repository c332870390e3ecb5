/**
 * What share of a corpus is marked, where text that the provider is known to have served says what marked text scores.
 *
 * A mark's mean score in the corpus lies between that of unmarked text, which is known, and that of served text. Whatever is
 * not marked in served text either (draws left to chance, text that was tokenized again) is in both, and cancels.
 *
 * @module
 */
import { type Broken, report } from '../corpus/lines.js';
import type { Shard } from '../corpus/shards.js';
import { badInput } from '../errors.js';
import { pairsOfRows } from '../verify/pairs.js';
import { scoreOf, tallyPairs } from '../verify/tally.js';
import type { TestResult } from '../verify/test-result.js';
import { momentsOf } from './evidence.js';
import { type BoundGroup, bindPlan, describePlan, type ScanPlan } from './plan.js';
import { shardRecords } from './shard-records.js';
import { newShardScan } from './shard-scan.js';
import { shapesOf } from './state.js';

/** Distinct windows that a served sample must have. */
export const LEAST_SERVED = 1000;
/** Standard deviations by which served text must score above unmarked text. */
const LEAST_ABOVE = 4;

/** What served text scores under one mark. */
export interface ServedScore {
	readonly mark: string;
	readonly scored: number;
	/** Mean score of a distinct pair. */
	readonly mean: number;
	/** Its mean and standard deviation under the null. */
	readonly expected: number;
	readonly deviation: number;
}

/** Marks that the share is estimated by: choice marks, which score most; shapes where there are none. */
function estimators(groups: readonly BoundGroup[]) {
	const all = groups.flatMap((group) => group.marks.map((bound) => ({ group, bound })));
	const choice = all.filter(({ bound }) => bound.mark.spec.channel === 'choice');
	return choice.length > 0 ? choice : all;
}

/**
 * Scores served text, in this thread: it is a sample. A sample of its distinct windows is scored, as of a corpus.
 *
 * @param broken is told of what cannot be read, which is left out
 * @throws TouchmarkError `bad-input` for what cannot be read, where there is no `broken`
 */
export async function scoreServed(
	plan: ScanPlan,
	shards: readonly Shard[],
	broken?: Broken,
): Promise<ServedScore[]> {
	const groups = await bindPlan(plan);
	const shapes = shapesOf(describePlan(groups, plan.countCells));
	// Nobody is judged.
	const scan = newShardScan(
		groups.map((group) => ({ ...group, judges: [] })),
		{
			candidate() {},
			cells() {},
			tooLarge: (message) => report(badInput(message), broken),
		},
	);
	for (const shard of shards) for await (const batch of shardRecords(plan, shard, broken)) scan.add(batch);
	scan.finish();
	return estimators(groups).map(({ group, bound: { mark, shape } }) => {
		const index = shapes.findIndex((one) => one.group === group.number) + shape;
		const { rows } = scan.samples[index].windows();
		const tally = tallyPairs(pairsOfRows(shapes[index].shape.contextWidth, rows), mark);
		const { mean: expected, deviation } = momentsOf(mark.scheme.null);
		const mean = tally.scored === 0 ? expected : scoreOf(tally) / tally.scored;
		return { mark: mark.id, scored: tally.scored, mean, expected, deviation };
	});
}

/**
 * The estimated share of marked windows: what the corpus scores above unmarked text, in units of what served text does;
 * over several marks the sums of both. Text of several epochs is then one share, if it was served in the same proportions.
 *
 * @param tests of the corpus
 * @returns the share from 0 to 1, or in words why there is none
 */
export function estimateShare(
	tests: readonly Pick<TestResult, 'mark' | 'effect'>[],
	served: readonly ServedScore[],
): { readonly share: number } | { readonly problem: string } {
	const least = Math.min(...served.map(({ scored }) => scored));
	if (least < LEAST_SERVED)
		return {
			problem: `the served sample has ${least} distinct windows to score, too few to estimate a share; give at least ${LEAST_SERVED}`,
		};
	const above = served.reduce((sum, { mean, expected }) => sum + mean - expected, 0);
	const deviation = Math.hypot(...served.map((one) => one.deviation / Math.sqrt(one.scored)));
	if (above < LEAST_ABOVE * deviation)
		return {
			problem:
				'the served sample does not score above unmarked text; it is not of these marks, and no share is estimated',
		};
	const means = new Map(tests.map(({ mark, effect }) => [mark, effect.mean]));
	const corpus = served.reduce(
		(sum, { mark, expected }) => sum + (means.get(mark) ?? expected) - expected,
		0,
	);
	return { share: Math.min(1, Math.max(0, corpus / above)) };
}
