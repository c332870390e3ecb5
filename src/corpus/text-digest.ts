/**
 * Digests of texts: SHA-256 of the UTF-8 bytes as they are. Nothing is normalised, so that nobody has to agree on how: another
 * form of an accented letter, another line ending or a line feed more is another text.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { openSource } from './byte-source.js';

/** Half of a pair of surrogates, which no UTF-8 has bytes for. */
const LONE_SURROGATE = /\p{Surrogate}/u;
const CHUNK = 2 ** 20;

/** Digest of a text, hexadecimal; null for a string that is no text, for it has lone surrogates. */
export function textDigest(text: string): string | null {
	return LONE_SURROGATE.test(text) ? null : bytesToHex(sha256(utf8ToBytes(text)));
}

/** Digest of a file, byte by byte: the same where it is one text. @throws TouchmarkError `bad-input` when it cannot be read */
export async function digestOfFile(path: string): Promise<string> {
	const source = await openSource(path);
	try {
		const reader = source.reader();
		const hash = createHash('sha256');
		const chunk = new Uint8Array(CHUNK);
		for (let got = 1; got > 0; ) {
			got = await reader.read(chunk, 0, CHUNK);
			hash.update(chunk.subarray(0, got));
		}
		return hash.digest('hex');
	} finally {
		await source.close();
	}
}
