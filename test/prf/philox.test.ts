import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { philox } from '../../src/prf/philox.js';

const RUN = { seed: 20_261_125, numRuns: 200 };
const MASK = 2n ** 32n - 1n;

/** An unsigned 64-bit key in the form that `philox` takes. */
function keyBytes(key: bigint): Uint8Array {
	const bytes = new Uint8Array(8);
	new DataView(bytes.buffer).setBigUint64(0, key);
	return bytes;
}

/** Philox4x32-10 in big integers, written from the paper. */
function philoxRounds(counter: readonly bigint[], k0: bigint, k1: bigint): bigint[] {
	let x = [...counter];
	for (let round = 0n; round < 10n; round++) {
		const a = 0xd2511f53n * x[0];
		const b = 0xcd9e8d57n * x[2];
		const key0 = (k0 + round * 0x9e3779b9n) & MASK;
		const key1 = (k1 + round * 0xbb67ae85n) & MASK;
		x = [(b >> 32n) ^ x[1] ^ key0, b & MASK, (a >> 32n) ^ x[3] ^ key1, a & MASK];
	}
	return x;
}

/** vLLM's `philox4x32-10-v1` in big integers, written from shared/interop.md §1. */
function reference(key: bigint, context: readonly number[], token: number): number {
	const k0 = key & MASK;
	const k1 = key >> 32n;
	let state = [0x574d4358n, BigInt(context.length), 0n, 0n];
	for (let offset = 0; offset < context.length; offset += 4)
		state = philoxRounds(
			state.map((word, i) => word ^ BigInt(context[offset + i] ?? 0xffffffff - i)),
			k0 ^ BigInt(offset),
			k1,
		);
	const counter = [BigInt(token >> 2), state[0], state[1], state[2]];
	return Number(philoxRounds(counter, k0 ^ state[3], k1 ^ 0x574d544bn)[token & 3]);
}

describe('published values', () => {
	test('the compatibility values of vLLM', () => {
		const prf = philox(keyBytes(42n));
		const high24 = (context: number[], token: number) => prf.field(context, token, 32) >>> 8;
		expect(high24([1, 2, 3, 4], 7)).toBe(1661833);
		expect(high24([1, 2, 3, 4], 8)).toBe(10571167);
		expect(high24([4, 5, 6, 7], 7)).toBe(9742331);
		expect(high24([4, 5, 6, 7], 8)).toBe(13375724);
	});
	test('the known answers of Random123 for the block function that the reference of this file uses', () => {
		const hex = (words: bigint[]) => words.map((word) => word.toString(16).padStart(8, '0')).join(' ');
		expect(hex(philoxRounds([0n, 0n, 0n, 0n], 0n, 0n))).toBe('6627e8d5 e169c58d bc57ac4c 9b00dbd8');
		expect(hex(philoxRounds([MASK, MASK, MASK, MASK], MASK, MASK))).toBe(
			'408f276d 41c83b0e a20bc7c6 6d5451fd',
		);
		expect(
			hex(philoxRounds([0x243f6a88n, 0x85a308d3n, 0x13198a2en, 0x03707344n], 0xa4093822n, 0x299f31d0n)),
		).toBe('d16cfe09 94fdcceb 5001e420 24126ea1');
	});
});

const id = fc.oneof(fc.integer({ min: 0, max: 2 ** 27 - 1 }), fc.constant(0xffffffff));

describe('against big-integer arithmetic', () => {
	test('every width from 1 to 16, 64-bit keys, padded contexts', () => {
		fc.assert(
			fc.property(
				fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
				fc.array(id, { minLength: 1, maxLength: 16 }),
				fc.integer({ min: 0, max: 2 ** 27 - 1 }),
				(key, context, token) => {
					expect(philox(keyBytes(key)).field(context, token, 32)).toBe(reference(key, context, token));
				},
			),
			RUN,
		);
	});
	test('positions before the text count as the id −1 in 32 bits', () => {
		const padded = [0xffffffff, 0xffffffff, 0xffffffff, 12];
		const prf = philox(keyBytes(2n ** 63n + 5n));
		expect(prf.field(padded, 3, 32)).toBe(reference(2n ** 63n + 5n, padded, 3));
		// A padded context is another one than the shorter context, even though absent words are filled too.
		expect(prf.field([12], 3, 32)).not.toBe(prf.field(padded, 3, 32));
	});
});

test('fields agrees with field, whatever the length', () => {
	fc.assert(
		fc.property(
			fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
			fc.array(id, { minLength: 1, maxLength: 6 }),
			fc.integer({ min: 1, max: 60 }),
			(key, context, size) => {
				const prf = philox(keyBytes(key));
				const fields = new Uint32Array(size);
				prf.fields(context, 32, fields);
				expect([...fields]).toEqual(Array.from(fields, (_, token) => prf.field(context, token, 32)));
			},
		),
		RUN,
	);
});

test.each([4, 7, 9, 32])('a key of %i bytes is refused', (length) => {
	expect(() => philox(new Uint8Array(length))).toThrow(RangeError);
});
