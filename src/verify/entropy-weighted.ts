/**
 * Green lists with token entropies: a token that the model could hardly avoid says little, whatever its colour.
 *
 * - `sweet` (Lee et al., "Who wrote this code?", 2023): only tokens whose entropy reaches a threshold are scored; exact.
 * - `ewd` (Lu et al., "An entropy-based text watermarking detection method", 2024): each token is weighted by its
 *   entropy; a rigorous exponential bound.
 *
 * Entropies must come from code that does not know the key; then the weights are constants under the null. An
 * effective pair is scored once, with the entropy of its first occurrence.
 *
 * @module
 */

import { badInput } from '../errors.js';
import type { Mark } from '../marks/mark.js';
import { SCORE_UNIT } from '../schemes/fixed-log.js';
import { isGreenLists } from '../schemes/scheme.js';
import { logBinomialUpperTail, newWeightedSum } from '../stats/index.js';
import { givenPairs, newEffectivePairs } from './effective-pairs.js';
import { newRowSet } from './row-set.js';
import { type Decision, resultOf, type TestResult } from './test-result.js';

/** How entropies are used. */
export type EntropyWeighting =
	| { readonly kind: 'sweet' /** Nats. */; readonly threshold: number }
	| { readonly kind: 'ewd' };

/** A text with the entropy of the model's distribution before each token, nats. */
export interface EntropyText {
	readonly tokens: ArrayLike<number>;
	readonly entropies: ArrayLike<number>;
	readonly given?: ArrayLike<number>;
}

/**
 * Tests one text for a green-list mark.
 *
 * @throws TouchmarkError `bad-input` when the mark has no green list, or there is not one entropy a token
 */
export function testEntropyWeighted(
	{ tokens, entropies, given = [] }: EntropyText,
	mark: Mark,
	weighting: EntropyWeighting,
	decision: Decision,
): TestResult {
	const { scheme, spec } = mark;
	const law = scheme.null;
	if (law.kind !== 'bernoulli' || !isGreenLists(spec.scheme))
		throw badInput('entropies can weigh green lists only (kgw, unigram, adfp)');
	if (entropies.length !== tokens.length)
		throw badInput(
			`there are ${entropies.length} entropies for ${tokens.length} tokens; one a token is needed`,
		);

	const width = spec.contextWidth;
	const distinct = newEffectivePairs(mark);
	const excluded = newRowSet(Math.max(1, width));
	const prompt = Uint32Array.from(given);
	excluded.addWindows(prompt);
	const windows = newRowSet(width + 1);
	windows.addWindows(prompt);
	const copied = givenPairs(mark, { rows: windows.data, size: windows.size });
	const ids = Uint32Array.from(tokens);
	const weights: number[] = [];
	for (let at = width; at < ids.length; at++) {
		if (excluded.has(ids, at - width)) continue;
		const weight =
			weighting.kind === 'ewd' ? Math.max(0, entropies[at]) : entropies[at] >= weighting.threshold ? 1 : 0;
		if (!(weight > 0)) continue;
		distinct.enter(ids, at - width, copied);
		while (weights.length < distinct.rows.size) weights.push(weight);
	}
	const scored = distinct.rows.size;
	const scores = new Float64Array(scored);
	scheme.scores(distinct.rows.data, scored, scores);
	let green = 0;
	let score = 0;
	for (let i = 0; i < scored; i++)
		if (scores[i] === SCORE_UNIT) {
			green++;
			score += weights[i];
		}
	const total = weights.reduce((sum, weight) => sum + weight, 0);
	const logP =
		scored === 0
			? 0
			: weighting.kind === 'sweet'
				? logBinomialUpperTail(green, scored, law.p)
				: newWeightedSum(law, weights, law.lists && distinct.lists()).logP(score);
	return resultOf(mark, decision, {
		statistic: 'entropy-weighted',
		scored,
		score,
		logP,
		effect: { mean: total === 0 ? null : score / total, expected: law.p, ci95: null },
	});
}
