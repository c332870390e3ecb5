/**
 * How much of each reference a suspect's behaviour is made of: least squares with coefficients ≥ 0.
 *
 * @module
 */
import { nonNegativeLeastSquares } from '../stats/least-squares.js';

/** Variance of a mass beyond its expectation; keeps rare pairs from deciding. */
const FLOOR = 0.1;

/**
 * The c ≥ 0 that minimise Σ (mass − Σ cⱼ·predictedⱼ)² / (mean prediction + 0.1).
 *
 * @param mass one number a pair
 * @param predicted for each reference one number a pair
 */
export function fitReferences(mass: Float64Array, predicted: readonly Float64Array[]): number[] {
	const weights = mass.map((_, i) => {
		const sum = predicted.reduce((total, column) => total + column[i], 0);
		return 1 / (sum / predicted.length + FLOOR);
	});
	return nonNegativeLeastSquares(predicted, mass, weights);
}
