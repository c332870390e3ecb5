/**
 * `gumbel`: the keyed Gumbel-max draw (Aaronson 2022). The token is argmax(logit + g), g = −ln(−ln u) with
 * u the keyed uniform of (context, token); over random keys that is exactly a draw from softmax(logits).
 * The score −ln(1 − u) is Exp(1) under the null.
 *
 * Two grids of u exist. `word32` (ours): the 32-bit word w gives score −ln(1 − w/2^32), whose law is below
 * Exp(1) everywhere, so gamma tails are rigorous. `float24` (vLLM): u = float32(((w >> 8) + 1)/(2^24 + 1)),
 * whose law exceeds Exp(1) by at most the factor 1 + 2^-24 at any point (found by going through all 2^24 values); the test takes that into account.
 *
 * @module
 */
import { kernelLogScores } from '../prf/kernel.js';
import type { GridName, Prf } from '../prf/prf.js';
import { ln, negLnScore } from './fixed-log.js';
import type { Scheme } from './scheme.js';

/** How a 32-bit word becomes a uniform. */
export interface Grid {
	readonly name: GridName;
	/** u in (0, 1) for drawing. */
	uniform(word: number): number;
	/** 1 − u in (0, 1] for scoring. */
	complement(word: number): number;
	/** The law of −ln(complement) is below Exp(1) + shift. */
	readonly shift: number;
}

/** Ours: 32 bits, rigorous tails. */
export const word32: Grid = {
	name: 'word32',
	uniform: (word) => (word + 0.5) / 2 ** 32,
	complement: (word) => (2 ** 32 - word) / 2 ** 32,
	shift: 0,
};

/** vLLM's uniform: 24 bits in single precision. */
export const float24: Grid = {
	name: 'float24',
	uniform: (word) => Math.fround(((word >>> 8) + 1) / (2 ** 24 + 1)),
	complement: (word) => 1 - Math.fround(((word >>> 8) + 1) / (2 ** 24 + 1)),
	shift: 2 ** -24,
};

/** Binds the keyed draw to a PRF with 32-bit fields. */
export function gumbel(prf: Prf, grid: Grid, contextWidth: number): Scheme {
	const drawn = gumbelDraw(prf, grid);
	let words = new Uint32Array(0);
	return {
		null: { kind: 'exponential', shift: grid.shift },
		scores(rows, count, out) {
			if (words.length < count) words = new Uint32Array(count);
			const used = words.subarray(0, count);
			prf.pairFields(rows, contextWidth, 32, used);
			scoreWords(used, grid, out);
		},
		draw: (context, logits) => drawn(context, logits),
		drawTurned: drawn,
		words: (rows, out) => prf.pairFields(rows, contextWidth, 32, out),
	};
}

/** Scores of words under a grid: −ln(1 − u) in units of 2^-32, by the kernel or word by word, the same bits. */
export function scoreWords(words: Uint32Array, grid: Grid, out: Float64Array): void {
	if (kernelLogScores(words, grid.name, out)) return;
	for (let i = 0; i < words.length; i++) out[i] = negLnScore(grid.complement(words[i]));
}

/**
 * argmax(logit + g) under one PRF: an exact draw from softmax(logits) over random keys. A turn adds the same to all
 * words, modulo 2^32, which leaves their law as it is.
 */
export function gumbelDraw(
	prf: Prf,
	grid: Grid,
): (context: ArrayLike<number>, logits: Float32Array, turn?: number) => number {
	let tokens = new Uint32Array(0);
	let words = new Uint32Array(0);
	return (context, logits, turn = 0) => {
		if (tokens.length < logits.length) {
			tokens = new Uint32Array(logits.length);
			words = new Uint32Array(logits.length);
		}
		const count = prf.contenders(context, logits, grid.name, tokens, words, turn);
		let top = -Infinity;
		for (let i = 0; i < count; i++) top = Math.max(top, logits[tokens[i]]);
		// argmax(logit − ln(−ln u)) is argmin(−ln u / weight).
		let winner = -1;
		let least = Infinity;
		for (let i = 0; i < count; i++) {
			const time = -ln(grid.uniform(words[i])) / Math.exp(logits[tokens[i]] - top);
			if (time < least || (time === least && tokens[i] < winner)) {
				winner = tokens[i];
				least = time;
			}
		}
		return winner;
	};
}
