/**
 * Marks with keys that nobody has used, for benches and tests: every scheme under every generator that serves it.
 *
 * @module
 */

import { cohortMark, tracingMarks } from '../src/marks/defaults.js';
import { generatorOf } from '../src/marks/generators.js';
import { bindMark, type Mark } from '../src/marks/mark.js';
import { MarkSpec, type MarkTemplate } from '../src/marks/mark-spec.js';
import { isGreenLists, type Uniforms } from '../src/schemes/scheme.js';

/** A spec with everything that does not matter here filled in. */
export function specOf(
	part: Pick<MarkSpec, 'scheme' | 'prf' | 'contextWidth'> & Partial<MarkSpec>,
): MarkSpec {
	return MarkSpec.parse({
		version: 1,
		channel: isGreenLists(part.scheme) ? 'shape' : 'choice',
		layer: 'deployment',
		deployment: 'calibration',
		member: null,
		share: 256,
		selector: 'all',
		start: 'skip',
		epoch: 0,
		tokenizer: null,
		commitment: null,
		...part,
	});
}

/** One of the two default marks under a given key. */
export function freshMark(scheme: 'gumbel' | 'kgw', contextWidth: number, key: Uint8Array): Mark {
	const parameters =
		scheme === 'gumbel' ? ({ name: 'gumbel' } as const) : ({ name: 'kgw', gamma: 0.25, delta: 2 } as const);
	return bindMark(specOf({ scheme: parameters, prf: 'chacha8-v1', contextWidth }), key);
}

/**
 * Shape, half of the keyed draws, account layer and cohorts, each under a key of its own.
 *
 * @param tokenizer SHA-256
 * @returns in that order
 */
export function freshLayers(
	random: Uniforms,
	cohorts: readonly string[] = [],
	tokenizer = '0'.repeat(64),
): [Mark, Mark, Mark, ...Mark[]] {
	const templates = tracingMarks('calibration', tokenizer);
	const bind = (template: MarkTemplate): Mark =>
		bindMark({ ...template, commitment: null }, freshKey(template, random));
	return [
		...(templates.map(bind) as [Mark, Mark, Mark]),
		...cohorts.map((member) => bind(cohortMark(templates[0], member))),
	];
}

/** A key of the length and form that a spec's generator takes. */
export function freshKey({ prf, scheme }: Pick<MarkSpec, 'prf' | 'scheme'>, random: Uniforms): Uint8Array {
	const generator = generatorOf(prf);
	const key = Uint8Array.from({ length: generator.keyBytes(scheme) }, () => Math.floor(256 * random.next()));
	generator.fit?.(key);
	return key;
}

/** One scheme under one generator, as a bench row. */
export interface SchemeCase {
	readonly name: string;
	readonly spec: MarkSpec;
	/** Whether the p-value is exact (up to discreteness), or an upper bound that may reject less often. */
	readonly exact: boolean;
	/** A permutation of the vocabulary a context: slow by nature. */
	readonly permutation: boolean;
}

/**
 * Every scheme at a context width.
 *
 * @param vocabSize of the permutations
 */
