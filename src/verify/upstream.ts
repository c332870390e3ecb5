/**
 * What vLLM's own detector says of the same tokens (facts: `vllm/v1/watermarking/detector.py`, autumn 2026):
 * each distinct context is scored at its first occurrence, the p-value is the gamma tail. Reproduced for
 * comparison, with upstream's counting and floating point; our own test stands beside it.
 *
 * @module
 */
import { type VllmConfig, vllmPrf } from '../marks/vllm-config.js';
import { float24 } from '../schemes/gumbel.js';
import { logGammaUpperTail } from '../stats/index.js';

/** Upstream's numbers for algorithm `gumbel`. */
export interface UpstreamGumbel {
	readonly scored: number;
	readonly score: number;
	readonly log10P: number;
}

/** Scores token ids as vLLM does. */
export function upstreamGumbel(tokens: ArrayLike<number>, config: VllmConfig): UpstreamGumbel {
	const prf = vllmPrf(config);
	const width = config.context_width;
	const padded = [...new Array<number>(width).fill(0xffffffff), ...Array.from(tokens)];
	const seen = new Set<string>();
	let score = 0;
	for (let at = width; at < padded.length; at++) {
		const context = padded.slice(at - width, at);
		const key = context.join();
		if (seen.has(key)) continue;
		seen.add(key);
		score -= Math.log(float24.complement(prf.field(context, padded[at], 32)));
	}
	return { scored: seen.size, score, log10P: logGammaUpperTail(seen.size, score) / Math.LN10 + 0 };
}
