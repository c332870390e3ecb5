/**
 * Every key of a ring from one master secret: HKDF-SHA-256 (RFC 5869) with a label that says what the key
 * is for. Opening one derived key reveals neither the master nor any other.
 *
 * A mark's label is its whole template, so that a different width, epoch, cohort or scheme has a different
 * key. Labels: `mark`, `commitment-salt`, `sign`, `arm`, `held-out`, `pseudonym`, `fingerprint` (here); `codebook` is reserved.
 *
 * @module
 */
import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import type { ArmTemplate } from '../marks/arm.js';
import { generatorOf } from '../marks/generators.js';
import { canonicalBytes, type MarkSpec, type MarkTemplate } from '../marks/mark-spec.js';

/** Purposes that a derived key can have. */
export type Purpose = 'mark' | 'arm' | 'commitment-salt' | 'sign' | 'held-out' | 'pseudonym' | 'fingerprint';

/**
 * Derives a key.
 *
 * @param secret input key material
 * @param purpose first part of the label
 * @param subject plain data, the rest of the label
 * @param length bytes
 */
export function deriveKey(secret: Uint8Array, purpose: Purpose, subject: unknown, length = 32): Uint8Array {
	const info = concatBytes(utf8ToBytes(`touchmark/v1/${purpose}\0`), canonicalBytes(subject));
	return hkdf(sha256, secret, utf8ToBytes('touchmark'), info, length);
}

/** A key of the length and form that the mark's generator takes. */
function fitted(
	{ prf, scheme }: Pick<MarkSpec, 'prf' | 'scheme'>,
	derive: (length: number) => Uint8Array,
): Uint8Array {
	const generator = generatorOf(prf);
	const key = derive(generator.keyBytes(scheme));
	generator.fit?.(key);
	return key;
}

/** The key of a mark. */
export function deriveMarkKey(master: Uint8Array, template: MarkTemplate): Uint8Array {
	return fitted(template, (length) => deriveKey(master, 'mark', template, length));
}

/**
 * Commitment to a key: SHA-256 of domain, salt, key and template. It hides the key (the salt is secret
 * until the key is opened) and binds it to this very mark or arm.
 *
 * @returns 64 hexadecimal digits
 */
export function commit(salt: Uint8Array, key: Uint8Array, template: MarkTemplate | ArmTemplate): string {
	const subject = sha256(canonicalBytes(template));
	return bytesToHex(sha256(concatBytes(utf8ToBytes('touchmark/v1/commitment\0'), salt, subject, key)));
}

/**
 * The key of held-out mark `index`: one that was never deployed and that nobody could choose, since it
 * follows from the mark (commitment included) and the digest of what is tested.
 *
 * @param markId hexadecimal id of the mark under test
 * @param corpusDigest hexadecimal SHA-256 of what is tested
 */
export function heldOutKey(spec: MarkSpec, markId: string, corpusDigest: string, index: number): Uint8Array {
	const secret = utf8ToBytes(spec.commitment ?? markId);
	return fitted(spec, (length) => deriveKey(secret, 'held-out', { markId, corpusDigest, index }, length));
}
