/**
 * A natural logarithm that gives the same bits everywhere, and scores as integers.
 *
 * `Math.log` may differ between engines in the last bit, and a sum of doubles depends on its order. Scores
 * are therefore integers in units of 2^-32, computed with IEEE 754 basic operations only (which are exact
 * to the last bit on every engine): their sums are exact, independent of order, and mergeable.
 *
 * @module
 */

/** Units in a score of 1. */
export const SCORE_UNIT = 2 ** 32;

const LN2_HIGH = 0.6931471803691238; // first 32 bits of ln 2, so that exponent · LN2_HIGH is exact
const LN2_LOW = 1.9082149292705877e-10; // the rest
const SQRT_HALF = 0.7071067811865476;

// Coefficients of the series; a division in each step would cost more than all the rest.
const [C3, C5, C7, C9, C11] = [1 / 3, 1 / 5, 1 / 7, 1 / 9, 1 / 11];
const [C13, C15, C17, C19, C21] = [1 / 13, 1 / 15, 1 / 17, 1 / 19, 1 / 21];

const double = new Float64Array(1);
const halves = new Uint32Array(double.buffer);
const HIGH = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 1 : 0;

/**
 * Natural logarithm of a positive normal double, relative error below 1e-15.
 *
 * x = m·2^e with m in [√½, √2); ln m = 2·artanh((m − 1)/(m + 1)) by its series, whose eleventh term is
 * below 2^-55 on that range.
 */
export function ln(x: number): number {
	double[0] = x;
	let exponent = (halves[HIGH] >>> 20) - 1022;
	halves[HIGH] = (halves[HIGH] & 0x000fffff) | 0x3fe00000;
	let m = double[0];
	if (m < SQRT_HALF) {
		m *= 2;
		exponent--;
	}
	const s = (m - 1) / (m + 1);
	const z = s * s;
	let series = C21 * z + C19;
	series = series * z + C17;
	series = series * z + C15;
	series = series * z + C13;
	series = series * z + C11;
	series = series * z + C9;
	series = series * z + C7;
	series = series * z + C5;
	series = series * z + C3;
	return exponent * LN2_HIGH + (exponent * LN2_LOW + (2 * s + 2 * s * z * series));
}

/**
 * −ln(x) for x in (0, 1] as an integer in units of 2^-32, rounded down.
 *
 * The value is lowered by 2^-42 first, far more than the error of `ln` can be, so that rounding never
 * raises a score.
 */
export function negLnScore(x: number): number {
	return Math.max(0, Math.floor(-ln(x) * SCORE_UNIT - 2 ** -10));
}
