/**
 * What a mark scheme is: how it changes sampling, how a (context, token) pair is scored, and the law of
 * that score when the key had no influence.
 *
 * To add a scheme: write a file beside this one, add its parameters to `SchemeParams` and its row to
 * `bindScheme` in `marks/bind-scheme.ts`, and give it vectors and a row in the calibration bench.
 *
 * @module
 */
import { z } from 'zod';

/** Which side of sampling carries the mark: the distribution itself, or the draw from it. */
export type Channel = 'shape' | 'choice';

/**
 * The law of one score under the null hypothesis, for one distinct effective pair. Scores of distinct pairs
 * are independent.
 *
 * - `bernoulli`: the number of successes among `trials` independent ones of probability `p`. `lists`: lists of exact
 *   size, a random set of `green` of `of` tokens for each value of a pair's words before its last, the token. p is their
 *   share, and sums lie below the binomial's in the upper tail (docs/statistics.md).
 * - `weighted-bernoulli`: Σ weights[i]·Bᵢ, independent Bernoulli(`p`).
 * - `exponential`: stochastically below Exp(1) + `shift` (nats), and above −ln min(1, V + 2^-23) − 2^-30, V uniform on
 *   (0, 1): what negative weights need.
 * - `held-out`: no law is known; judged by keys that were never deployed, never evidence by itself.
 * - `two-exponentials`: stochastically below `a`·Exp(1) + `b`·Exp(1) + `shift`, independent; above likewise.
 */
export type NullLaw =
	| {
			readonly kind: 'bernoulli';
			readonly p: number;
			readonly trials: number;
			readonly lists?: { readonly green: number; readonly of: number };
	  }
	| { readonly kind: 'weighted-bernoulli'; readonly p: number; readonly weights: readonly number[] }
	| { readonly kind: 'exponential'; readonly shift: number }
	| { readonly kind: 'held-out' }
	| { readonly kind: 'two-exponentials'; readonly a: number; readonly b: number; readonly shift: number };

/** Uniforms in [0, 1), for what no key governs. */
export interface Uniforms {
	next(): number;
}

/**
 * What truly seeds the generator, where that is not the window itself: the last id alone, the id that won a
 * minimum, a state modulo a table. Pairs are told apart by it, so that nothing is counted twice.
 */
export interface Effective {
	/** Words of one effective pair. */
	readonly words: number;
	/** Effective pairs that one window has at most. */
	readonly perWindow: number;
	/**
	 * Writes the effective pairs of a window to `out`, one after another.
	 *
	 * @param windows context ids then token, from `at` on
	 * @param to where in `out` they begin
	 * @returns how many; 0 for what is never scored (a structural zero of the hash)
	 */
	of(windows: Uint32Array, at: number, out: Uint32Array, to: number): number;
}

/** A scheme bound to a key. Contexts are token ids, oldest first, always of the mark's context width. */
export interface Scheme {
	readonly null: NullLaw;
	/** Absent: a pair is its window, context ids then token. */
	readonly effective?: Effective;
	/** The law holds for this many pairs: no more are scored. Absent: for any number. */
	readonly mostPairs?: number;
	/**
	 * Scores of `count` effective pairs, integers ≥ 0 in units of 2^-32.
	 *
	 * @param rows the pairs one after another, each of `effective.words` (or context width + 1) words
	 */
	scores(rows: Uint32Array, count: number, out: Float64Array): void;
	/**
	 * Shape: adds the key's bias to logits (nats, one a token id) in place.
	 *
	 * @param proxy logits of a proxy model over the same vocabulary, where the scheme needs them
	 */
	tilt?(context: ArrayLike<number>, logits: Float32Array, proxy?: Float32Array): void;
	/** Whether `tilt` needs the logits of a proxy model. */
	readonly needsProxy?: true;
	/**
	 * Choice: the token drawn from softmax(logits) under the key; −Infinity excludes a token. Logits may be
	 * overwritten.
	 */
	draw?(context: ArrayLike<number>, logits: Float32Array, random: Uniforms): number;
	/**
	 * Marks that are found by alignment, not by pairs: the key has this many positions, and the context of a draw
	 * is the position alone.
	 */
	readonly positions?: number;
	/**
	 * Alignment score of a text; the higher, the more it looks like the key.
	 *
	 * @param least a score below it need not be exact: some number below `least` is given. Default 0
	 */
	align?(tokens: ArrayLike<number>, least?: number): number;
	/** Lists of exact size: the colour of a token, structural zeros of the hash included. */
	green?(context: ArrayLike<number>, token: number): boolean;
	/** Tournaments: layer d of the i-th token at bit d mod 32 of word ⌊d / 32⌋ of its ⌈depth / 32⌉ words. */
	layerBits?(context: ArrayLike<number>, tokens: Uint32Array, out: Uint32Array): void;
	/** Unigram: the green ids of a vocabulary, ascending; what a static bias needs. */
	greenList?(vocabSize: number): Uint32Array;
	/** Gumbel: the draw after `turn` was added to every word, modulo 2^32; what an account's codeword does. */
	drawTurned?(context: ArrayLike<number>, logits: Float32Array, turn: number): number;
	/** Gumbel on the grid `word32`: the words of pairs, before any turn. */
	words?(rows: Uint32Array, out: Uint32Array): void;
	/** Two keys: draws with key A, for a draft model's proposals. */
	drawDraft?(context: ArrayLike<number>, logits: Float32Array): number;
	/** Two keys: draws with key B, for tokens that the target model recovers or adds. */
	drawTarget?(context: ArrayLike<number>, logits: Float32Array): number;
}

