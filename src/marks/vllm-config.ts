/**
 * vLLM's `--watermark-config`, read as a mark and written from one (facts: `vllm/config/watermarking.py`, autumn 2026;
 * `sbw`: pull request 56859, `red_green`: commit 381f945, both in review).
 *
 * @module
 */
import { z } from 'zod';
import { badInput } from '../errors.js';
import { PRFS, type Prf, type PrfName } from '../prf/prf.js';
import { redGreenThreshold } from '../schemes/red-green.js';
import { sbwThreshold } from '../schemes/sbw.js';
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
/** What `sbw` can be keyed with: upstream holds its key in a signed 64-bit number. */
const SbwKey = Key.refine((key) => key < 2n ** 63n, 'must be below 2^63 for sbw, where vLLM fails').refine(
	(key) => key !== 0n,
	'must not be 0 for sbw: all lists would be the same, whoever made them',
);

/**
 * The configuration of `--watermark-config`.
 *
 * - `gumbel`; `dual_key_gumbel` with `alpha`, the share of key B (default 0.1); `synthid` with `depth` (default 32).
 * - `sbw` with `sbw_gamma`, the share of green tokens (default ½), and `sbw_delta`, their bias (default 2); of its
 *   seedings (`sbw_scheme`) only `selfhash`, upstream's default.
 * - `red_green` with `gamma` (default ¼) and `delta` (default 2).
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
				.transform((depth) => depth ?? 32),
		}),
		z.strictObject({
			algorithm: z.literal('sbw'),
			...Common,
			key: SbwKey,
			prf: z.literal('philox').default('philox'),
			sbw_scheme: z
				.literal(
					'selfhash',
					'must be "selfhash": with "lefthash" vLLM\'s sampler adds ids and its detector their hashes, so nobody finds the mark',
				)
				.default('selfhash'),
			sbw_gamma: z
				.number()
				.lt(1)
				.refine((gamma) => sbwThreshold(gamma) > 0, 'must be above 0, by 2^-31 or more')
				.default(0.5),
			sbw_delta: z.number().gt(0).max(20).default(2),
		}),
		z.strictObject({
			algorithm: z.literal('red_green'),
			...Common,
			prf: z.literal('philox').default('philox'),
			gamma: z
				.number()
				.refine((gamma) => {
					const below = redGreenThreshold(gamma);
					return below > 0 && below < 2 ** 32;
				}, 'must be between 0 and 1, by 2^-24 or more')
				.default(0.25),
			delta: z.number().gt(0).max(20).default(2),
		}),
	],
	{
		error: (issue) =>
			issue.code === 'invalid_union'
				? 'must be "gumbel", "dual_key_gumbel", "synthid", "sbw" or "red_green"'
				: undefined,
	},
);
export type VllmConfig = z.infer<typeof VllmConfig>;
/** The configuration of `sbw`. */
export type VllmSbwConfig = Extract<VllmConfig, { algorithm: 'sbw' }>;
/** The configuration of an algorithm that draws with a PRF. */
export type VllmPrfConfig = Exclude<VllmConfig, VllmSbwConfig>;

function prfOf(config: VllmPrfConfig): PrfName {
	return config.prf === 'philox' ? 'philox4x32-10-v1' : 'hmac-sha256-v1';
}

/** The key as the bytes that its generator takes. */
function vllmKey(config: VllmConfig): Uint8Array {
	const philox = config.algorithm !== 'sbw' && config.prf === 'philox';
	const bytes = new Uint8Array(config.prf === 'philox' ? 8 : 32);
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
		case 'sbw':
			return { name: 'kgw', gamma: config.sbw_gamma, delta: config.sbw_delta, seeding: 'self' };
		case 'red_green':
			return { name: 'kgw', gamma: config.gamma, delta: config.delta };
	}
}

/** The PRFs of a fleet with this configuration, bound to their keys: two for dual_key_gumbel, A then B; none for sbw. */
export function vllmPrfs(config: VllmConfig): Prf[] {
	if (config.algorithm === 'sbw') return [];
	const name = prfOf(config);
	const key = vllmKey(config);
	const keys =
		config.algorithm === 'dual_key_gumbel'
			? [dualKey(name, key, 'key_a'), dualKey(name, key, 'key_b')]
			: [key];
	return keys.map((bytes) => PRFS[name].create(bytes));
}

/** Algorithms that were in review upstream in autumn 2026: the released vLLM 0.33 does not know them. */
export const UNRELEASED: ReadonlySet<string> = new Set(['synthid', 'sbw', 'red_green']);

/** The mark that a vLLM fleet with this configuration embeds. */
export function vllmMark(config: VllmConfig): Mark {
	const sbw = config.algorithm === 'sbw';
	const spec: MarkSpec = {
		version: 1,
		scheme: schemeOf(config),
		prf: sbw ? 'vllm-sbw-v1' : prfOf(config),
		// Of the ids of its context, sbw never reads the oldest.
		contextWidth: sbw ? config.context_width - 1 : config.context_width,
		channel: sbw || config.algorithm === 'red_green' ? 'shape' : 'choice',
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
	const sbw = spec.prf === 'vllm-sbw-v1';
	const lists = spec.scheme.name === 'kgw' && (sbw || spec.prf === 'philox4x32-10-v1');
	if (spec.channel === 'shape' && !lists)
		throw refuse(
			`its configuration carries the choice channel only, its own green lists apart, and this is a shape mark of ${spec.prf}`,
		);
	if (spec.prf !== 'philox4x32-10-v1' && !sbw)
		throw refuse(`its generator is Philox, and this mark's is ${spec.prf}`);
	if (spec.selector !== 'all') throw refuse('it marks every context, and this mark acts on a keyed share');
	if (spec.start !== 'pad')
		throw refuse('it pads contexts that reach before the text, and this mark skips them');
	const { scheme } = spec;
	const view = new DataView(key.buffer, key.byteOffset, 8);
	if (scheme.name === 'kgw' && sbw)
		return {
			algorithm: 'sbw',
			key: view.getBigUint64(0, true).toString(),
			sbw_scheme: 'selfhash',
			sbw_gamma: scheme.gamma,
			sbw_delta: scheme.delta,
			context_width: spec.contextWidth + 1,
			prf: 'philox',
		};
	const parameters =
		scheme.name === 'dual_key_gumbel'
			? { alpha: scheme.alpha }
			: scheme.name === 'synthid'
				? { depth: scheme.depth }
				: scheme.name === 'kgw'
					? { gamma: scheme.gamma, delta: scheme.delta }
					: {};
	// As a decimal string, which vLLM's configuration reads as the integer, and which no reader of JSON rounds.
	const integer = view.getBigUint64(0);
	return {
		algorithm: scheme.name === 'kgw' ? 'red_green' : scheme.name,
		key: integer.toString(),
		...parameters,
		context_width: spec.contextWidth,
		prf: 'philox',
	};
}
