/**
 * A passage with the score of each of its tokens.
 *
 * @module
 */
import type { Tokenizer } from '../corpus/tokenizer.js';
import type { Mark } from '../marks/mark.js';
import { SCORE_UNIT } from '../schemes/fixed-log.js';
import { type NullLaw, scoreOfWindow } from '../schemes/scheme.js';

/** One token as the page shows it. */
export interface ScoredToken {
	readonly text: string;
	/** On the shape channel's green list; null where no context was there yet. */
	readonly green: boolean | null;
	/** Score of the choice channel, nats; null where no context was there yet. */
	readonly nats: number | null;
}

/**
 * Scores each token of a text under one shape and one choice mark, those that there are. Only lists and tournaments of one
 * layer have a green list to show, and only draws have nats: a mark of another law is as good as none.
 */
export function scorePassage(
	tokens: readonly number[],
	tokenizer: Tokenizer,
	marks: { readonly shape?: Mark | undefined; readonly choice?: Mark | undefined },
): ScoredToken[] {
	const score = (mark: Mark | undefined, law: NullLaw['kind'], at: number): number | null => {
		if (mark?.scheme.null.kind !== law) return null;
		if (mark.scheme.null.kind === 'bernoulli' && mark.scheme.null.trials > 1) return null;
		const from = at - mark.spec.contextWidth;
		return from < 0 ? null : scoreOfWindow(mark.scheme, tokens.slice(from, at), tokens[at]) / SCORE_UNIT;
	};
	// A token may hold part of a character, so texts are cut from the decoding of the whole.
	let shown = '';
	return tokens.map((_, at) => {
		const whole = tokenizer.decode(tokens.slice(0, at + 1)).replace(/\uFFFD+$/, '');
		const text = whole.slice(shown.length);
		shown = whole;
		const green = score(marks.shape, 'bernoulli', at);
		return { text, green: green === null ? null : green === 1, nats: score(marks.choice, 'exponential', at) };
	});
}
