/**
 * What is asked, as plain data: the first line of a journal and a part of the statement.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { badInput } from '../errors.js';
import { hexOf } from '../input.js';
import { canonicalBytes } from '../marks/mark-spec.js';
import type { Question } from './protocol.js';

/** A plan. It holds no secret. */
export const Plan = z.strictObject({
	/** `answers` to prompts, log-probabilities of `given` texts, `readings` of next tokens. */
	kind: z.enum(['answers', 'given', 'readings']),
	protocol: z.string(),
	/** Base address. */
	endpoint: z.string(),
	/** The request without the question. */
	parameters: z.record(z.string(), z.unknown()),
	questions: z.strictObject({ count: z.int().min(1), sha256: hexOf(32) }),
	/** Fingerprint of the tokenizer that prefixes were decoded with, or texts cut with; null where none was. */
	tokenizer: hexOf(32).nullable(),
});
export type Plan = z.infer<typeof Plan>;

/** Count and digest of questions: SHA-256 of their canonical JSON, in order. */
export function digestOf(questions: readonly Question[]): Plan['questions'] {
	// One by one: prefixes of many texts do not fit into one string.
	const hash = createHash('sha256').update('[');
	for (const [i, question] of questions.entries())
		hash.update(i === 0 ? '' : ',').update(canonicalBytes(question));
	return { count: questions.length, sha256: hash.update(']').digest('hex') };
}

/** @throws TouchmarkError `bad-input` that names what differs */
export function checkPlan(begun: Readonly<Record<string, unknown>>, plan: Plan, where: string): void {
	const text = (value: unknown) => new TextDecoder().decode(canonicalBytes(value ?? null));
	const other = Object.entries(plan).find(([field, value]) => text(begun[field]) !== text(value));
	if (other !== undefined)
		throw badInput(`${where}: was begun with other ${other[0]}; use the same flags, or another --out`);
}
