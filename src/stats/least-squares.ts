/**
 * Least squares with coefficients that are not negative.
 *
 * @module
 */

/** Sweeps over the coefficients; each is a handful of additions. */
const SWEEPS = 10_000;

/**
 * Coefficients c ≥ 0 that minimise Σ weight·(target − Σ c·column)², no intercept, by coordinate descent on the normal
 * equations (Franc, Hlaváč and Navara, "Sequential coordinate-wise algorithm for the non-negative least squares
 * problem", 2005); a column of zeros gets 0.
 *
 * @param columns of equal length, that of `target`
 * @param weights ≥ 0, one a row; without them all are 1
 */
export function nonNegativeLeastSquares(
	columns: readonly ArrayLike<number>[],
	target: ArrayLike<number>,
	weights?: ArrayLike<number>,
): number[] {
	const dot = (one: ArrayLike<number>, other: ArrayLike<number>) => {
		let sum = 0;
		for (let i = 0; i < target.length; i++)
			sum += (weights === undefined ? one[i] : weights[i] * one[i]) * other[i];
		return sum;
	};
	const gram = columns.map((one) => columns.map((other) => dot(one, other)));
	const aims = columns.map((column) => dot(column, target));
	const coefficients = columns.map(() => 0);
	for (let sweep = 0; sweep < SWEEPS; sweep++) {
		let change = 0;
		for (let j = 0; j < coefficients.length; j++) {
			if (gram[j][j] === 0) continue;
			const rest =
				aims[j] - gram[j].reduce((sum, value, k) => sum + (k === j ? 0 : value * coefficients[k]), 0);
			const next = Math.max(0, rest / gram[j][j]);
			change = Math.max(change, Math.abs(next - coefficients[j]));
			coefficients[j] = next;
		}
		if (change <= 1e-12) break;
	}
	return coefficients;
}
