/**
 * `exp-edit`: keyed draws along a key of n positions, found by alignment (Kuditipudi et al., "Robust
 * distortion-free watermarks for language models", 2023, EXP with edit cost). A request begins at a random position
 * and goes round; each token is the exponential-minimum draw under the uniforms of its position, so the
 * distribution is left as it was.
 *
 * The score of a text is the best alignment with a stretch of the key: matched tokens earn −ln(1 − u), insertions
 * and deletions are free. It survives edits, but its law under the null is not known: only ranks among keys that
 * were never deployed are valid, and these are never evidence by themselves.
 * A stretch of many positions scores no less than any part of it, which rules out most stretches; the best of the others
 * is the best of all, to the bit.
 *
 * @module
 */
import type { Prf } from '../prf/prf.js';
import { SCORE_UNIT } from './fixed-log.js';
import { gumbelDraw, scoreWords, word32 } from './gumbel.js';
import type { Scheme } from './scheme.js';

/** Memory for scores that are kept. */
const KEPT_BYTES = 2 ** 24;

/** Binds the draw to a PRF; the context is the position. */
export function expEdit(keyLength: number, prf: Prf): Scheme {
	// Scores at every position, nats, of tokens that were met; the oldest go first.
	const kept = new Map<number, Float64Array>();
	const mostKept = Math.floor(KEPT_BYTES / (8 * keyLength));

	/** Scores of each token of a text at each position. */
	function scoresOf(tokens: ArrayLike<number>): Float64Array[] {
		const distinct = [...new Set(Array.from(tokens))];
		const unknown = distinct.filter((token) => !kept.has(token));
		const pairs = new Uint32Array(2 * unknown.length * keyLength);
		for (let i = 0, at = 0; i < unknown.length; i++)
			for (let position = 0; position < keyLength; position++) {
				pairs[at++] = position;
				pairs[at++] = unknown[i];
			}
		const words = new Uint32Array(unknown.length * keyLength);
		prf.pairFields(pairs, 1, 32, words);
		const scores = new Float64Array(words.length);
		scoreWords(words, word32, scores);
		for (const [i, token] of unknown.entries()) {
			const own = scores.subarray(i * keyLength, (i + 1) * keyLength);
			kept.set(
				token,
				own.map((score) => score / SCORE_UNIT),
			);
		}
		const rows = Array.from(tokens, (token) => kept.get(token) as Float64Array);
		for (const token of kept.keys()) {
			if (kept.size <= mostKept) break;
			kept.delete(token);
		}
		return rows;
	}

	/** Best alignment of a whole text with `reach` positions from `start` on, going round. */
	function alignFrom(
		start: number,
		reach: number,
		scores: readonly Float64Array[],
		row: Float64Array,
	): number {
		row.fill(0);
		for (const score of scores) {
			let diagonal = 0;
			let left = 0;
			for (let j = 0; j < reach; j++) {
				const above = row[j + 1];
				const position = start + j < keyLength ? start + j : start + j - keyLength;
				const matched = diagonal + score[position];
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
		align(tokens, least = 0) {
			const scores = scoresOf(tokens);
			const reach = Math.min(tokens.length, keyLength);
			const row = new Float64Array(reach + keyLength);
			// No stretch that begins at one of `count` positions is better than one that covers them all.
			const beginning = (from: number, count: number) => ({
				...{ from, count },
				bound: alignFrom(from, reach + count - 1, scores, row),
			});
			const open = [beginning(0, keyLength)];
			for (;;) {
				const best = open.reduce((one, other) => (other.bound > one.bound ? other : one));
				const { from, count, bound } = best;
				if (count === 1 || bound < least) return bound;
				const half = count >> 1;
				open.splice(open.indexOf(best), 1, beginning(from, half), beginning(from + half, count - half));
			}
		},
	};
}
