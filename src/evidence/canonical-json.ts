/**
 * JSON in its one canonical form (RFC 8785), as everything that is signed must have it: what was changed without changing what
 * it says is refused too.
 *
 * @module
 */
import type { z } from 'zod';
import { badInput } from '../errors.js';
import { checked, parseJson } from '../input.js';
import { canonicalBytes } from '../marks/mark-spec.js';
import { sentenceOf } from './checks.js';

/** A value, or why its bytes are none: no JSON of the expected form, or in another form than the canonical one. */
export type CanonicalJson<T> =
	| { readonly value: T }
	| { readonly wrong: 'malformed' | 'not-canonical'; readonly detail: string };

/** Reads a value. Whatever its bytes, it does not throw. @param where what sentences call it */
export function readCanonicalJson<T extends z.ZodType>(
	schema: T,
	bytes: Uint8Array,
	where: string,
): CanonicalJson<z.output<T>> {
	try {
		const json = parseJson(utf8Text(bytes, where), where);
		const value = checked(schema, json, where);
		return Buffer.compare(canonicalBytes(json), bytes) === 0
			? { value }
			: { wrong: 'not-canonical', detail: `${where}: is not canonical JSON (RFC 8785)` };
	} catch (error) {
		return { wrong: 'malformed', detail: sentenceOf(error) };
	}
}

function utf8Text(bytes: Uint8Array, where: string): string {
	try {
		return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
	} catch (error) {
		throw badInput(`${where}: is not valid UTF-8`, error);
	}
}
