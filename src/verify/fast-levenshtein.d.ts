/** The part of `fast-levenshtein` that is used; it ships without types. */
declare module 'fast-levenshtein' {
	const levenshtein: {
		/** Edits (insertions, deletions, substitutions of UTF-16 units) that make one string the other. */
		get(one: string, other: string): number;
	};
	export default levenshtein;
}
