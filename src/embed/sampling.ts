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

/** Sets the logits of tokens that top-k or top-p exclude to −Infinity, in place. Ties at the edge stay. */
export function truncate(logits: Float32Array, options: SamplingOptions): void {
	const { topK, topP } = options;
	if ((topK === undefined || topK >= logits.length) && topP === undefined) return;
	const sorted = Float32Array.from(logits).sort().reverse();
	let count = Math.min(topK ?? sorted.length, sorted.length);
	if (topP !== undefined) {
		const weights = Float64Array.from(sorted.subarray(0, count), (logit) => Math.exp(logit - sorted[0]));
		const total = weights.reduce((sum, weight) => sum + weight, 0);
		let reached = 0;
		for (let i = 0; i < count; i++) {
			reached += weights[i];
			if (reached >= topP * total) count = i + 1;
		}
	}
	const lowest = sorted[count - 1];
	for (let token = 0; token < logits.length; token++) if (logits[token] < lowest) logits[token] = -Infinity;
}

/** Index of the largest logit, the first of equals. */
export function argmax(logits: Float32Array): number {
	let best = 0;
	for (let token = 1; token < logits.length; token++) if (logits[token] > logits[best]) best = token;
	return best;
}

/**
 * A draw from softmax(logits).
 *
 * @param uniform in [0, 1)
 */
export function drawFrom(logits: Float32Array, uniform: number): number {
	const top = logits[argmax(logits)];
	let total = 0;
	for (const logit of logits) total += Math.exp(logit - top);
	let left = uniform * total;
	let last = 0;
	for (let token = 0; token < logits.length; token++) {
		const weight = Math.exp(logits[token] - top);
		if (weight === 0) continue;
		if (left < weight) return token;
		left -= weight;
		last = token;
	}
	return last;
}
