/**
 * How much of each reference a suspect's behaviour is made of: least squares with coefficients ≥ 0.
 *
 * @module
 */

const SWEEPS = 500;
/** Variance of a mass beyond its expectation; keeps rare pairs from deciding. */
const FLOOR = 0.1;

/**
 * The c ≥ 0 that minimise Σ (mass − Σ cⱼ·predictedⱼ)² / (mean prediction + 0.1), by coordinate descent on the normal
 * equations (Franc, Hlaváč and Navara, "Sequential coordinate-wise algorithm for the non-negative least squares
 * problem", 2005).
 *
 * @param mass one number a pair
 * @param predicted for each reference one number a pair
 */
export function fitReferences(mass: Float64Array, predicted: readonly Float64Array[]): number[] {
	const size = predicted.length;
	const squares = predicted.map(() => new Float64Array(size));
	const products = new Float64Array(size);
	for (let i = 0; i < mass.length; i++) {
		let sum = 0;
		for (let j = 0; j < size; j++) sum += predicted[j][i];
		const weight = 1 / (sum / size + FLOOR);
		for (let j = 0; j < size; j++) {
			const weighted = weight * predicted[j][i];
			products[j] += weighted * mass[i];
			for (let k = 0; k < size; k++) squares[j][k] += weighted * predicted[k][i];
		}
	}
	const coefficients = new Array<number>(size).fill(0);
	for (let sweep = 0; sweep < SWEEPS; sweep++)
		for (let j = 0; j < size; j++) {
			if (squares[j][j] === 0) continue;
			let rest = products[j];
			for (let k = 0; k < size; k++) if (k !== j) rest -= squares[j][k] * coefficients[k];
			coefficients[j] = Math.max(0, rest / squares[j][j]);
		}
	return coefficients;
}
