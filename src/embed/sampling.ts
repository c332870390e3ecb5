/**
 * From logits to the distribution that a token is drawn from: temperature, top-k, top-p.
 *
 * @module
 */
import { z } from 'zod';

/**
 * How a request samples.
 *
 * - `temperature` ≥ 0; 0 is greedy: the likeliest token after the shape channel's tilt, the choice channel is off.
 * - `topK`: only the k likeliest tokens. `topP`: the fewest likeliest tokens whose probabilities reach p.
 */
export const SamplingOptions = z.strictObject({
	temperature: z.number().min(0).max(100).default(1),
	topK: z.int().min(1).optional(),
	topP: z.number().gt(0).max(1).optional(),
});
export type SamplingOptions = z.infer<typeof SamplingOptions>;

/** Buckets of logits by their leading bits: sign, exponent and three bits of the fraction. */
const BUCKETS = 4096;
const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

/** The bucket of a logit; larger logits are never in lower buckets. */
function bucketOf(logit: number): number {
	float[0] = logit;
	const order = bits[0] ^ ((bits[0] >> 31) & 0x7fffffff);
	return (order >> 20) + BUCKETS / 2;
}

/**
 * The largest logit such that those from it on have at least `wanted` measure, by buckets: only the logits of the
 * bucket at the edge are sorted. −Infinity when all together have less.
 */
function edgeOf(logits: Float32Array, wanted: number, measure: (logit: number) => number): number {
	const sums = new Float64Array(BUCKETS);
	for (const logit of logits) if (logit > -Infinity) sums[bucketOf(logit)] += measure(logit);
	let reached = 0;
	let bucket = BUCKETS - 1;
	while (bucket >= 0 && reached + sums[bucket] < wanted) reached += sums[bucket--];
	if (bucket < 0) return -Infinity;
	const inside = logits.filter((logit) => logit > -Infinity && bucketOf(logit) === bucket).sort();
	for (let i = inside.length - 1; i > 0; i--) {
		reached += measure(inside[i]);
		if (reached >= wanted) return inside[i];
	}
	return inside[0];
}

/** Sets the logits of tokens that top-k or top-p exclude to −Infinity, in place. Ties at the edge stay. */
export function truncate(logits: Float32Array, options: SamplingOptions): void {
	const { topK, topP } = options;
	const cut = (edge: number) => {
		for (let token = 0; token < logits.length; token++) if (logits[token] < edge) logits[token] = -Infinity;
	};
	if (topK !== undefined && topK < logits.length) cut(edgeOf(logits, topK, () => 1));
	if (topP !== undefined && topP < 1) {
		const top = logits[argmax(logits)];
		let total = 0;
		for (const logit of logits) total += Math.exp(logit - top);
		cut(edgeOf(logits, topP * total, (logit) => Math.exp(logit - top)));
	}
}

/** Index of the largest logit, the first of equals. */
export function argmax(logits: Float32Array): number {
	let best = 0;
	for (let token = 1; token < logits.length; token++) if (logits[token] > logits[best]) best = token;
	return best;
}
