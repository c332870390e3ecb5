/**
 * Marking by selection, for models behind an API that shows no logits: of n candidates, keep the one that scores
 * best under the mark. It costs n generations, and marks far less than a session that chooses every token
 * (docs/benchmarks.md, `select`).
 *
 * Candidates are compared by (mean score − its mean under the null hypothesis) · √(distinct pairs): a quantity of
 * equal spread at every length, so that neither short nor long answers are favoured. Ties, and texts without a
 * scored pair, go to the earlier candidate.
 *
 * @example
 * const candidates = texts.map((text) => tokenizer.encode(text)); // the same prompt, n answers
 * const { index, selection } = selectCandidate(candidates, mark);
 * const receipt = selectionReceipt(candidates[index], selection);
 * // A candidate that has a receipt keeps it: { ...receipt, selection }
 *
 * @module
 */
import { bytesToHex, randomBytes } from '@noble/hashes/utils.js';
import { badInput } from '../errors.js';
import type { Mark } from '../marks/mark.js';
import { BEFORE_TEXT } from '../marks/mark-spec.js';
import { type Receipt, type Selection, saltedHash } from './receipt.js';

/** How to compare. */
export interface SelectOptions {
	/** Ids that the model was given: a verifier does not count contexts that occur there, so neither does this. */
	readonly given?: ArrayLike<number>;
}

/** The candidate that was picked. */
export interface Selected {
	readonly index: number;
	/** Its mean score a distinct pair, in the scheme's units (nats, or the share of green tokens); 0 without pairs. */
	readonly score: number;
	/** Its distinct pairs. */
	readonly pairs: number;
	/** For the receipt. */
	readonly selection: Selection;
}

const SCORE_UNIT = 2 ** 32;

/** Mean of one score under the null hypothesis. */
function nullMean(law: Mark['scheme']['null']): number {
	switch (law.kind) {
		case 'bernoulli':
			return law.p * law.trials;
		case 'weighted-bernoulli':
			return law.p * law.weights.reduce((sum, weight) => sum + weight, 0);
		case 'exponential':
			return 1 + law.shift;
		case 'two-exponentials':
			return law.a + law.b + law.shift;
		case 'held-out':
			throw badInput('a mark that is judged by held-out keys cannot select: no law of its scores is known');
	}
}

/** Mean score and number of the distinct effective pairs of a text. */
function scoreText(
	tokens: readonly number[],
	mark: Mark,
	given: ReadonlySet<string>,
): { score: number; pairs: number } {
	const { scheme, spec } = mark;
	const width = spec.contextWidth;
	const { effective } = scheme;
	const words = effective?.words ?? width + 1;
	const found = new Uint32Array(words * (effective?.perWindow ?? 1));
	const padded = spec.start === 'pad' ? [...new Array<number>(width).fill(BEFORE_TEXT), ...tokens] : tokens;
	const distinct = new Map<string, Uint32Array>();
	for (let at = width; at < padded.length; at++) {
		const context = padded.slice(at - width, at);
		const token = padded[at];
		if (given.has((width === 0 ? [token] : context).join()) || !mark.covers(context)) continue;
		let count = 1;
		if (effective === undefined) found.set([...context, token]);
		else count = effective.of(Uint32Array.of(...context, token), 0, found, 0);
		for (let i = 0; i < count; i++) {
			const row = found.slice(i * words, (i + 1) * words);
			distinct.set(row.join(), row);
		}
	}
	const pairs = distinct.size;
	if (pairs === 0) return { score: 0, pairs };
	const rows = new Uint32Array(words * pairs);
	[...distinct.values()].forEach((row, i) => {
		rows.set(row, i * words);
	});
	const scores = new Float64Array(pairs);
	scheme.scores(rows, pairs, scores);
	return { score: scores.reduce((sum, score) => sum + score, 0) / pairs / SCORE_UNIT, pairs };
}

/**
 * Picks the candidate that the mark favours.
 *
 * @param candidates answers to one prompt as token ids, without special tokens
 * @throws TouchmarkError `bad-input` when there is none, or for a mark whose scores have no known law
 */
export function selectCandidate(
	candidates: readonly (readonly number[])[],
	mark: Mark,
	options: SelectOptions = {},
): Selected {
	if (candidates.length === 0) throw badInput('selection needs at least one candidate');
	const width = Math.max(1, mark.spec.contextWidth);
	const ids = Array.from(options.given ?? []);
	const given = new Set(ids.slice(width - 1).map((_, i) => ids.slice(i, i + width).join()));
	const mean = nullMean(mark.scheme.null);
	let best: Omit<Selected, 'selection'> = { index: 0, score: 0, pairs: 0 };
	let highest = -Infinity;
	candidates.forEach((tokens, index) => {
		const { score, pairs } = scoreText(tokens, mark, given);
		const excess = pairs === 0 ? -Infinity : (score - mean) * Math.sqrt(pairs);
		if (excess > highest) {
			highest = excess;
			best = { index, score, pairs };
		}
	});
	return { ...best, selection: { candidates: candidates.length, mark: mark.id } };
}

/**
 * The receipt of a selected text that no session made: no token of it was tilted or drawn.
 *
 * @param tokens ids of the candidate that was picked
 * @param request what the caller knows of it; temperature 1 unless given
 */
export function selectionReceipt(
	tokens: readonly number[],
	selection: Selection,
	request: { readonly id?: string; readonly temperature?: number } = {},
): Receipt {
	return {
		version: 1,
		id: request.id ?? bytesToHex(randomBytes(16)),
		status: 'finished',
		marks: [selection.mark],
		unkeyedShare: 0,
		temperature: request.temperature ?? 1,
		tokens: tokens.length,
		segments: [{ reason: 'answer', marked: true, tokens: tokens.length, tilted: 0, keyed: 0 }],
		...saltedHash(tokens),
		time: new Date().toISOString(),
		selection,
	};
}
