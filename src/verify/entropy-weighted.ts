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
import { newRowSet, type RowSet } from './row-set.js';
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
	const words = scheme.effective?.words ?? width + 1;
	const distinct = newRowSet(words);
	const excluded = newRowSet(Math.max(1, width));
	const prompt = Uint32Array.from(given);
	excluded.addWindows(prompt);
	// Effective pairs of the prompt: no window around them makes them count.
	const copied = newRowSet(words);
	const ids = Uint32Array.from(tokens);
	const rows = new Uint32Array(words * (scheme.effective?.perWindow ?? 1));
	for (let at = 0; scheme.effective !== undefined && at + width < prompt.length; at++)
		copied.addRows(rows, scheme.effective.of(prompt, at, rows, 0));
	const weights: number[] = [];
	for (let at = width; at < ids.length; at++) {
		const context = ids.subarray(at - width, at);
		if (!mark.covers(context) || excluded.has(ids, at - width)) continue;
		const weight =
			weighting.kind === 'ewd' ? Math.max(0, entropies[at]) : entropies[at] >= weighting.threshold ? 1 : 0;
		if (!(weight > 0)) continue;
		rows.set(ids.subarray(at - width, at + 1));
		const count = scheme.effective?.of(ids, at - width, rows, 0) ?? 1;
		const before = distinct.size;
		distinct.addRows(rows, count, copied);
		if (distinct.size > before) weights.push(weight);
	}
	const scored = distinct.size;
	const scores = new Float64Array(scored);
	scheme.scores(distinct.data, scored, scores);
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
				: newWeightedSum(law, weights, law.lists && listsOf(distinct)).logP(score);
	return resultOf(mark, decision, {
		statistic: 'entropy-weighted',
		scored,
		score,
		logP,
		effect: { mean: total === 0 ? null : score / total, expected: law.p, ci95: null },
	});
}

/** The list that each effective pair is from, lists of exact size: numbered by the words before the token. */
function listsOf({ data, size, words }: RowSet): number[] {
	const lists = new Map<string, number>();
	return Array.from({ length: size }, (_, i) => {
		const key = data.subarray(i * words, (i + 1) * words - 1).join();
		const list = lists.get(key) ?? lists.size;
		lists.set(key, list);
		return list;
	});
}
