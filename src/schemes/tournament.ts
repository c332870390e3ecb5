/**
 * The tournament of SynthID-Text (Dathathri et al., "Scalable watermarking for identifying large language
 * model outputs", Nature 2024), two leaves a match, in its vectorised form: layer by layer every token's
 * probability is multiplied by 1 + g − Σ g·p, where g is its bit in that layer. Over random keys the result
 * averages to the distribution that went in.
 *
 * @module
 */
import { finiteTokens, relativeWeights, runTournament } from '../prf/kernel.js';
import type { Uniforms } from './scheme.js';

/**
 * Runs the tournament over probabilities (they add up to 1), in place.
 *
 * @param depth layers
 * @param words bits of the i-th candidate, layer d at bit d mod 32 of its word ⌊d / 32⌋; ⌈depth / 32⌉ words each
 */
export function tournament(probabilities: Float64Array, depth: number, words: Uint32Array): void {
	const perToken = Math.ceil(depth / 32);
	if (perToken === 1) {
		runTournament(probabilities, words, depth);
		return;
	}
	const some = new Uint32Array(probabilities.length);
	for (let word = 0; word < perToken; word++) {
		for (let i = 0; i < some.length; i++) some[i] = words[i * perToken + word];
		runTournament(probabilities, some, Math.min(32, depth - 32 * word));
	}
}

/** Candidates of a row: ids with a finite logit, and their probabilities. */
export function candidatesOf(logits: Float32Array): { tokens: Uint32Array; probabilities: Float64Array } {
	const tokens = finiteTokens(logits);
	const weights = new Float32Array(tokens.length);
	let top = -Infinity;
	for (let i = 0; i < tokens.length; i++) {
		const logit = logits[tokens[i]];
		weights[i] = logit;
		if (logit > top) top = logit;
	}
	relativeWeights(weights, top);
	let total = 0;
	for (let i = 0; i < weights.length; i++) total += weights[i];
	const probabilities = new Float64Array(tokens.length);
	for (let i = 0; i < weights.length; i++) probabilities[i] = weights[i] / total;
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