export function schemeCases(width: number, vocabSize: number): SchemeCase[] {
	const chacha = { prf: 'chacha8-v1', contextWidth: width } as const;
	const philox = { prf: 'philox4x32-10-v1', contextWidth: width } as const;
	const hmac = { prf: 'hmac-sha256-v1', contextWidth: width } as const;
	const lists = { name: 'kgw', gamma: 0.25, delta: 2, vocabSize } as const;
	const table = { tableSize: 65_536, tableSeed: 0 } as const;
	const cases: (Omit<SchemeCase, 'exact' | 'permutation'> & Partial<SchemeCase>)[] = [
		{ name: 'gumbel', spec: specOf({ scheme: { name: 'gumbel' }, ...chacha }) },
		{ name: 'gumbel-philox', spec: specOf({ scheme: { name: 'gumbel' }, ...philox }) },
		{ name: 'dual_key_gumbel', spec: specOf({ scheme: { name: 'dual_key_gumbel', alpha: 0.1 }, ...chacha }) },
		{
			name: 'dual_key_gumbel-philox',
			spec: specOf({ scheme: { name: 'dual_key_gumbel', alpha: 0.1 }, ...philox }),
		},
		{ name: 'synthid-30', spec: specOf({ scheme: { name: 'synthid', depth: 30 }, ...chacha }) },
		{
			name: 'synthid-30-weighted',
			spec: specOf({ scheme: { name: 'synthid', depth: 30, weights: 'linear' }, ...chacha }),
			exact: false,
		},
		{
			name: 'synthid-4-shape',
			spec: specOf({ scheme: { name: 'synthid', depth: 4 }, channel: 'shape', ...chacha }),
		},
		{ name: 'synthid-30-philox', spec: specOf({ scheme: { name: 'synthid', depth: 30 }, ...philox }) },
		{
			name: 'synthid-30-transformers',
			spec: specOf({
				scheme: { name: 'synthid', depth: 30, ...table },
				prf: 'transformers-synthid-v1',
				contextWidth: width,
			}),
			exact: false,
		},
		{
			name: 'synthid-30-deepmind',
			spec: specOf({
				scheme: { name: 'synthid', depth: 30 },
				prf: 'deepmind-synthid-v1',
				contextWidth: width,
			}),
		},
		{ name: 'kgw', spec: specOf({ scheme: { name: 'kgw', gamma: 0.25, delta: 2 }, ...chacha }) },
		{ name: 'kgw-half', spec: specOf({ scheme: { name: 'kgw', gamma: 0.5, delta: 2 }, ...chacha }) },
		{
			name: 'kgw-min',
			spec: specOf({ scheme: { name: 'kgw', gamma: 0.25, delta: 2, seeding: 'min' }, ...chacha }),
		},
		{
			name: 'kgw-self',
			spec: specOf({ scheme: { name: 'kgw', gamma: 0.25, delta: 2, seeding: 'self' }, ...chacha }),
		},
		{ name: 'adfp', spec: specOf({ scheme: { name: 'adfp', gamma: 0.25, lambda: 32 }, ...chacha }) },
		{
			name: 'kgw-transformers-selfhash',
			spec: specOf({
				scheme: { ...lists, seeding: 'self' },
				prf: 'transformers-kgw-v1',
				contextWidth: width,
			}),
			permutation: true,
			exact: false,
		},
		{ name: 'kgw-philox', spec: specOf({ scheme: { name: 'kgw', gamma: 0.3, delta: 2 }, ...philox }) },
		{
			name: 'kgw-sbw',
			spec: specOf({
				scheme: { name: 'kgw', gamma: 0.5, delta: 2, seeding: 'self' },
				prf: 'vllm-sbw-v1',
				contextWidth: width,
			}),
		},
		{
			name: 'kgw-meta',
			spec: specOf({ scheme: lists, prf: 'meta-mt19937-v1', contextWidth: width }),
			permutation: true,
			exact: false,
		},
		{
			name: 'gumbel-meta',
			spec: specOf({ scheme: { name: 'gumbel', vocabSize }, prf: 'meta-mt19937-v1', contextWidth: width }),
			permutation: true,
		},
	];
	if (width === 1)
		cases.push(
			{
				name: 'kgw-transformers-lefthash',
				spec: specOf({ scheme: lists, prf: 'transformers-kgw-v1', contextWidth: 1 }),
				permutation: true,
				exact: false,
			},
			{
				name: 'unigram',
				spec: specOf({
					scheme: { name: 'unigram', gamma: 0.5, delta: 2 },
					prf: 'chacha8-v1',
					contextWidth: 0,
				}),
			},
			{ name: 'gumbel-hmac', spec: specOf({ scheme: { name: 'gumbel' }, ...hmac }), permutation: true },
		);
	return cases.map((one) => ({ exact: true, permutation: false, ...one }));
}
