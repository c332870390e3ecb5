/**
 * What is asked, and what is answered.
 *
 * A coarse answer is one of four, so a query tells at most two bits, however the text was chosen. Nothing is said of
 * evidence below the level: whoever changes a text step by step sees no step before the verdict itself changes.
 *
 * @module
 */
import { z } from 'zod';
import type { DetectResult } from '../verify/detect.js';
import { Verdict } from '../verify/test-result.js';

/** Of token ids. */
const Ids = z.array(z.int().min(0).max(0xffffffff));

/** Body of a request. */
export const DetectRequest = z.union([
	z.strictObject({
		text: z.string().min(1).describe('the text to be tested'),
		prompt: z.string().optional().describe('what its author was given; its contexts are not scored'),
	}),
	z.strictObject({
		tokens: Ids.min(1).describe("token ids of the marked model's tokenizer"),
		prompt: Ids.optional().describe('token ids that the author was given; their contexts are not scored'),
	}),
]);
export type DetectRequest = z.infer<typeof DetectRequest>;

/** Verdicts on a text. */
export const TextVerdict = Verdict.extract(['marked', 'no-evidence', 'too-little-data']);

/**
 * How sure a verdict is, of those that say `marked`: `sufficient` at the server's level (1e-6 unless it says otherwise),
 * `strong` at its square.
 */
export const Confidence = z.enum(['strong', 'sufficient', 'none']);

/** All that a coarse answer can be, from the strongest evidence to none. */
export const COARSE_ANSWERS = [
	{ verdict: 'marked', confidence: 'strong' },
	{ verdict: 'marked', confidence: 'sufficient' },
	{ verdict: 'no-evidence', confidence: 'none' },
	{ verdict: 'too-little-data', confidence: 'none' },
] as const satisfies readonly z.infer<typeof CoarseAnswer>[];

/** Bits that a coarse answer tells at most. */
export const BITS_PER_ANSWER = Math.log2(COARSE_ANSWERS.length);

/** The answer that every key gets. */
export const CoarseAnswer = z.strictObject({
	verdict: TextVerdict.describe('no-evidence does not say that the text was written by somebody else'),
	confidence: Confidence.describe('of the verdict marked; none for the others'),
});
export type CoarseAnswer = z.infer<typeof CoarseAnswer>;

/** The answer to a key with full detail. */
export const FullAnswer = CoarseAnswer.extend({
	scheme: z.string().describe('scheme of the mark with the most evidence'),
	scored: z.int().min(0).describe('distinct pairs scored'),
	log10P: z.number().max(0).describe('log10 of the p-value of that mark'),
	log10PCorrected: z
		.number()
		.max(0)
		.describe('the same, corrected for the number of tests and for searches over keys'),
	log10E: z.number().describe('log10 of an e-value'),
	hypotheses: z.int().min(1).describe('tests that were corrected for'),
});
export type FullAnswer = z.infer<typeof FullAnswer>;

/** The coarse answer. Monotone: more evidence never gives a lower one. */
export function coarseAnswer({ verdict, log10PCorrected, level }: DetectResult): CoarseAnswer {
	if (verdict !== 'marked')
		return { verdict: verdict === 'no-evidence' ? verdict : 'too-little-data', confidence: 'none' };
	return { verdict, confidence: log10PCorrected <= 2 * Math.log10(level) ? 'strong' : 'sufficient' };
}

/** The full answer. */
export function fullAnswer(result: DetectResult): FullAnswer {
	const { scheme, scored, log10P, log10PCorrected, log10E, hypotheses } = result;
	return { ...coarseAnswer(result), scheme, scored, log10P, log10PCorrected, log10E, hypotheses };
}
