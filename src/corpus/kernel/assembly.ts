/**
 * Lists of token ids straight from the bytes of JSON, in AssemblyScript, compiled to WebAssembly by `npm run build:kernel`.
 *
 * Eight bytes are one word: where its digits end is found, and their number computed, without a look at each.
 *
 * @module
 */

/** Bytes that are read, and how many there may be; the one behind the last must be no digit. */
export const BYTES: usize = 1024;
export const MOST: i32 = 1 << 21;
/** Ids that were found. */
export const IDS: usize = BYTES + MOST + 64;

/** A byte of 1 in each place; every other byte of a word. */
const ONES: u64 = ~(<u64>0) / 255;
const EVEN: u64 = ~(<u64>0) / 257;

/** What lies between two ids: a comma, or a comma and a space. */
const COMMA: u16 = 44;
const COMMA_SPACE: u16 = (32 << 8) | 44;
const OPEN: u8 = 91;
const CLOSE: u8 = 93;

/**
 * Reads a list of ids of at most seven digits, with one space behind each comma or behind none.
 *
 * @param start address of the list's first byte
 * @param end address behind its last
 * @param limit ids must be below it
 * @returns how many there are; -1 for anything else, which may be a list all the same
 */
export function scanList(start: usize, end: usize, limit: u32): i32 {
	if (end - start < 2 || load<u8>(start) !== OPEN) return -1;
	let at = start + 1;
	if (load<u8>(at) === CLOSE) return at + 1 === end ? 0 : -1;
	let out = IDS;
	// As behind the first comma, so behind all: where the next id begins depends on nothing that has to be read.
	let separator = COMMA;
	let bytes: usize = 1;
	let mask: u16 = 0xff;
	while (true) {
		const digits = load<u64>(at) ^ (0x30 * ONES);
		// The lowest byte above 9 has its high bit set, and none before it has.
		const others = ((digits + 0x76 * ONES) | digits) & (0x80 * ONES);
		const length = ctz(others) >> 3;
		if (length === 0 || length === 8 || (length > 1 && (digits & 255) === 0)) return -1;
		// Digits, then pairs of them, then fours are put together; what is shifted in counts as zeros before the number.
		let id = ((digits << (64 - (length << 3))) * 2561) >> 8;
		id = ((id & EVEN) * 6553601) >> 16;
		id = ((id & 0x0000ffff0000ffff) * 42949672960001) >> 32;
		if (id >= <u64>limit) return -1;
		store<u32>(out, <u32>id);
		out += 4;
		at += <usize>length;
		const next = load<u16>(at);
		if (out === IDS + 4 && next === COMMA_SPACE) {
			separator = COMMA_SPACE;
			bytes = 2;
			mask = 0xffff;
		}
		at += bytes;
		if ((next & mask) === separator) continue;
		return (next & 0xff) === CLOSE && at - bytes + 1 === end ? <i32>((out - IDS) >> 2) : -1;
	}
}
