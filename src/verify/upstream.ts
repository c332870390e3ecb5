/**
 * What other systems' own detectors say of the same tokens, with their counting and floating point, for
 * comparison; our own test stands beside it.
 *
 * - vLLM (`vllm/v1/watermarking/detector.py`, autumn 2026): each distinct context is scored at its first
 *   occurrence; contexts begin before the text. The p-value is a gamma tail, for two keys a moment-matched one; of the
 *   number of green tokens a binomial tail, for sbw the normal one at z.
 * - transformers `WatermarkDetector`: windows, all or each distinct one once, and z.
 * - transformers SynthID: mean and weighted mean over every n-gram, and over first occurrences of a context.
 *
 * @module
 */
import { type HfConfig, type HfKgwConfig, type HfSynthidConfig, hfMark } from '../marks/hf-config.js';
import { BEFORE_TEXT } from '../marks/mark-spec.js';
import {
	type VllmConfig,
	type VllmPrfConfig,
	type VllmSbwConfig,
	vllmMark,
	vllmPrfs,
} from '../marks/vllm-config.js';
import { float24 } from '../schemes/gumbel.js';
import { redGreenThreshold } from '../schemes/red-green.js';
import { linearWeights } from '../schemes/synthid.js';
import { logBinomialUpperTail, logGammaMomentMatchedUpperTail, logGammaUpperTail } from '../stats/index.js';

/** vLLM's numbers; for synthid `score` is the number of ones, for lists of green tokens. */
export interface UpstreamVllm {
	readonly scored: number;
	readonly score: number;
	readonly log10P: number;
}

/** Scores token ids as vLLM does. */
export function upstreamVllm(tokens: ArrayLike<number>, config: VllmConfig): UpstreamVllm {
	const width = config.context_width;
	const padded = [...new Array<number>(width).fill(BEFORE_TEXT), ...Array.from(tokens)];
	const seen = new Set<string>();
	const rows: number[] = [];
	for (let at = width; at < padded.length; at++) {
		const context = padded.slice(at - width, at);
		if (seen.has(context.join())) continue;
		seen.add(context.join());
		rows.push(...context, padded[at]);
	}
	return config.algorithm === 'sbw'
		? scoreLists(rows, seen.size, config)
		: scoreWords(rows, seen.size, config);
}

function scoreWords(rows: readonly number[], scored: number, config: VllmPrfConfig): UpstreamVllm {
	const width = config.context_width;
	const words = vllmPrfs(config).map((prf) => {
		const out = new Uint32Array(scored);
		prf.pairFields(Uint32Array.from(rows), width, 32, out);
		return out;
	});
	const nats = (list: Uint32Array) => list.reduce((sum, word) => sum - Math.log(float24.complement(word)), 0);
	let score: number;
	let logP: number;
	switch (config.algorithm) {
		case 'gumbel':
			score = nats(words[0]);
			logP = logGammaUpperTail(scored, score);
			break;
		case 'dual_key_gumbel':
			score = (1 - config.alpha) * nats(words[0]) + config.alpha * nats(words[1]);
			logP = logGammaMomentMatchedUpperTail(scored, 1 - config.alpha, config.alpha, score);
			break;
		case 'synthid': {
			score = 0;
			for (const word of words[0])
				for (let layer = 0; layer < config.depth; layer++) score += (word >>> layer) & 1;
			logP = logBinomialUpperTail(score, scored * config.depth, 0.5);
			break;
		}
		case 'red_green': {
			const below = redGreenThreshold(config.gamma);
			score = words[0].filter((word) => word < below).length;
			logP = logBinomialUpperTail(score, scored, config.gamma);
		}
	}
	return { scored, score, log10P: logP / Math.LN10 + 0 };
}

function scoreLists(rows: readonly number[], scored: number, config: VllmSbwConfig): UpstreamVllm {
	const { context_width: width, sbw_gamma: gamma } = config;
	const { scheme } = vllmMark(config);
	let green = 0;
	for (let at = 0; at < rows.length; at += width + 1)
		if (scheme.green?.(rows.slice(at + 1, at + width), rows[at + width])) green++;
	const z = scored === 0 ? -Infinity : (green - scored * gamma) / Math.sqrt(scored * gamma * (1 - gamma));
	return { scored, score: green, log10P: logNormalTail(z) / Math.LN10 + 0 };
}

