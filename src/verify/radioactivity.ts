/**
 * Did this suspect model inherit the mark? Three ways in, one result: *closed*, only what the suspect wrote is known;
 * *grey*, its likeliest next tokens with their probabilities; *open*, its distributions.
 *
 * Where references are known, the test weighs each score by how far the suspect departs from them (`residuals.ts`).
 *
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { z } from 'zod';
import { badInput } from '../errors.js';
import type { Mark } from '../marks/mark.js';
import { canonicalBytes } from '../marks/mark-spec.js';
import { ln } from '../stats/portable.js';
import { CohortResult, cohortResults } from './cohort-results.js';
import { type HeldOutSample, heldOutSample } from './held-out.js';
import { logPValue } from './null-law.js';
import { newPairSet } from './pairs.js';
import type { PairWeights } from './residuals.js';
import { tallyPairs } from './tally.js';
import {
	DEFAULT_LEVEL,
	HeldOut,
	isFound,
	type SearchBits,
	searchBitsOf,
	TestResult,
	testTally,
	Verdict,
} from './test-result.js';
import { newWeightedTest } from './weighted.js';

/** One exchange with the suspect, as token ids. */
export interface Exchange {
	readonly prompt: readonly number[];
	readonly answer: readonly number[];
}

/** The headline is the strongest test of the shape channel, or of the choice channel where there is no other. */
export const RadioactivityResult = TestResult.extend({
	mode: z.enum(['closed', 'grey', 'open']),
	/** SHA-256 of what was tested: exchanges, readings, or the probes that a model was read along, in canonical JSON. */
	corpusDigest: z.string(),
	/** SHA-256 of the weights for each context width, hexadecimal; fixed before the key's scores. Empty: none were used. */
	weights: z.array(
		z.object({
			contextWidth: z.int(),
			digest: z.string(),
			observations: z.int(),
			/** Share of each reference in what the suspect was expected to do. */
			coefficients: z.array(z.number()),
		}),
	),
	level: z.number(),
	heldOut: HeldOut,
	/** Suspected cohorts whose marks were tested, strongest first. */
	cohorts: z.array(CohortResult),
	/** False discovery rate of the cohorts that are found. */
	fdr: z.number(),
	/** Cohorts that are not suspected, by a correction of their own. */
	controls: z.object({ cohorts: z.array(CohortResult) }),
	/** Other explanations that the test cannot rule out; `other-cohorts`: some that are not suspected show it too. */
	alternatives: z.array(z.enum(['relay', 'other-cohorts'])),
	verdict: Verdict,
	tests: z.array(TestResult),
});
export type RadioactivityResult = z.infer<typeof RadioactivityResult>;

/** How to test. */
export interface RadioactivityOptions {
	/** Default 1e-6, corrected for the number of marks. */
	readonly level?: number;
	/** Tests that belong together beside the marks: suspects, modes, references or probes that were tried. Default 1. */
	readonly hypotheses?: number;
	/** Digests of weights that were recorded; without it none are asked for. */
	readonly weightsDigests?: readonly string[];
	/** Default 0: every key was committed beforehand. */
	readonly searchBits?: SearchBits;
	/** Keys never deployed that the true key is ranked against. Default 99. */
	readonly heldOutKeys?: number;
	/** False discovery rate of the list of cohorts. Default 0.01. */
	readonly fdr?: number;
	/** Cohorts that are not suspected, named before the key is opened: listed apart. */
	readonly controlCohorts?: readonly string[];
}

/** What is known of a suspect. */
export type Observations =
	| {
			readonly mode: 'closed';
			readonly exchanges: readonly Exchange[];
			/** Weights from the same answers and references, by context width; absent without references. */
			readonly weights?: (contextWidth: number) => PairWeights;
	  }
	| {
			readonly mode: 'grey' | 'open';
			/** Hexadecimal SHA-256 of the readings, or of the probes. */
			readonly digest: string;
			/** Everything that the suspect was given, as token ids. */
			readonly given: readonly (readonly number[])[];
			readonly weights: (contextWidth: number) => PairWeights;
	  };

/**
 * Tests what is known of a suspect for inherited marks.
 *
 * Closed: contexts of each prompt are excluded from its answer, and each distinct pair is scored once over all answers.
 * With references the shape channel is tested by weights, and the choice channel (a relay) by plain scores.
 *
 * @param given any marks of either channel; the verdict is corrected for their number, except that marks of the account layer are
 *   left out: a draw that no codeword turns back says nothing
 * @returns the result, and the null sample behind `heldOut` for each mark
 * @throws TouchmarkError `bad-input` for no mark, one that is found by alignment, a control that no mark is of, or weights
 *   that were not recorded
 */
