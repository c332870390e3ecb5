/**
 * DSSE envelopes: a payload, what kind it is, and signatures over both (https://github.com/secure-systems-lab/dsse,
 * protocol.md and envelope.md, version 1).
 *
 * The specification leaves key ids to those who sign; here a key id is the Ed25519 public key itself, so that whoever holds
 * an envelope can check its signatures, and needs to know from elsewhere only whose keys they are.
 *
 * @module
 */
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { z } from 'zod';
import { hexOf } from '../input.js';
import { isSignedBy } from '../keys/ed25519.js';
import type { Signer } from '../ledger/tree-head.js';

export type { Signer };

/** Base64 in its one canonical form: padded, and no bits behind the last byte. */
const Base64 = z
	.string()
	.refine((text) => Buffer.from(text, 'base64').toString('base64') === text, 'must be canonical base64');

/** An envelope, as it stands in a file. */
export const Envelope = z.strictObject({
	payloadType: z.string().min(1).max(256),
	payload: Base64,
	signatures: z
		.array(z.strictObject({ keyid: hexOf(32), sig: Base64 }))
		.min(1)
		.max(16)
		.refine(
			(all) => new Set(all.map(({ keyid }) => keyid)).size === all.length,
			'must not hold two signatures of one key',
		),
});
export type Envelope = z.infer<typeof Envelope>;

/** The bytes that are signed: pre-authentication encoding. */
export function pae(payloadType: string, payload: Uint8Array): Uint8Array {
	const type = Buffer.from(payloadType, 'utf8');
	return Buffer.concat([
		Buffer.from(`DSSEv1 ${type.length} `),
		type,
		Buffer.from(` ${payload.length} `),
		payload,
	]);
}

/** Seals a payload. */
export function signEnvelope(payloadType: string, payload: Uint8Array, signer: Signer): Envelope {
	const envelope = { payloadType, payload: Buffer.from(payload).toString('base64'), signatures: [] };
	return addSignature(envelope, signer);
}

/** The same with one more signature; in place of the one that this signer gave before, if any. */
export function addSignature(envelope: Envelope, signer: Signer): Envelope {
	const keyid = bytesToHex(signer.publicKey);
	const message = pae(envelope.payloadType, payloadOf(envelope));
	const sig = Buffer.from(signer.sign(message)).toString('base64');
	const others = envelope.signatures.filter((one) => one.keyid !== keyid);
	return { ...envelope, signatures: [...others, { keyid, sig }] };
}

/** What was sealed. */
export function payloadOf({ payload }: Pick<Envelope, 'payload'>): Uint8Array {
	return Buffer.from(payload, 'base64');
}

/** Key ids of an envelope: those whose signatures verify, and those whose do not. */
export function signersOf(envelope: Envelope): { readonly valid: string[]; readonly invalid: string[] } {
	const message = pae(envelope.payloadType, payloadOf(envelope));
	const valid: string[] = [];
	const invalid: string[] = [];
	for (const { keyid, sig } of envelope.signatures) {
		const signature = Buffer.from(sig, 'base64');
		const holds = signature.length === 64 && isSignedBy(hexToBytes(keyid), message, signature);
		(holds ? valid : invalid).push(keyid);
	}
	return { valid, invalid };
}
