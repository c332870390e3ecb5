/**
 * A growing set of rows of unsigned 32-bit words, each kept once, in the order of arrival: an open-addressing
 * table of row numbers over one flat array. Rows are compared in full, so nothing is dropped by a collision.
 *
 * @module
 */

/** Distinct rows of equal length. */
export interface RowSet {
	/** Words in a row. */
	readonly words: number;
	/** Number of distinct rows. */
	readonly size: number;
	/** The rows one after another; valid until rows are added again. */
	readonly data: Uint32Array;
	/** Adds each window of `words` consecutive ids that `skip` does not exclude. */
	addWindows(ids: Uint32Array, skip?: (ids: Uint32Array, at: number) => boolean): void;
	/** Adds the row that begins at `at`; whether it is new. */
	addRow(ids: Uint32Array, at: number): boolean;
	/** Adds `count` rows that lie one after another, but for those of another set. */
	addRows(rows: Uint32Array, count: number, except?: RowSet): void;
	/** Whether the row that begins at `at` is in the set. */
	has(ids: Uint32Array, at: number): boolean;
	/** The number of the row that begins at `at`, in the order of arrival; −1 where the set has none such. */
	indexOf(ids: Uint32Array, at: number): number;
}

const FACTOR = 0x2c1b3c6d;

/** Lets all bits of a polynomial matter to the low ones. */
function spread(polynomial: number): number {
	const h = Math.imul(polynomial ^ (polynomial >>> 15), 0x297a2d39);
	return h ^ (h >>> 15);
}

/** An empty set. @param room for so many rows at once */
export function newRowSet(words: number, room = 0): RowSet {
	let data = new Uint32Array(0);
	let table = new Uint32Array(0);
	let size = 0;
	/** What the first word of a window is multiplied by. */
	let leading = 1;
	for (let i = 1; i < words; i++) leading = Math.imul(leading, FACTOR);

	/** A polynomial in the words of the row at `at`. */
	function polynomialAt(rows: Uint32Array, at: number): number {
		let h = 0;
		for (let i = at; i < at + words; i++) h = (Math.imul(h, FACTOR) + rows[i]) | 0;
		return h;
	}

	/** A hash of the row at `at`; it only spreads rows over the table. */
	function hashAt(rows: Uint32Array, at: number): number {
		return spread(polynomialAt(rows, at));
	}

	/** Makes room for `more` rows, so that the loops below need not look. */
	function reserve(more: number): void {
		const rows = size + more;
		if (rows * words > data.length) {
			const larger = new Uint32Array(Math.max(2 * data.length, rows * words));
			larger.set(data.subarray(0, size * words));
			data = larger;
		}
		if (2 * rows > table.length) {
			let capacity = Math.max(64, table.length);
			while (capacity < 2 * rows) capacity *= 2;
			table = new Uint32Array(capacity);
			for (let row = 0; row < size; row++) {
				let slot = hashAt(data, row * words) & (capacity - 1);
				while (table[slot] !== 0) slot = (slot + 1) & (capacity - 1);
				table[slot] = row + 1;
			}
		}
	}

	/** Adds rows at `from`, `from + step`, … below `end`. */
	function addAll(
		rows: Uint32Array,
		step: number,
		end: number,
		skip: ((ids: Uint32Array, at: number) => boolean) | undefined,
	): void {
		if (end <= 0) return;
		reserve(Math.ceil(end / step));
		const kept = data;
		const slots = table;
		const mask = slots.length - 1;
		let polynomial = polynomialAt(rows, 0);
		for (let at = 0; at < end; at += step) {
			// The next window's polynomial follows from this one's.
			if (at > 0)
				polynomial =
					step === 1
						? (Math.imul(polynomial - Math.imul(rows[at - 1], leading), FACTOR) + rows[at + words - 1]) | 0
						: polynomialAt(rows, at);
			if (skip?.(rows, at)) continue;
			let slot = spread(polynomial) & mask;
			let entry = slots[slot];
			while (entry !== 0) {
				const start = (entry - 1) * words;
				let i = 0;
				while (i < words && kept[start + i] === rows[at + i]) i++;
				if (i === words) break;
				slot = (slot + 1) & mask;
				entry = slots[slot];
			}
			if (entry !== 0) continue;
			const start = size * words;
			for (let i = 0; i < words; i++) kept[start + i] = rows[at + i];
			slots[slot] = ++size;
		}
	}

	/** Where in the table the row at `at` stands, or would. */
	function slotOf(ids: Uint32Array, at: number): number {
		const mask = table.length - 1;
		let slot = hashAt(ids, at) & mask;
		for (; table[slot] !== 0; slot = (slot + 1) & mask) {
			const start = (table[slot] - 1) * words;
			let i = 0;
			while (i < words && data[start + i] === ids[at + i]) i++;
			if (i === words) break;
		}
		return slot;
	}

	function addRow(ids: Uint32Array, at: number): boolean {
		reserve(1);
		const slot = slotOf(ids, at);
		if (table[slot] !== 0) return false;
		for (let i = 0; i < words; i++) data[size * words + i] = ids[at + i];
		table[slot] = ++size;
		return true;
	}

	const indexOf = (ids: Uint32Array, at: number): number => (size === 0 ? -1 : table[slotOf(ids, at)] - 1);

	const has = (ids: Uint32Array, at: number): boolean => indexOf(ids, at) >= 0;

	if (room > 0) reserve(room);
	return {
		words,
		get size() {
			return size;
		},
		get data() {
			return data;
		},
		addRow,
		addWindows: (ids, skip) => addAll(ids, 1, ids.length - words + 1, skip),
		addRows(rows, count, except) {
			const skip = except === undefined || except.size === 0 ? undefined : except.has;
			addAll(rows, words, count * words, skip);
		},
		has,
		indexOf,
	};
}
