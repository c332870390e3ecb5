/**
 * Counting in a table that is far larger than a processor's cache, in AssemblyScript, compiled to WebAssembly by
 * `npm run build:kernel`, for memory that threads share.
 *
 * Arguments are byte addresses in the imported memory, and counts; nothing here allocates.
 *
 * @module
 */

/** Where the host's data begin. */
export const DATA: usize = 1024;
/** Bytes that memory gives at once. */
const LINE: usize = 64;

/**
 * Puts cells, what `mask` leaves of each word, in the order of their parts, the bits from `shift` on.
 *
 * @param bounds takes where each part begins in `out`, and where the last one ends: `parts` + 1 words
 */
export function order(
	cells: usize,
	count: i32,
	mask: u32,
	shift: u32,
	bounds: usize,
	parts: i32,
	out: usize,
): void {
	memory.fill(bounds, 0, (<usize>parts + 1) << 2);
	const end = cells + ((<usize>count) << 2);
	// While cells are put in place, the word behind a part's own says where its next one goes.
	const next = bounds + 4;
	for (let at = cells; at < end; at += 4) {
		const bound = next + ((<usize>((load<u32>(at) & mask) >>> shift)) << 2);
		store<u32>(bound, load<u32>(bound) + 1);
	}
	let begin: u32 = 0;
	for (let part = 0; part < parts; part++) {
		const bound = next + ((<usize>part) << 2);
		const size = load<u32>(bound);
		store<u32>(bound, begin);
		begin += size;
	}
	for (let at = cells; at < end; at += 4) {
		const cell = load<u32>(at) & mask;
		const bound = next + ((<usize>(cell >>> shift)) << 2);
		const to = load<u32>(bound);
		store<u32>(out + ((<usize>to) << 2), cell);
		store<u32>(bound, to + 1);
	}
}

/**
 * Counts cells of four bits, two a byte, up to `most` + 1.
 *
 * @param cells in the order of their parts, and where each part begins: `parts` + 1 words
 * @param bytes of a part
 * @param dense a part with so many cells is read from end to end beforehand, which memory is fast at
 * @returns something of what was read, so that it is read at all
 */
export function add(
	table: usize,
	cells: usize,
	bounds: usize,
	parts: i32,
	bytes: u32,
	dense: u32,
	most: u32,
): i32 {
	let read: i32 = 0;
	for (let part = 0; part < parts; part++) {
		const bound = bounds + ((<usize>part) << 2);
		const first = load<u32>(bound);
		const last = load<u32>(bound, 4);
		if (last - first >= dense) {
			const from = table + <usize>part * <usize>bytes;
			for (let line = from; line < from + <usize>bytes; line += LINE) read ^= load<i32>(line);
		}
		for (let at = first; at < last; at++) {
			const cell = load<u32>(cells + ((<usize>at) << 2));
			const place = table + <usize>(cell >>> 1);
			const shift = (cell & 1) << 2;
			const both = <u32>load<u8>(place);
			store<u8>(place, both + (select<u32>(1, 0, ((both >>> shift) & 15) <= most) << shift));
		}
	}
	return read;
}
