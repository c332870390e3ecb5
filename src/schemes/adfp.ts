/**
 * `adfp`: green lists weighted by what a student would learn (Xu, Kirchenbauer et al., "Antidistillation
 * fingerprinting", ICML 2026, arXiv 2602.03812). Let q be the next-token distribution of a small proxy model and L
 * the probability that it gives to green. Token t gets the bias
 *
 *     λ·q_t·(1[t is green] − L) = λ·∂L/∂z_t
 *
 * where z are the proxy's logits: tokens that would teach the proxy green are raised, those that would unteach it
 * are lowered. As in the authors' code (`ADSLogitsProcessor`, defaults λ = 16 and γ = ½), q is the proxy's softmax at
 * temperature 1 over the whole vocabulary and the bias is not normalised; no bias exceeds λ/4. The authors add it
 * before they divide by the temperature, a marker after: their λ at temperature T is λ/T here.
 *
 * Green is decided as for `kgw`, and scoring knows nothing of the proxy: the score is exactly Bernoulli(γ).
 *
 * @module
 */
import { badInput } from '../errors.js';
import type { Prf } from '../prf/prf.js';
import { greenField, greenScores } from './kgw.js';
import type { ParamsOf, Scheme } from './scheme.js';

/** Binds green lists of share `gamma` and strength `lambda` (nats) to a PRF with 1- and 8-bit fields. */
export function adfp(params: ParamsOf<'adfp'>, contextWidth: number, prf: Prf): Scheme {
	const { gamma, lambda } = params;
	const { bits, below } = greenField(gamma);
	let fields = new Uint32Array(0);
	let weights = new Float64Array(0);
	return {
		null: { kind: 'bernoulli', p: gamma, trials: 1 },
		scores: greenScores(prf, gamma, contextWidth),
		needsProxy: true,
		tilt(context, logits, proxy) {
			const size = logits.length;
			if (proxy?.length !== size)
				throw badInput(`adfp needs the logits of a proxy model, ${size} as the model's`);
			if (fields.length !== size) {
				fields = new Uint32Array(size);
				weights = new Float64Array(size);
			}
			prf.fields(context, bits, fields);
			let top = -Infinity;
			for (let token = 0; token < size; token++) if (proxy[token] > top) top = proxy[token];
			let total = 0;
			let green = 0;
			for (let token = 0; token < size; token++) {
				const weight = Math.exp(proxy[token] - top);
				weights[token] = weight;
				total += weight;
				if (fields[token] < below) green += weight;
			}
			const share = green / total;
			const scale = lambda / total;
			for (let token = 0; token < size; token++)
				logits[token] += scale * weights[token] * ((fields[token] < below ? 1 : 0) - share);
		},
	};
}
