/**
 * Gumbel-max draws of Meta's family (facebookresearch/three_bricks `OpenaiDetector`), bit for bit: the uniform
 * of token t is the t-th output of the Mersenne Twister, its low 24 bits over 2^24; a payload m reads token t + m.
 *
 * 1 − u is a multiple of 2^-24 in (0, 1], so −ln(1 − u) lies below Exp(1).
 *
 * @module
 */
import { mersenneOutputs } from '../prf/mersenne.js';
import { negLnScore } from './fixed-log.js';
import type { Scheme } from './scheme.js';
import { type Seeding, seededPairs } from './seedings.js';

/** Binds the draw to a seeding. Effective pairs are (seed, token). */
export function twisterGumbel(
	vocabSize: number,
	payload: number,
	contextWidth: number,
	seeding: Seeding,
): Scheme {
	const outputs = new Uint32Array(vocabSize);
	const shifted = (token: number) => (token + payload) % vocabSize;
	const complement = (output: number) => (2 ** 24 - (output & 0xffffff)) / 2 ** 24;
	return {
		null: { kind: 'exponential', shift: 0 },
		effective: seededPairs(seeding, contextWidth, vocabSize),
		scores(rows, count, out) {
			for (let i = 0; i < count; i++) {
				const at = shifted(rows[2 * i + 1]);
				mersenneOutputs(rows[2 * i], outputs.subarray(0, at + 1));
				out[i] = negLnScore(complement(outputs[at]));
			}
		},
		draw(context, logits) {
			mersenneOutputs(seeding.seedOf(context, 0), outputs);
			let winner = -1;
			let least = Infinity;
			let top = -Infinity;
			for (const logit of logits) if (logit > top) top = logit;
			for (let token = 0; token < Math.min(logits.length, vocabSize); token++) {
				const weight = Math.exp(logits[token] - top);
				if (weight === 0) continue;
				// u = 0 is possible here and never wins.
				const time = -Math.log((outputs[shifted(token)] & 0xffffff) / 2 ** 24) / weight;
				if (time < least) {
					winner = token;
					least = time;
				}
			}
			if (winner >= 0) return winner;
			// All candidates drew u = 0: the likeliest one.
			return logits.indexOf(top);
		},
	};
}
