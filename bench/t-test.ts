/**
 * Student's t-test, the peer of tests of pairs.
 *
 * @module
 */

/** Student's t of values with this sum and sum of squares. */
export function tOf(sum: number, squares: number, count: number): number {
	return sum / count / Math.sqrt((squares - sum ** 2 / count) / (count - 1) / count);
}

/** P(T ≥ t) of all differences. */
export function tTail(differences: readonly number[]): number {
	const sum = differences.reduce((total, value) => total + value, 0);
	const squares = differences.reduce((total, value) => total + value ** 2, 0);
	return studentTail(tOf(sum, squares, differences.length), differences.length - 1);
}

/**
 * P(T ≥ t), by Simpson's rule: with t = √ν·tan θ the density of θ is proportional to cos^(ν−1) θ.
 *
 * @param nu degrees of freedom ν
 */
export function studentTail(t: number, nu: number): number {
	const integral = (from: number, to: number) => {
		const steps = 2000;
		const width = (to - from) / steps;
		let sum = 0;
		for (let i = 0; i <= steps; i++) {
			const weight = i === 0 || i === steps ? 1 : i % 2 === 1 ? 4 : 2;
			sum += weight * Math.cos(from + i * width) ** (nu - 1);
		}
		return (sum * width) / 3;
	};
	const end = Math.PI / 2;
	return integral(Math.atan(t / Math.sqrt(nu)), end) / integral(-end, end);
}
