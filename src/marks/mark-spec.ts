/**
 * A mark as plain data: everything that a verifier needs, the key excepted.
 *
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import canonicalize from 'canonicalize';
import { z } from 'zod';
import { hexOf } from '../input.js';
import { redGreenThreshold } from '../schemes/red-green.js';
import { sbwThreshold } from '../schemes/sbw.js';
import { type Channel, isGreenLists, SchemeParams } from '../schemes/scheme.js';
import { AccountCode } from './account-code.js';
import { GENERATORS, type GeneratorName, generatorOf, isPrf } from './generators.js';

/** Stands for the positions before a text's first token in marks that start with `pad`; no vocabulary has this id. */
export const BEFORE_TEXT = 0xffffffff;

/** A name in a spec. */
export const Name = z
	.string()
	.regex(/^[A-Za-z0-9._-]{1,64}$/, 'must be 1 to 64 letters, digits, dots, dashes or underscores');

/** What a generator asks of the parameters; each problem as path and message. */
function* problemsOf(scheme: SchemeParams, prf: GeneratorName, contextWidth: number) {
	if (!generatorOf(prf).schemes.includes(scheme.name))
		yield ['prf', `${prf} does not serve scheme ${scheme.name}; use chacha8-v1`] as const;
	const given = scheme as Readonly<Record<string, unknown>>;
	const only = (field: string, owners: readonly GeneratorName[], required: boolean) =>
		owners.includes(prf)
			? required && given[field] === undefined
				? ([`scheme.${field}`, `is needed with ${prf}`] as const)
				: undefined
			: given[field] !== undefined
				? ([`scheme.${field}`, `has no meaning with ${prf}`] as const)
				: undefined;
	for (const problem of [
		only('vocabSize', ['transformers-kgw-v1', 'meta-mt19937-v1'], true),
		only('payload', ['meta-mt19937-v1'], false),
		only('tableSize', ['transformers-synthid-v1'], true),
		only('tableSeed', ['transformers-synthid-v1'], true),
		only('seeding', ['chacha8-v1', 'transformers-kgw-v1', 'vllm-sbw-v1'], false),
	])
		if (problem !== undefined) yield problem;
	if (isGreenLists(scheme) && prf === 'philox4x32-10-v1') {
		const below = redGreenThreshold(scheme.gamma);
		if (below === 0 || below === 2 ** 32)
			yield ['scheme.gamma', 'must leave some of 2^24 numbers below it, and some not'] as const;
	} else if (isGreenLists(scheme) && isPrf(prf)) {
		if (!Number.isInteger(scheme.gamma * 256)) yield ['scheme.gamma', 'must be a multiple of 1/256'] as const;
	}
	if (scheme.name === 'synthid') {
		if (isPrf(prf) && scheme.depth > 32) yield ['scheme.depth', `must be at most 32 with ${prf}`] as const;
		const size = scheme.tableSize;
		if (scheme.weights !== undefined && size !== undefined && (size & (size - 1)) !== 0)
			yield ['scheme.weights', 'need a table size that is a power of two'] as const;
	}
	const lists = prf === 'transformers-kgw-v1' && scheme.name === 'kgw';
	if (lists && scheme.seeding === 'min')
		yield ['scheme.seeding', `must be self or absent with ${prf}`] as const;
	if (lists && scheme.seeding === undefined && contextWidth !== 1)
		yield ['contextWidth', `must be 1: ${prf} reads the last id only, unless seeding is self`] as const;
	const coins = prf === 'vllm-sbw-v1' && scheme.name === 'kgw';
	if (coins && scheme.seeding !== 'self') yield ['scheme.seeding', `must be self with ${prf}`] as const;
	if (coins && sbwThreshold(scheme.gamma) === 0)
		yield ['scheme.gamma', 'must be at least 1/(2^31 − 1)'] as const;
	const none = scheme.name === 'unigram' || scheme.name === 'exp-edit';
	if (none !== (contextWidth === 0) && !((lists || coins) && scheme.seeding === 'self'))
		yield ['contextWidth', none ? `must be 0 for ${scheme.name}` : 'must be 1 or more'] as const;
}