export function radioactivity(
	observations: Observations,
	given: readonly Mark[],
	options: RadioactivityOptions = {},
): { result: RadioactivityResult; nulls: HeldOutSample[] } {
	const { level = DEFAULT_LEVEL, hypotheses = 1, searchBits, heldOutKeys = 99, weightsDigests } = options;
	const { fdr = 0.01, controlCohorts = [] } = options;
	if (given.length === 0) throw badInput('give a mark to look for');
	const marks = given.filter(({ spec }) => spec.layer !== 'account');
	if (marks.length === 0)
		throw badInput('a mark of the account layer is not inherited; give one of the deployment or of a cohort');
	const stranger = controlCohorts.find((name) => marks.every(({ spec }) => spec.member !== name));
	if (stranger !== undefined)
		throw badInput(`no mark is cohort "${stranger}"'s, which is named as a control`);
	if (marks.some((mark) => mark.scheme.align !== undefined))
		throw badInput('a mark that is found by alignment is no evidence of training; leave it out');
	const hasShape = marks.some((mark) => mark.spec.channel === 'shape');
	const corpusDigest =
		observations.mode === 'closed'
			? bytesToHex(sha256(canonicalBytes(observations.exchanges)))
			: observations.digest;

	if (observations.mode !== 'closed') refuseMarkedPrefixes(observations.given, marks);

	// Readings hold no text, so that they cannot show a relay: choice marks are left to a closed test.
	const tested =
		observations.mode === 'closed' || !hasShape
			? marks
			: marks.filter((mark) => mark.spec.channel === 'shape');
	const used = new Map<number, PairWeights>();
	const weightsFor = (mark: Mark): PairWeights | undefined => {
		const { channel, contextWidth } = mark.spec;
		if (observations.weights === undefined || (hasShape && channel === 'choice')) return undefined;
		const weights = used.get(contextWidth) ?? observations.weights(contextWidth);
		used.set(contextWidth, weights);
		if (weightsDigests !== undefined && !weightsDigests.includes(weights.digest))
			throw badInput(`the weights have digest ${weights.digest}, which was not recorded`);
		return weights;
	};
	const nulls: HeldOutSample[] = [];
	const tests = tested.map((mark): TestResult => {
		const decision = {
			level,
			hypotheses: hypotheses * tested.length,
			searchBits: searchBitsOf(searchBits, mark),
		};
		const pairs = newPairSet(mark.spec);
		if (observations.mode === 'closed')
			for (const { prompt, answer } of observations.exchanges) pairs.add(answer, prompt);
		else for (const ids of observations.given) pairs.add([], ids);
		const weights = weightsFor(mark);
		if (weights !== undefined) {
			const weighted = newWeightedTest(weights, mark.spec, pairs.given);
			const test = weighted.test(mark, decision);
			const sample = weighted.heldOut(test, mark, corpusDigest, heldOutKeys);
			nulls.push(sample);
			return { ...test, heldOut: sample.heldOut };
		}
		// A relay of the marked model would show the choice channel at full strength.
		const strength = mark.spec.channel === 'choice' && hasShape ? 'marked-text' : 'student';
		const test = testTally(tallyPairs(pairs, mark), mark, decision, strength);
		const sample = heldOutSample(pairs, mark, corpusDigest, heldOutKeys);
		nulls.push(sample);
		return { ...test, heldOut: sample.heldOut };
	});
	const strongest = (some: readonly TestResult[]): TestResult =>
		some.reduce((best, test) => {
			const gap = test.log10PCorrected - best.log10PCorrected || test.log10P - best.log10P;
			return gap < 0 ? test : best;
		});
	const shapes = tests.filter((test) => test.channel === 'shape');
	const choices = tests.filter((test) => test.channel === 'choice');
	const headline = strongest(hasShape ? shapes : choices);
	const ofCohorts = (control: boolean) =>
		cohortResults(
			tests.flatMap((test, i) => {
				const { member } = tested[i].spec;
				return member !== null && controlCohorts.includes(member) === control
					? [{ mark: tested[i], test }]
					: [];
			}),
			fdr,
			hypotheses,
		);
	const controls = { cohorts: ofCohorts(true) };
	// A choice mark alone cannot tell a student of its texts from a relay either; what it finds is marked text.
	const verdict = verdictOf(headline, observations.mode === 'closed' || hasShape ? choices : [], level);
	return {
		result: {
			...headline,
			mode: observations.mode,
			corpusDigest,
			weights: [...used.values()].map(({ contextWidth, digest, observations: seen, coefficients }) => ({
				contextWidth,
				digest,
				observations: seen,
				coefficients: [...coefficients],
			})),
			level,
			heldOut: headline.heldOut as HeldOut,
			cohorts: ofCohorts(false),
			fdr,
			controls,
			alternatives: [
				// Whoever has the weights knows that there is no relay behind them.
				...(verdict === 'trained-on-marked' && observations.mode !== 'open' ? (['relay'] as const) : []),
				...(controls.cohorts.some(({ found }) => found) ? (['other-cohorts'] as const) : []),
			],
			verdict,
			tests,
		},
		nulls,
	};
}

/**
 * A model repeats what it was given: marked prefixes would make an innocent suspect look trained on them. Refusing can
 * only keep a test from rejecting.
 */
function refuseMarkedPrefixes(given: readonly (readonly number[])[], marks: readonly Mark[]): void {
	for (const mark of marks) {
		const pairs = newPairSet(mark.spec);
		for (const ids of given) pairs.add(ids);
		if (logPValue(tallyPairs(pairs, mark), mark.scheme.null) < MOST_SUSPICIOUS)
			throw badInput(
				`what the suspect was given carries mark ${mark.id.slice(0, 16)} itself; probe with text that no key has touched`,
			);
	}
}

/** ln of the p-value below which prefixes are refused. */
const MOST_SUSPICIOUS = ln(1e-4);

/**
 * With one channel, a finding cannot tell a student from a relay. With two: choice found means that the text
 * itself is marked; shape alone means training, if the choice test would have seen a relay.
 */
function verdictOf(headline: TestResult, choices: readonly TestResult[], level: number): Verdict {
	if (choices.some((choice) => isFound(choice, level))) return 'marked';
	if (isFound(headline, level))
		return choices.every((choice) => choice.power >= 0.5) ? 'trained-on-marked' : 'too-little-data';
	return headline.power >= 0.5 ? 'no-evidence' : 'too-little-data';
}
