/**
 * Green lists by the uniforms of vLLM's Philox, bit for bit with its `red_green` (`vllm/v1/watermarking/red_green.py`,
 * in review in autumn 2026): a token is green when its uniform, a single-precision number, is below γ in single
 * precision. Every token has a field of its own, so the count of green pairs is binomial.
 *
 * @module
 */
import type { Prf } from '../prf/prf.js';
import { SCORE_UNIT } from './fixed-log.js';
import { float24 } from './gumbel.js';
import type { ParamsOf, Scheme } from './scheme.js';

/** A token is green when its 32-bit word is below this, a multiple of 256. */
export function redGreenThreshold(gamma: number): number {
	const limit = Math.fround(gamma);
	let low = 0;
	let high = 2 ** 24;
	while (low < high) {
		const middle = (low + high) >>> 1;
		if (float24.uniform(middle * 256) < limit) low = middle + 1;
		else high = middle;
	}
	return low * 256;
}

/** Binds to a PRF with 32-bit fields. */
export function redGreen(params: ParamsOf<'kgw'>, contextWidth: number, prf: Prf): Scheme {
	const below = redGreenThreshold(params.gamma);
	const addend = Math.fround(params.delta);
	let fields = new Uint32Array(0);
	const room = (size: number) => {
		if (fields.length < size) fields = new Uint32Array(size);
		return fields.subarray(0, size);
	};
	return {
		null: { kind: 'bernoulli', p: below / 2 ** 32, trials: 1 },
		scores(rows, count, out) {
			const words = room(count);
			prf.pairFields(rows, contextWidth, 32, words);
			for (let i = 0; i < count; i++) out[i] = words[i] < below ? SCORE_UNIT : 0;
		},
		tilt(context, logits) {
			const words = room(logits.length);
			prf.fields(context, 32, words);
			for (let token = 0; token < logits.length; token++) if (words[token] < below) logits[token] += addend;
		},
		green: (context, token) => prf.field(context, token, 32) < below,
	};
}
