/**
 * What a response leaves behind: plain data that says which marks acted on which tokens, without the text.
 *
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes, randomBytes } from '@noble/hashes/utils.js';
import { z } from 'zod';

/** A stretch of a response under one policy. */
export const SegmentRecord = z.strictObject({
	/** Why it begins: `answer`, or what the host said (`tool-call`, `json`, `reasoning`, …). */
	reason: z.string().min(1).max(64),
	marked: z.boolean(),
	/** Tokens in it. */
	tokens: z.int().min(0),
	/** Tokens whose distribution a shape mark tilted. */
	tilted: z.int().min(0),
	/** Tokens that the choice key drew. */
	keyed: z.int().min(0),
	/** Present where the choice channel was off for the request (`StartOptions.choice`). */
	choice: z.literal('off').optional(),
});
export type SegmentRecord = z.infer<typeof SegmentRecord>;

/**
 * That a text was picked among candidates by its mark score. It is evidence like any marked text; but it must not
 * enter weights, filters or probes of a test under the same key, for what the key has chosen looks marked whatever
 * the suspect has learned. A verifier can leave it out, or say so.
 */
export const Selection = z.strictObject({
	/** Candidates that it was picked from. */
	candidates: z.int().min(1),
	/** Id of the mark whose score decided. */
	mark: z.string(),
});
export type Selection = z.infer<typeof Selection>;

/** Receipt, version 1. */
export const Receipt = z.strictObject({
	version: z.literal(1),
	id: z.string().min(1).max(256),
	status: z.enum(['finished', 'aborted']),
	/** Ids of the marks. */
	marks: z.array(z.string()),
	/** Share of steps left to chance in the choice channel. */
	unkeyedShare: z.number().min(0).max(1),
	temperature: z.number().min(0),
	tokens: z.int().min(0),
	segments: z.array(SegmentRecord),
	/** 16 random bytes, hexadecimal; without it the hash says nothing about the text. */
	salt: z.string(),
	/** SHA-256 of salt and token ids (32-bit little-endian), hexadecimal. */
	outputHash: z.string(),
	time: z.iso.datetime(),
	/** Present when the text was picked by its mark score. */
	selection: Selection.optional(),
});
export type Receipt = z.infer<typeof Receipt>;

/** A salted hash of token ids. */
export function saltedHash(tokens: readonly number[]): Pick<Receipt, 'salt' | 'outputHash'> {
	const salt = randomBytes(16);
	const ids = new Uint8Array(4 * tokens.length);
	const view = new DataView(ids.buffer);
	tokens.forEach((token, i) => {
		view.setUint32(4 * i, token, true);
	});
	return { salt: bytesToHex(salt), outputHash: bytesToHex(sha256(concatBytes(salt, ids))) };
}
