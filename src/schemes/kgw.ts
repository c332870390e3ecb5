/**
 * `kgw`: green lists (Kirchenbauer, Geiping et al., "A watermark for large language models", 2023, soft
 * watermark). Every token is green with probability γ, decided by its own field of the keystream, so the
 * score is exactly Bernoulli(γ) and independent between tokens: no list of exact size, no permutation.
 *
 * Three seedings (Kirchenbauer et al., "On the reliability of watermarks for large language models", 2023,
 * section 3): `left`, the whole window; `min`, the context id that a second keyed function puts first; `self`,
 * the same with the candidate token among the ids and in the order. The narrower the seed, the better a list survives edits.
 *
 * @module
 */
import type { Prf } from '../prf/prf.js';
import { SCORE_UNIT } from './fixed-log.js';
import type { Effective, ParamsOf, Scheme } from './scheme.js';

/** How green is decided by a field: `bits` wide, green when below `below`. */
export function greenField(gamma: number): { bits: 1 | 8; below: number } {
	return gamma === 0.5 ? { bits: 1, below: 1 } : { bits: 8, below: gamma * 256 };
}

/** Scores of green lists: 1 for rows whose field is below the limit. */
export function greenScores(prf: Prf, gamma: number, contextWidth: number): Scheme['scores'] {
	const { bits, below } = greenField(gamma);
	let fields = new Uint32Array(0);
	return (rows, count, out) => {
		if (fields.length < count) fields = new Uint32Array(count);
		prf.pairFields(rows, contextWidth, bits, fields.subarray(0, count));
		for (let i = 0; i < count; i++) out[i] = fields[i] < below ? SCORE_UNIT : 0;
	};
}

/**
 * Binds green lists of share `gamma` and bias `delta` (nats) to a PRF with 1- and 8-bit fields.
 *
 * @param order a PRF under another key, which orders the ids of `min` and `self`
 */
export function kgw(params: ParamsOf<'kgw'>, contextWidth: number, prf: Prf, order: Prf): Scheme {
	const { gamma, delta, seeding } = params;
	const law = { kind: 'bernoulli', p: gamma, trials: 1 } as const;
	const { bits, below } = greenField(gamma);
	if (seeding === undefined)
		return {
			null: law,
			scores: greenScores(prf, gamma, contextWidth),
			tilt: (context, logits) => prf.bias(context, bits, below, delta, logits),
		};
	const { effective, tilt } = seeding === 'min' ? minHash() : selfHash();
	return { null: law, effective, scores: greenScores(prf, gamma, 1), tilt };

	/** The seed is the context id whose keyed rank is least: one list a context, as with the whole window. */
	function minHash(): { effective: Effective; tilt: NonNullable<Scheme['tilt']> } {
		const first = (context: ArrayLike<number>) => leastRanked(context, (id) => order.field([id], 0, 32));
		return {
			effective: {
				words: 2,
				perWindow: 1,
				of(windows, at, out, to) {
					out[to] = first(windows.subarray(at, at + contextWidth));
					out[to + 1] = windows[at + contextWidth];
					return 1;
				},
			},
			tilt: (context, logits) => prf.bias([first(context)], bits, below, delta, logits),
		};
	}

	/**
	 * The seed of token t is the id x, of the context or t itself, whose keyed rank of (x, t) is least. A whole
	 * vocabulary takes one keystream an id of the context; the ranks of (t, t) are the same in every context
	 * and are kept.
	 */
	function selfHash(): { effective: Effective; tilt: NonNullable<Scheme['tilt']> } {
		let own = { ranks: new Uint32Array(0), fields: new Uint32Array(0) };
		const ownOf = (size: number) => {
			if (own.ranks.length !== size) {
				const diagonal = Uint32Array.from({ length: 2 * size }, (_, i) => i >>> 1);
				own = { ranks: new Uint32Array(size), fields: new Uint32Array(size) };
				order.pairFields(diagonal, 1, 32, own.ranks);
				prf.pairFields(diagonal, 1, bits, own.fields);
			}
			return own;
		};
		return {
			effective: {
				words: 2,
				perWindow: 1,
				of(windows, at, out, to) {
					const token = windows[at + contextWidth];
					const window = windows.subarray(at, at + contextWidth + 1);
					out[to] = leastRanked(window, (id) => order.field([id], token, 32));
					out[to + 1] = token;
					return 1;
				},
			},
			tilt(context, logits) {
				const size = logits.length;
				const start = ownOf(size);
				const least = start.ranks.slice();
				const fields = start.fields.slice();
				const winners = Uint32Array.from({ length: size }, (_, token) => token);
				const ranks = new Uint32Array(size);
				const colours = new Uint32Array(size);
				for (let i = 0; i < context.length; i++) {
					const id = context[i];
					order.fields([id], 32, ranks);
					prf.fields([id], bits, colours);
					for (let token = 0; token < size; token++) {
						const rank = ranks[token];
						if (rank < least[token] || (rank === least[token] && id < winners[token])) {
							least[token] = rank;
							fields[token] = colours[token];
							winners[token] = id;
						}
					}
				}
				for (let token = 0; token < size; token++) if (fields[token] < below) logits[token] += delta;
			},
		};
	}
}

/** The id of the least rank, the lesser id of equals. */
function leastRanked(ids: ArrayLike<number>, rankOf: (id: number) => number): number {
	let winner = ids[0];
	let least = Infinity;
	for (let i = 0; i < ids.length; i++) {
		const rank = rankOf(ids[i]);
		if (rank < least || (rank === least && ids[i] < winner)) {
			least = rank;
			winner = ids[i];
		}
	}
	return winner;
}
