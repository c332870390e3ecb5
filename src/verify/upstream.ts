/**
 * What other systems' own detectors say of the same tokens, with their counting and floating point, for
 * comparison; our own test stands beside it.
 *
 * - vLLM (`vllm/v1/watermarking/detector.py`, autumn 2026): each distinct context is scored at its first
 *   occurrence; contexts begin before the text. The p-value is a gamma tail, for two keys a moment-matched one.
 * - transformers `WatermarkDetector`: windows, all or each distinct one once, and z.
 * - transformers SynthID: mean and weighted mean over every n-gram, and over first occurrences of a context.
 *
 * @module
 */
import { type HfConfig, type HfKgwConfig, type HfSynthidConfig, hfMark } from '../marks/hf-config.js';
import { type VllmConfig, vllmPrfs } from '../marks/vllm-config.js';
import { float24 } from '../schemes/gumbel.js';
import { linearWeights } from '../schemes/synthid.js';
import { logBinomialUpperTail, logGammaMomentMatchedUpperTail, logGammaUpperTail } from '../stats/index.js';

/** vLLM's numbers; for synthid `score` is the number of ones. */
export interface UpstreamVllm {
	readonly scored: number;
	readonly score: number;
	readonly log10P: number;
}

const BEFORE_TEXT = 0xffffffff;

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
	const scored = seen.size;
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
		}
	}
	return { scored, score, log10P: logP / Math.LN10 + 0 };
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
