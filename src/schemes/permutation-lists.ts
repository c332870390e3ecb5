/**
 * Green lists by a random permutation of the vocabulary, bit for bit with the systems that have them: the list
 * of a seed is the first ⌊γV⌋ entries of a permutation by the Mersenne Twister.
 *
 * Lists have an exact size, so the share of green tokens is ⌊γV⌋/V, and tokens of one list are drawn without
 * replacement: sums lie below the binomial's in the upper tail (docs/statistics.md).
 *
 * @module
 */
import { headMembership, permutationHead } from '../prf/mersenne.js';
import { SCORE_UNIT } from './fixed-log.js';
import type { Scheme } from './scheme.js';
import { type Seeding, seededPairs } from './seedings.js';

/** Parameters of lists of exact size. */
export interface PermutationLists {
	readonly gamma: number;
	readonly delta: number;
	readonly vocabSize: number;
	/** Cyclic shift: the colour of token t is that of t + payload. */
	readonly payload: number;
}

/** Memory for lists that are kept. */
const KEPT_BYTES = 2 ** 24;

/** Most candidates that a seeding with the token itself tries, likeliest first (as transformers does). */
const REJECTION_CANDIDATES = 40;

/** The `count` tokens with the largest logits, largest first; of equals the smaller id. */
function likeliest(logits: Float32Array, count: number): number[] {
	const best: number[] = [];
	for (let token = 0; token < logits.length; token++) {
		if (best.length === count && !(logits[token] > logits[best[count - 1]])) continue;
		let at = best.length;
		while (at > 0 && logits[token] > logits[best[at - 1]]) at--;
		best.splice(at, 0, token);
		if (best.length > count) best.pop();
	}
	return best;
}

/** Binds lists to a seeding. Effective pairs are (seed, token). */
export function permutationLists(params: PermutationLists, contextWidth: number, seeding: Seeding): Scheme {
	const { gamma, delta, vocabSize, payload } = params;
	const length = Math.floor(gamma * vocabSize);
	const membership = headMembership(vocabSize, length);
	const shifted = (token: number) => (token + payload) % vocabSize;
	// Lists that were worked out, one bit a token, at most KEPT_BYTES; the oldest goes first.
	const lists = new Map<number, Uint32Array>();
	const mostLists = Math.max(16, Math.floor(KEPT_BYTES / (vocabSize / 8)));
	/** Seeds of a single id come again and again; those of a longer context, or of the token itself, hardly. */
	const recurring = !seeding.ownToken && contextWidth === 1;
	const isListed = (list: Uint32Array, token: number) => ((list[token >>> 5] >>> (token & 31)) & 1) === 1;
	const listOf = (seed: number): Uint32Array => {
		let list = lists.get(seed);
		if (list === undefined) {
			list = new Uint32Array(Math.ceil(vocabSize / 32));
			for (const token of permutationHead(seed, vocabSize, length)) list[token >>> 5] |= 1 << (token & 31);
			if (lists.size >= mostLists) lists.delete(lists.keys().next().value as number);
			lists.set(seed, list);
		}
		return list;
	};
	const isGreen = (context: ArrayLike<number>, token: number): boolean => {
		let green = false;
		membership(seeding.seedOf(context, token), [shifted(token)], () => {
			green = true;
		});
		return green;
	};
	return {
		null: {
			kind: 'bernoulli',
			p: length / vocabSize,
			trials: 1,
			lists: { green: length, of: vocabSize },
		},
		effective: seededPairs(seeding, contextWidth, vocabSize),
		scores(rows, count, out) {
			out.fill(0, 0, count);
			// Seeds whose list is known already, and the others in order: one run of the twister a seed.
			const unknown: number[] = [];
			for (let i = 0; i < count; i++) {
				const list = lists.get(rows[2 * i]);
				if (list === undefined) unknown.push(i);
				else if (isListed(list, shifted(rows[2 * i + 1]))) out[i] = SCORE_UNIT;
			}
			unknown.sort((a, b) => rows[2 * a] - rows[2 * b]);
			for (let start = 0; start < unknown.length; ) {
				const seed = rows[2 * unknown[start]];
				let end = start + 1;
				while (end < unknown.length && rows[2 * unknown[end]] === seed) end++;
				const group = unknown.slice(start, end);
				start = end;
				if (!recurring) {
					// Such a seed was seen with few tokens: they are followed through the swaps.
					membership(
						seed,
						group.map((i) => shifted(rows[2 * i + 1])),
						(k) => {
							out[group[k]] = SCORE_UNIT;
						},
					);
					continue;
				}
				const list = listOf(seed);
				for (const i of group) if (isListed(list, shifted(rows[2 * i + 1]))) out[i] = SCORE_UNIT;
			}
		},
		tilt(context, logits) {
			if (seeding.ownToken) {
				for (const token of likeliest(logits, REJECTION_CANDIDATES))
					if (isGreen(context, token)) logits[token] += delta;
				return;
			}
			for (const entry of permutationHead(seeding.seedOf(context, 0), vocabSize, length)) {
				const token = (entry - payload + vocabSize) % vocabSize;
				if (token < logits.length) logits[token] += delta;
			}
		},
		green: isGreen,
	};
}
