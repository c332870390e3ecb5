/**
 * Students that are asked for text, more and more of it.
 *
 * @module
 */
import type { Mark } from '../../src/marks/mark.js';
import { predictAnswers } from '../../src/model/predict.js';
import type { Transformer } from '../../src/model/transformer.js';
import { newPairSet } from '../../src/verify/pairs.js';
import { newResiduals } from '../../src/verify/residuals.js';
import { answersOf, type Ground, MAX_TOKENS, UNTRAINED } from './ground.js';
import { type Measured, type Point, plainPoint, weightedPoint } from './measured.js';

/** Tokens of answers at which a test is made. */
const BUDGETS = [5e3, 1e4, 2e4, 3e4, 5e4, 7e4, 1e5, 1.5e5, 2e5, 3e5, 5e5, 1e6] as const;
/** The weighted tests stop here, or at this log10 e. */
const MOST_WEIGHTED = 5e5;
const ENOUGH = 10;

/** The student's own texts, more and more of them. */
export function askStudent(
	ground: Ground,
	model: Transformer,
	mark: Mark,
	seed: string,
): NonNullable<Measured['closed']> {
	const { contextWidth } = mark.spec;
	const { references } = ground;
	const exposure = ground.exposure(contextWidth);
	const given = [UNTRAINED, references.length];
	const residuals = given.map((count) => newResiduals('text', contextWidth, count, exposure));
	const curves = given.map((): Point[] => []);
	const plain = newPairSet(mark.spec);
	const published: Point[] = [];
	const most = BUDGETS[BUDGETS.length - 1];
	let tokens = 0;
	let next = 0;
	let asked: { promptTokens: readonly number[]; tokens: readonly number[] }[] = [];
	for (const answer of answersOf(model, Math.ceil(most / (MAX_TOKENS / 2)), seed)) {
		asked.push(answer);
		const { promptTokens, tokens: own } = answer;
		tokens += own.length;
		for (let at = contextWidth; at < own.length; at++)
			if (exposure.counts.has(own.slice(at - contextWidth, at).join()))
				plain.add(own.slice(at - contextWidth, at + 1), promptTokens);
		if (tokens < BUDGETS[next]) continue;
		const queries = BUDGETS[next++];
		published.push(plainPoint(queries, plain, mark));
		if (queries <= MOST_WEIGHTED && (curves[1].at(-1)?.log10E ?? 0) < ENOUGH) {
			const exchanges = asked.map((one) => ({ prompt: one.promptTokens, answer: one.tokens }));
			predictAnswers(references, exchanges, contextWidth, 1e-3, (context, token, others) => {
				residuals.forEach((one, j) => {
					one.addToken(context, token, others.slice(0, given[j]));
				});
			});
			residuals.forEach((one, j) => {
				curves[j].push(weightedPoint(queries, one.weights(), mark));
			});
		}
		asked = [];
		if (next === BUDGETS.length) break;
	}
	return { weighted: curves[0], 'weighted+students': curves[1], 'distinct and filtered': published };
}
