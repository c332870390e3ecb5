import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hmacSha256 } from '../../src/prf/hmac.js';

const RUN = { seed: 20_261_126, numRuns: 150 };

/** A 64-bit key in the form that `hmacSha256` takes: 32 bytes, little-endian. */
function keyBytes(key: bigint): Uint8Array {
	const bytes = new Uint8Array(32);
	new DataView(bytes.buffer).setBigUint64(0, key, true);
	return bytes;
}

/** `hmac-sha256-v1` with Node's own HMAC; −1 stands for positions before the text. */
function reference(key: Uint8Array, context: readonly number[], token: number): number {
	const header = Buffer.alloc(4);
	header.writeUInt32LE(context.length);
	const ids = Buffer.alloc(8 * (context.length + 1));
	[...context, token].forEach((id, i) => {
		ids.writeBigInt64LE(BigInt(id), 8 * i);
	});
	const hmac = createHmac('sha256', key);
	return hmac.update('vllm-watermark-hmac-sha256-v1\0').update(header).update(ids).digest().readUInt32LE(0);
}

test('the compatibility values of vLLM', () => {
	const prf = hmacSha256(keyBytes(42n));
	const high24 = (context: number[], token: number) => prf.field(context, token, 32) >>> 8;
	expect(high24([1, 2, 3, 4], 7)).toBe(6202050);
	expect(high24([1, 2, 3, 4], 8)).toBe(16483231);
	expect(high24([4, 5, 6, 7], 7)).toBe(11455363);
	expect(high24([4, 5, 6, 7], 8)).toBe(10557370);
});

test("agrees with Node's HMAC; positions before the text are −1 in 64 bits", () => {
	fc.assert(
		fc.property(
			fc.uint8Array({ minLength: 32, maxLength: 32 }),
			fc.array(fc.integer({ min: -1, max: 2 ** 27 - 1 }), { minLength: 1, maxLength: 16 }),
			fc.integer({ min: 0, max: 2 ** 27 - 1 }),
			(key, context, token) => {
				const unsigned = context.map((id) => id >>> 0);
				expect(hmacSha256(key).field(unsigned, token, 32)).toBe(reference(key, context, token));
			},
		),
		RUN,
	);
});

test('fields agrees with field', () => {
	const prf = hmacSha256(keyBytes(2n ** 64n - 1n));
	const fields = new Uint32Array(50);
	for (const context of [[0xffffffff, 3], [5], [1, 2, 3, 4, 5]]) {
		prf.fields(context, 32, fields);
		expect([...fields]).toEqual(Array.from(fields, (_, token) => prf.field(context, token, 32)));
	}
});

test.each([8, 31, 33, 64])('a key of %i bytes is refused', (length) => {
	expect(() => hmacSha256(new Uint8Array(length))).toThrow(RangeError);
});
