/**
 * In how many places of the corpus does a window occur? Four bits a cell, cells by the window's public hash, shared by all
 * threads. Windows that share a cell are counted together and a record that repeats a window counts each time, so a count
 * is never below the number of records: it can only lead to more windows being left out, and they are left out without
 * the key.
 *
 * @module
 */
import { kernelMemory, startKernel } from '../../wasm.js';
import { KERNEL } from './kernel.wasm.js';

/** Memory of a table, in MiB: powers of two between these, two cells a byte. */
export const COUNT_MEMORY = { least: 256, most: 1024 } as const;
/** Cells of so many MiB. */
export const cellsOf = (mebibytes: number): number => mebibytes * 2 ** 21;
/** Windows that occur in more places than this are not scored for a record (design rule 6, m). */
export const MOST_PLACES = 10;
/** Cells in one part of the table, which fits a processor's cache: 2 to this power. */
export const PART_BITS = 20;
/** Parts of a table. @param cells a power of two */
export const partsOf = (cells: number): number => Math.max(1, cells >>> PART_BITS);
/** Bytes of a part: two cells a byte. */
const PART_BYTES = 2 ** (PART_BITS - 1);
/** Cells of a part from which on it is read from end to end beforehand: one for every other line of a processor's cache. */
const DENSE = PART_BYTES / 128;
/** Cells that are brought into the table's memory at once. */
const PIECE = 2 ** 20;

/** Cells of windows, part by part of a table. */
export interface OrderedCells {
	readonly cells: Uint32Array;
	/** Where in `cells` those of each part begin, and where the last ones end. */
	readonly bounds: Uint32Array;
}

/** A table of counts. */
export interface Counts {
	/** Two cells a byte. */
	readonly table: Uint8Array;
	/** Counts cells. Not to be called by two threads at the same time. */
	add(ordered: OrderedCells): void;
	/** Counts a cell as if it had come so many times more. */
	raise(cell: number, by: number): void;
	/** What a cell has come to; {@link MOST_PLACES} + 1 where that is more. */
	of(cell: number): number;
	/** Whether a window of this hash occurs in more than {@link MOST_PLACES} places, as far as is known. */
	isCommon(low: number): boolean;
	/**
	 * Share of cells that are full, from 0 to 1, as a sample of them says: so many windows that are not common at all are
	 * left out with those that are.
	 */
	crowding(): number;
}

/** Bytes of the table that are looked at to tell how crowded it is. */
const LOOKED_AT = 2 ** 16;

/**
 * The cell of a window.
 *
 * @param low second half of its hash
 * @param cells a power of two
 */
export function cellOf(low: number, cells: number): number {
	return low & (cells - 1);
}

/** What the kernel (`kernel/assembly.ts`) exports of it. Arguments are byte addresses and counts. */
interface Exports {
	readonly DATA: WebAssembly.Global<'i32'>;
	add(
		table: number,
		cells: number,
		bounds: number,
		parts: number,
		bytes: number,
		dense: number,
		most: number,
	): number;
}

/** An empty table, and room for cells that are counted, in memory that threads can share. @param cells a power of two */
export function countMemory(cells: number): WebAssembly.Memory {
	return kernelMemory(cells / 2 + 4 * (partsOf(cells) + 1 + PIECE), true);
}

/** A table over memory that other threads may have too. */
export function newCounts(memory: WebAssembly.Memory, cells: number): Counts {
	const parts = partsOf(cells);
	const run = startKernel<Exports>(KERNEL, memory);
	const table = new Uint8Array(memory.buffer, run.DATA.value, cells / 2);
	const bounds = new Uint32Array(memory.buffer, table.byteOffset + table.length, parts + 1);
	const added = new Uint32Array(memory.buffer, bounds.byteOffset + bounds.byteLength, PIECE);
	const countOf = (cell: number) => (table[cell >>> 1] >>> ((cell & 1) << 2)) & 15;

	return {
		table,
		add(ordered) {
			for (let from = 0; from < ordered.cells.length; from += PIECE) {
				const piece = ordered.cells.subarray(from, from + PIECE);
				added.set(piece);
				for (let part = 0; part <= parts; part++)
					bounds[part] = Math.min(piece.length, Math.max(0, ordered.bounds[part] - from));
				run.add(table.byteOffset, added.byteOffset, bounds.byteOffset, parts, PART_BYTES, DENSE, MOST_PLACES);
			}
		},
		raise(cell, by) {
			const before = countOf(cell);
			table[cell >>> 1] += (Math.min(before + by, MOST_PLACES + 1) - before) << ((cell & 1) << 2);
		},
		of: countOf,
		isCommon: (low) => countOf(cellOf(low, cells)) > MOST_PLACES,
		crowding() {
			const looked = Math.min(LOOKED_AT, table.length);
			const step = table.length / looked;
			let full = 0;
			for (let i = 0; i < looked; i++) {
				const byte = table[i * step];
				if ((byte & 15) > MOST_PLACES) full++;
				if (byte >>> 4 > MOST_PLACES) full++;
			}
			return full / (2 * looked);
		},
	};
}
