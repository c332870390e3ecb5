/**
 * Ed25519 signatures by anybody's key, checked by the host's own code: an audit checks a great many.
 *
 * @module
 */
import { createPublicKey, verify } from 'node:crypto';

/** What comes before the key in the DER form of an Ed25519 public key (RFC 8410). */
const DER_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

/**
 * Whether a signature is of this key. Whose key that is must be known from elsewhere.
 *
 * @param publicKey 32 bytes
 * @param signature 64 bytes
 */
export function isSignedBy(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
	const key = createPublicKey({ key: Buffer.concat([DER_PREFIX, publicKey]), format: 'der', type: 'spki' });
	return verify(null, message, key, signature);
}
