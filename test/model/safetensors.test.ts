/**
 * The safetensors reader, on files built here.
 *
 * @module
 */

import { describe, expect, it } from 'vitest';
import { readSafetensors } from '../../src/model/safetensors.js';

function file(header: unknown, body: readonly number[] = []): Uint8Array {
	const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
	const bytes = new Uint8Array(8 + json.length + body.length);
	new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
	bytes.set(json, 8);
	bytes.set(body, 8 + json.length);
	return bytes;
}

function tensor(dtype: string, shape: readonly number[], ...data_offsets: number[]) {
	return { dtype, shape, data_offsets };
}

describe('readSafetensors', () => {
	it('reads F32, skips metadata and takes bytes at an odd address, of a Uint8Array or a Buffer', () => {
		const bytes = file(
			{ __metadata__: { format: 'pt' }, a: tensor('F32', [2], 1, 9) },
			[9, 0, 0, 128, 63, 0, 0, 0, 192],
		);
		for (const form of [bytes, Buffer.from(bytes)]) {
			expect(readSafetensors(form, 'x')).toEqual(
				new Map([['a', { shape: [2], data: Float32Array.of(1, -2) }]]),
			);
		}
	});

	it('widens every half exactly', () => {
		const halves: [number, number][] = [
			[0x0000, 0],
			[0x8000, -0],
			[0x0001, 2 ** -24],
			[0x03ff, 1023 * 2 ** -24],
			[0x0400, 2 ** -14],
			[0x3555, 0.333251953125],
			[0x3c00, 1],
			[0xc000, -2],
			[0x7bff, 65504],
			[0xfc00, Number.NEGATIVE_INFINITY],
			[0x7e00, Number.NaN],
		];
		const body = halves.flatMap(([bits]) => [bits & 255, bits >> 8]);
		const read = readSafetensors(file({ a: tensor('F16', [11], 0, 22) }, body), 'x').get('a')!;
		expect([...read.data]).toEqual(halves.map(([, value]) => value));
	});

	it.each([
		['empty', new Uint8Array(0), 'it has 0 bytes, fewer than the 8 of the header length'],
		[
			'cut in the header',
			file('{}').subarray(0, 9),
			'its header should have 2 bytes and the file has 1 after its length',
		],
		[
			'huge header length',
			new Uint8Array(8).fill(255),
			'its header should have 18446744073709552000 bytes and the file',
		],
		['not JSON', file('{'), 'its header is not JSON'],
		['not UTF-8', file('{}').fill(0xff, 8), 'its header is not JSON'],
		['an array', file([]), 'its header is not a JSON object'],
		[
			'no offsets',
			file({ a: { dtype: 'F32', shape: [1] } }),
			"the header's entry for a lacks a proper dtype, shape or",
		],
		['negative side', file({ a: tensor('F32', [-1], 0, 4) }), "the header's entry for a lacks a proper"],
		[
			'other type',
			file({ a: tensor('BF16', [1], 0, 2) }, [0, 0]),
			'a has type BF16, and only F16 and F32 can be read',
		],
		[
			'a type named like a method',
			file({ a: tensor('toString', [1], 0, 2) }, [0, 0]),
			'a has type toString, and only',
		],
		[
			'cut in the data',
			file({ a: tensor('F32', [1], 0, 4) }, [0]),
			'a ends at byte 4 of 1, so the file is cut short',
		],
		[
			'shape against bytes',
			file({ a: tensor('F16', [3], 0, 4) }, [0, 0, 0, 0]),
			'a has 4 bytes where its shape [3] needs 6',
		],
		[
			'backwards',
			file({ a: tensor('F16', [1], 4, 2) }, [0, 0, 0, 0]),
			'a has -2 bytes where its shape [1] needs 2',
		],
	])('says in one sentence what is wrong: %s', (_, bytes, what) => {
		const start = `m.safetensors is not a usable safetensors file: ${what}`;
		expect(() => readSafetensors(bytes, 'm.safetensors')).toThrow(
			expect.objectContaining({ code: 'bad-input', message: expect.stringContaining(start) }),
		);
		expect(() => readSafetensors(bytes, 'm.safetensors')).toThrow(/^[^\n]*\.$/);
	});
});
