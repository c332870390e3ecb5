/**
 * A passage with the score of each of its tokens.
 *
 * @module
 */
import type { Tokenizer } from '../corpus/tokenizer.js';
import type { Mark } from '../marks/mark.js';
import { SCORE_UNIT } from '../schemes/fixed-log.js';
import { scoreOfWindow } from '../schemes/scheme.js';

/** One token as the page shows it. */
export interface ScoredToken {
	readonly text: string;
	/** On the shape channel's green list; null where no context was there yet. */
	readonly green: boolean | null;
	/** Score of the choice channel, nats; null where no context was there yet. */
	readonly nats: number | null;
}

/** Scores each token of a text under one shape and one choice mark. */
export function scorePassage(
	tokens: readonly number[],
	tokenizer: Tokenizer,
	marks: { readonly shape: Mark; readonly choice: Mark },
): ScoredToken[] {
	const score = (mark: Mark, at: number): number | null => {
		const from = at - mark.spec.contextWidth;
		return from < 0 ? null : scoreOfWindow(mark.scheme, tokens.slice(from, at), tokens[at]) / SCORE_UNIT;
	};
	// A token may hold part of a character, so texts are cut from the decoding of the whole.
	let shown = '';
	return tokens.map((_, at) => {
		const whole = tokenizer.decode(tokens.slice(0, at + 1)).replace(/\uFFFD+$/, '');
		const text = whole.slice(shown.length);
		shown = whole;
		const green = score(marks.shape, at);
		return { text, green: green === null ? null : green === 1, nats: score(marks.choice, at) };
	});
}
