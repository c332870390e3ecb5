/**
 * Where the commitment of a key stands in a log.
 *
 * @module
 */
import { z } from 'zod';
import { hexOf } from '../input.js';

/** Where a commitment stands in a log: proof that the key existed before it was used. */
export const LoggedAt = z.strictObject({
	/** Position of the entry in the log. */
	index: z.int().min(0),
	/** ISO 8601, UTC. */
	time: z.iso.datetime(),
	/** SHA-256 leaf hash (RFC 9162). */
	leaf: hexOf(32),
});
export type LoggedAt = z.infer<typeof LoggedAt>;
