/**
 * What can be logged. Each entry is a line of canonical JSON (RFC 8785), and a leaf of the tree.
 *
 * @module
 */
import canonicalize from 'canonicalize';
import { z } from 'zod';
import { SegmentRecord, Selection } from '../embed/receipt.js';
import { hexOf } from '../input.js';
import { ArmRecord, ArmSpec, armId } from '../marks/arm.js';
import { MarkSpec, markId } from '../marks/mark-spec.js';
import { TreeHead } from './tree-head.js';

/** Fingerprints take eight characters each, without padding. */
const WHOLE_FINGERPRINTS = /^([A-Za-z0-9+/]{8})+$/;
const Count = z.int().min(0);
const Time = z.iso.datetime();
const first = { version: z.literal(1), time: Time };

/** A mark's key exists, before its first use. */
const KeyCommitment = z
	.strictObject({ ...first, type: z.literal('key-commitment'), markId: hexOf(32), spec: MarkSpec })
	.refine((entry) => entry.markId === markId(entry.spec), {
		path: ['markId'],
		error: 'is not the id of the spec',
	});

/** The same for an arm's key. */
const ArmCommitment = z
	.strictObject({ ...first, type: z.literal('arm-commitment'), armId: hexOf(32), spec: ArmSpec })
	.refine((entry) => entry.armId === armId(entry.spec), {
		path: ['armId'],
		error: 'is not the id of the spec',
	});

/** A request of a trial, logged before the first token of its answer leaves. */
const ArmEntry = z.strictObject({ ...first, type: z.literal('arm-record'), record: ArmRecord });

/** What applied to the responses whose receipts name this entry. It fixes the version of those receipts, too. */
export const PolicyEntry = z.strictObject({
	...first,
	type: z.literal('policy'),
	/** Ids of the marks; their specs hold epoch and deployment. */
	marks: z.array(z.string()),
	/** Share of steps left to chance in the choice channel. */
	unkeyedShare: z.number().min(0).max(1),
	temperature: z.number().min(0),
	/** Id of the salt of the receipts' fingerprints; absent where they have none. */
	fingerprints: hexOf(32).optional(),
});
export type PolicyEntry = z.infer<typeof PolicyEntry>;

/** One response. Fields are few and short: there is one of these for every answer that leaves. */
export const ReceiptEntry = z.strictObject({
	type: z.literal('receipt'),
	/** Id of the receipt. */
	id: z.string().min(1).max(256),
	/** HMAC of the id under the account's own key (`keys/accounts.ts`); absent where no account is known. */
	tag: hexOf(16).optional(),
	/** Index of the policy's entry, which comes before. */
	policy: Count,
	/** Tokens of the response: all, those that a shape mark tilted, those that the choice key drew. */
	tokens: z.tuple([Count, Count, Count]),
	/** SHA-256 of salt and token ids. The salt is not here: it stays with the receipt. */
	hash: hexOf(32),
	time: Time,
	/**
	 * Fingerprints of the answer (`fingerprints/`), under the salt that the policy names. Absent where they were not asked for, or the
	 * answer is shorter than a shingle.
	 */
	fingerprints: z.base64().max(200_000).regex(WHOLE_FINGERPRINTS, 'must be whole fingerprints').optional(),
	/** Present when the client went away. */
	aborted: z.literal(true).optional(),
	/** Present where the response was more than one marked stretch. */
	segments: z.array(SegmentRecord).optional(),
	/** Present when the text was picked by its mark score. */
	selection: Selection.optional(),
});
export type ReceiptEntry = z.infer<typeof ReceiptEntry>;

/** What a time-stamping authority (RFC 3161) said of a signed tree head. */
export const TimestampEntry = z.strictObject({
	...first,
	type: z.literal('timestamp'),
	/** Where it was asked. */
	authority: z.url().max(2048),
	/** The head. */
	head: TreeHead,
	/** The authority's response, DER in base64: over SHA-256 of the head's line. */
	token: z.base64().max(65536),
});
export type TimestampEntry = z.infer<typeof TimestampEntry>;

/** An entry. */
export const LogEntry = z.discriminatedUnion('type', [
	KeyCommitment,
	ArmCommitment,
	ArmEntry,
	PolicyEntry,
	ReceiptEntry,
	TimestampEntry,
]);
export type LogEntry = z.infer<typeof LogEntry>;

/** The line of an entry, without its line feed. */
export function lineOf(entry: LogEntry | TreeHead): string {
	return canonicalize(entry) as string;
}