/** Score of a single window, summed over its effective pairs (0 when it is never scored). */
export function scoreOfWindow(scheme: Scheme, context: ArrayLike<number>, token: number): number {
	const { effective } = scheme;
	const window = Uint32Array.of(...Array.from(context), token);
	if (effective === undefined) return scoresOf(window, 1);
	const rows = new Uint32Array(effective.words * effective.perWindow);
	return scoresOf(rows, effective.of(window, 0, rows, 0));

	function scoresOf(rows: Uint32Array, count: number): number {
		const scores = new Float64Array(count);
		scheme.scores(rows, count, scores);
		return scores.reduce((sum, score) => sum + score, 0);
	}
}

const Gamma = z.number().gt(0).lt(1);
const Delta = z.number().gt(0).max(20);
const Lambda = z.number().gt(0).max(4096);
const VocabSize = z
	.int()
	.min(2)
	.max(2 ** 21)
	.optional();
const Payload = z.int().min(0).optional();

/**
 * Parameters of every scheme.
 *
 * - `gumbel`: the keyed Gumbel-max draw.
 * - `dual_key_gumbel`: the same with two keys, for speculative decoding; `alpha` is the share of key B.
 * - `synthid`: tournament of `depth` layers; `weights: 'linear'` scores layers with weights from 10 down to 1.
 * - `kgw`: green lists. `gamma` is the share of the vocabulary on a list, `delta` the bias in nats.
 *   `seeding` absent: the whole window (left hash); `min`: the context id that a keyed order puts first;
 *   `self`: the same with the candidate token among them.
 * - `unigram`: one green list for all contexts.
 * - `adfp`: green lists whose bias is weighted by what a proxy model would learn; `lambda` nats, a token at most ¼ of it.
 * - `exp-edit`: keyed draws along a key of `keyLength` positions, found by alignment.
 *
 * Parameters that only other systems' generators have: `vocabSize` of their permutations, `payload` (cyclic
 * shift of the token ids), `tableSize` and `tableSeed` of the sampling table.
 */
export const SchemeParams = z.discriminatedUnion('name', [
	z.strictObject({ name: z.literal('gumbel'), vocabSize: VocabSize, payload: Payload }),
	z.strictObject({ name: z.literal('dual_key_gumbel'), alpha: z.number().min(0).max(1) }),
	z.strictObject({
		name: z.literal('synthid'),
		depth: z.int().min(1).max(64),
		weights: z.literal('linear').optional(),
		tableSize: z
			.int()
			.min(2)
			.max(2 ** 24)
			.optional(),
		tableSeed: z
			.int()
			.min(0)
			.max(2 ** 32 - 1)
			.optional(),
	}),
	z.strictObject({
		name: z.literal('kgw'),
		gamma: Gamma,
		delta: Delta,
		seeding: z.enum(['min', 'self']).optional(),
		vocabSize: VocabSize,
		payload: Payload,
	}),
	z.strictObject({ name: z.literal('unigram'), gamma: Gamma, delta: Delta }),
	z.strictObject({ name: z.literal('adfp'), gamma: Gamma, lambda: Lambda }),
	z.strictObject({ name: z.literal('exp-edit'), keyLength: z.int().min(2).max(4096) }),
]);
export type SchemeParams = z.infer<typeof SchemeParams>;
export type SchemeName = SchemeParams['name'];
/** Parameters of one scheme. */
export type ParamsOf<Name extends SchemeName> = Extract<SchemeParams, { name: Name }>;

/** Whether a scheme is green lists: a pair is green or not, and a shape raises green. */
export function isGreenLists(scheme: SchemeParams): scheme is ParamsOf<'kgw' | 'unigram' | 'adfp'> {
	return scheme.name === 'kgw' || scheme.name === 'unigram' || scheme.name === 'adfp';
}
