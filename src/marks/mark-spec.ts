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
import { PRFS, type PrfName } from '../prf/prf.js';
import { SchemeParams } from '../schemes/scheme.js';

const Name = z
	.string()
	.regex(/^[A-Za-z0-9._-]{1,64}$/, 'must be 1 to 64 letters, digits, dots, dashes or underscores');

/** Which field widths a scheme takes from its PRF. */
function bitsOf(scheme: SchemeParams): 1 | 8 | 32 {
	if (scheme.name === 'gumbel') return 32;
	return scheme.gamma === 0.5 ? 1 : 8;
}

/**
 * `MarkSpec`, version 1.
 *
 * - `channel`: `shape` (the distribution is tilted: inherited by students) or `choice` (the draw is keyed:
 *   identifies the text).
 * - `layer`: who the mark stands for; `member` names the cohort or account (null for the deployment).
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
		prf: z.enum(Object.keys(PRFS) as [PrfName, ...PrfName[]]),
		contextWidth: z.int().min(1).max(16),
		channel: z.enum(['shape', 'choice']),
		layer: z.enum(['deployment', 'cohort', 'account']),
		deployment: Name,
		member: Name.nullable(),
		share: z.int().min(1).max(256),
		selector: z.enum(['all', 'keyed']),
		start: z.enum(['skip', 'pad']),
		epoch: z.int().min(0),
		tokenizer: hexOf(32).nullable(),
		commitment: hexOf(32).nullable(),
	})
	.superRefine((mark, context) => {
		const refuse = (path: string, message: string) =>
			context.addIssue({ code: 'custom', path: [path], message });
		const channel = mark.scheme.name === 'gumbel' ? 'choice' : 'shape';
		if (mark.channel !== channel) refuse('channel', `must be "${channel}" for scheme ${mark.scheme.name}`);
		if (!(PRFS[mark.prf].bits as readonly number[]).includes(bitsOf(mark.scheme)))
			refuse('prf', `${mark.prf} does not serve scheme ${mark.scheme.name}; use chacha8-v1`);
		if ((mark.layer === 'deployment') !== (mark.member === null))
			refuse('member', 'must name the cohort or account, and be null for the deployment layer');
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
