/**
 * vLLM's `--watermark-config`, read as a mark (facts: `vllm/config/watermarking.py`, autumn 2026).
 *
 * @module
 */
import { z } from 'zod';
import { PRFS, type Prf, type PrfName } from '../prf/prf.js';
import { bindMark, type Mark } from './mark.js';
import type { MarkSpec } from './mark-spec.js';

const MAX_KEY = 2n ** 64n - 1n;

const Key = z
	.union([
		z.string().regex(/^\d{1,20}$/, 'must be a decimal integer'),
		z
			.number()
			.refine((key) => Number.isInteger(key) && key >= 0, 'must be an integer of 0 or more')
			.refine(
				Number.isSafeInteger,
				'is 2^53 or more and may have been rounded when the JSON was read; write it as a decimal string',
			),
	])
	.transform((key) => BigInt(key))
	.refine((key) => key <= MAX_KEY, 'must fit in 64 bits');

/** The configuration of algorithm `gumbel`; fields that only say how to embed are accepted and not used. */
export const VllmConfig = z.strictObject({
	algorithm: z.literal('gumbel'),
	key: Key,
	context_width: z
		.int()
		.min(1)
		.max(16)
		.nullish()
		.transform((width) => width ?? 4),
	prf: z.enum(['philox', 'hmac-sha256']).default('philox'),
	deduplicate_contexts: z.enum(['none', 'single_turn', 'all']).default('single_turn'),
	deduplicate_contexts_max_history: z.int().min(1).nullable().default(8192),
	allow_target_only_watermarking: z.boolean().default(false),
});
export type VllmConfig = z.infer<typeof VllmConfig>;

/** The key as the bytes that its PRF takes. */
function vllmKey(config: VllmConfig): Uint8Array {
	const philox = config.prf === 'philox';
	const bytes = new Uint8Array(philox ? 8 : 32);
	new DataView(bytes.buffer).setBigUint64(0, config.key, !philox);
	return bytes;
}

/** The PRF of a fleet with this configuration, bound to its key. */
export function vllmPrf(config: VllmConfig): Prf {
	return PRFS[vllmPrfName(config)].create(vllmKey(config));
}

function vllmPrfName(config: VllmConfig): PrfName {
	return config.prf === 'philox' ? 'philox4x32-10-v1' : 'hmac-sha256-v1';
}

/**
 * The mark that a vLLM fleet with this configuration embeds.
 */
export function vllmMark(config: VllmConfig): Mark {
	const spec: MarkSpec = {
		version: 1,
		scheme: { name: 'gumbel' },
		prf: vllmPrfName(config),
		contextWidth: config.context_width,
		channel: 'choice',
		layer: 'deployment',
		deployment: 'vllm',
		member: null,
		share: 256,
		selector: 'all',
		start: 'pad',
		epoch: 0,
		tokenizer: null,
		commitment: null,
	};
	return bindMark(spec, vllmKey(config));
}

/** Bits of the key space that a search for an uncommitted key could have gone through. */
export const VLLM_KEY_BITS = 64;
