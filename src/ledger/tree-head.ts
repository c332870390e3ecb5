/**
 * Signed tree heads: what the log stands for.
 *
 * @module
 */
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { z } from 'zod';
import { hexOf } from '../input.js';
import { isSignedBy } from '../keys/ed25519.js';
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

/** Whether the signature is of the key that the head names. Whose key that is must be known from elsewhere. */
export function isSignedHead(head: TreeHead): boolean {
	return isSignedBy(hexToBytes(head.publicKey), messageOf(head), hexToBytes(head.signature));
}
