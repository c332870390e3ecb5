/**
 * The part of a Hugging Face Llama `config.json` that the forward pass needs.
 *
 * @module
 */

import { z } from 'zod';
import { badInput } from '../errors.js';
import { PANEL } from './kernel.js';

const count = z.number().int().positive();
const width = count.multipleOf(PANEL);

const Schema = z
	.object({
		model_type: z.literal('llama'),
		vocab_size: count,
		hidden_size: width,
		intermediate_size: width,
		num_hidden_layers: count,
		num_attention_heads: count,
		num_key_value_heads: count.optional(),
		head_dim: width.optional(),
		hidden_act: z.literal('silu'),
		max_position_embeddings: count,
		rms_norm_eps: z.number().positive(),
		rope_theta: z.number().positive(),
		rope_scaling: z.null().optional(),
		attention_bias: z.literal(false).optional(),
		mlp_bias: z.literal(false).optional(),
		tie_word_embeddings: z.boolean().default(false),
	})
	.refine((c) => (c.num_key_value_heads ?? c.num_attention_heads) === c.num_attention_heads, {
		path: ['num_key_value_heads'],
		error: 'Grouped-query attention is not supported',
	})
	.transform((c) => ({ ...c, head_dim: c.head_dim ?? c.hidden_size / c.num_attention_heads }))
	.refine((c) => c.head_dim % PANEL === 0, { path: ['head_dim'], error: `Not a multiple of ${PANEL}` });

/** A checked configuration, under Hugging Face's names; `head_dim` is always there. */
export type Config = z.output<typeof Schema>;

/**
 * Checks a parsed `config.json`.
 *
 * @param value what `JSON.parse` gave
 * @param name what to call the file in errors, e.g. its path
 * @throws `bad-input` naming the first field that is missing, malformed or not supported
 */
export function readConfig(value: unknown, name: string): Config {
	const result = Schema.safeParse(value);
	if (result.success) return result.data;
	const { path, message } = result.error.issues[0]!;
	const where =
		path.length === 0 ? 'is not a usable model configuration' : `has an unusable ${path.join('.')}`;
	throw badInput(`${name} ${where}: ${message}.`);
}
