/**
 * The hash of SynthID-Text: a 64-bit linear congruential generator (multiplier 6364136223846793005, increment
 * 1; the constants of newlib and musl) that absorbs numbers one after another: h ← (h + x)·a + 1 mod 2^64
 * (google-deepmind/synthid-text `hashing_function.py`; transformers `logits_process.py`).
 *
 * In two 32-bit halves: doubles hold no 64-bit product, and BigInt is too slow for a loop over a vocabulary.
 *
 * @module
 */

const A_HIGH = 0x5851f42d;
const A_LOW = 0x4c957f2d;

/** A 64-bit state; both halves are unsigned. */
export interface Lcg64 {
	high: number;
	low: number;
}

/** High 32 bits of a·b for unsigned 32-bit integers. */
function mulHigh(a: number, b: number): number {
	const aLow = a & 0xffff;
	const aHigh = a >>> 16;
	const bLow = b & 0xffff;
	const bHigh = b >>> 16;
	const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
	const carry = aLow * bHigh + (middle & 0xffff);
	return aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(carry / 0x10000);
}

/** Product of two 64-bit numbers modulo 2^64, written to `out`. */
export function multiply64(
	aHigh: number,
	aLow: number,
	bHigh: number,
	bLow: number,
	out: { high: number; low: number },
): void {
	out.high = (mulHigh(aLow, bLow) + (Math.imul(aHigh, bLow) + Math.imul(aLow, bHigh))) >>> 0;
	out.low = Math.imul(aLow, bLow) >>> 0;
}

/** Absorbs one 64-bit number (two's complement halves) into the state. */
export function absorb(state: Lcg64, high: number, low: number): void {
	const sum = state.low + low;
	multiply64((state.high + high + (sum > 0xffffffff ? 1 : 0)) >>> 0, sum >>> 0, A_HIGH, A_LOW, state);
	if (state.low === 0xffffffff) {
		state.low = 0;
		state.high = (state.high + 1) >>> 0;
	} else state.low++;
}

/** Absorbs one number into the low half of a state: enough for everything modulo a power of two. */
export function absorbLow(low: number, value: number): number {
	return (Math.imul(low + value, A_LOW) + 1) >>> 0;
}

/** The state as a signed integer, modulo `size` (at most 2^24), not negative. */
export function signedModulo(state: Lcg64, size: number): number {
	const high = (((state.high | 0) % size) + size) % size;
	return (high * (2 ** 32 % size) + (state.low % size)) % size;
}
