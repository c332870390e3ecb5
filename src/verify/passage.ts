/**
 * A passage with the score of each of its tokens, counted as the tests of a single text count them.
 *
 * @module
 */
import type { Tokenizer } from '../corpus/tokenizer.js';
import type { Mark } from '../marks/mark.js';
import { SCORE_UNIT } from '../schemes/fixed-log.js';
import { givenPairs, newEffectivePairs } from './effective-pairs.js';
import { logPValue } from './null-law.js';
import { newPairSet } from './pairs.js';
import type { RowSet } from './row-set.js';
import type { Tally } from './tally.js';

/** A text as token ids. */
export interface PassageIds {
	readonly tokens: readonly number[];
	/** Ids that its author was given (a prompt). */
	readonly given?: readonly number[];
}

/** One token as the page shows it. */
export interface ScoredToken {
	readonly text: string;
	/** On the shape channel's green list; null where a test would not count it. */
	readonly green: boolean | null;
	/** −ln of the p-value of this token alone in the choice channel, nats ≥ 0; null where a test would not count it. */
	readonly nats: number | null;
}

/**
 * Scores each token of a text under one shape and one choice mark, those that there are. What tests do not count has no
 * score: a pair that was there before or was given, a context that the mark does not cover.
 */
export function scorePassage(
	passage: PassageIds,
	tokenizer: Tokenizer,
	{ shape, choice }: { readonly shape?: Mark | undefined; readonly choice?: Mark | undefined },
): ScoredToken[] {
	const { tokens } = passage;
	const talliesOf = (mark: Mark | undefined) =>
		mark && scoresTokens(mark) ? tokenTallies(passage, mark) : [];
	const [shapes, choices] = [talliesOf(shape), talliesOf(choice)];
	// A token may hold part of a character, so texts are cut from the decoding of the whole.
	let shown = '';
	return tokens.map((_, at) => {
		const decoded = tokenizer.decode(tokens.slice(0, at + 1));
		const whole = at + 1 < tokens.length ? decoded.replace(/\uFFFD+$/, '') : decoded;
		const text = whole.slice(shown.length);
		shown = whole;
		const [list, draw] = [shapes[at] ?? null, choices[at] ?? null];
		return {
			text,
			green: list && Number(list.sum) === SCORE_UNIT,
			nats: draw && choice ? Math.max(0, -logPValue(draw, choice.scheme.null)) : null,
		};
	});
}

/** Whether single tokens have a score to show: not under marks that are found by alignment, nor shapes without green lists. */
export function scoresTokens({ scheme, spec }: Mark): boolean {
	if (spec.channel === 'shape') return scheme.null.kind === 'bernoulli' && scheme.null.trials === 1;
	return scheme.null.kind !== 'held-out';
}

/** What each token adds to the tally of the passage, which `tallyPairs` gives; null where it adds nothing. */
export function tokenTallies({ tokens, given = [] }: PassageIds, mark: Mark): (Tally | null)[] {
	const { mostPairs = Infinity } = mark.scheme;
	const pairs = newPairSet(mark.spec);
	const entered = newEffectivePairs(mark);
	const { rows } = entered;
	let excluded: RowSet | undefined;
	return tokens.map((_, at): Tally | null => {
		const windows = pairs.size;
		// All pairs before this token are in the set already.
		pairs.add(tokens.slice(0, at + 1), given);
		if (pairs.size === windows) return null;
		excluded ??= givenPairs(mark, pairs.given);
		const before = rows.size;
		entered.enter(pairs.rows, windows * (pairs.contextWidth + 1), excluded);
		const scored = Math.min(rows.size, mostPairs) - before;
		if (scored <= 0) return null;
		const scores = new Float64Array(scored);
		mark.scheme.scores(rows.data.subarray(before * rows.words), scored, scores);
		return { scored, sum: BigInt(scores.reduce((sum, score) => sum + score, 0)) };
	});
}
