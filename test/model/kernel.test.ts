/**
 * The WebAssembly kernel: that the committed bytes are those of the source, and its matrix product.
 *
 * @module
 */

import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { compileKernel } from '../../src/model/kernel/build.js';
import { newKernel, packMatrix } from '../../src/model/kernel.js';

/** Deterministic numbers in [-1, 1). */
function numbers(length: number, seed: number): Float32Array {
	let state = seed;
	return Float32Array.from({ length }, () => {
		state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
		return state / 2 ** 31 - 1;
	});
}

/** The plain twin: y + x·Wᵀ in double precision. */
function product(
	x: Float32Array,
	w: Float32Array,
	y: Float32Array,
	rows: number,
	inner: number,
	columns: number,
) {
	return y.map((start, i) => {
		let sum = start;
		const row = Math.floor(i / columns);
		for (let k = 0; k < inner; k++) sum += x[row * inner + k]! * w[(i % columns) * inner + k]!;
		return row < rows ? sum : 0;
	});
}

function kernelProduct(
	x: Float32Array,
	w: Float32Array,
	y: Float32Array,
	rows: number,
	inner: number,
	add: 0 | 1,
) {
	const columns = y.length / rows;
	const memory = new WebAssembly.Memory({ initial: 8, maximum: 8 });
	const wAt = x.byteLength;
	const yAt = wAt + w.byteLength;
	new Float32Array(memory.buffer, 0, x.length).set(x);
	new Float32Array(memory.buffer, wAt, w.length).set(packMatrix(w, columns, inner));
	const view = new Float32Array(memory.buffer, yAt, y.length);
	view.set(y);
	newKernel(memory).matmul(0, wAt, yAt, rows, inner, columns, add);
	return view.slice();
}

describe('kernel', () => {
	it('is compiled from the source beside it', async () => {
		const committed = await readFile(new URL('../../src/model/kernel.wasm.ts', import.meta.url), 'utf8');
		expect(committed === (await compileKernel()), 'stale: run `npm run build:kernel`').toBe(true);
	});

	it.each([
		[1, 4, 16],
		[2, 12, 32],
		[3, 128, 48],
		[8, 352, 128],
	])('multiplies %i rows by a matrix of inner size %i and %i columns', (rows, inner, columns) => {
		const x = numbers(rows * inner, 1);
		const w = numbers(columns * inner, 2);
		const y = numbers(rows * columns, 3);
		const zero = new Float32Array(y.length);
		for (const [add, start] of [[0, zero] as const, [1, y] as const]) {
			const expected = product(x, w, start, rows, inner, columns);
			const worst = kernelProduct(x, w, y, rows, inner, add).reduce(
				(most, value, i) => Math.max(most, Math.abs(value - expected[i]!)),
				0,
			);
			// Single precision: half an ulp of each of `inner` partial sums.
			expect(worst).toBeLessThan(inner * 2 ** -22);
		}
	});
});
