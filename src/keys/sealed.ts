/**
 * A secret at rest: scrypt (RFC 7914) turns the passphrase into a key, NaCl's secretbox
 * (XSalsa20-Poly1305) seals the secret.
 *
 * @module
 */
import { scrypt } from '@noble/hashes/scrypt.js';
import { bytesToHex, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import nacl from 'tweetnacl';
import { z } from 'zod';
import { TouchmarkError } from '../errors.js';
import { hexOf } from '../input.js';

/** A sealed 32-byte secret. `n`, `r`, `p` are scrypt's cost parameters. */
export const SealedSecret = z.strictObject({
	kdf: z.literal('scrypt'),
	n: z
		.int()
		.min(2 ** 14)
		.max(2 ** 20)
		.refine((n) => (n & (n - 1)) === 0, 'must be a power of two'),
	r: z.literal(8),
	p: z.literal(1),
	salt: hexOf(32),
	nonce: hexOf(24),
	box: hexOf(48),
});
export type SealedSecret = z.infer<typeof SealedSecret>;

/** Cost of new rings: 2^17 takes 128 MiB and about a second (OWASP's recommendation, 2024). */
const COST = 2 ** 17;

function keyOf(passphrase: string, salt: Uint8Array, n: number): Uint8Array {
	return scrypt(utf8ToBytes(passphrase.normalize('NFC')), salt, { N: n, r: 8, p: 1, dkLen: 32 });
}

/** Seals 32 bytes. */
export function seal(secret: Uint8Array, passphrase: string): SealedSecret {
	const salt = nacl.randomBytes(32);
	const nonce = nacl.randomBytes(24);
	const box = nacl.secretbox(secret, nonce, keyOf(passphrase, salt, COST));
	return {
		kdf: 'scrypt',
		n: COST,
		r: 8,
		p: 1,
		salt: bytesToHex(salt),
		nonce: bytesToHex(nonce),
		box: bytesToHex(box),
	};
}

/** Opens a sealed secret. @throws TouchmarkError `bad-passphrase` */
export function unseal(sealed: SealedSecret, passphrase: string): Uint8Array {
	const key = keyOf(passphrase, hexToBytes(sealed.salt), sealed.n);
	const secret = nacl.secretbox.open(hexToBytes(sealed.box), hexToBytes(sealed.nonce), key);
	if (secret === null)
		throw new TouchmarkError(
			'bad-passphrase',
			'the passphrase does not open the key ring, or its sealed part was changed',
		);
	return secret;
}
