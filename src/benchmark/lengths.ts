/**
 * Lengths of records, and the classes that power is told for.
 *
 * @module
 */

/** Tokens of the shortest and the longest record. */
const SHORTEST = 30;
const LONGEST = 400;

/** Classes by tokens: from the first up to, but not including, the second. */
export const LENGTH_CLASSES: readonly (readonly [from: number, to: number])[] = [
	[30, 60],
	[60, 120],
	[120, 240],
	[240, 401],
];

/** A length from 30 to 400 tokens, log-uniform. @param uniform in [0, 1) */
export function logUniformLength(uniform: number): number {
	return Math.floor(SHORTEST * ((LONGEST + 1) / SHORTEST) ** uniform);
}