/** ln P(Z ≥ z) of a standard normal, to about 1e-12: what others print, never a p-value of ours. */
function logNormalTail(z: number): number {
	if (z < 0) return Math.log1p(-Math.exp(logNormalTail(-z)));
	const logDensity = -(z * z) / 2 - Math.log(2 * Math.PI) / 2;
	if (z < 3) {
		// P(0 ≤ Z < z) is the density times z + z³/3 + z⁵/15 + …
		let sum = 0;
		for (let term = z, k = 1; term > 1e-17 * sum; k += 2, term *= (z * z) / k) sum += term;
		return Math.log(0.5 - Math.exp(logDensity) * sum);
	}
	// Mills' ratio as Laplace's continued fraction, from its far end.
	let fraction = z;
	for (let k = 120; k > 0; k--) fraction = z + k / fraction;
	return logDensity - Math.log(fraction);
}

/** Numbers of transformers' `WatermarkDetector`, over all windows and over distinct ones. */
export interface UpstreamKgw {
	readonly scored: number;
	readonly green: number;
	readonly z: number;
	readonly scoredUnique: number;
	readonly greenUnique: number;
	readonly zUnique: number;
}

/** Numbers of SynthID detectors: over every n-gram, and over first occurrences of a context. */
export interface UpstreamSynthid {
	readonly mean: number;
	readonly weightedMean: number;
	readonly maskedMean: number;
	readonly maskedWeightedMean: number;
}

/** Scores token ids as transformers does. */
export function upstreamHf(tokens: ArrayLike<number>, config: HfConfig): UpstreamKgw | UpstreamSynthid {
	return 'kgw' in config ? upstreamKgw(tokens, config.kgw) : upstreamSynthid(tokens, config.synthid);
}

function upstreamKgw(tokens: ArrayLike<number>, config: HfKgwConfig): UpstreamKgw {
	const { scheme } = hfMark({ kgw: config });
	const length = config.seeding_scheme === 'selfhash' ? config.context_width : config.context_width + 1;
	const colours = new Map<string, number>();
	const ids = Array.from(tokens);
	let scored = 0;
	let green = 0;
	for (let at = length; at <= ids.length; at++) {
		const window = ids.slice(at - length, at);
		const key = window.join();
		let colour = colours.get(key);
		if (colour === undefined) {
			const token = window[length - 1];
			colour = scheme.green?.(window.slice(0, -1), token) ? 1 : 0;
			colours.set(key, colour);
		}
		scored++;
		green += colour;
	}
	const gamma = config.greenlist_ratio;
	const zOf = (hits: number, n: number) => (hits - gamma * n) / Math.sqrt(n * gamma * (1 - gamma));
	const greenUnique = [...colours.values()].reduce((sum, colour) => sum + colour, 0);
	return {
		scored,
		green,
		z: zOf(green, scored),
		scoredUnique: colours.size,
		greenUnique,
		zUnique: zOf(greenUnique, colours.size),
	};
}

function upstreamSynthid(tokens: ArrayLike<number>, config: HfSynthidConfig): UpstreamSynthid {
	const { scheme, spec } = hfMark({ synthid: config });
	const width = spec.contextWidth;
	const depth = config.keys.length;
	const weights = linearWeights(depth);
	const perToken = Math.ceil(depth / 32);
	const bits = new Uint32Array(perToken);
	const ids = Array.from(tokens);
	// Upstream keeps the last `context_history_size` contexts.
	const history: string[] = [];
	const sums = { all: [0, 0, 0], masked: [0, 0, 0] };
	for (let at = width; at < ids.length; at++) {
		const context = ids.slice(at - width, at);
		scheme.layerBits?.(context, Uint32Array.of(ids[at]), bits);
		let ones = 0;
		let weighted = 0;
		for (let layer = 0; layer < depth; layer++)
			if ((bits[layer >>> 5] >>> (layer & 31)) & 1) {
				ones++;
				weighted += weights[layer];
			}
		const key = context.join();
		for (const sum of history.includes(key) ? [sums.all] : [sums.all, sums.masked]) {
			sum[0]++;
			sum[1] += ones;
			sum[2] += weighted;
		}
		history.push(key);
		if (history.length > config.context_history_size) history.shift();
	}
	const mean = ([n, sum]: number[]) => sum / (n * depth);
	return {
		mean: mean(sums.all),
		weightedMean: mean([sums.all[0], sums.all[2]]),
		maskedMean: mean(sums.masked),
		maskedWeightedMean: mean([sums.masked[0], sums.masked[2]]),
	};
}
