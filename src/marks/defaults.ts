/**
 * The marks of a new key ring: one of each channel.
 *
 * @module
 */
import type { MarkTemplate } from './mark-spec.js';

/**
 * A shape mark that students inherit (green lists, γ = ¼, δ = 2, context width 1) and a choice mark that
 * identifies texts (gumbel, context width 4), for the whole deployment, epoch 0.
 *
 * @param tokenizer SHA-256 of the tokenizer.json
 */
export function defaultMarks(
	deployment: string,
	tokenizer: string,
): [shape: MarkTemplate, choice: MarkTemplate] {
	const common = {
		version: 1,
		prf: 'chacha8-v1',
		layer: 'deployment',
		deployment,
		member: null,
		share: 256,
		selector: 'all',
		start: 'skip',
		epoch: 0,
		tokenizer,
	} as const;
	return [
		{ ...common, scheme: { name: 'kgw', gamma: 0.25, delta: 2 }, channel: 'shape', contextWidth: 1 },
		{ ...common, scheme: { name: 'gumbel' }, channel: 'choice', contextWidth: 4 },
	];
}
