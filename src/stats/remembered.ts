/**
 * A function of a few numbers that remembers its last results: records of one corpus have a few hundred different
 * lengths, and quantiles depend on nothing else.
 *
 * @module
 */

/** Results that are kept; all are dropped when there are more. */
const MOST = 4096;

/** `compute`, remembered. */
export function remembered<Result>(
	compute: (...numbers: readonly number[]) => Result,
): (...numbers: readonly number[]) => Result {
	const results = new Map<string, Result>();
	return (...numbers) => {
		const key = numbers.join();
		let result = results.get(key);
		if (result === undefined) {
			if (results.size >= MOST) results.clear();
			result = compute(...numbers);
			results.set(key, result);
		}
		return result;
	};
}
