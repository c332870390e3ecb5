/**
 * Whom a verifier trusts. It is an input of its own: evidence that said whom to trust would prove nothing.
 *
 * @module
 */
import { z } from 'zod';
import { hexOf } from '../input.js';

/** Trust, as a file. */
export const Trust = z.strictObject({
	format: z.literal('touchmark-trust'),
	version: z.literal(1),
	/** Ed25519 public keys of investigators, providers, laboratories. */
	signers: z.array(z.strictObject({ name: z.string().min(1), publicKey: hexOf(32) })).default([]),
	/** Those of logs. */
	logs: z.array(z.strictObject({ name: z.string().min(1), publicKey: hexOf(32) })).default([]),
	/** Certificates of time-stamping authorities, PEM. */
	authorities: z.string().optional(),
});
export type Trust = z.infer<typeof Trust>;
