/**
 * `unigram`: one green list for all contexts (Zhao et al., "Provable robust watermarking for AI-generated
 * text", 2023). The simplest mark, the most robust to edits, and the only one that an endpoint carries which
 * takes nothing but a static `logit_bias`.
 *
 * There are only as many distinct pairs as there are tokens, so a large corpus tells no more than a long text.
 *
 * @module
 */
import type { Prf } from '../prf/prf.js';
import { greenField, greenScores } from './kgw.js';
import type { ParamsOf, Scheme } from './scheme.js';

/** Binds one list of share `gamma` and bias `delta` (nats) to a PRF with 1- and 8-bit fields. */
export function unigram(params: ParamsOf<'unigram'>, prf: Prf): Scheme {
	const { bits, below } = greenField(params.gamma);
	return {
		null: { kind: 'bernoulli', p: params.gamma, trials: 1 },
		scores: greenScores(prf, params.gamma, 0),
		tilt: (_, logits) => prf.bias([], bits, below, params.delta, logits),
		greenList(vocabSize) {
			const fields = new Uint32Array(vocabSize);
			prf.fields([], bits, fields);
			return Uint32Array.from({ length: vocabSize }, (_, token) => token).filter(
				(token) => fields[token] < below,
			);
		},
	};
}
