/**
 * `synthid`: tournament sampling (SynthID-Text). As *choice* with its usual 30 layers, as *shape* with few,
 * which tilts the distribution without favouring any token on average over keys.
 *
 * A pair's score is the number of ones among its layers' bits (mean score), or their weighted sum with weights
 * falling linearly from 10 to 1, scaled to add up to the depth (weighted mean): deep layers tell less.
 *
 * The bits come from a layer generator: a PRF word (bit d for layer d), or the hashes of other systems.
 *
 * @module
 */
import type { Prf } from '../prf/prf.js';
import { SCORE_UNIT } from './fixed-log.js';
import type { Effective, Scheme } from './scheme.js';
import { candidatesOf, drawCandidate, tournament } from './tournament.js';

/** Where the bits of the layers come from. */
export interface LayerGenerator {
	/** Absent: a pair is its window. */
	readonly effective?: Effective;
	/** Pairs up to which its bits pass for independent; absent: any number. */
	readonly mostPairs?: number;
	/** Probability of a one under the null. */
	readonly p: number;
	/** Layers in one effective pair. */
	readonly layers: number;
	/** Number of ones of effective pairs, where that is cheaper than their bits. */
	ones?(rows: Uint32Array, count: number, out: Float64Array): void;
	/** Bits of effective pairs: ⌈layers / 32⌉ words a row. */
	rowBits(rows: Uint32Array, count: number, out: Uint32Array): void;
	/** Bits of tokens (ids ascending) after a context, all layers: ⌈depth / 32⌉ words a token. */
	tokenBits(context: ArrayLike<number>, tokens: Uint32Array, out: Uint32Array): void;
}

/** Weights of the weighted mean: linear from 10 to 1 over the layers, adding up to the depth. */
export function linearWeights(depth: number): number[] {
	const raw = Array.from({ length: depth }, (_, d) => (depth === 1 ? 10 : 10 - (9 * d) / (depth - 1)));
	const total = raw.reduce((sum, weight) => sum + weight, 0);
	return raw.map((weight) => (weight * depth) / total);
}

/** Layers from a PRF with 32-bit fields: bit d of the word is layer d. */
export function prfLayers(prf: Prf, depth: number, contextWidth: number): LayerGenerator {
	let rows = new Uint32Array(0);
	return {
		p: 0.5,
		layers: depth,
		rowBits: (pairs, count, out) => prf.pairFields(pairs, contextWidth, 32, out.subarray(0, count)),
		tokenBits(context, tokens, out) {
			const size = tokens.length === 0 ? 0 : tokens[tokens.length - 1] + 1;
			// Many candidates are cheaper by the whole keystream than one by one; ids are ascending.
			if (tokens.length * 4 > size) {
				if (rows.length < size) rows = new Uint32Array(size);
				const all = rows.subarray(0, size);
				prf.fields(context, 32, all);
				for (let i = 0; i < tokens.length; i++) out[i] = all[tokens[i]];
				return;
			}
			const stride = contextWidth + 1;
			if (rows.length < tokens.length * stride) rows = new Uint32Array(tokens.length * stride);
			for (let i = 0, at = 0; i < tokens.length; i++) {
				for (let k = 0; k < contextWidth; k++) rows[at++] = context[k];
				rows[at++] = tokens[i];
			}
			prf.pairFields(rows.subarray(0, tokens.length * stride), contextWidth, 32, out);
		},
	};
}

/** Number of ones. */
function ones(word: number): number {
	const pairs = word - ((word >>> 1) & 0x55555555);
	const nibbles = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
	return Math.imul((nibbles + (nibbles >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/**
 * Binds a tournament to its layers.
 *
 * @param depth layers of the tournament
 * @param weighted whether the score is the weighted sum
 */
export function synthid(depth: number, weighted: boolean, generator: LayerGenerator): Scheme {
	const { effective, layers, p } = generator;
	const perRow = Math.ceil(layers / 32);
	const perToken = Math.ceil(depth / 32);
	const weights = linearWeights(depth);
	// Rounded down, so that rounding never raises a score.
	const units = weights.map((weight) => Math.floor(weight * SCORE_UNIT));
	let bits = new Uint32Array(0);
	const lastMask = layers % 32 === 0 ? 0xffffffff : 2 ** (layers % 32) - 1;

	function reweigh(context: ArrayLike<number>, logits: Float32Array) {
		const { tokens, probabilities } = candidatesOf(logits);
		const words = new Uint32Array(tokens.length * perToken);
		generator.tokenBits(context, tokens, words);
		tournament(probabilities, depth, words);
		return { tokens, probabilities };
	}

	return {
		null: weighted ? { kind: 'weighted-bernoulli', p, weights } : { kind: 'bernoulli', p, trials: layers },
		...(effective === undefined ? {} : { effective }),
		...(generator.mostPairs === undefined ? {} : { mostPairs: generator.mostPairs }),
		scores(rows, count, out) {
			if (!weighted && generator.ones !== undefined) {
				generator.ones(rows, count, out);
				for (let i = 0; i < count; i++) out[i] *= SCORE_UNIT;
				return;
			}
			if (bits.length < count * perRow) bits = new Uint32Array(count * perRow);
			generator.rowBits(rows, count, bits.subarray(0, count * perRow));
			for (let i = 0; i < count; i++) {
				let score = 0;
				if (weighted) {
					for (let layer = 0; layer < layers; layer++)
						if ((bits[i * perRow + (layer >>> 5)] >>> (layer & 31)) & 1) score += units[layer];
				} else {
					for (let word = 0; word < perRow; word++) {
						const value = bits[i * perRow + word];
						score += ones(word === perRow - 1 ? (value & lastMask) >>> 0 : value);
					}
					score *= SCORE_UNIT;
				}
				out[i] = score;
			}
		},
		layerBits: generator.tokenBits,
		tilt(context, logits) {
			const { tokens, probabilities } = reweigh(context, logits);
			for (let i = 0; i < tokens.length; i++) logits[tokens[i]] = Math.log(probabilities[i]);
		},
		draw(context, logits, random) {
			const { tokens, probabilities } = reweigh(context, logits);
			return tokens[drawCandidate(probabilities, random)];
		},
	};
}
