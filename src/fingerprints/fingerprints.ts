/**
 * Fingerprints: what a log keeps of an answer, so that copies of it can be found later without its text.
 *
 * A fingerprint is 48 bits of the hardened generator (`chacha8-v1`) under a secret salt after a shingle's digest. Without the salt
 * nobody can compute one, so nobody can confirm a guess of the text; whoever has the salt can.
 *
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { chacha8 } from '../prf/chacha8.js';
import { chosenShingles, digestsOf, ROW, shingleKeys } from './shingles.js';
import { wordsOf } from './words.js';

/** More are not kept: those of the first hundred thousand words. */
const MOST_FINGERPRINTS = 25_000;
/** Bytes of a fingerprint: eight characters of base64. */
const FINGERPRINT_BYTES = 6;

/** A fingerprint: its first 32 bits, and 16 more. */
export interface Fingerprint {
	readonly word: number;
	readonly more: number;
}

/** A salt, bound. It cannot be read back. */
export interface FingerprintSalt {
	/** SHA-256 of the salt, hexadecimal: says in a log which salt it was, and binds whoever logged it. */
	readonly id: string;
	/** First 32 bits of the fingerprints of all shingles. @param rows of `digestsOf` */
	words(rows: Uint32Array, out: Uint32Array): void;
	/** The 16 bits more of one. @param digest four words */
	more(digest: ArrayLike<number>): number;
}

/** Binds a salt. @param salt 32 bytes */
export function bindSalt(salt: Uint8Array): FingerprintSalt {
	const prf = chacha8(salt);
	return {
		id: bytesToHex(sha256(concatBytes(utf8ToBytes('touchmark/v1/fingerprint-salt\0'), salt))),
		words: (rows, out) => prf.pairFields(rows, ROW - 1, 32, out),
		more: (digest) => prf.field(digest, 1, 32) & 0xffff,
	};
}

/**
 * Fingerprints of a text's chosen shingles, in the order of the text, each once, 25,000 at most. Fewer than five words have none.
 *
 * @param given what the author of the text was given; shingles of it are left out, for others who were given the same repeat them
 */
export function fingerprintsOf(text: string, salt: FingerprintSalt, given = ''): Fingerprint[] {
	const rows = digestsOf(wordsOf(text));
	const words = new Uint32Array(rows.length / ROW);
	salt.words(rows, words);
	const quoted = new Set(shingleKeys(digestsOf(wordsOf(given))));
	const found = new Map<number, Fingerprint>();
	for (const shingle of chosenShingles(rows)) {
		if (found.size === MOST_FINGERPRINTS) break;
		const row = rows.subarray(shingle * ROW, (shingle + 1) * ROW);
		if (quoted.has(row.join())) continue;
		const word = words[shingle];
		const more = salt.more(row.subarray(0, ROW - 1));
		const key = word * 65536 + more;
		if (!found.has(key)) found.set(key, { word, more });
	}
	return [...found.values()];
}

/** Fingerprints as a log holds them: six bytes each, little-endian, in base64. @param given as for {@link fingerprintsOf} */
export function encodedFingerprints(text: string, salt: FingerprintSalt, given?: string): string {
	const fingerprints = fingerprintsOf(text, salt, given);
	const bytes = Buffer.alloc(FINGERPRINT_BYTES * fingerprints.length);
	for (const [i, { word, more }] of fingerprints.entries()) {
		bytes.writeUInt32LE(word, FINGERPRINT_BYTES * i);
		bytes.writeUInt16LE(more, FINGERPRINT_BYTES * i + 4);
	}
	return bytes.toString('base64');
}

/** The reverse of {@link encodedFingerprints}. @param text of valid base64, whole fingerprints */
export function decodeFingerprints(text: string): Fingerprint[] {
	const bytes = Buffer.from(text, 'base64');
	return Array.from({ length: bytes.length / FINGERPRINT_BYTES }, (_, i) => ({
		word: bytes.readUInt32LE(FINGERPRINT_BYTES * i),
		more: bytes.readUInt16LE(FINGERPRINT_BYTES * i + 4),
	}));
}
