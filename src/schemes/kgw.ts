/**
 * `kgw`: green lists (Kirchenbauer, Geiping et al., "A watermark for large language models", 2023, soft
 * watermark). Every token is green with probability γ, decided by its own field of the keystream, so the
 * score is exactly Bernoulli(γ) and independent between tokens: no list of exact size, no permutation.
 *
 * @module
 */
import type { Prf } from '../prf/prf.js';
import { SCORE_UNIT } from './fixed-log.js';
import type { Scheme, SchemeParams } from './scheme.js';

/** Binds green lists of share `gamma` and bias `delta` (nats) to a PRF with 1- and 8-bit fields. */
export function kgw(params: Extract<SchemeParams, { name: 'kgw' }>, prf: Prf): Scheme {
	const bits = params.gamma === 0.5 ? 1 : 8;
	const greenBelow = params.gamma * 2 ** bits;
	let fields = new Uint32Array(0);
	return {
		channel: 'shape',
		null: { kind: 'bernoulli', p: params.gamma },
		score: (context, token) => (prf.field(context, token, bits) < greenBelow ? SCORE_UNIT : 0),
		tilt(context, logits) {
			if (fields.length !== logits.length) fields = new Uint32Array(logits.length);
			prf.fields(context, bits, fields);
			for (let token = 0; token < logits.length; token++)
				if (fields[token] < greenBelow) logits[token] += params.delta;
		},
	};
}
