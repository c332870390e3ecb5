/**
 * Token strings, as an API lists them, as ids of our tokenizer. The suspect may have another tokenizer than the mark: a
 * string counts as a token only where both cut the text at the same places. No key is known here, so that what is tested
 * may be made of it.
 *
 * @module
 */
import type { Tokenizer } from './tokenizer.js';

/**
 * The text that encodes to exactly these ids. Null where there is none: special tokens, half characters, ids that the
 * tokenizer would have merged.
 */
export function textOfIds(tokenizer: Tokenizer, ids: readonly number[]): string | null {
	const text = tokenizer.decode(ids);
	return same(tokenizer.encode(text), ids) ? text : null;
}

/**
 * Which tokens of ours the strings are that may come next. A string s is token t when prefix text and s encode to the prefix
 * and t, and those ids decode to that text.
 *
 * @param prefix ids that encode and decode without loss ({@link textOfIds})
 * @returns for each string its token, or null: half characters (U+FFFD) and strings that are listed twice are ambiguous
 */
export function tokensAfter(
	tokenizer: Tokenizer,
	prefix: readonly number[],
	strings: readonly string[],
): (number | null)[] {
	const before = tokenizer.decode(prefix);
	const last = prefix.slice(-1);
	const beforeLast = tokenizer.decode(last);
	const occurrences = new Map<string, number>();
	for (const string of strings) occurrences.set(string, (occurrences.get(string) ?? 0) + 1);
	return strings.map((string) => {
		if (string === '' || string.includes('\ufffd') || occurrences.get(string) !== 1) return null;
		const ids = tokenizer.encode(before + string);
		const aligned =
			ids.length === prefix.length + 1 &&
			same(ids.slice(0, -1), prefix) &&
			tokenizer.decode([...last, ids[prefix.length]]) === beforeLast + string;
		return aligned ? ids[prefix.length] : null;
	});
}

/** The text of each token as it goes on a text; empty for special ones. */
export function tokenStrings(tokenizer: Tokenizer): string[] {
	// Some decoders treat a first token apart, so each comes after another.
	const before = tokenizer.encode('a');
	const { length } = tokenizer.decode(before);
	return Array.from({ length: tokenizer.vocabSize }, (_, id) =>
		tokenizer.decode([...before, id]).slice(length),
	);
}

function same(one: readonly number[], other: readonly number[]): boolean {
	return one.length === other.length && one.every((id, i) => id === other[i]);
}
