/**
 * Cells of windows on their way into a table of counts, put in the order of its parts: within one the table stays in the
 * processor's cache, which is most of the time otherwise.
 *
 * @module
 */
import { kernelMemory, startKernel } from '../../wasm.js';
import { type OrderedCells, PART_BITS, partsOf } from './counts.js';
import { KERNEL } from './kernel.wasm.js';

/** Cells that wait. */
export interface WaitingCells {
	/** How many more have room. */
	readonly room: number;
	/** Adds cells of windows. @param low second halves of their hashes, as many as have room at most */
	add(low: Uint32Array): void;
	/** All that wait, in order; none waits after. What it gives is valid until others are taken. */
	take(): OrderedCells;
}

/** What the kernel (`kernel/assembly.ts`) exports of it. Arguments are byte addresses and counts. */
interface Exports {
	readonly DATA: WebAssembly.Global<'i32'>;
	order(
		cells: number,
		count: number,
		mask: number,
		shift: number,
		bounds: number,
		parts: number,
		out: number,
	): void;
}

/**
 * @param cells of the table, a power of two
 * @param most cells that wait
 */
export function newWaitingCells(cells: number, most: number): WaitingCells {
	const parts = partsOf(cells);
	// Nobody shares it, but the kernel is compiled for memory that can be.
	const memory = kernelMemory(4 * (parts + 1 + 2 * most), true);
	const run = startKernel<Exports>(KERNEL, memory);
	const bounds = new Uint32Array(memory.buffer, run.DATA.value, parts + 1);
	const waiting = new Uint32Array(memory.buffer, bounds.byteOffset + bounds.byteLength, most);
	const ordered = new Uint32Array(memory.buffer, waiting.byteOffset + waiting.byteLength, most);
	let count = 0;

	return {
		get room() {
			return most - count;
		},
		add(low) {
			waiting.set(low, count);
			count += low.length;
		},
		take() {
			run.order(
				waiting.byteOffset,
				count,
				cells - 1,
				PART_BITS,
				bounds.byteOffset,
				parts,
				ordered.byteOffset,
			);
			const taken = ordered.subarray(0, count);
			count = 0;
			return { cells: taken, bounds };
		},
	};
}
