/**
 * Work on one row of logits in plain TypeScript: the twins of what the kernel does (`kernel.ts`), to the bit.
 *
 * @module
 */

const { fround } = Math;

/** What was found in a row: nothing amiss; NaN or +Infinity; nothing but −Infinity. */
export type RowState = 'ok' | 'nan' | 'empty';

/** The twin of {@link loadRow}. */
export function plainLoadRow(
	logits: Float32Array,
	offset: number,
	vocabSize: number,
	scale: number,
	row: Float32Array,
): RowState {
	const factor = fround(scale);
	let nan = false;
	let empty = true;
	for (let i = 0; i < vocabSize; i++) {
		const value = fround(factor * logits[offset + i]);
		row[i] = value;
		if (!(value < Infinity)) nan = true;
		if (value > -Infinity) empty = false;
	}
	return nan ? 'nan' : empty ? 'empty' : 'ok';
}

/** Weights below e^-87 of the greatest count as nothing. */
const LEAST = -87;
const LOG2E = fround(Math.LOG2E);
const LN2_HIGH = 0.693359375;
const LN2_LOW = fround(-2.1219444e-4);
/** Adding it leaves no fraction bits in a float: the sum rounds to the nearest integer. */
const ROUNDER = 12582912;
const P = [1.98756915e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 0.5].map(
	fround,
);

const float = new Float32Array(1);
const pattern = new Int32Array(float.buffer);

/**
 * e^x for x from -87 to 0 in single precision, to about 1e-7 of itself, and 0 below: the same operations in the
 * same order as in the kernel (Cephes' `expf`).
 */
function weight(x: number): number {
	if (!(x > LEAST)) return 0;
	const n = fround(fround(fround(x * LOG2E) + ROUNDER) - ROUNDER);
	const r = fround(fround(x - fround(n * LN2_HIGH)) - fround(n * LN2_LOW));
	let p = P[0];
	for (let i = 1; i < 6; i++) p = fround(P[i] + fround(p * r));
	p = fround(fround(r + 1) + fround(p * fround(r * r)));
	pattern[0] = (n + 127) << 23;
	return fround(p * float[0]);
}

/** The twin of {@link relativeWeights}. */
export function plainRelativeWeights(logits: Float32Array, top: number): void {
	for (let i = 0; i < logits.length; i++) logits[i] = weight(fround(logits[i] - top));
}

/** Tokens whose weights are summed before the sum is written down. */
const BLOCK = 512;

/** The twin of {@link softmaxDraw}. */
export function plainSoftmaxDraw(row: Float32Array, uniform: number): number {
	const size = row.length;
	let top = -Infinity;
	for (let i = 0; i < size; i++) if (row[i] > top) top = row[i];
	const sums = new Float64Array(Math.ceil(size / BLOCK));
	let total = 0;
	for (let block = 0; block < sums.length; block++) {
		// Four sums, as the kernel has lanes; the row ends with weights of 0.
		let a = 0;
		let b = 0;
		let c = 0;
		let d = 0;
		const end = Math.min(size, (block + 1) * BLOCK);
		for (let i = block * BLOCK; i < end; i += 4) {
			a += weight(fround(row[i] - top));
			if (i + 1 < end) b += weight(fround(row[i + 1] - top));
			if (i + 2 < end) c += weight(fround(row[i + 2] - top));
			if (i + 3 < end) d += weight(fround(row[i + 3] - top));
		}
		sums[block] = a + b + (c + d);
		total += sums[block];
	}
	const target = uniform * total;
	let chosen = 0;
	let before = 0;
	let reached = 0;
	for (let block = 0; block < sums.length && !(reached > target); block++) {
		if (sums[block] > 0) {
			chosen = block;
			before = reached;
		}
		reached += sums[block];
	}
	// Where rounding leaves the target past the end of its block, the last token that has weight.
	let last = -1;
	const start = chosen * BLOCK;
	for (let i = start; i < Math.min(size, start + BLOCK); i++) {
		const w = weight(fround(row[i] - top));
		if (w === 0) continue;
		last = i;
		before += w;
		if (before > target) break;
	}
	return last;
}

/** The twin of {@link runTournament}. */
export function plainTournament(probabilities: Float64Array, words: Uint32Array, depth: number): void {
	const count = probabilities.length;
	for (let layer = 0; layer < depth; layer++) {
		const masses = [0, 0];
		for (let i = 0; i < count; i++) if ((words[i] >>> layer) & 1) masses[i & 1] += probabilities[i];
		const total = masses[0] + masses[1];
		for (let i = 0; i < count; i++) probabilities[i] *= (words[i] >>> layer) & 1 ? 2 - total : 1 - total;
	}
}
