/**
 * Exponential and logarithms that give the same bits on every engine.
 *
 * ECMAScript leaves the last bits of `Math.exp` and `Math.log` to the engine, and engines (even two versions of one)
 * differ in some percent of their values. These use IEEE 754 basic operations only. The method is that of fdlibm
 * (Sun Microsystems, 1993): reduction by multiples of ln 2, then a minimax polynomial; errors stay below 3 units in
 * the last place.
 *
 * @module
 */

const LN2_HIGH = 0.6931471803691238; // its last 21 bits are zero, so that k · LN2_HIGH is exact
const LN2_LOW = 1.9082149292705877e-10;

/** Largest |x| whose exponential needs no reduction. */
const HALF_LN2 = Math.LN2 / 2;
const SMALLEST_NORMAL = 2 ** -1022;

const double = new Float64Array(1);
const halves = new Uint32Array(double.buffer);
const HIGH = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 1 : 0;

/** For |x| ≤ ln(2)/2: r such that exp(x) = 1 + x + x·r/(2 − r). */
function remainder(x: number): number {
	const t = x * x;
	return (
		x -
		t *
			(0.16666666666666602 +
				t *
					(-0.0027777777777015593 +
						t * (6.613756321437934e-5 + t * (-1.6533902205465252e-6 + t * 4.1381367970572385e-8))))
	);
}

/** 2^k for k from -1022 to 1023. */
function powerOfTwo(k: number): number {
	halves[HIGH] = (k + 1023) << 20;
	halves[1 - HIGH] = 0;
	return double[0];
}

/** e^x. */
export function exp(x: number): number {
	if (Math.abs(x) <= HALF_LN2) {
		const r = remainder(x);
		return 1 + (x + (x * r) / (2 - r));
	}
	if (Number.isNaN(x)) return x;
	if (x > 709.782712893384) return Infinity;
	if (x < -745.1332191019412) return 0;
	const k = Math.round(x * Math.LOG2E);
	const high = x - k * LN2_HIGH;
	const low = k * LN2_LOW;
	const reduced = high - low;
	const r = remainder(reduced);
	const y = 1 + (high - (low - (reduced * r) / (2 - r)));
	if (k > 1023) return y * 2 * powerOfTwo(k - 1);
	return k >= -1022 ? y * powerOfTwo(k) : y * powerOfTwo(k + 200) * powerOfTwo(-200);
}

/** e^x − 1, accurate near 0. */
export function expm1(x: number): number {
	if (Math.abs(x) > HALF_LN2) return exp(x) - 1;
	if (x === 0) return x;
	const r = remainder(x);
	return x + (x * r) / (2 - r);
}

/** ln(1 + f) + correction + k·ln 2 for 1 + f in [√½, √2]. */
function assemble(f: number, k: number, correction: number): number {
	const half = 0.5 * f * f;
	const s = f / (2 + f);
	const z = s * s;
	const w = z * z;
	const odd = w * (0.3999999999940942 + w * (0.22222198432149784 + w * 0.15313837699209373));
	const even =
		z * (0.6666666666666735 + w * (0.2857142874366239 + w * (0.1818357216161805 + w * 0.14798198605116586)));
	return s * (half + (odd + even)) + (k * LN2_LOW + correction) - half + f + k * LN2_HIGH;
}

/** A positive normal double as 2^k times m in [√½, √2); m is left in `double`. */
function split(x: number): number {
	double[0] = x;
	const k = (halves[HIGH] >>> 20) - 1023;
	halves[HIGH] = (halves[HIGH] & 0xfffff) | 0x3ff00000;
	if (double[0] < Math.SQRT2) return k;
	double[0] /= 2;
	return k + 1;
}

/** Natural logarithm. */
export function ln(x: number): number {
	if (!(x > 0)) return x === 0 ? -Infinity : Number.NaN;
	if (x === Infinity) return x;
	const scaled = x < SMALLEST_NORMAL ? x * 2 ** 54 : x;
	const k = split(scaled) - (scaled === x ? 0 : 54);
	return assemble(double[0] - 1, k, 0);
}

/** ln(1 + x), accurate near 0. */
export function log1p(x: number): number {
	if (!(x > -1)) return x === -1 ? -Infinity : Number.NaN;
	if (x === Infinity || Math.abs(x) < 2 ** -54) return x;
	if (x > Math.SQRT1_2 - 1 && x < Math.SQRT2 - 1) return assemble(x, 0, 0);
	const sum = 1 + x;
	/** What rounding took from the sum, as part of it. */
	const lost = (x >= 1 ? 1 - (sum - x) : x - (sum - 1)) / sum;
	const k = split(sum);
	return assemble(double[0] - 1, k, lost);
}

/** Decimal logarithm; that of a power of ten may differ from a whole number in the last bit. */
export function log10(x: number): number {
	return ln(x) / Math.LN10;
}
