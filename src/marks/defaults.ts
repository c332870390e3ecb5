/**
 * The marks of a new key ring, one of each channel, and the marks that other systems can be configured with.
 *
 * @module
 */
import { badInput } from '../errors.js';
import { ACCOUNT_CODE } from './account-code.js';
import type { MarkTemplate } from './mark-spec.js';

/**
 * A shape mark that students inherit (a tournament of one layer, context width 1) and a choice mark that identifies
 * texts (gumbel, context width 4), for the whole deployment, epoch 0. Why these: docs/choosing-a-mark.md.
 *
 * @param tokenizer SHA-256 of the tokenizer.json
 */
export function defaultMarks(
	deployment: string,
	tokenizer: string,
): [shape: MarkTemplate, choice: MarkTemplate] {
	const common = { ...deploymentMark(deployment, tokenizer), prf: 'chacha8-v1' } as const;
	return [
		{ ...common, scheme: { name: 'synthid', depth: 1 }, channel: 'shape', contextWidth: 1 },
		{ ...common, scheme: { name: 'gumbel' }, channel: 'choice', contextWidth: 4 },
	];
}

/**
 * The default marks with an account layer: the deployment's keyed draw keeps half of the contexts, on the others each
 * account's codeword turns the draw. Off unless asked for, since a text then tells those who hold the key whose it is.
 */
export function tracingMarks(
	deployment: string,
	tokenizer: string,
): [shape: MarkTemplate, choice: MarkTemplate, account: MarkTemplate] {
	const [shape, choice] = defaultMarks(deployment, tokenizer);
	return [
		shape,
		{ ...choice, selector: 'keyed', share: 128 },
		{ ...choice, layer: 'account', code: ACCOUNT_CODE },
	];
}

/** The shape of a cohort, on a keyed half of its contexts; the deployment's shape keeps the others. */
export function cohortMark(shape: MarkTemplate, member: string): MarkTemplate {
	return { ...shape, layer: 'cohort', member, selector: 'keyed', share: 128 };
}

/** What all marks of a deployment in its first period have in common. */
function deploymentMark(deployment: string, tokenizer: string | null) {
	return {
		version: 1,
		layer: 'deployment',
		deployment,
		member: null,
		share: 256,
		selector: 'all',
		start: 'skip',
		epoch: 0,
		tokenizer,
	} as const;
}

/** Marks that another system's own configuration can express. */
export const COMPATIBLE = [
	'vllm',
	'vllm-dual',
	'vllm-synthid',
	'vllm-sbw',
	'vllm-red-green',
	'hf-kgw',
	'hf-selfhash',
	'hf-synthid',
] as const;
export type Compatible = (typeof COMPATIBLE)[number];

/** What varies among them. */
export interface CompatibleOptions {
	readonly deployment: string;
	/** SHA-256 of the tokenizer.json. */
	readonly tokenizer: string | null;
	/** Ids of context; upstream's default unless given (vLLM and SynthID 4, lists 1; selfhash and sbw count one id more: 3 and it). */
	readonly contextWidth?: number;
	/** The model's vocabulary; needed for lists by permutation. */
	readonly vocabSize?: number;
}

/**
 * The mark of a fleet that embeds with another system's own code, upstream's default parameters.
 *
 * @throws TouchmarkError `bad-input` when the vocabulary size is needed and missing
 */
export function compatibleMark(kind: Compatible, options: CompatibleOptions): MarkTemplate {
	const { deployment, tokenizer, contextWidth = 4, vocabSize } = options;
	const common = deploymentMark(deployment, tokenizer);
	const vllm = { ...common, prf: 'philox4x32-10-v1', start: 'pad', channel: 'choice', contextWidth } as const;
	switch (kind) {
		case 'vllm':
			return { ...vllm, scheme: { name: 'gumbel' } };
		case 'vllm-dual':
			return { ...vllm, scheme: { name: 'dual_key_gumbel', alpha: 0.1 } };
		case 'vllm-synthid':
			return { ...vllm, scheme: { name: 'synthid', depth: 32 } };
		case 'vllm-sbw':
			return {
				...vllm,
				prf: 'vllm-sbw-v1',
				channel: 'shape',
				contextWidth: options.contextWidth ?? 3,
				scheme: { name: 'kgw', gamma: 0.5, delta: 2, seeding: 'self' },
			};
		case 'vllm-red-green':
			return { ...vllm, channel: 'shape', scheme: { name: 'kgw', gamma: 0.25, delta: 2 } };
		case 'hf-synthid':
			return {
				...common,
				prf: 'transformers-synthid-v1',
				channel: 'choice',
				contextWidth,
				scheme: { name: 'synthid', depth: 30, tableSize: 65_536, tableSeed: 0 },
			};
		case 'hf-kgw':
		case 'hf-selfhash': {
			if (vocabSize === undefined)
				throw badInput(
					"give --vocab-size: the model's, since green lists are permutations of the vocabulary",
				);
			const self = kind === 'hf-selfhash';
			return {
				...common,
				prf: 'transformers-kgw-v1',
				channel: 'shape',
				contextWidth: self ? (options.contextWidth ?? 3) : 1,
				scheme: { name: 'kgw', gamma: 0.25, delta: 2, vocabSize, ...(self ? { seeding: 'self' } : {}) },
			};
		}
	}
}
