import { readFileSync } from 'node:fs';
import { chacha8 as nobleChacha8 } from '@noble/ciphers/chacha.js';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chacha8 } from '../../src/prf/chacha8.js';
import type { FieldBits } from '../../src/prf/prf.js';

/** Computed by test/vectors/make_chacha8.py, which shares no code with the source. */
const vectors: {
	cases: {
		key: string;
		context: number[];
		keystream: string;
		samples: { bits: FieldBits; token: number; field: number }[];
	}[];
} = JSON.parse(readFileSync(new URL('../vectors/chacha8-v1.json', import.meta.url), 'utf8'));

const RUN = { seed: 20_261_124, numRuns: 150 };
const WIDTHS: readonly FieldBits[] = [1, 8, 32];

/** Keystream of @noble/ciphers: `blocks` blocks from `counter` on. */
function nobleStream(key: Uint8Array, nonce: readonly number[], counter: number, blocks: number): Uint8Array {
	const bytes = new Uint8Array(12);
	const view = new DataView(bytes.buffer);
	nonce.forEach((word, i) => {
		view.setUint32(4 * i, word, true);
	});
	return nobleChacha8(key, bytes, new Uint8Array(64 * blocks), undefined, counter);
}

/** HChaCha8 out of noble's block function: its output minus the initial state, words 0–3 and 12–15. */
function nobleHChaCha8(key: Uint8Array, ids: readonly number[]): Uint8Array {
	const initial = new DataView(new ArrayBuffer(64));
	[0x61707865, 0x3320646e, 0x79622d32, 0x6b206574].forEach((word, i) => {
		initial.setUint32(4 * i, word, true);
	});
	new Uint8Array(initial.buffer).set(key, 16);
	ids.forEach((id, i) => {
		initial.setUint32(48 + 4 * i, id, true);
	});
	const output = new DataView(nobleStream(key, ids.slice(1), ids[0], 1).buffer);
	const compressed = new DataView(new ArrayBuffer(32));
	[0, 1, 2, 3, 12, 13, 14, 15].forEach((word, i) => {
		compressed.setUint32(4 * i, output.getUint32(4 * word, true) - initial.getUint32(4 * word, true), true);
	});
	return new Uint8Array(compressed.buffer);
}

/** The field of token t by definition: w bits of the keystream at bit t·w, least significant first. */
function fieldOf(stream: Uint8Array, token: number, bits: FieldBits): number {
	let value = 0;
	for (let i = 0; i < bits; i++) {
		const bit = token * bits + i;
		value += ((stream[bit >> 3] >> (bit & 7)) & 1) * 2 ** i;
	}
	return value;
}

const key32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
const id = fc.oneof(fc.integer({ min: 0, max: 2 ** 27 - 1 }), fc.constant(0xffffffff));
/** noble does not take the very last counter, so the ids in that place are token ids. */
const firstOfFour = fc.integer({ min: 0, max: 2 ** 27 - 1 });

describe('published vector', () => {
	test('key 0, nonce 0: the first keystream block', () => {
		const words = new Uint32Array(16);
		chacha8(new Uint8Array(32)).fields([0, 0, 0], 32, words);
		expect(bytesToHex(new Uint8Array(words.buffer))).toBe(
			'3e00ef2f895f40d67f5bb8e81f09a5a12c840ec3ce9a7f3b181be188ef711a1e' +
				'984ce172b9216f419f445367456d5619314a42a3da86b001387bfdb80e0cfe42',
		);
	});
});

describe('our own vectors', () => {
	test.each(vectors.cases)('context $context', ({ key, context, keystream, samples }) => {
		const prf = chacha8(hexToBytes(key));
		const stream = hexToBytes(keystream);
		for (const bits of WIDTHS) {
			const fields = new Uint32Array((8 * stream.length) / bits);
			prf.fields(context, bits, fields);
			expect([...fields]).toEqual(Array.from(fields, (_, token) => fieldOf(stream, token, bits)));
		}
		for (const { bits, token, field } of samples) expect(prf.field(context, token, bits)).toBe(field);
	});
});

describe('against @noble/ciphers', () => {
	test('contexts of one to three ids are the nonce, at any counter', () => {
		fc.assert(
			fc.property(
				key32,
				fc.array(id, { minLength: 1, maxLength: 3 }),
				fc.integer({ min: 0, max: 2 ** 18 - 1 }),
				(key, context, counter) => {
					const prf = chacha8(key);
					const stream = nobleStream(key, context, counter, 1);
					for (const bits of WIDTHS) {
						const perBlock = 512 / bits;
						for (const i of [0, 1, perBlock - 1])
							expect(prf.field(context, counter * perBlock + i, bits)).toBe(fieldOf(stream, i, bits));
					}
				},
			),
			RUN,
		);
	});
	test('longer contexts are compressed by HChaCha8, four ids at a time', () => {
		fc.assert(
			fc.property(
				key32,
				fc.integer({ min: 4, max: 16 }),
				fc.array(fc.tuple(firstOfFour, id, id, id), { minLength: 4, maxLength: 4 }),
				(key, width, quads) => {
					const context = quads.flat().slice(0, width);
					let compressed: Uint8Array = key;
					let at = 0;
					for (; width - at > 3; at += 4) compressed = nobleHChaCha8(compressed, context.slice(at, at + 4));
					const stream = nobleStream(compressed, context.slice(at), 0, 2);
					const words = new Uint32Array(32);
					chacha8(key).fields(context, 32, words);
					expect(bytesToHex(new Uint8Array(words.buffer))).toBe(bytesToHex(stream));
				},
			),
			RUN,
		);
	});
});

describe('fields', () => {
	test('agree with field for every token, whatever the length', () => {
		fc.assert(
			fc.property(
				key32,
				fc.array(id, { minLength: 1, maxLength: 6 }),
				fc.integer({ min: 1, max: 700 }),
				fc.constantFrom(...WIDTHS),
				(key, context, size, bits) => {
					const prf = chacha8(key);
					const fields = new Uint32Array(size);
					prf.fields(context, bits, fields);
					for (let token = 0; token < size; token += 53)
						expect(fields[token]).toBe(prf.field(context, token, bits));
					expect(fields[size - 1]).toBe(prf.field(context, size - 1, bits));
				},
			),
			RUN,
		);
	});
	test('a bound key keeps no trace of earlier calls', () => {
		const key = Uint8Array.from({ length: 32 }, (_, i) => i);
		const used = chacha8(key);
		used.field([1, 2, 3, 4, 5, 6, 7, 8], 99, 8);
		used.fields([9], 1, new Uint32Array(1000));
		expect(used.field([9, 8], 1234, 32)).toBe(chacha8(key).field([9, 8], 1234, 32));
	});
	test('the order of ids matters', () => {
		const prf = chacha8(new Uint8Array(32).fill(1));
		expect(prf.field([1, 2, 3, 4], 0, 32)).not.toBe(prf.field([4, 3, 2, 1], 0, 32));
		expect(prf.field([1, 2], 0, 32)).not.toBe(prf.field([2, 1], 0, 32));
	});
});

test.each([0, 16, 31, 33])('a key of %i bytes is refused', (length) => {
	expect(() => chacha8(new Uint8Array(length))).toThrow(RangeError);
});
