/**
 * Least squares with coefficients that are not negative.
 *
 * @module
 */

/** Sweeps over the coefficients; each is a handful of additions. */
const SWEEPS = 10_000;

/**
 * Coefficients w ≥ 0 that make Σ w·column as close to `target` as possible (sum of squares, no intercept), by coordinate
 * descent on the normal equations; a column of zeros gets 0.
 *
 * @param columns of equal length, that of `target`
 */
export function nonNegativeLeastSquares(
	columns: readonly (readonly number[])[],
	target: readonly number[],
): number[] {
	const dot = (one: readonly number[], other: readonly number[]) =>
		one.reduce((sum, value, i) => sum + value * other[i], 0);
	const gram = columns.map((one) => columns.map((other) => dot(one, other)));
	const aims = columns.map((column) => dot(column, target));
	const weights = columns.map(() => 0);
	for (let sweep = 0; sweep < SWEEPS; sweep++) {
		let change = 0;
		for (let j = 0; j < weights.length; j++) {
			if (gram[j][j] === 0) continue;
			const rest = aims[j] - gram[j].reduce((sum, value, k) => sum + (k === j ? 0 : value * weights[k]), 0);
			const next = Math.max(0, rest / gram[j][j]);
			change = Math.max(change, Math.abs(next - weights[j]));
			weights[j] = next;
		}
		if (change <= 1e-12) break;
	}
	return weights;
}
