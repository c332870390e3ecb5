/**
 * Measures of how well a suspect knows a text, one for each way in. A measure gets texts in an order that says nothing of
 * the coin; any measure is valid, these are the ones that work.
 *
 * @module
 */
import levenshtein from 'fast-levenshtein';
import { badInput } from '../errors.js';
import { nonNegativeLeastSquares } from '../stats/least-squares.js';

/** All that a measure gets: no id, no account, no coin. `a` and `b` come in the order of their SHA-256. */
export interface MeasuredTexts {
	readonly prompt: string;
	readonly a: string;
	readonly b: string;
}

/** A measure of all pairs at once. */
export type Measure = (pairs: readonly MeasuredTexts[]) => readonly { a: number; b: number }[];

/** A text after what precedes it. */
export interface GivenAnswer {
	readonly prompt: string;
	readonly text: string;
}

/** Log-probabilities, nats, of the tokens of each text under a model. */
export type Likelihood = (texts: readonly GivenAnswer[]) => readonly (readonly number[])[];

/** How likelihoods are compared. */
export interface LikelihoodOptions {
	/** Sum over the text (default), or mean of its tokens. */
	readonly per?: 'text' | 'token';
	/** No token counts for more than this many nats either way; all models must then share a tokenizer. */
	readonly clip?: number;
}

/** With fewer pairs than this for each reference, the mean of the references is taken. */
const PAIRS_A_REFERENCE = 10;

/** Both texts of every pair: those of `a` first. */
function bothSides(pairs: readonly MeasuredTexts[]): GivenAnswer[] {
	return (['a', 'b'] as const).flatMap((side) =>
		pairs.map((pair) => ({ prompt: pair.prompt, text: pair[side] })),
	);
}

function paired(values: readonly number[]): { a: number; b: number }[] {
	const count = values.length / 2;
	return values.slice(0, count).map((a, i) => ({ a, b: values[count + i] }));
}

function total(values: readonly number[]): number {
	return values.reduce((sum, value) => sum + value, 0);
}

/**
 * Open and grey: the suspect's log-likelihood less what references predict that do not know the coin (the provider's
 * model, public models; older than the exchanges).
 *
 * Their weights are ≥ 0 and fitted by least squares to the differences between a and b over all pairs, through the
 * origin. Such a fit does not change when a and b of a pair are swapped, so it cannot depend on the coins.
 */
export function likelihoodMeasure(
	suspect: Likelihood,
	references: readonly Likelihood[],
	{ per = 'text', clip = Infinity }: LikelihoodOptions = {},
): Measure {
	return (pairs) => {
		const texts = bothSides(pairs);
		const own = suspect(texts);
		const others = references.map((reference) => reference(texts));
		const scale = (tokens: readonly number[]) => (per === 'text' ? 1 : 1 / Math.max(1, tokens.length));
		const differences = (logs: readonly (readonly number[])[]) =>
			pairs.map((_, i) => {
				const [a, b] = [logs[i], logs[pairs.length + i]];
				return total(a) * scale(a) - total(b) * scale(b);
			});
		const weights =
			pairs.length < PAIRS_A_REFERENCE * others.length
				? others.map(() => 1 / others.length)
				: nonNegativeLeastSquares(others.map(differences), differences(own));
		const scores = own.map((tokens, i) => {
			if (clip === Infinity)
				return (
					total(tokens) * scale(tokens) -
					total(others.map((logs, r) => weights[r] * total(logs[i]) * scale(logs[i])))
				);
			if (others.some((logs) => logs[i].length !== tokens.length))
				throw badInput('clipping needs models that share a tokenizer');
			const residual = (log: number, t: number) =>
				log - total(others.map((logs, r) => weights[r] * logs[i][t]));
			return total(tokens.map((log, t) => Math.max(-clip, Math.min(clip, residual(log, t))))) * scale(tokens);
		});
		return paired(scores);
	};
}

/** How a text is compared with the suspect's own answer; from 0 to 1. */
export type Similarity = 'levenshtein' | 'n-grams';

const SIMILARITIES: Readonly<Record<Similarity, (text: string, own: string) => number>> = {
	// 1 − edits / length of the longer.
	levenshtein: (text, own) => 1 - levenshtein.get(text, own) / Math.max(1, text.length, own.length),
	// Share of the text's runs of characters that the answer has too.
	'n-grams': (text, own) => {
		const runs = runsOf(text, OVERLAP);
		const theirs = runsOf(own, OVERLAP);
		return [...runs].filter((run) => theirs.has(run)).length / Math.max(1, runs.size);
	},
};

/** Characters in a run, for the overlap of two answers. */
const OVERLAP = 12;

function runsOf(text: string, length: number): Set<string> {
	const runs = new Set<string>();
	for (let at = 0; at + length <= text.length; at++) runs.add(text.slice(at, at + length));
	return runs;
}

/**
 * Closed: how similar the suspect's own answers to the same prompt are, on average. Pairs whose prompt it was not asked
 * are ties. A weak measure: after one epoch nothing could be seen with it.
 *
 * @param answers of the suspect, any number a prompt
 */
export function similarityMeasure(answers: Iterable<GivenAnswer>, similarity: Similarity): Measure {
	const byPrompt = new Map<string, string[]>();
	for (const { prompt, text } of answers) byPrompt.set(prompt, [...(byPrompt.get(prompt) ?? []), text]);
	const similar = SIMILARITIES[similarity];
	return (pairs) =>
		paired(
			bothSides(pairs).map(({ prompt, text }) => {
				const own = byPrompt.get(prompt) ?? [];
				return total(own.map((answer) => similar(text, answer))) / Math.max(1, own.length);
			}),
		);
}

/** Characters in a run, for texts that may be anywhere in a data set. */
const CONTAINMENT = 24;

/** Texts of a data set, read one by one; then the measure. Memory grows with the pairs, not with the data set. */
export interface Containment {
	/** Looks for every pair in one more text. */
	read(text: string): void;
	/** Share of each answer's runs of characters that some text had: 1 where it occurs whole. */
	readonly measure: Measure;
}

/**
 * Dataset: which of the two answers occurs.
 *
 * @param pairs that will be measured
 * @param length characters in a run; shorter answers are looked for whole
 */
export function containmentMeasure(
	pairs: readonly Pick<MeasuredTexts, 'a' | 'b'>[],
	length = CONTAINMENT,
): Containment {
	/** Runs of full length by themselves, and answers that are shorter. */
	const runs = new Map<string, boolean>();
	const short = new Map<string, boolean>();
	for (const text of pairs.flatMap(({ a, b }) => [a, b])) {
		for (const run of runsOf(text, length)) runs.set(run, false);
		if (text.length < length && text !== '') short.set(text, false);
	}
	return {
		read(text) {
			for (let at = 0; at + length <= text.length; at++) {
				const run = text.slice(at, at + length);
				if (runs.get(run) === false) runs.set(run, true);
			}
			for (const [answer, found] of short) if (!found && text.includes(answer)) short.set(answer, true);
		},
		measure: (measured) =>
			paired(
				bothSides(measured).map(({ text }) => {
					if (text.length < length) return short.get(text) ? 1 : 0;
					const own = [...runsOf(text, length)];
					return own.filter((run) => runs.get(run)).length / own.length;
				}),
			),
	};
}
