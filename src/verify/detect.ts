/**
 * Is this text marked? The scan of one shard with one document.
 *
 * @module
 */
import { z } from 'zod';
import type { Mark } from '../marks/mark.js';
import { isGreenLists } from '../schemes/scheme.js';
import { testAligned } from './aligned.js';
import { testEdited } from './edited.js';
import { type EntropyWeighting, testEntropyWeighted } from './entropy-weighted.js';
import { newPairSet, type PairSet } from './pairs.js';
import { tallyPairs } from './tally.js';
import {
	DEFAULT_LEVEL,
	isFound,
	type SearchBits,
	searchBitsOf,
	TestResult,
	testTally,
	Verdict,
} from './test-result.js';

/** The headline is the strongest test; `tests` holds one a mark, or more where more were declared. */
export const DetectResult = TestResult.extend({
	id: z.string(),
	level: z.number(),
	verdict: Verdict,
	tests: z.array(TestResult),
});
export type DetectResult = z.infer<typeof DetectResult>;

/** How to decide. */
export interface DetectOptions {
	/** Default 1e-6, corrected for the number of tests. */
	readonly level?: number;
	/** Default 0: every key was committed beforehand. */
	readonly searchBits?: SearchBits;
	/** Ids that the author was given (a prompt). */
	readonly given?: ArrayLike<number>;
	/** Declares a second test for gumbel marks, for texts that may have been edited. Default false. */
	readonly edited?: boolean;
	/** Declares a second test for green lists, where the entropy of each token is known (nats, key-blind). */
	readonly entropies?: { readonly values: ArrayLike<number>; readonly weighting: EntropyWeighting };
}

/** A test that was declared, ready to run. */
type Declared = (hypotheses: number) => TestResult;

/**
 * Tests one document for every mark.
 *
 * @param marks one or more; the verdict is corrected for the number of tests
 */
export function detect(
	id: string,
	tokens: ArrayLike<number>,
	marks: readonly [Mark, ...Mark[]],
	options: DetectOptions = {},
): DetectResult {
	const { level = DEFAULT_LEVEL, searchBits, given = [], edited = false, entropies } = options;
	const sets = new Map<string, PairSet>();
	const pairsOf = ({ spec }: Mark): PairSet => {
		const key = `${spec.contextWidth}/${spec.start}`;
		let pairs = sets.get(key);
		if (pairs === undefined) {
			pairs = newPairSet(spec);
			pairs.add(tokens, given);
			sets.set(key, pairs);
		}
		return pairs;
	};
	const declared = marks.flatMap((mark): Declared[] => {
		const { name } = mark.spec.scheme;
		const decide = (hypotheses: number) => ({
			level,
			hypotheses,
			searchBits: searchBitsOf(searchBits, mark),
		});
		if (mark.scheme.align !== undefined)
			return [(hypotheses) => testAligned(tokens, mark, decide(hypotheses))];
		const tests: Declared[] = [
			(hypotheses) => testTally(tallyPairs(pairsOf(mark), mark), mark, decide(hypotheses), 'marked-text'),
		];
		if (edited && name === 'gumbel')
			tests.push((hypotheses) => testEdited(pairsOf(mark), mark, decide(hypotheses)));
		if (entropies !== undefined && isGreenLists(mark.spec.scheme))
			tests.push((hypotheses) =>
				testEntropyWeighted(
					{ tokens, entropies: entropies.values, given },
					mark,
					entropies.weighting,
					decide(hypotheses),
				),
			);
		return tests;
	});
	const tests = declared.map((run) => run(declared.length));
	const headline = tests.reduce((best, test) =>
		test.log10PCorrected < best.log10PCorrected ||
		(test.log10PCorrected === best.log10PCorrected && test.log10P < best.log10P)
			? test
			: best,
	);
	// An alignment is never evidence by itself.
	const found = tests.some((test) => test.statistic !== 'alignment' && isFound(test, level));
	const powerful = tests.some((test) => test.power >= 0.5);
	const verdict = found ? 'marked' : powerful ? 'no-evidence' : 'too-little-data';
	return { id, ...headline, level, verdict, tests };
}
