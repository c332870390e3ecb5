/**
 * In how many places of the corpus does a window occur? Four bits a cell, cells by the window's public hash, shared by all
 * threads. Windows that share a cell are counted together and a record that repeats a window counts each time, so a count
 * is never below the number of records: it can only lead to more windows being left out, and they are left out without
 * the key.
 *
 * @module
 */

/** Memory of a table, in MiB: powers of two between these, two cells a byte. */
export const COUNT_MEMORY = { least: 256, most: 1024 } as const;
/** Cells of so many MiB. */
export const cellsOf = (mebibytes: number): number => mebibytes * 2 ** 21;
/** Windows that occur in more places than this are not scored for a record (design rule 6, m). */
export const MOST_PLACES = 10;
/** Cells in one part of the table, which fits a processor's cache. */
const PART_BITS = 20;
/** Words of a line of a processor's cache. */
const LINE = 16;
/** A part is read from end to end beforehand where there is more than one window for so many lines of it. */
const DENSE = 2;

/** Cells of windows, part by part of a table. */
export interface OrderedCells {
	readonly cells: Uint32Array;
	/** Where in `cells` those of each part begin, and where the last ones end. */
	readonly bounds: Uint32Array;
}

/** A table of counts. */
export interface Counts {
	/** The memory of the table, which threads can share. */
	readonly memory: SharedArrayBuffer;
	/**
	 * Puts the cells of windows in the order of the table's parts: within one the table stays in the cache, which is most of
	 * the time otherwise. What it gives is valid until others are put in order.
	 */
	order(cells: Uint32Array): OrderedCells;
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

/** An empty table. @param cells a power of two */
export function countMemory(cells: number): SharedArrayBuffer {
	return new SharedArrayBuffer(cells / 2);
}

/** A table over memory that other threads may have too. */
export function newCounts(memory: SharedArrayBuffer): Counts {
	const table = new Uint8Array(memory);
	const cells = 2 * table.length;
	const parts = Math.max(1, cells >>> PART_BITS);
	let ordered = new Uint32Array(0);
	const words = new Uint32Array(memory);
	const countOf = (cell: number) => (table[cell >>> 1] >>> ((cell & 1) << 2)) & 15;
	/** What is read and not used, kept so that it is read at all. */
	let _read = 0;

	/** Reads a part in order, which memory is fast at, before so many windows of it are counted in no order at all. */
	function readAhead(part: number, windows: number): void {
		const length = Math.min(words.length, 2 ** (PART_BITS - 3));
		if (DENSE * LINE * windows < length) return;
		const from = part * length;
		for (let i = from; i < from + length; i += LINE) _read ^= words[i];
	}

	return {
		memory,
		order(added) {
			const bounds = new Uint32Array(parts + 1).fill(added.length, parts);
			for (let i = 0; i < added.length; i++) bounds[(added[i] & (cells - 1)) >>> PART_BITS]++;
			for (let part = 1; part < parts; part++) bounds[part] += bounds[part - 1];
			if (ordered.length < added.length) ordered = new Uint32Array(added.length);
			for (let i = added.length - 1; i >= 0; i--) {
				const cell = added[i] & (cells - 1);
				ordered[--bounds[cell >>> PART_BITS]] = cell;
			}
			return { cells: ordered, bounds };
		},
		add({ cells: added, bounds }) {
			for (let part = 0; part < parts; part++) {
				const end = bounds[part + 1];
				readAhead(part, end - bounds[part]);
				for (let i = bounds[part]; i < end; i++) {
					const cell = added[i];
					const shift = (cell & 1) << 2;
					const byte = table[cell >>> 1];
					if (((byte >>> shift) & 15) <= MOST_PLACES) table[cell >>> 1] = byte + (1 << shift);
				}
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
