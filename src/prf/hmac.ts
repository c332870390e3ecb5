/**
 * `hmac-sha256-v1`, the reference generator of vLLM's first watermarking release: HMAC-SHA-256 of context
 * and token. Bit for bit with upstream for 64-bit keys (which upstream pads to 32 bytes, little-endian).
 * Slow by nature (one hash a token).
 *
 * @module
 */
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { plainPrf } from './plain.js';
import type { FieldBits, Prf } from './prf.js';

const DOMAIN = utf8ToBytes('vllm-watermark-hmac-sha256-v1\0');
/** Positions before the text: upstream's −1, absorbed as a signed 64-bit integer. */
const BEFORE_TEXT = 0xffffffff;

/**
 * Binds a key.
 *
 * @param key 32 bytes; a 64-bit integer key is its little-endian form, zero-filled
 * @throws RangeError when the key has another length
 */
export function hmacSha256(key: Uint8Array): Prf {
	if (key.length !== 32) throw new RangeError(`an hmac-sha256 key has 32 bytes, not ${key.length}`);
	const keyed = hmac.create(sha256, key);

	function word(context: ArrayLike<number>, token: number): number {
		const message = new Uint8Array(DOMAIN.length + 4 + 8 * (context.length + 1));
		const view = new DataView(message.buffer);
		message.set(DOMAIN);
		let at = DOMAIN.length;
		view.setUint32(at, context.length, true);
		at += 4;
		for (let i = 0; i <= context.length; i++, at += 8) {
			const id = i < context.length ? context[i] : token;
			view.setUint32(at, id, true);
			view.setInt32(at + 4, id === BEFORE_TEXT ? -1 : 0, true);
		}
		const digest = keyed.clone().update(message).digest();
		return new DataView(digest.buffer, digest.byteOffset).getUint32(0, true);
	}

	return plainPrf({
		field: (context: ArrayLike<number>, token: number, _bits: FieldBits) => word(context, token),
		fields(context: ArrayLike<number>, _bits: FieldBits, out: Uint32Array): void {
			for (let token = 0; token < out.length; token++) out[token] = word(context, token);
		},
	});
}
