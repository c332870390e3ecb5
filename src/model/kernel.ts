/**
 * Access to the WebAssembly kernel (`kernel/assembly.ts`): one instance over one memory, and the layout
 * that it wants matrices in. Runs in Node and in browsers.
 *
 * @module
 */

import { startKernel } from '../wasm.js';
import { KERNEL } from './kernel.wasm.js';

/** Columns that a panel of a packed matrix holds side by side; every matrix has whole panels. */
export const PANEL = 16;

/** Columns of a packed matrix: as many as there are, filled up to whole panels. */
export function packedColumns(columns: number): number {
	return Math.ceil(columns / PANEL) * PANEL;
}

/** Positions that a block of the key cache holds side by side. */
export const BLOCK = 8;

/** What the kernel exports. Arguments are byte addresses and counts; shapes are in `kernel/assembly.ts`. */
export interface Kernel {
	/** y = x·Wᵀ, or y += x·Wᵀ where `add` is 1; w is packed by {@link packMatrix}. */
	matmul(x: number, w: number, y: number, rows: number, inner: number, columns: number, add: 0 | 1): void;
	/** Root-mean-square norm of each row, times a weight. */
	norm(x: number, weight: number, y: number, rows: number, width: number, epsilon: number): void;
	/** y = silu(gate)·up, for rows that hold the gate before the up projection. */
	gate(x: number, y: number, rows: number, width: number): void;
	/** Rotates, caches and attends over one new position of every row. */
	attend(
		qkv: number,
		y: number,
		turn: number,
		keys: number,
		values: number,
		scores: number,
		rows: number,
		heads: number,
		dim: number,
		position: number,
		capacity: number,
	): void;
}

/** A kernel that works on the given memory. */
export function newKernel(memory: WebAssembly.Memory): Kernel {
	return startKernel<Kernel>(KERNEL, memory);
}

/**
 * Rearranges a row-major matrix [columns, inner] (a linear layer's weight) into panels
 * [columns / 16, inner, 16], which the kernel reads from start to end; columns that fill the last panel are 0.
 */
export function packMatrix(matrix: Float32Array, columns: number, inner: number): Float32Array {
	const packed = new Float32Array(packedColumns(columns) * inner);
	for (let column = 0; column < columns; column++) {
		const panel = Math.floor(column / PANEL) * PANEL * inner + (column % PANEL);
		for (let k = 0; k < inner; k++) packed[panel + k * PANEL] = matrix[column * inner + k]!;
	}
	return packed;
}
