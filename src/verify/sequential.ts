/**
 * The closed test of inheritance, one answer at a time: it says when the level is reached, and may be stopped or looked
 * at whenever one likes.
 *
 * The score of each distinct effective pair enters an e-process (`stats/e-process.ts`) once, when the suspect first
 * writes the pair. Its weight knows no score, this one or any other: 1, or 1 − p where a reference that does not know
 * the key gives the written token probability p. Under a shape of strength λ a written token is likelier by the factor
 * 1 + λ·(x_t − Σp·x), of which the token's own score makes up λ(1 − p): what had to come says little.
 *
 * @module
 */
import { z } from 'zod';
import { TouchmarkError } from '../errors.js';
import { checked } from '../input.js';
import type { Mark } from '../marks/mark.js';
import { BEFORE_TEXT } from '../marks/mark-spec.js';
import { SCORE_UNIT } from '../schemes/fixed-log.js';
import { bonferroniLog, newEProcess } from '../stats/index.js';
import { givenPairs, newEffectivePairs } from './effective-pairs.js';
import { newPairSet } from './pairs.js';
import { DEFAULT_LEVEL, isFound, TestResult, toLog10 } from './test-result.js';
import { scoreLaw } from './weighted.js';

const TokenIds = z.array(
	z
		.int()
		.min(0)
		.max(2 ** 32 - 1),
);

/** An answer of the suspect, as token ids. */
export const SequentialAnswer = z
	.strictObject({
		/** Everything that the suspect was given before it answered. */
		prompt: TokenIds,
		answer: TokenIds,
		/** Probability of each token of the answer under a reference that does not know the key. */
		expected: z.array(z.number().min(0).max(1)).optional(),
	})
	.refine(({ answer, expected }) => expected === undefined || expected.length === answer.length, {
		error: 'expected must hold one probability for each token of the answer',
	});
export type SequentialAnswer = z.infer<typeof SequentialAnswer>;

/** Where a sequential test stands. */
export const SequentialResult = TestResult.pick({
	mark: true,
	scheme: true,
	channel: true,
	scored: true,
	hypotheses: true,
	searchBits: true,
}).extend({
	/** Answers that were added. */
	answers: z.int().min(0),
	/** log10 of the e-value of everything so far. An e-value at any stopping time. */
	log10E: z.number(),
	/** −log10 of the largest e-value so far: a p-value at any time (Ville). */
	log10P: z.number().max(0),
	/** log10P after correction for hypotheses and search bits. */
	log10PCorrected: z.number().max(0),
	/** Family-wise error rate over all answers, however many there will be. */
	level: z.number(),
	/** Whether the level was reached, now or before. */
	reached: z.boolean(),
});
export type SequentialResult = z.infer<typeof SequentialResult>;

const SequentialOptions = z.strictObject({
	/** Default 1e-6. */
	level: z.number().gt(0).lt(1).default(DEFAULT_LEVEL),
	/** Marks tested on the same suspect. Default 1. */
	hypotheses: z.int().min(1).default(1),
	/** Bits of key space that a search could have gone through. Default 0: the key was committed beforehand. */
	searchBits: z.int().min(0).default(0),
});

/** A running test of one suspect for one mark. */
export interface SequentialTest {
	/**
	 * Adds an answer. The prompt may have been chosen by whatever is known so far.
	 *
	 * @throws TouchmarkError `bad-input` for anything but token ids and probabilities; nothing was added then
	 */
	add(answer: SequentialAnswer): SequentialResult;
	/** Where the test stands. */
	result(): SequentialResult;
}

/** Whether a mark has such a test: whether the law of its scores holds for one after another. */
export function hasSequentialTest(mark: Mark): boolean {
	try {
		scoreLaw(mark);
		return true;
	} catch (error) {
		if (TouchmarkError.isInstance(error)) return false;
		throw error;
	}
}

/**
 * Starts a sequential test.
 *
 * Contexts of a prompt are not counted in its answer. The order of answers matters where they have `expected`: a pair
 * keeps the weight of its first occurrence. Without, it does not, up to which prompts exclude what; nor does the
 * probability of a false finding ever depend on it.
 *
 * @throws TouchmarkError `bad-input` for options out of range, or a mark whose scores have no law that holds one after
 *   another
 *
 * @example
 * const test = newSequentialTest(mark, { level: 1e-6 });
 * while (!test.add(await ask(suspect)).reached);
 */
export function newSequentialTest(
	mark: Mark,
	options: z.input<typeof SequentialOptions> = {},
): SequentialTest {
	const { level, hypotheses, searchBits } = checked(SequentialOptions, options, 'a sequential test');
	const law = scoreLaw(mark);
	const evidence = newEProcess(law);
	const exact = law.kind === 'bernoulli' && law.lists !== undefined;
	const { contextWidth, start } = mark.spec;
	const window = contextWidth + 1;
	const entered = newEffectivePairs(mark);
	let answers = 0;

	function enter({ prompt, answer, expected }: SequentialAnswer): void {
		const pairs = newPairSet(mark.spec);
		pairs.add(answer, prompt);
		const predicted = expected && firstOccurrences(answer, expected, contextWidth, start === 'pad');
		const given = givenPairs(mark, pairs.given);
		const before = entered.rows.size;
		const weights: number[] = [];
		for (let at = 0; at < pairs.size * window; at += window) {
			entered.enter(pairs.rows, at, given);
			const fresh = entered.rows.size - before - weights.length;
			if (fresh === 0) continue;
			const weight = 1 - (predicted?.get(pairs.rows.subarray(at, at + window).join()) ?? 0);
			for (let i = 0; i < fresh; i++) weights.push(weight);
		}
		const { data, words } = entered.rows;
		const scores = new Float64Array(weights.length);
		mark.scheme.scores(data.subarray(before * words), scores.length, scores);
		for (let i = 0; i < scores.length; i++) scores[i] /= SCORE_UNIT;
		evidence.enter(weights, scores, exact ? entered.lists().slice(before) : undefined);
	}

	function result(): SequentialResult {
		const log10PCorrected = toLog10(bonferroniLog(-evidence.highest, hypotheses, searchBits));
		return {
			mark: mark.id,
			scheme: mark.spec.scheme.name,
			channel: mark.spec.channel,
			answers,
			scored: evidence.count,
			hypotheses,
			searchBits,
			log10E: toLog10(evidence.logE),
			log10P: toLog10(-evidence.highest),
			log10PCorrected,
			level,
			reached: isFound({ log10PCorrected }, level),
		};
	}

	return {
		add(answer) {
			enter(checked(SequentialAnswer, answer, 'an answer'));
			answers++;
			return result();
		},
		result,
	};
}

/** The probability of each window's token where the answer has the window first. */
function firstOccurrences(
	answer: readonly number[],
	expected: readonly number[],
	contextWidth: number,
	pad: boolean,
): Map<string, number> {
	const ids = pad ? [...Array<number>(contextWidth).fill(BEFORE_TEXT), ...answer] : answer;
	const first = new Map<string, number>();
	for (let at = contextWidth; at < ids.length; at++) {
		const key = ids.slice(at - contextWidth, at + 1).join();
		if (!first.has(key)) first.set(key, expected[pad ? at - contextWidth : at]);
	}
	return first;
}
