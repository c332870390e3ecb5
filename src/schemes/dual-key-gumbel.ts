/**
 * `dual_key_gumbel`: the Gumbel-max draw with two keys, for speculative decoding (vLLM, 2026). The draft model
 * draws with key A; tokens that the target model recovers or adds are drawn with key B. Outside speculative
 * decoding key A is used with probability 1 − α, key B with probability α.
 *
 * A verifier cannot know which key drew a token; its score is (1 − α)·x_A + α·x_B, the weighted sum of two
 * independent exponentials under the null.
 *
 * @module
 */
import type { Prf } from '../prf/prf.js';
import { type Grid, gumbelDraw, scoreWords } from './gumbel.js';
import type { Scheme } from './scheme.js';

/**
 * Binds the draw to two PRFs.
 *
 * @param alpha share of key B, 0 to 1
 */
export function dualKeyGumbel(alpha: number, prfA: Prf, prfB: Prf, grid: Grid, contextWidth: number): Scheme {
	const drawDraft = gumbelDraw(prfA, grid);
	const drawTarget = gumbelDraw(prfB, grid);
	let words = new Uint32Array(0);
	let scoresB = new Float64Array(0);
	return {
		null: { kind: 'two-exponentials', a: 1 - alpha, b: alpha, shift: grid.shift },
		scores(rows, count, out) {
			if (words.length < count) {
				words = new Uint32Array(count);
				scoresB = new Float64Array(count);
			}
			const used = words.subarray(0, count);
			prfA.pairFields(rows, contextWidth, 32, used);
			scoreWords(used, grid, out);
			prfB.pairFields(rows, contextWidth, 32, used);
			scoreWords(used, grid, scoresB);
			// One unit is far more than the rounding of the two products, so that rounding never raises a score.
			for (let i = 0; i < count; i++)
				out[i] = Math.max(0, Math.floor((1 - alpha) * out[i] + alpha * scoresB[i]) - 1);
		},
		draw: (context, logits, random) =>
			random.next() < alpha ? drawTarget(context, logits) : drawDraft(context, logits),
		drawDraft,
		drawTarget,
	};
}
