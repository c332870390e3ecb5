/**
 * Signed tree heads: what the log stands for.
 *
 * @module
 */
import { createPublicKey, verify } from 'node:crypto';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { z } from 'zod';
import { hexOf } from '../input.js';
import type { Keyring } from '../keys/keyring.js';
import { canonicalBytes } from '../marks/mark-spec.js';

/** Signed statement that the first `size` entries have this root. */
export const TreeHead = z.strictObject({
	size: z.int().min(0),
	root: hexOf(32),
	time: z.iso.datetime(),
	/** Ed25519. */
	publicKey: hexOf(32),
	signature: hexOf(64),
});
export type TreeHead = z.infer<typeof TreeHead>;

/** Who signs. */
export type Signer = Pick<Keyring, 'publicKey' | 'sign'>;

/** The bytes that are signed. */
function messageOf({ size, root, time }: Pick<TreeHead, 'size' | 'root' | 'time'>): Uint8Array {
	return canonicalBytes({ domain: 'touchmark/v1/tree-head', size, root, time });
}

/** Signs the head of a tree. */
export function signHead(size: number, root: Uint8Array, signer: Signer): TreeHead {
	const head = { size, root: bytesToHex(root), time: new Date().toISOString() };
	const signature = bytesToHex(signer.sign(messageOf(head)));
	return { ...head, publicKey: bytesToHex(signer.publicKey), signature };
}

/** What comes before the key in the DER form of an Ed25519 public key (RFC 8410). */
const DER_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/**
 * Whether the signature is of the key that the head names. Whose key that is must be known from elsewhere.
 *
 * By the host's own Ed25519, for an audit checks every head that there ever was.
 */
export function isSignedHead(head: TreeHead): boolean {
	const key = Buffer.concat([DER_PREFIX, hexToBytes(head.publicKey)]);
	const publicKey = createPublicKey({ key, format: 'der', type: 'spki' });
	return verify(null, messageOf(head), publicKey, hexToBytes(head.signature));
}
