/**
 * The exact tail of a sum of independent yes/no scores whose weights are multiples of one unit: the law of the sum,
 * score by score, under a tilt e^(θT) that puts its mean at the threshold, so that the far tail is made of ordinary
 * numbers. Additions and multiplications of positive numbers only; the relative error of p is about 2e-16 for each
 * score. (Tilting: Esscher 1932, "On the probability function in the collective theory of risk".)
 *
 * @module
 */
import { exp, ln } from './portable.js';

/** Scores of one weight and probability. */
interface Scores {
	readonly weight: number;
	readonly p: number;
	readonly count: number;
}

/** Scores in whole units. */
export interface Lattice {
	/** Each weight is at most `multiple`·`unit`, and at least that less one part in 1e9. */
	readonly unit: number;
	readonly scores: readonly { readonly multiple: number; readonly p: number; readonly count: number }[];
}

/** A common divisor of two positive numbers up to `tolerance`, by Euclid's algorithm. */
function commonDivisor(a: number, b: number, tolerance: number): number {
	let large = a;
	let small = b;
	while (small > tolerance) {
		const quotient = Math.round(large / small);
		[large, small] = [small, Math.abs(large - quotient * small)];
	}
	return large;
}

/**
 * The unit of which all weights (positive) are multiples, if there is one: to one part in 1e9, rounded so that no
 * weight is above its multiple of it, which can only raise an upper tail.
 */
export function findLattice(scores: readonly Scores[]): Lattice | undefined {
	const heaviest = scores.reduce((most, { weight }) => Math.max(most, weight), 0);
	const divisor = scores.reduce((unit, { weight }) => commonDivisor(unit, weight, 1e-6 * heaviest), heaviest);
	const multiples = scores.map(({ weight }) => Math.round(weight / divisor));
	const highest = scores.reduce((most, { weight }, i) => Math.max(most, weight / multiples[i]!), 0);
	const unit = highest * (1 + 4e-16);
	if (!scores.every(({ weight }, i) => weight >= multiples[i]! * unit * (1 - 1e-9))) return undefined;
	return { unit, scores: scores.map(({ p, count }, i) => ({ multiple: multiples[i]!, p, count })) };
}

/** The largest sum, in units. */
function largestSum({ scores }: Lattice): number {
	return scores.reduce((sum, { multiple, count }) => sum + multiple * count, 0);
}

/** How many times a lattice point is updated, about. */
export function latticeCost(lattice: Lattice): number {
	return (largestSum(lattice) / 2 + 1) * lattice.scores.reduce((sum, { count }) => sum + count, 0);
}

/**
 * ln P(sum ≥ threshold).
 *
 * @param threshold positive, not above the largest sum but for rounding
 * @param theta a tilt ≥ 0 per unit of weight; any is correct, the one that puts the mean at the threshold is accurate
 */
export function logLatticeUpperTail(lattice: Lattice, threshold: number, theta: number): number {
	const largest = largestSum(lattice);
	const from = Math.min(largest, Math.ceil(threshold / lattice.unit));
	const tilt = theta * lattice.unit;
	const law = new Float64Array(largest + 1);
	law[0] = 1;
	let top = 0;
	let logScale = 0;
	for (const { multiple, p, count } of lattice.scores) {
		const z = tilt * multiple;
		const miss = (1 - p) * exp(-z);
		const hit = p / (p + miss);
		const rest = miss / (p + miss);
		logScale += count * (z + ln(p + miss));
		for (let i = 0; i < count; i++) {
			for (let t = top; t >= 0; t--) {
				law[t + multiple]! += law[t]! * hit;
				law[t]! *= rest;
			}
			top += multiple;
		}
	}
	let sum = 0;
	for (let t = largest; t >= from; t--) sum = sum * exp(-tilt) + law[t]!;
	return Math.min(0, logScale - tilt * from + ln(sum));
}
