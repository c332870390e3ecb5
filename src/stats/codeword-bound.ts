/**
 * How likely a random codeword fits a text as well as this: Chernoff's bound, exact for every text.
 *
 * A text gives a table m[position, symbol], a codeword the sum T of one entry a position. Symbols of a codeword are
 * independent and uniform, so for every λ ≥ 0
 *
 *     P(T ≥ t) ≤ e^(K(λ) − λt),   K(λ) = Σ over positions of ln (1/q) Σ over symbols of e^(λ m)
 *
 * Nothing is assumed of the table: it may hold anything that does not depend on the codeword. Chernoff, "A measure of
 * asymptotic efficiency for tests of a hypothesis based on the sum of observations" (1952).
 *
 * @module
 */
import { exp, ln } from './portable.js';

/** Scores of a text by position and symbol. */
export interface CodeTable {
	/** Symbols of the code. */
	readonly symbols: number;
	/** One row of `symbols` numbers a position, finite. */
	readonly scores: Float64Array;
}

/** λ beyond which nothing is looked for: a table whose best symbols all fit would ask for more and more. */
const MOST_LAMBDA = 2 ** 10;
/** Steps of Newton's method; every λ gives a valid bound, so none is needed for validity. */
const STEPS = 24;
/** More than all roundings of a bound, relative to what is added up. */
const SLACK = 1e-12;

/** K(λ) and its first two derivatives. */
export function codewordCumulant(
	{ symbols, scores }: CodeTable,
	lambda: number,
): { value: number; slope: number; curvature: number } {
	let value = 0;
	let slope = 0;
	let curvature = 0;
	for (let at = 0; at < scores.length; at += symbols) {
		let most = -Infinity;
		for (let s = at; s < at + symbols; s++) if (scores[s] > most) most = scores[s];
		let total = 0;
		let first = 0;
		let second = 0;
		for (let s = at; s < at + symbols; s++) {
			const less = scores[s] - most;
			const weight = exp(lambda * less);
			total += weight;
			first += weight * less;
			second += weight * less * less;
		}
		const mean = first / total;
		value += lambda * most + ln(total / symbols);
		slope += most + mean;
		curvature += second / total - mean * mean;
	}
	return { value, slope, curvature };
}

/** ln of the bound at λ. */
function logBound(value: number, lambda: number, score: number): number {
	return Math.min(0, value - lambda * score + SLACK * (1 + Math.abs(value) + lambda * Math.abs(score)));
}

/**
 * ln of an upper bound of the probability that a random codeword scores `score` or more, ≤ 0: the least over λ, as far
 * as it was searched.
 */
export function logCodewordTail(table: CodeTable, score: number): number {
	let lambda = 0.5;
	let best = 0;
	for (let step = 0; step < STEPS; step++) {
		const { value, slope, curvature } = codewordCumulant(table, lambda);
		best = Math.min(best, logBound(value, lambda, score));
		const next = curvature > 0 ? lambda + (score - slope) / curvature : 2 * lambda;
		const limited = Math.min(MOST_LAMBDA, 3 * lambda, Math.max(lambda / 3, next));
		if (Math.abs(limited - lambda) <= 1e-6 * lambda) break;
		lambda = limited;
	}
	return best;
}

/**
 * The least score whose bound is at most e^`logLevel`, as far as λ was searched, and the λ that gives it.
 *
 * @param logLevel below 0
 */
export function codewordThreshold(table: CodeTable, logLevel: number): { lambda: number; score: number } {
	let lambda = 0.5;
	let best = { lambda, score: Infinity };
	for (let step = 0; step < STEPS; step++) {
		const { value, slope, curvature } = codewordCumulant(table, lambda);
		const score = (value - logLevel + SLACK * (1 + Math.abs(value))) / lambda;
		const gained = best.score - score;
		if (gained > 0) best = { lambda, score };
		// The bound is least where λK' − K = −logLevel; that grows by λK'' with λ.
		const short = -logLevel - (lambda * slope - value);
		const next = curvature > 0 ? lambda + short / (lambda * curvature) : 2 * lambda;
		const limited = Math.min(MOST_LAMBDA, 3 * lambda, Math.max(lambda / 3, next));
		if (Math.abs(limited - lambda) <= 1e-3 * lambda) break;
		lambda = limited;
	}
	return best;
}
