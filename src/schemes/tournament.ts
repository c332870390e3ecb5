/**
 * The tournament of SynthID-Text (Dathathri et al., "Scalable watermarking for identifying large language
 * model outputs", Nature 2024), two leaves a match, in its vectorised form: layer by layer every token's
 * probability is multiplied by 1 + g − Σ g·p, where g is its bit in that layer. Over random keys the result
 * averages to the distribution that went in.
 *
 * @module
 */
import type { Uniforms } from './scheme.js';

/**
 * Runs the tournament over probabilities (they add up to 1), in place.
 *
 * @param depth layers
 * @param words bits of the i-th candidate, layer d at bit d mod 32 of its word ⌊d / 32⌋; ⌈depth / 32⌉ words each
 */
export function tournament(probabilities: Float64Array, depth: number, words: Uint32Array): void {
	const perToken = Math.ceil(depth / 32);
	for (let layer = 0; layer < depth; layer++) {
		const word = layer >>> 5;
		const shift = layer & 31;
		let mass = 0;
		for (let i = 0; i < probabilities.length; i++)
			if ((words[i * perToken + word] >>> shift) & 1) mass += probabilities[i];
		for (let i = 0; i < probabilities.length; i++)
			probabilities[i] *= 1 + ((words[i * perToken + word] >>> shift) & 1) - mass;
	}
}

/** Candidates of a row: ids with a finite logit, and their probabilities. */
export function candidatesOf(logits: Float32Array): { tokens: Uint32Array; probabilities: Float64Array } {
	let count = 0;
	let top = -Infinity;
	for (let token = 0; token < logits.length; token++) {
		if (logits[token] > -Infinity) count++;
		if (logits[token] > top) top = logits[token];
	}
	const tokens = new Uint32Array(count);
	const probabilities = new Float64Array(count);
	let total = 0;
	let at = 0;
	for (let token = 0; token < logits.length; token++) {
		if (logits[token] === -Infinity) continue;
		tokens[at] = token;
		probabilities[at] = Math.exp(logits[token] - top);
		total += probabilities[at++];
	}
	for (let i = 0; i < count; i++) probabilities[i] /= total;
	return { tokens, probabilities };
}

/** A draw from probabilities that add up to about 1. */
export function drawCandidate(probabilities: Float64Array, random: Uniforms): number {
	let total = 0;
	for (const probability of probabilities) total += probability;
	let left = random.next() * total;
	let last = 0;
	for (let i = 0; i < probabilities.length; i++) {
		if (probabilities[i] <= 0) continue;
		if (left < probabilities[i]) return i;
		left -= probabilities[i];
		last = i;
	}
	return last;
}
