/**
 * Windows of a text and their hashes, in AssemblyScript, compiled to WebAssembly SIMD by `npm run build:kernel`.
 *
 * Arguments are byte addresses in the imported memory, and counts; nothing here allocates. Four windows are worked on side by
 * side, so up to three more than asked for are written behind the last one.
 *
 * @module
 */

/** Multipliers of the words of a window, first word first: 32 for the one hash, then those of the other. */
export const MULTIPLIERS: usize = 1024;
/** For each set of lanes, of 16: the bytes that a swizzle takes to bring their words to the front. */
export const PACKING: usize = 1280;
/** For each set of lanes: how many of them come before each lane. */
export const LANES_BEFORE: usize = 1536;
/** Where the host's data begin. */
export const DATA: usize = 2048;

/** The finalizer of MurmurHash3 (32 bits). */
function mixed(h: v128): v128 {
	let x = i32x4.mul(v128.xor(h, i32x4.shr_u(h, 16)), i32x4.splat(0x85ebca6b));
	x = i32x4.mul(v128.xor(x, i32x4.shr_u(x, 13)), i32x4.splat(0xc2b2ae35));
	return v128.xor(x, i32x4.shr_u(x, 16));
}

/**
 * The windows that begin at the ids `from` to `last`, inclusive.
 *
 * @param words of a window, at most 32
 * @param places takes where each begins
 * @param high takes the first half of each one's hash
 * @param low takes the second
 */
export function cut(
	ids: usize,
	from: i32,
	last: i32,
	words: i32,
	highSeed: i32,
	lowSeed: i32,
	places: usize,
	high: usize,
	low: usize,
): void {
	const firstSeed = i32x4.splat(highSeed);
	const secondSeed = i32x4.splat(lowSeed);
	let place = i32x4.add(i32x4.splat(from), i32x4(0, 1, 2, 3));
	const end = MULTIPLIERS + ((<usize>words) << 2);
	for (let i = from; i <= last; i += 4) {
		let at = ids + ((<usize>i) << 2);
		let first = i32x4.splat(0);
		let second = i32x4.splat(0);
		for (let k = MULTIPLIERS; k < end; k += 4) {
			const four = v128.load(at);
			first = i32x4.add(first, i32x4.mul(four, v128.load32_splat(k)));
			second = i32x4.add(second, i32x4.mul(four, v128.load32_splat(k, 128)));
			at += 4;
		}
		v128.store(places, place);
		v128.store(high, mixed(v128.xor(first, firstSeed)));
		v128.store(low, mixed(v128.xor(second, secondSeed)));
		place = i32x4.add(place, i32x4.splat(4));
		places += 16;
		high += 16;
		low += 16;
	}
}

/** The words of `count` windows, one window behind the other, to `out`. */
export function copyRows(ids: usize, places: usize, count: i32, words: i32, out: usize): void {
	const bytes = (<usize>words) << 2;
	for (const end = places + ((<usize>count) << 2); places < end; places += 4) {
		const from = ids + ((<usize>load<u32>(places)) << 2);
		// What is copied too much is written over by the next window.
		for (let k: usize = 0; k < bytes; k += 16) v128.store(out + k, v128.load(from + k));
		out += bytes;
	}
}

/** The words of some lanes, first ones first, and whatever behind them. @param lanes a bit each */
function packed(four: v128, lanes: i32): v128 {
	return v128.swizzle(four, v128.load(PACKING + ((<usize>lanes) << 4)));
}

/** Which of four lanes, from the i-th on, come before an end: a bit each. */
function within(i: i32, end: i32): i32 {
	return end - i < 4 ? (1 << (end - i)) - 1 : 15;
}

/** The windows whose first hash is not above a limit: their numbers to `out`; how many there are. */
export function below(high: usize, count: i32, limit: u32, out: usize): i32 {
	const most = i32x4.splat(limit);
	const first = out;
	let numbers = i32x4(0, 1, 2, 3);
	for (let i = 0; i < count; i += 4) {
		const some = i32x4.bitmask(i32x4.le_u(v128.load(high), most)) & within(i, count);
		v128.store(out, packed(numbers, some));
		out += (<usize>popcnt(some)) << 2;
		numbers = i32x4.add(numbers, i32x4.splat(4));
		high += 16;
	}
	return <i32>((out - first) >> 2);
}

/**
 * Chooses windows: those whose first hash has its uppermost bit 0, or all; the others are the rest.
 *
 * @param from number of the first window, `to` that behind the last
 * @param all 1: each is chosen; else 0
 * @param before takes how many are chosen before each
 * @param chosen takes the places of those that are
 * @param rest takes the places of those that are not
 * @param count how many are chosen already
 * @returns how many are chosen then
 */
export function choose(
	high: usize,
	places: usize,
	from: i32,
	to: i32,
	all: i32,
	before: usize,
	chosen: usize,
	rest: usize,
	count: i32,
): i32 {
	const every = all === 1 ? 15 : 0;
	for (let i = from; i < to; i += 4) {
		const at = (<usize>i) << 2;
		const four = v128.load(places + at);
		const some = (every | (i32x4.bitmask(v128.load(high + at)) ^ 15)) & within(i, to);
		const counts = v128.load(LANES_BEFORE + ((<usize>some) << 4));
		v128.store(before + at, i32x4.add(i32x4.splat(count), counts));
		v128.store(chosen + ((<usize>count) << 2), packed(four, some));
		v128.store(rest + at - ((<usize>count) << 2), packed(four, some ^ 15));
		count += popcnt(some);
	}
	return count;
}
