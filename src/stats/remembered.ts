/**
 * A function of a whole number and a few constants that remembers its last results: records of one corpus have a few
 * hundred different lengths, and quantiles depend on nothing else.
 *
 * @module
 */

/** Results that are kept, one a whole number; all are dropped when there are more. */
const MOST = 4096;

/** `compute`, remembered. */
export function remembered<Constants extends readonly number[], Result>(
	compute: (n: number, ...constants: Constants) => Result,
): (n: number, ...constants: Constants) => Result {
	const results = new Map<number, { readonly constants: Constants; readonly result: Result }>();
	return (n, ...constants) => {
		const known = results.get(n);
		if (known?.constants.every((constant, i) => constant === constants[i])) return known.result;
		if (results.size >= MOST) results.clear();
		const result = compute(n, ...constants);
		results.set(n, { constants, result });
		return result;
	};
}
