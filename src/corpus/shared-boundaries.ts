/**
 * Where two tokenizers cut the same text.
 *
 * @module
 */
import type { Tokenizer } from './tokenizer.js';

/** A text as one tokenizer has it. */
export interface Tokenized {
	readonly tokenizer: Tokenizer;
	readonly ids: readonly number[];
}

/**
 * Numbers of ids before each place inside the text where both cut it, ascending: of the one, then of the other.
 *
 * @param one of the same text as `other`
 */
export function sharedBoundaries(one: Tokenized, other: Tokenized): (readonly [number, number])[] {
	const otherAt = new Map(tokenEnds(other).map((end, i) => [end, i + 1]));
	return tokenEnds(one).flatMap((end, i) => {
		const there = end === null ? undefined : otherAt.get(end);
		const inside = i + 1 < one.ids.length && there !== undefined && there < other.ids.length;
		return inside ? [[i + 1, there] as const] : [];
	});
}

/** Where each token ends, in UTF-16 units from the beginning; null inside a character. */
export function tokenEnds({ tokenizer, ids }: Tokenized): (number | null)[] {
	// Each decoding begins with a token whose end is known: some decoders treat a first token apart.
	let from = 0;
	let skipped = 0;
	return ids.map((id, at) => {
		const text = tokenizer.decode(ids.slice(from, at + 1));
		if (text.endsWith('\ufffd')) return null;
		const end = skipped + text.length;
		from = at;
		skipped = end - tokenizer.decode([id]).length;
		return end;
	});
}
