/**
 * `exp-edit`: keyed draws along a key of n positions, found by alignment (Kuditipudi et al., "Robust
 * distortion-free watermarks for language models", 2023, EXP with edit cost). A request begins at a random position
 * and goes round; each token is the exponential-minimum draw under the uniforms of its position, so the
 * distribution is left as it was.
 *
 * The score of a text is the best alignment with a stretch of the key: matched tokens earn −ln(1 − u), insertions
 * and deletions are free. It survives edits, but its law under the null is not known: only ranks among keys that
 * were never deployed are valid, and these are never evidence by themselves.
 *
 * @module
 */
import type { Prf } from '../prf/prf.js';
import { negLnScore, SCORE_UNIT } from './fixed-log.js';
import { gumbelDraw, word32 } from './gumbel.js';
import type { Scheme } from './scheme.js';

/** Binds the draw to a PRF; the context is the position. */
export function expEdit(keyLength: number, prf: Prf): Scheme {
	/** Scores of each token at each position, [tokens × positions], nats. */
	function scoreMatrix(tokens: ArrayLike<number>): Float64Array {
		const rows = new Uint32Array(2 * tokens.length * keyLength);
		for (let i = 0, at = 0; i < tokens.length; i++)
			for (let position = 0; position < keyLength; position++) {
				rows[at++] = position;
				rows[at++] = tokens[i];
			}
		const words = new Uint32Array(tokens.length * keyLength);
		prf.pairFields(rows, 1, 32, words);
		return Float64Array.from(words, (word) => negLnScore(word32.complement(word)) / SCORE_UNIT);
	}

	/** Best alignment of the whole text with as many positions from `start` on, going round. */
	function alignFrom(start: number, length: number, scores: Float64Array, row: Float64Array): number {
		const reach = Math.min(length, keyLength);
		row.fill(0);
		for (let i = 0; i < length; i++) {
			let diagonal = 0;
			let left = 0;
			for (let j = 0; j < reach; j++) {
				const above = row[j + 1];
				const position = start + j < keyLength ? start + j : start + j - keyLength;
				const matched = diagonal + scores[i * keyLength + position];
				left = Math.max(above, left, matched);
				row[j + 1] = left;
				diagonal = above;
			}
		}
		return row[reach];
	}

	const draw = gumbelDraw(prf, word32);
	return {
		null: { kind: 'held-out' },
		positions: keyLength,
		scores: (_, count, out) => out.fill(0, 0, count),
		draw: (context, logits) => draw(context, logits),
		align(tokens) {
			const scores = scoreMatrix(tokens);
			const row = new Float64Array(Math.min(tokens.length, keyLength) + 1);
			let best = 0;
			for (let start = 0; start < keyLength; start++)
				best = Math.max(best, alignFrom(start, tokens.length, scores, row));
			return best;
		},
	};
}
