/**
 * vLLM's `--watermark-config`, read as a mark and written from one (facts: `vllm/config/watermarking.py`, autumn 2026).
 *
 * @module
 */
import { z } from 'zod';
import { badInput } from '../errors.js';
import { PRFS, type Prf, type PrfName } from '../prf/prf.js';
import type { SchemeParams } from '../schemes/scheme.js';
import { dualKey } from './bind-scheme.js';
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

const Width = z
	.int()
	.min(1)
	.max(16)
	.nullish()
	.transform((width) => width ?? 4);

/** Fields that only say how to embed; accepted and not used. */
const Embedding = {
	deduplicate_contexts: z.enum(['none', 'single_turn', 'all']).default('single_turn'),
	deduplicate_contexts_max_history: z.int().min(1).nullable().default(8192),
	allow_target_only_watermarking: z.boolean().default(false),
};
/** vLLM takes it for every algorithm, and uses it with two keys. */
const Alpha = z
	.number()
	.min(0)
	.max(1)
	.nullish()
	.transform((alpha) => alpha ?? 0.1);
const Common = {
	key: Key,
	alpha: Alpha,
	context_width: Width,
	prf: z.enum(['philox', 'hmac-sha256']).default('philox'),
	...Embedding,
};

/**
 * The configuration of `--watermark-config`.
 *
 * - `gumbel`; `dual_key_gumbel` with `alpha`, the share of key B (default 0.1); `synthid` with `depth` (default 30).
 */
export const VllmConfig = z.discriminatedUnion(
	'algorithm',
	[
		z.strictObject({ algorithm: z.literal('gumbel'), ...Common }),
		z.strictObject({
			algorithm: z.literal('dual_key_gumbel'),
			...Common,
		}),
		z.strictObject({
			algorithm: z.literal('synthid'),
			...Common,
			depth: z
				.int()
				.min(1)
				.max(32)
				.nullish()
				.transform((depth) => depth ?? 30),
		}),
	],
	{
		error: (issue) =>
			issue.code === 'invalid_union' ? 'must be "gumbel", "dual_key_gumbel" or "synthid"' : undefined,
	},
);
export type VllmConfig = z.infer<typeof VllmConfig>;

function prfOf(config: VllmConfig): PrfName {
	return config.prf === 'philox' ? 'philox4x32-10-v1' : 'hmac-sha256-v1';
}

/** The key as the bytes that its PRF takes. */
function vllmKey(config: VllmConfig): Uint8Array {
	const philox = config.prf === 'philox';
	const bytes = new Uint8Array(philox ? 8 : 32);
	new DataView(bytes.buffer).setBigUint64(0, config.key, !philox);
	return bytes;
}

function schemeOf(config: VllmConfig): SchemeParams {
	switch (config.algorithm) {
		case 'gumbel':
			return { name: 'gumbel' };
		case 'dual_key_gumbel':
			return { name: 'dual_key_gumbel', alpha: config.alpha };
		case 'synthid':
			return { name: 'synthid', depth: config.depth };
	}
}

/** The PRFs of a fleet with this configuration, bound to their keys: two for dual_key_gumbel, A then B. */
export function vllmPrfs(config: VllmConfig): Prf[] {
	const name = prfOf(config);
	const key = vllmKey(config);
	const keys =
		config.algorithm === 'dual_key_gumbel'
			? [dualKey(name, key, 'key_a'), dualKey(name, key, 'key_b')]
			: [key];
	return keys.map((bytes) => PRFS[name].create(bytes));
}

/** The mark that a vLLM fleet with this configuration embeds. */
export function vllmMark(config: VllmConfig): Mark {
	const spec: MarkSpec = {
		version: 1,
		scheme: schemeOf(config),
		prf: prfOf(config),
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

/**
 * The configuration that makes a vLLM fleet embed a mark.
 *
 * @param key the mark's key
 * @returns plain JSON for `--watermark-config`
 * @throws TouchmarkError `bad-input` with the reason when vLLM cannot express the mark
 */
export function toVllmConfig(spec: MarkSpec, key: Uint8Array): Record<string, unknown> {
	const refuse = (reason: string) => badInput(`vLLM cannot express this mark: ${reason}`);
	if (spec.channel === 'shape')
		throw refuse('its configuration carries the choice channel only, and this is a shape mark');
	if (spec.prf !== 'philox4x32-10-v1')
		throw refuse(`its generator is Philox, and this mark's is ${spec.prf}`);
	if (spec.selector !== 'all') throw refuse('it marks every context, and this mark acts on a keyed share');
	if (spec.start !== 'pad')
		throw refuse('it pads contexts that reach before the text, and this mark skips them');
	const { scheme } = spec;
	const parameters =
		scheme.name === 'dual_key_gumbel'
			? { alpha: scheme.alpha }
			: scheme.name === 'synthid'
				? { depth: scheme.depth }
				: {};
	// As a decimal string, which vLLM's configuration reads as the integer, and which no reader of JSON rounds.
	const integer = new DataView(key.buffer, key.byteOffset, 8).getBigUint64(0);
	return {
		algorithm: scheme.name,
		key: integer.toString(),
		...parameters,
		context_width: spec.contextWidth,
		prf: 'philox',
	};
}
