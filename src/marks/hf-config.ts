/**
 * Hugging Face transformers' watermarking configurations, read as marks and written from them (facts:
 * `generation/configuration_utils.py`, `watermarking.py`, `logits_process.py`, autumn 2026), and that of
 * google-deepmind/synthid-text, which has the same fields and another hash (`"hash": "deepmind"`).
 *
 * @module
 */
import { z } from 'zod';
import { badInput } from '../errors.js';
import { bindMark, type Mark } from './mark.js';
import type { MarkSpec } from './mark-spec.js';

/** A whole number that fits 64 bits; as a decimal string where a double would round it. */
const Integer = (limit: bigint) =>
	z
		.union([
			z.string().regex(/^\d{1,20}$/, 'must be a decimal integer'),
			z
				.number()
				.refine((value) => Number.isInteger(value) && value >= 0, 'must be an integer of 0 or more')
				.refine(
					Number.isSafeInteger,
					'is 2^53 or more and may have been rounded when the JSON was read; write it as a decimal string',
				),
		])
		.transform((value) => BigInt(value))
		.refine((value) => value < limit, 'must fit in 63 bits');

const Width = z.int().min(1).max(16);

/** `WatermarkingConfig`: green lists. `vocab_size` is the model's, of which the permutations are made. */
export const HfKgwConfig = z.strictObject({
	watermarking_type: z.literal('greenlist').optional(),
	greenlist_ratio: z.number().gt(0).lt(1).default(0.25),
	bias: z.number().gt(0).max(20).default(2),
	hashing_key: Integer(2n ** 63n).default(15485863n),
	seeding_scheme: z.enum(['lefthash', 'selfhash']).default('lefthash'),
	context_width: Width.default(1),
	vocab_size: z
		.int({
			error: "must be added, the model's vocabulary size: green lists are permutations of it",
		})
		.min(2)
		.max(2 ** 21),
});
export type HfKgwConfig = z.infer<typeof HfKgwConfig>;

/** `SynthIDTextWatermarkingConfig`. */
export const HfSynthidConfig = z.strictObject({
	watermarking_type: z.literal('synthid').optional(),
	hash: z.enum(['transformers', 'deepmind']).default('transformers'),
	ngram_len: z.int().min(2).max(17),
	keys: z
		.array(Integer(2n ** 63n))
		.min(1)
		.max(64),
	sampling_table_size: z
		.int()
		.min(2)
		.max(2 ** 24)
		.default(65_536),
	sampling_table_seed: z
		.int()
		.min(0)
		.max(2 ** 32 - 1)
		.default(0),
	context_history_size: z.int().min(1).default(1024),
	skip_first_ngram_calls: z.boolean().default(false),
	debug_mode: z.boolean().default(false),
	vocab_size: z.int().min(2).optional(),
});
export type HfSynthidConfig = z.infer<typeof HfSynthidConfig>;

/** Either: a configuration with `ngram_len` or `keys` is SynthID's. */
export const HfConfig = z
	.looseObject({})
	.transform((value, context): { kgw: HfKgwConfig } | { synthid: HfSynthidConfig } => {
		const synthid = 'ngram_len' in value || 'keys' in value;
		const parsed = (synthid ? HfSynthidConfig : HfKgwConfig).safeParse(value);
		if (parsed.success)
			return synthid ? { synthid: parsed.data as HfSynthidConfig } : { kgw: parsed.data as HfKgwConfig };
		for (const issue of parsed.error.issues)
			context.addIssue({ code: 'custom', path: [...issue.path], message: issue.message });
		return z.NEVER;
	});
export type HfConfig = z.infer<typeof HfConfig>;

const COMMON = {
	version: 1,
	layer: 'deployment',
	deployment: 'transformers',
	member: null,
	share: 256,
	selector: 'all',
	start: 'skip',
	epoch: 0,
	tokenizer: null,
	commitment: null,
} as const;

/** Integers as keys hold them: 8 bytes each, little-endian. */
function keyBytes(integers: readonly bigint[]): Uint8Array {
	const key = new Uint8Array(8 * integers.length);
	const view = new DataView(key.buffer);
	integers.forEach((integer, i) => {
		view.setBigUint64(8 * i, integer, true);
	});
	return key;
}

/** The mark that a fleet with this configuration embeds. */
export function hfMark(config: HfConfig): Mark {
	if ('synthid' in config) {
		const { ngram_len, keys, hash, sampling_table_size, sampling_table_seed } = config.synthid;
		const table =
			hash === 'deepmind' ? {} : { tableSize: sampling_table_size, tableSeed: sampling_table_seed };
		const spec: MarkSpec = {
			...COMMON,
			scheme: { name: 'synthid', depth: keys.length, ...table },
			prf: hash === 'deepmind' ? 'deepmind-synthid-v1' : 'transformers-synthid-v1',
			contextWidth: ngram_len - 1,
			channel: 'choice',
		};
		return bindMark(spec, keyBytes(keys));
	}
	const { greenlist_ratio, bias, hashing_key, seeding_scheme, context_width, vocab_size } = config.kgw;
	const self = seeding_scheme === 'selfhash';
	const spec: MarkSpec = {
		...COMMON,
		scheme: {
			name: 'kgw',
			gamma: greenlist_ratio,
			delta: bias,
			vocabSize: vocab_size,
			...(self ? { seeding: 'self' as const } : {}),
		},
		prf: 'transformers-kgw-v1',
		// lefthash reads the last id whatever the width; the window of selfhash ends in the candidate itself.
		contextWidth: self ? context_width - 1 : 1,
		channel: 'shape',
	};
	return bindMark(spec, keyBytes([hashing_key]));
}

/**
 * The configuration that makes a transformers fleet embed a mark.
 *
 * @param key the mark's key
 * @returns plain JSON: exactly the arguments of `WatermarkingConfig` or `SynthIDTextWatermarkingConfig`. A green list's
 *   vocabulary is not among them: its processor takes it from the model, so a verifier adds `vocab_size`
 * @throws TouchmarkError `bad-input` with the reason when transformers cannot express the mark
 */
export function toHfConfig(spec: MarkSpec, key: Uint8Array): Record<string, unknown> {
	const refuse = (reason: string) => badInput(`transformers cannot express this mark: ${reason}`);
	const { scheme } = spec;
	if (spec.selector !== 'all') throw refuse('it marks every context, and this mark acts on a keyed share');
	const view = new DataView(key.buffer, key.byteOffset, key.byteLength);
	if (scheme.name === 'synthid' && spec.prf === 'transformers-synthid-v1')
		return {
			ngram_len: spec.contextWidth + 1,
			keys: Array.from({ length: key.length / 8 }, (_, i) => Number(view.getBigUint64(8 * i, true))),
			sampling_table_size: scheme.tableSize,
			sampling_table_seed: scheme.tableSeed,
			context_history_size: 1024,
		};
	if (scheme.name === 'kgw' && spec.prf === 'transformers-kgw-v1') {
		const self = scheme.seeding === 'self';
		return {
			greenlist_ratio: scheme.gamma,
			bias: scheme.delta,
			hashing_key: Number(view.getBigUint64(0, true)),
			seeding_scheme: self ? 'selfhash' : 'lefthash',
			context_width: self ? spec.contextWidth + 1 : 1,
		};
	}
	throw refuse(
		`its generators are transformers-kgw-v1 and transformers-synthid-v1, and this mark's is ${spec.prf}`,
	);
}
