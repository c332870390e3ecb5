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
import type { Prf } from '../prf/prf.js';
import { ln, negLnScore } from './fixed-log.js';
import type { Scheme } from './scheme.js';

/** How a 32-bit word becomes a uniform. */
export interface Grid {
	/** u in (0, 1) for drawing. */
	uniform(word: number): number;
	/** 1 − u in (0, 1] for scoring. */
	complement(word: number): number;
	/** The law of −ln(complement) is below Exp(1) + shift. */
	readonly shift: number;
}

/** Ours: 32 bits, rigorous tails. */
export const word32: Grid = {
	uniform: (word) => (word + 0.5) / 2 ** 32,
	complement: (word) => (2 ** 32 - word) / 2 ** 32,
	shift: 0,
};

/** vLLM's uniform: 24 bits in single precision. */
export const float24: Grid = {
	uniform: (word) => Math.fround(((word >>> 8) + 1) / (2 ** 24 + 1)),
	complement: (word) => 1 - Math.fround(((word >>> 8) + 1) / (2 ** 24 + 1)),
	shift: 2 ** -24,
};

/** Binds the keyed draw to a PRF with 32-bit fields. */
export function gumbel(prf: Prf, grid: Grid): Scheme {
	let words = new Uint32Array(0);
	return {
		channel: 'choice',
		null: { kind: 'exponential', shift: grid.shift },
		score: (context, token) => negLnScore(grid.complement(prf.field(context, token, 32))),
		draw(context, logits) {
			let top = -Infinity;
			let candidates = 0;
			for (const logit of logits) {
				if (logit > top) top = logit;
				if (logit > -Infinity) candidates++;
			}
			// Few candidates (after top-k or top-p) are cheaper one by one than the whole keystream.
			const single = candidates * 16 < logits.length;
			if (!single) {
				if (words.length !== logits.length) words = new Uint32Array(logits.length);
				prf.fields(context, 32, words);
			}
			// argmax(logit − ln(−ln u)) is argmin(−ln u / weight); since −ln u ≥ 1 − u, most tokens need no logarithm.
			let winner = -1;
			let least = Infinity;
			for (let token = 0; token < logits.length; token++) {
				const weight = Math.exp(logits[token] - top);
				if (weight === 0) continue;
				const u = grid.uniform(single ? prf.field(context, token, 32) : words[token]);
				if (1 - u >= least * weight) continue;
				const time = -ln(u) / weight;
				if (time < least) {
					winner = token;
					least = time;
				}
			}
			return winner;
		},
	};
}