/** The channel of a scheme; a tournament can be either. */
function channelOf(scheme: SchemeParams): Channel | undefined {
	if (scheme.name === 'synthid') return undefined;
	return isGreenLists(scheme) ? 'shape' : 'choice';
}

/**
 * `MarkSpec`, version 1.
 *
 * - `channel`: `shape` (the distribution is tilted: inherited by students) or `choice` (the draw is keyed:
 *   identifies the text).
 * - `layer`: who the mark stands for. `deployment`: everybody. `cohort`: a group of accounts, named by `member`; a shape.
 *   `account`: each account, told apart by its codeword (`code`); a keyed Gumbel draw. Which contexts are whose:
 *   `embed/layers.ts`.
 * - `prf`: the generator of its randomness (`generators.ts`).
 * - `contextWidth`: ids of context that the generator sees; 0 for unigram and exp-edit.
 * - `share`, `selector`: the mark acts on all contexts, or on a keyed share of them (in 256ths).
 * - `start`: contexts that would reach before the text are left alone (`skip`), or filled with −1 (`pad`,
 *   as vLLM does).
 * - `epoch`: the period that the key is used in; another epoch has another key.
 * - `tokenizer`: SHA-256 of the tokenizer.json that the ids belong to; null when unknown.
 * - `commitment`: salted hash of the key; null for keys that come from elsewhere.
 */
export const MarkSpec = z
	.strictObject({
		version: z.literal(1),
		scheme: SchemeParams,
		prf: z.enum(Object.keys(GENERATORS) as [GeneratorName, ...GeneratorName[]]),
		contextWidth: z.int().min(0).max(16),
		channel: z.enum(['shape', 'choice']),
		layer: z.enum(['deployment', 'cohort', 'account']),
		deployment: Name,
		member: Name.nullable(),
		code: AccountCode.optional(),
		share: z.int().min(1).max(256),
		selector: z.enum(['all', 'keyed']),
		start: z.enum(['skip', 'pad']),
		epoch: z.int().min(0),
		tokenizer: hexOf(32).nullable(),
		commitment: hexOf(32).nullable(),
	})
	.superRefine((mark, context) => {
		const refuse = (path: string, message: string) =>
			context.addIssue({ code: 'custom', path: path.split('.'), message });
		const channel = channelOf(mark.scheme);
		if (channel !== undefined && mark.channel !== channel)
			refuse('channel', `must be "${channel}" for scheme ${mark.scheme.name}`);
		for (const [path, message] of problemsOf(mark.scheme, mark.prf, mark.contextWidth)) refuse(path, message);
		if ((mark.layer === 'cohort') !== (mark.member !== null))
			refuse('member', 'must name the cohort in the cohort layer, and be null in the others');
		if ((mark.layer === 'account') !== (mark.code !== undefined))
			refuse('code', 'is needed in the account layer, and has no meaning in the others');
		if (mark.layer === 'cohort' && (mark.channel !== 'shape' || mark.selector !== 'keyed'))
			refuse('layer', 'cohort is for shapes with a keyed share of contexts: that is what students inherit');
		if (mark.layer === 'account' && (mark.scheme.name !== 'gumbel' || mark.prf !== 'chacha8-v1'))
			refuse(
				'layer',
				'account needs scheme gumbel with chacha8-v1: of the draws that a codeword can turn it tells accounts apart best (docs/attribution.md)',
			);
		if ((mark.selector === 'all') !== (mark.share === 256))
			refuse('share', 'must be 256 with selector "all" and less with selector "keyed"');
	});
export type MarkSpec = z.infer<typeof MarkSpec>;

/** A spec before its key exists. */
export type MarkTemplate = Omit<MarkSpec, 'commitment'>;

/** Canonical bytes (RFC 8785) of plain data. */
export function canonicalBytes(value: unknown): Uint8Array {
	const text = canonicalize(value);
	if (text === undefined) throw new TypeError('only JSON values have a canonical form');
	return utf8ToBytes(text);
}

/** Id of a mark: SHA-256 of its canonical form, commitment included, in hexadecimal. */
export function markId(spec: MarkSpec): string {
	return bytesToHex(sha256(canonicalBytes(spec)));
}
