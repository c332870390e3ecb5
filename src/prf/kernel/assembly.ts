/**
 * Keyed randomness for whole vocabularies and for many pairs, in AssemblyScript, compiled to WebAssembly SIMD by
 * `npm run build:kernel`. The twin in plain TypeScript is `chacha8.ts`, `philox.ts`, `plain.ts` and `rows.ts`:
 * the same fields, sums and draws to the bit.
 *
 * Arguments that name data are byte addresses in the imported memory, whose places are the constants below.
 * Nothing here allocates. A SIMD step computes four blocks of the generator side by side, lane by lane.
 *
 * @module
 */

/** Generator of a call. */
const CHACHA: i32 = 0;

/** What a call is about: chacha8, the 16 words of its initial state; philox, counter words 1–3 and the key. */
export const PARAMS: usize = 1024;
/** Initial states of four blocks or pairs side by side: 16 vectors. */
const STATE: usize = 1280;
/** The same under keys that were derived from contexts. */
const DERIVED: usize = 1536;
/** What a permutation leaves. */
const BLOCKS: usize = 1792;
/** Randomness of one SIMD step in the order of tokens. */
const STREAM: usize = 2048;
/** Largest logit of each block of 64 tokens. */
const MAXIMA: usize = 4096;
/** Sums of weights of each block of 512 tokens, f64. */
const SUMS: usize = MAXIMA + (1 << 16);
/** Tokens that may win, and their words. */
export const TOKENS: usize = SUMS + (1 << 14);
export const WORDS: usize = TOKENS + (1 << 16);
/** Pairs on their way in; results, or logits of the host, on their way out. */
export const PAIRS: usize = WORDS + (1 << 16);
export const RESULTS: usize = PAIRS + (1 << 16) + 1024;
/** A row of logits of the host, and the row that the host may work in. */
export const GUEST: usize = RESULTS + (1 << 16) + 16384;
export const ROW: usize = GUEST + (1 << 22);

/** Room for tokens that may win. About a hundred are noted, whatever the logits: the words are random. */
const CAPACITY: i32 = 1 << 14;

function turn(x: v128, by: i32): v128 {
	return v128.or(i32x4.shl(x, by), i32x4.shr_u(x, 32 - by));
}

function turn16(x: v128): v128 {
	return v128.swizzle(x, i8x16(2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13));
}

function turn8(x: v128): v128 {
	return v128.swizzle(x, i8x16(3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14));
}

/** Eight rounds of ChaCha on four states; the initial states are added at the end where `feedForward` is 1. */
function permute(from: usize, to: usize, feedForward: i32): void {
	let a0 = v128.load(from, 0);
	let a1 = v128.load(from, 16);
	let a2 = v128.load(from, 32);
	let a3 = v128.load(from, 48);
	let b0 = v128.load(from, 64);
	let b1 = v128.load(from, 80);
	let b2 = v128.load(from, 96);
	let b3 = v128.load(from, 112);
	let c0 = v128.load(from, 128);
	let c1 = v128.load(from, 144);
	let c2 = v128.load(from, 160);
	let c3 = v128.load(from, 176);
	let d0 = v128.load(from, 192);
	let d1 = v128.load(from, 208);
	let d2 = v128.load(from, 224);
	let d3 = v128.load(from, 240);
	for (let round = 0; round < 8; round += 2) {
		// Columns.
		a0 = i32x4.add(a0, b0);
		d0 = turn16(v128.xor(d0, a0));
		c0 = i32x4.add(c0, d0);
		b0 = turn(v128.xor(b0, c0), 12);
		a0 = i32x4.add(a0, b0);
		d0 = turn8(v128.xor(d0, a0));
		c0 = i32x4.add(c0, d0);
		b0 = turn(v128.xor(b0, c0), 7);

		a1 = i32x4.add(a1, b1);
		d1 = turn16(v128.xor(d1, a1));
		c1 = i32x4.add(c1, d1);
		b1 = turn(v128.xor(b1, c1), 12);
		a1 = i32x4.add(a1, b1);
		d1 = turn8(v128.xor(d1, a1));
		c1 = i32x4.add(c1, d1);
		b1 = turn(v128.xor(b1, c1), 7);

		a2 = i32x4.add(a2, b2);
		d2 = turn16(v128.xor(d2, a2));
		c2 = i32x4.add(c2, d2);
		b2 = turn(v128.xor(b2, c2), 12);
		a2 = i32x4.add(a2, b2);
		d2 = turn8(v128.xor(d2, a2));
		c2 = i32x4.add(c2, d2);
		b2 = turn(v128.xor(b2, c2), 7);

		a3 = i32x4.add(a3, b3);
		d3 = turn16(v128.xor(d3, a3));
		c3 = i32x4.add(c3, d3);
		b3 = turn(v128.xor(b3, c3), 12);
		a3 = i32x4.add(a3, b3);
		d3 = turn8(v128.xor(d3, a3));
		c3 = i32x4.add(c3, d3);
		b3 = turn(v128.xor(b3, c3), 7);

		// Diagonals.
		a0 = i32x4.add(a0, b1);
		d3 = turn16(v128.xor(d3, a0));
		c2 = i32x4.add(c2, d3);
		b1 = turn(v128.xor(b1, c2), 12);
		a0 = i32x4.add(a0, b1);
		d3 = turn8(v128.xor(d3, a0));
		c2 = i32x4.add(c2, d3);
		b1 = turn(v128.xor(b1, c2), 7);

		a1 = i32x4.add(a1, b2);
		d0 = turn16(v128.xor(d0, a1));
		c3 = i32x4.add(c3, d0);
		b2 = turn(v128.xor(b2, c3), 12);
		a1 = i32x4.add(a1, b2);
		d0 = turn8(v128.xor(d0, a1));
		c3 = i32x4.add(c3, d0);
		b2 = turn(v128.xor(b2, c3), 7);

		a2 = i32x4.add(a2, b3);
		d1 = turn16(v128.xor(d1, a2));
		c0 = i32x4.add(c0, d1);
		b3 = turn(v128.xor(b3, c0), 12);
		a2 = i32x4.add(a2, b3);
		d1 = turn8(v128.xor(d1, a2));
		c0 = i32x4.add(c0, d1);
		b3 = turn(v128.xor(b3, c0), 7);

		a3 = i32x4.add(a3, b0);
		d2 = turn16(v128.xor(d2, a3));
		c1 = i32x4.add(c1, d2);
		b0 = turn(v128.xor(b0, c1), 12);
		a3 = i32x4.add(a3, b0);
		d2 = turn8(v128.xor(d2, a3));
		c1 = i32x4.add(c1, d2);
		b0 = turn(v128.xor(b0, c1), 7);
	}
	if (feedForward) {
		a0 = i32x4.add(a0, v128.load(from, 0));
		a1 = i32x4.add(a1, v128.load(from, 16));
		a2 = i32x4.add(a2, v128.load(from, 32));
		a3 = i32x4.add(a3, v128.load(from, 48));
		b0 = i32x4.add(b0, v128.load(from, 64));
		b1 = i32x4.add(b1, v128.load(from, 80));
		b2 = i32x4.add(b2, v128.load(from, 96));
		b3 = i32x4.add(b3, v128.load(from, 112));
		c0 = i32x4.add(c0, v128.load(from, 128));
		c1 = i32x4.add(c1, v128.load(from, 144));
		c2 = i32x4.add(c2, v128.load(from, 160));
		c3 = i32x4.add(c3, v128.load(from, 176));
		d0 = i32x4.add(d0, v128.load(from, 192));
		d1 = i32x4.add(d1, v128.load(from, 208));
		d2 = i32x4.add(d2, v128.load(from, 224));
		d3 = i32x4.add(d3, v128.load(from, 240));
	}
	v128.store(to, a0, 0);
	v128.store(to, a1, 16);
	v128.store(to, a2, 32);
	v128.store(to, a3, 48);
	v128.store(to, b0, 64);
	v128.store(to, b1, 80);
	v128.store(to, b2, 96);
	v128.store(to, b3, 112);
	v128.store(to, c0, 128);
	v128.store(to, c1, 144);
	v128.store(to, c2, 160);
	v128.store(to, c3, 176);
	v128.store(to, d0, 192);
	v128.store(to, d1, 208);
	v128.store(to, d2, 224);
	v128.store(to, d3, 240);
}

/** Copies whole vectors: `memory.copy` leaves WebAssembly, which takes longer than a few of them. */
function copy(to: usize, from: usize, bytes: usize): void {
	for (let i: usize = 0; i < bytes; i += 16) v128.store(to + i, v128.load(from + i));
}

/** The four by four words at four places, turned about: vector i gets word i of each place. */
function gather(to: usize, a: v128, b: v128, c: v128, d: v128): void {
	const ab = v128.shuffle<u32>(a, b, 0, 4, 1, 5);
	const cd = v128.shuffle<u32>(c, d, 0, 4, 1, 5);
	v128.store(to, v128.shuffle<u64>(ab, cd, 0, 2), 0);
	v128.store(to, v128.shuffle<u64>(ab, cd, 1, 3), 16);
	const ef = v128.shuffle<u32>(a, b, 2, 6, 3, 7);
	const gh = v128.shuffle<u32>(c, d, 2, 6, 3, 7);
	v128.store(to, v128.shuffle<u64>(ef, gh, 0, 2), 32);
	v128.store(to, v128.shuffle<u64>(ef, gh, 1, 3), 48);
}

/** Four words of each of four lanes, written where each lane's words belong, `stride` bytes apart. */
function scatter(to: usize, stride: usize, a: v128, b: v128, c: v128, d: v128): void {
	const ab = v128.shuffle<u32>(a, b, 0, 4, 1, 5);
	const cd = v128.shuffle<u32>(c, d, 0, 4, 1, 5);
	v128.store(to, v128.shuffle<u64>(ab, cd, 0, 2));
	v128.store(to + stride, v128.shuffle<u64>(ab, cd, 1, 3));
	const ef = v128.shuffle<u32>(a, b, 2, 6, 3, 7);
	const gh = v128.shuffle<u32>(c, d, 2, 6, 3, 7);
	v128.store(to + 2 * stride, v128.shuffle<u64>(ef, gh, 0, 2));
	v128.store(to + 3 * stride, v128.shuffle<u64>(ef, gh, 1, 3));
}

/** High halves of products of unsigned words. */
function mulHigh(a: v128, b: v128): v128 {
	return v128.shuffle<u32>(i64x2.extmul_low_i32x4_u(a, b), i64x2.extmul_high_i32x4_u(a, b), 1, 3, 5, 7);
}

/**
 * Ten rounds of Philox on eight counters at BLOCKS, four and then four, in place; the second key word is one for
 * all. Two steps side by side, because one alone waits for its own products.
 */
function philoxRounds(ka: v128, kb: v128, k1: v128): void {
	const m0 = i32x4.splat(0xd2511f53);
	const m1 = i32x4.splat(0xcd9e8d57);
	let a0 = v128.load(BLOCKS, 0);
	let a1 = v128.load(BLOCKS, 16);
	let a2 = v128.load(BLOCKS, 32);
	let a3 = v128.load(BLOCKS, 48);
	let b0 = v128.load(BLOCKS, 64);
	let b1 = v128.load(BLOCKS, 80);
	let b2 = v128.load(BLOCKS, 96);
	let b3 = v128.load(BLOCKS, 112);
	for (let round = 0; round < 10; round++) {
		let high = mulHigh(a2, m1);
		let low = i32x4.mul(a2, m1);
		a2 = v128.xor(mulHigh(a0, m0), v128.xor(a3, k1));
		a3 = i32x4.mul(a0, m0);
		a0 = v128.xor(high, v128.xor(a1, ka));
		a1 = low;
		high = mulHigh(b2, m1);
		low = i32x4.mul(b2, m1);
		b2 = v128.xor(mulHigh(b0, m0), v128.xor(b3, k1));
		b3 = i32x4.mul(b0, m0);
		b0 = v128.xor(high, v128.xor(b1, kb));
		b1 = low;
		ka = i32x4.add(ka, i32x4.splat(0x9e3779b9));
		kb = i32x4.add(kb, i32x4.splat(0x9e3779b9));
		k1 = i32x4.add(k1, i32x4.splat(0xbb67ae85));
	}
	v128.store(BLOCKS, a0, 0);
	v128.store(BLOCKS, a1, 16);
	v128.store(BLOCKS, a2, 32);
	v128.store(BLOCKS, a3, 48);
	v128.store(BLOCKS, b0, 64);
	v128.store(BLOCKS, b1, 80);
	v128.store(BLOCKS, b2, 96);
	v128.store(BLOCKS, b3, 112);
}

/** Copies the state at PARAMS into four lanes. */
function enter(): void {
	for (let word: usize = 0; word < 16; word++)
		v128.store(STATE + (word << 4), v128.load32_splat(PARAMS + (word << 2)));
}

/** 64 words of randomness from word 64·`step` on, in the order of tokens. */
function stream(generator: i32, step: i32, to: usize): void {
	if (generator === CHACHA) {
		v128.store(STATE + 192, i32x4.add(i32x4.splat(step << 2), i32x4(0, 1, 2, 3)));
		permute(STATE, BLOCKS, 1);
		for (let i: usize = 0; i < 4; i++) {
			const from = BLOCKS + (i << 6);
			scatter(
				to + (i << 4),
				64,
				v128.load(from, 0),
				v128.load(from, 16),
				v128.load(from, 32),
				v128.load(from, 48),
			);
		}
		return;
	}
	const k0 = v128.load32_splat(PARAMS, 16);
	const k1 = v128.load32_splat(PARAMS, 20);
	let block = step << 4;
	for (const end = to + 256; to < end; to += 128) {
		for (let at = BLOCKS; at < BLOCKS + 128; at += 64) {
			v128.store(at, i32x4.add(i32x4.splat(block), i32x4(0, 1, 2, 3)));
			v128.store(at, v128.load32_splat(PARAMS, 4), 16);
			v128.store(at, v128.load32_splat(PARAMS, 8), 32);
			v128.store(at, v128.load32_splat(PARAMS, 12), 48);
			block += 4;
		}
		philoxRounds(k0, k0, k1);
		for (let i: usize = 0; i < 128; i += 64) {
			const from = BLOCKS + i;
			scatter(to + i, 16, v128.load(from, 0), v128.load(from, 16), v128.load(from, 32), v128.load(from, 48));
		}
	}
}

/**
 * Fields of `count` tokens from `first` on, to RESULTS. `first` is a multiple of 2048 / bits; as many tokens
 * as fill the last step may be written.
 */
export function fields(generator: i32, bits: i32, first: i32, count: i32): void {
	enter();
	let step = (first * bits) >>> 11;
	let to = RESULTS;
	const end = RESULTS + ((<usize>count) << 2);
	while (to < end) {
		if (bits === 32) {
			stream(generator, step++, to);
			to += 256;
			continue;
		}
		stream(generator, step++, STREAM);
		for (let from = STREAM; from < STREAM + 256; from += 4) {
			if (bits === 8) {
				const bytes = v128.load32_zero(from);
				v128.store(to, i32x4.extend_low_i16x8_u(i16x8.extend_low_i8x16_u(bytes)));
				to += 16;
				continue;
			}
			let word = v128.load32_splat(from);
			for (let i = 0; i < 8; i++) {
				const bit = v128.and(word, i32x4(1, 2, 4, 8));
				v128.store(to, v128.and(i32x4.ne(bit, i32x4.splat(0)), i32x4.splat(1)));
				word = i32x4.shr_u(word, 4);
				to += 16;
			}
		}
	}
}

/** Takes `amount` off four logits where the mask says so: −0 stays −0 where it does not. */
function lower(at: usize, mask: v128, amount: v128): void {
	v128.store(at, f32x4.sub(v128.load(at), v128.and(mask, amount)));
}

/** Lowers, by `amount`, the logits of `count` tokens from `first` on whose byte is at most `most`. */
export function bias8(most: i32, amount: f32, first: i32, logits: usize, count: i32): void {
	enter();
	const limit = i8x16.splat(<i8>most);
	const by = f32x4.splat(amount);
	const end = logits + ((<usize>count) << 2);
	for (let step = first >>> 8; logits < end; step++) {
		stream(CHACHA, step, STREAM);
		let from = STREAM;
		const whole = min(logits + 1024, end - 60);
		for (; logits < whole; logits += 64) {
			const bytes = v128.load(from);
			const below = i8x16.le_u(bytes, limit);
			const low = v128.shuffle<u8>(below, below, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);
			const high = v128.shuffle<u8>(below, below, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13, 14, 14, 15, 15);
			lower(logits, v128.shuffle<u16>(low, low, 0, 0, 1, 1, 2, 2, 3, 3), by);
			lower(logits + 16, v128.shuffle<u16>(low, low, 4, 4, 5, 5, 6, 6, 7, 7), by);
			lower(logits + 32, v128.shuffle<u16>(high, high, 0, 0, 1, 1, 2, 2, 3, 3), by);
			lower(logits + 48, v128.shuffle<u16>(high, high, 4, 4, 5, 5, 6, 6, 7, 7), by);
			from += 16;
		}
		for (; from < STREAM + 256 && logits < end; logits += 4) {
			if (<i32>load<u8>(from++) <= most) store<f32>(logits, load<f32>(logits) - amount);
		}
	}
}

/** Lowers, by `amount`, the logits of `count` tokens from `first` on whose bit is 0. */
export function bias1(amount: f32, first: i32, logits: usize, count: i32): void {
	enter();
	const by = f32x4.splat(amount);
	const zero = i32x4.splat(0);
	const end = logits + ((<usize>count) << 2);
	for (let step = first >>> 11; logits < end; step++) {
		stream(CHACHA, step, STREAM);
		let from = STREAM;
		const whole = min(logits + 8192, end - 124);
		for (; logits < whole; logits += 128) {
			const word = v128.load32_splat(from);
			lower(logits, i32x4.eq(v128.and(word, i32x4(1, 2, 4, 8)), zero), by);
			lower(logits + 16, i32x4.eq(v128.and(word, i32x4(16, 32, 64, 128)), zero), by);
			lower(logits + 32, i32x4.eq(v128.and(word, i32x4(0x100, 0x200, 0x400, 0x800)), zero), by);
			lower(logits + 48, i32x4.eq(v128.and(word, i32x4(0x1000, 0x2000, 0x4000, 0x8000)), zero), by);
			const half = i32x4.shr_u(word, 16);
			lower(logits + 64, i32x4.eq(v128.and(half, i32x4(1, 2, 4, 8)), zero), by);
			lower(logits + 80, i32x4.eq(v128.and(half, i32x4(16, 32, 64, 128)), zero), by);
			lower(logits + 96, i32x4.eq(v128.and(half, i32x4(0x100, 0x200, 0x400, 0x800)), zero), by);
			lower(logits + 112, i32x4.eq(v128.and(half, i32x4(0x1000, 0x2000, 0x4000, 0x8000)), zero), by);
			from += 4;
		}
		for (let bit = 0; from < STREAM + 256 && logits < end; logits += 4) {
			if (!((load<u32>(from) >>> bit) & 1)) store<f32>(logits, load<f32>(logits) - amount);
			bit = (bit + 1) & 31;
			if (bit === 0) from += 4;
		}
	}
}

/** Bounds of noise g = −ln(−ln u): see `plain.ts`, where they are derived. */
const PATTERN_TO_NATS: f32 = <f32>(Math.LN2 / 8388608);
const UPPER: f32 = <f32>((127 + 31) * Math.LN2 + 0.001);
const LOWER: f32 = <f32>((127 + 32 - 0.0861) * Math.LN2 - 0.3267 - 0.001);
const LEAST_NOISE: f32 = -3.14;

function mostNoise(words: v128, fill: v128): v128 {
	const half = i32x4.shr_u(v128.or(v128.not(words), fill), 1);
	const pattern = f32x4.convert_i32x4_s(f32x4.convert_i32x4_s(half));
	return f32x4.sub(f32x4.splat(UPPER), f32x4.mul(pattern, f32x4.splat(PATTERN_TO_NATS)));
}

function leastNoise(word: u32, fill: u32): f32 {
	const complement = (~word | fill) + 1;
	if (complement - 1 >= 0x80000000) return LEAST_NOISE;
	return LOWER - <f32>reinterpret<i32>(<f32>complement) * PATTERN_TO_NATS;
}

/** What some token is sure to reach: logit less the largest, plus noise. */
let reached: f32 = 0;
/** Tokens noted that may reach it. */
let noted: i32 = 0;
/** What is added to each word, modulo 2^32. */
let around: u32 = 0;

/** Notes the tokens of a block of 64 that may reach what some token is sure to reach. */
function noteBlock(generator: i32, logits: usize, block: i32, count: i32, top: f32, fill: u32): void {
	stream(generator, block, STREAM);
	if (around !== 0) {
		const turns = i32x4.splat(around);
		for (let offset: usize = 0; offset < 256; offset += 16)
			v128.store(STREAM + offset, i32x4.add(v128.load(STREAM + offset), turns));
	}
	const first = block << 6;
	const size = min(64, count - first);
	const at = logits + ((<usize>first) << 2);
	const tops = f32x4.splat(top);
	const fills = i32x4.splat(fill);
	let bound = f32x4.splat(reached);
	const whole = size & -4;
	let i = 0;
	for (; i < whole; i += 4) {
		const offset = (<usize>i) << 2;
		const most = f32x4.add(
			f32x4.sub(v128.load(at + offset), tops),
			mostNoise(v128.load(STREAM + offset), fills),
		);
		if (v128.any_true(f32x4.ge(most, bound))) {
			note(at, i, 4, first, top, fill);
			bound = f32x4.splat(reached);
		}
	}
	if (i < size) note(at, i, size - i, first, top, fill);
}

/** Notes tokens one by one. */
function note(at: usize, from: i32, size: i32, first: i32, top: f32, fill: u32): void {
	for (let i = from; i < from + size; i++) {
		const offset = (<usize>i) << 2;
		const behind = load<f32>(at + offset) - top;
		const word = load<u32>(STREAM + offset);
		const most = f32x4.extract_lane(mostNoise(i32x4.splat(word), i32x4.splat(fill)), 0);
		if (behind + most < reached) continue;
		const to = (<usize>noted) << 2;
		store<i32>(TOKENS + to, first + i);
		store<u32>(WORDS + to, word);
		noted++;
		reached = max(reached, behind + leastNoise(word, fill));
	}
}

/** Drops noted tokens that cannot reach what is known now. */
function weed(logits: usize, top: f32, fill: u32): void {
	let kept: usize = 0;
	const end = (<usize>noted) << 2;
	for (let at: usize = 0; at < end; at += 4) {
		const token = load<i32>(TOKENS + at);
		const word = load<u32>(WORDS + at);
		const most = f32x4.extract_lane(mostNoise(i32x4.splat(word), i32x4.splat(fill)), 0);
		if (load<f32>(logits + ((<usize>token) << 2)) - top + most < reached) continue;
		store<i32>(TOKENS + kept, token);
		store<u32>(WORDS + kept, word);
		kept += 4;
	}
	noted = <i32>(kept >> 2);
}

function maxOf(v: v128): f32 {
	return max(
		max(f32x4.extract_lane(v, 0), f32x4.extract_lane(v, 1)),
		max(f32x4.extract_lane(v, 2), f32x4.extract_lane(v, 3)),
	);
}

/** Writes the largest logit of each block of 64 to MAXIMA; returns the largest of all. */
function findMaxima(logits: usize, count: i32): f32 {
	let top: f32 = -Infinity;
	const end = logits + ((<usize>count) << 2);
	for (let to = MAXIMA; logits < end; to += 4) {
		let most: f32 = -Infinity;
		if (logits + 256 <= end) {
			let a = v128.load(logits, 0);
			let b = v128.load(logits, 16);
			for (let i: usize = 32; i < 256; i += 32) {
				a = f32x4.pmax(a, v128.load(logits + i, 0));
				b = f32x4.pmax(b, v128.load(logits + i, 16));
			}
			most = maxOf(f32x4.pmax(a, b));
			logits += 256;
		} else {
			for (; logits < end; logits += 4) most = max(most, load<f32>(logits));
		}
		store<f32>(to, most);
		top = max(top, most);
	}
	return top;
}

/**
 * Tokens that may win argmax(logit + noise), to TOKENS and WORDS.
 *
 * @param most no noise is above
 * @param fill bits of a word that the grid ignores
 * @param added to each word, modulo 2^32
 * @returns their number; -1 when there is no room for them
 */
export function contenders(generator: i32, logits: usize, count: i32, most: f32, fill: u32, added: u32): i32 {
	enter();
	around = added;
	const top = findMaxima(logits, count);
	if (top === -Infinity) return 0;
	const blocks = (count + 63) >>> 6;
	let first = 0;
	while (first < blocks - 1 && load<f32>(MAXIMA + ((<usize>first) << 2)) !== top) first++;
	reached = LEAST_NOISE;
	noted = 0;
	noteBlock(generator, logits, first, count, top, fill);
	for (let block = 0; block < blocks; block++) {
		const behind = load<f32>(MAXIMA + ((<usize>block) << 2)) - top;
		if (behind + most < reached || block === first) continue;
		if (noted > CAPACITY - 64) return -1;
		noteBlock(generator, logits, block, count, top, fill);
	}
	weed(logits, top, fill);
	return noted;
}

/** Field of one pair out of the 32-bit word that holds it. */
function fieldOf(word: u32, token: u32, bits: i32): u32 {
	if (bits === 32) return word;
	if (bits === 8) return (word >>> ((token & 3) << 3)) & 0xff;
	return (word >>> (token & 31)) & 1;
}

/** Fields of the `count` pairs at PAIRS, rows of `width` + 1 words, to RESULTS; key at PARAMS. */
export function chachaPairs(count: i32, width: i32, bits: i32): void {
	enter();
	copy(DERIVED, STATE, 256);
	const row = (<usize>(width + 1)) << 2;
	const rest = width & 3;
	const end = PAIRS + <usize>count * row;
	const blockShift = bits === 32 ? 4 : bits === 8 ? 6 : 9;
	const wordShift = bits === 32 ? 0 : bits === 8 ? 2 : 5;
	let to = RESULTS;
	for (let from = PAIRS; from < end; from += row << 2) {
		let state = STATE;
		let at = from;
		for (let left = width; left > 3; left -= 4) {
			gather(
				state + 192,
				v128.load(at),
				v128.load(at + row),
				v128.load(at + 2 * row),
				v128.load(at + 3 * row),
			);
			permute(state, BLOCKS, 0);
			copy(DERIVED + 64, BLOCKS, 64);
			copy(DERIVED + 128, BLOCKS + 192, 64);
			state = DERIVED;
			at += 16;
		}
		gather(BLOCKS, v128.load(at), v128.load(at + row), v128.load(at + 2 * row), v128.load(at + 3 * row));
		const tokens = v128.load(BLOCKS + ((<usize>rest) << 4));
		const zero = i32x4.splat(0);
		v128.store(state + 192, i32x4.shr_u(tokens, blockShift), 0);
		v128.store(state + 192, rest > 0 ? v128.load(BLOCKS, 0) : zero, 16);
		v128.store(state + 192, rest > 1 ? v128.load(BLOCKS, 16) : zero, 32);
		v128.store(state + 192, rest > 2 ? v128.load(BLOCKS, 32) : zero, 48);
		permute(state, BLOCKS, 1);
		for (let lane: usize = 0; lane < 4; lane++) {
			const token = load<u32>(at + lane * row + ((<usize>rest) << 2));
			const word = load<u32>(BLOCKS + (((token >>> wordShift) & 15) << 4) + (lane << 2));
			store<u32>(to, fieldOf(word, token, bits));
			to += 4;
		}
	}
}

/** Word i of four contexts from word `offset` on; where the contexts are over, −1 − i. */
function contextWord(words: usize, i: i32, offset: i32, width: i32): v128 {
	return offset + i < width ? v128.load(words + ((<usize>i) << 4)) : i32x4.splat(-1 - i);
}

/** Fields of the `count` pairs at PAIRS, rows of `width` + 1 words, to RESULTS. */
export function philoxPairs(count: i32, width: i32, k0: u32, k1: u32): void {
	const row = (<usize>(width + 1)) << 2;
	const end = PAIRS + <usize>count * row;
	let to = RESULTS;
	for (let from = PAIRS; from < end; from += row << 3) {
		for (let at = STATE; at < STATE + 128; at += 64) {
			v128.store(at, i32x4.splat(0x574d4358), 0);
			v128.store(at, i32x4.splat(width), 16);
			v128.store(at, i32x4.splat(0), 32);
			v128.store(at, i32x4.splat(0), 48);
		}
		for (let offset = 0; offset < width; offset += 4) {
			let at = from + ((<usize>offset) << 2);
			for (let half: usize = 0; half < 128; half += 64) {
				const words = DERIVED + half;
				gather(words, v128.load(at), v128.load(at + row), v128.load(at + 2 * row), v128.load(at + 3 * row));
				for (let i = 0; i < 4; i++) {
					const word = half + ((<usize>i) << 4);
					v128.store(BLOCKS + word, v128.xor(v128.load(STATE + word), contextWord(words, i, offset, width)));
				}
				at += row << 2;
			}
			const key = i32x4.splat(k0 ^ offset);
			philoxRounds(key, key, i32x4.splat(k1));
			copy(STATE, BLOCKS, 128);
		}
		let at = from + ((<usize>width) << 2);
		for (let half: usize = 0; half < 128; half += 64) {
			const counters = i32x4(
				load<u32>(at),
				load<u32>(at + row),
				load<u32>(at + 2 * row),
				load<u32>(at + 3 * row),
			);
			v128.store(BLOCKS + half, i32x4.shr_u(counters, 2));
			copy(BLOCKS + half + 16, STATE + half, 48);
			at += row << 2;
		}
		const key = i32x4.splat(k0);
		philoxRounds(
			v128.xor(key, v128.load(STATE, 48)),
			v128.xor(key, v128.load(STATE, 112)),
			i32x4.splat(k1 ^ 0x574d544b),
		);
		at = from + ((<usize>width) << 2);
		for (let pair: usize = 0; pair < 8; pair++) {
			const place = BLOCKS + ((pair & 4) << 4) + ((pair & 3) << 2);
			store<u32>(to, load<u32>(place + ((load<u32>(at) & 3) << 4)));
			at += row;
			to += 4;
		}
	}
}

/** Scales a row in place. Returns 0; 1 when NaN or +∞ is found; 2 when there is nothing but -∞. */
export function scaleRow(row: usize, count: i32, scale: f32): i32 {
	const end = row + ((<usize>count) << 2);
	const factor = f32x4.splat(scale);
	let sane = i32x4.splat(-1);
	let some = i32x4.splat(0);
	for (; row + 16 <= end; row += 16) {
		const value = f32x4.mul(v128.load(row), factor);
		v128.store(row, value);
		sane = v128.and(sane, f32x4.lt(value, f32x4.splat(Infinity)));
		some = v128.or(some, f32x4.gt(value, f32x4.splat(-Infinity)));
	}
	let nan = !i32x4.all_true(sane);
	let any = v128.any_true(some);
	for (; row < end; row += 4) {
		const value = load<f32>(row) * scale;
		store<f32>(row, value);
		if (!(value < Infinity)) nan = true;
		if (value > -Infinity) any = true;
	}
	return nan ? 1 : any ? 0 : 2;
}

/** e^x for x from -87 to 0 in single precision, to about 1e-7 of itself, and 0 below. Cephes' `expf`. */
function weights(x: v128): v128 {
	const rounder = f32x4.splat(12582912);
	const n = f32x4.sub(f32x4.add(f32x4.mul(x, f32x4.splat(Mathf.LOG2E)), rounder), rounder);
	let r = f32x4.sub(x, f32x4.mul(n, f32x4.splat(0.693359375)));
	r = f32x4.sub(r, f32x4.mul(n, f32x4.splat(-2.1219444e-4)));
	let p = f32x4.splat(1.98756915e-4);
	p = f32x4.add(f32x4.splat(1.3981999507e-3), f32x4.mul(p, r));
	p = f32x4.add(f32x4.splat(8.3334519073e-3), f32x4.mul(p, r));
	p = f32x4.add(f32x4.splat(4.1665795894e-2), f32x4.mul(p, r));
	p = f32x4.add(f32x4.splat(1.6666665459e-1), f32x4.mul(p, r));
	p = f32x4.add(f32x4.splat(5.0000001201e-1), f32x4.mul(p, r));
	p = f32x4.add(f32x4.add(r, f32x4.splat(1)), f32x4.mul(p, f32x4.mul(r, r)));
	const power = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(127)), 23);
	return v128.and(f32x4.mul(p, power), f32x4.gt(x, f32x4.splat(-87)));
}

/** The last one to three logits of a row, and −∞. */
function tail(row: usize, end: usize): v128 {
	let v = f32x4.splat(-Infinity);
	v = f32x4.replace_lane(v, 0, load<f32>(row));
	if (row + 4 < end) v = f32x4.replace_lane(v, 1, load<f32>(row, 4));
	if (row + 8 < end) v = f32x4.replace_lane(v, 2, load<f32>(row, 8));
	return v;
}

/** Draws a token from softmax of a row: the twin of `plainSoftmaxDraw`, to the bit. -1 when all are -∞. */
export function softmaxDraw(row: usize, count: i32, uniform: f64): i32 {
	const top = f32x4.splat(findMaxima(row, count));
	const end = row + ((<usize>count) << 2);
	let total: f64 = 0;
	let sum = SUMS;
	for (let at = row; at < end; sum += 8) {
		let low = f64x2.splat(0);
		let high = f64x2.splat(0);
		const stop = min(at + 2048, end);
		for (; at + 16 <= stop; at += 16) {
			const w = weights(f32x4.sub(v128.load(at), top));
			low = f64x2.add(low, f64x2.promote_low_f32x4(w));
			high = f64x2.add(high, f64x2.promote_low_f32x4(v128.shuffle<u64>(w, w, 1, 1)));
		}
		if (at < stop) {
			const w = weights(f32x4.sub(tail(at, stop), top));
			low = f64x2.add(low, f64x2.promote_low_f32x4(w));
			high = f64x2.add(high, f64x2.promote_low_f32x4(v128.shuffle<u64>(w, w, 1, 1)));
			at = stop;
		}
		const block =
			f64x2.extract_lane(low, 0) +
			f64x2.extract_lane(low, 1) +
			(f64x2.extract_lane(high, 0) + f64x2.extract_lane(high, 1));
		store<f64>(sum, block);
		total += block;
	}
	const target = uniform * total;
	let reached: f64 = 0;
	let before: f64 = 0;
	let chosen: usize = 0;
	for (let at = SUMS; at < sum && !(reached > target); at += 8) {
		const block = load<f64>(at);
		if (block > 0) {
			chosen = at - SUMS;
			before = reached;
		}
		reached += block;
	}
	let last = -1;
	const start = (<i32>chosen) << 6;
	for (let i = start; i < min(start + 512, count); i++) {
		const x = f32x4.sub(v128.load32_splat(row + ((<usize>i) << 2)), top);
		const w = <f64>f32x4.extract_lane(weights(x), 0);
		if (w === 0) continue;
		last = i;
		before += w;
		if (before > target) break;
	}
	return last;
}

/** The coefficient 1/k of the series of {@link ln2}. */
function coefficient(k: f64): v128 {
	return f64x2.splat(1 / k);
}

/** ln of two positive normal doubles: `ln` of `schemes/fixed-log.ts`, the same operations in the same order. */
function ln2(x: v128): v128 {
	const exponents = i64x2.shr_u(x, 52);
	let e = f64x2.sub(
		f64x2.convert_low_i32x4_s(v128.shuffle<i32>(exponents, exponents, 0, 2, 0, 2)),
		f64x2.splat(1022),
	);
	let m = v128.or(v128.and(x, i64x2.splat(0x000fffffffffffff)), i64x2.splat(0x3fe0000000000000));
	const small = f64x2.lt(m, f64x2.splat(0.7071067811865476));
	m = v128.bitselect(f64x2.add(m, m), m, small);
	e = f64x2.sub(e, v128.and(small, f64x2.splat(1)));
	const one = f64x2.splat(1);
	const s = f64x2.div(f64x2.sub(m, one), f64x2.add(m, one));
	const z = f64x2.mul(s, s);
	let series = f64x2.add(f64x2.mul(coefficient(21), z), coefficient(19));
	series = f64x2.add(f64x2.mul(series, z), coefficient(17));
	series = f64x2.add(f64x2.mul(series, z), coefficient(15));
	series = f64x2.add(f64x2.mul(series, z), coefficient(13));
	series = f64x2.add(f64x2.mul(series, z), coefficient(11));
	series = f64x2.add(f64x2.mul(series, z), coefficient(9));
	series = f64x2.add(f64x2.mul(series, z), coefficient(7));
	series = f64x2.add(f64x2.mul(series, z), coefficient(5));
	series = f64x2.add(f64x2.mul(series, z), coefficient(3));
	const twice = f64x2.add(s, s);
	const rest = f64x2.add(twice, f64x2.mul(f64x2.mul(twice, z), series));
	return f64x2.add(
		f64x2.mul(e, f64x2.splat(0.6931471803691238)),
		f64x2.add(f64x2.mul(e, f64x2.splat(1.9082149292705877e-10)), rest),
	);
}

/** −ln(1 − u) of `count` words in RESULTS, in units of 2^-32, rounded down, as f64 to GUEST. Grid 0 is word32. */
export function logScores(count: i32, grid: i32): void {
	for (let i = 0; i < count; i += 2) {
		const words = v128.load64_zero(RESULTS + ((<usize>i) << 2));
		let complement: v128;
		if (grid === 0) {
			complement = f64x2.mul(
				f64x2.sub(f64x2.splat(4294967296), f64x2.convert_low_i32x4_u(words)),
				f64x2.splat(1 / 4294967296.0),
			);
		} else {
			const steps = f64x2.add(f64x2.convert_low_i32x4_u(i32x4.shr_u(words, 8)), f64x2.splat(1));
			const u = f32x4.demote_f64x2_zero(f64x2.div(steps, f64x2.splat(16777217)));
			complement = f64x2.sub(f64x2.splat(1), f64x2.promote_low_f32x4(u));
		}
		const units = f64x2.sub(
			f64x2.mul(f64x2.neg(ln2(complement)), f64x2.splat(4294967296)),
			f64x2.splat(1 / 1024.0),
		);
		v128.store(GUEST + ((<usize>i) << 3), f64x2.max(f64x2.splat(0), f64x2.floor(units)));
	}
}

/** Ids of a row's logits above −Infinity to TOKENS, ascending; how many, or −1 when there is no room for them. */
export function finite(row: usize, count: i32): i32 {
	const least = f32x4.splat(-Infinity);
	let found = 0;
	let i = 0;
	for (; i + 16 <= count; i += 16) {
		const at = row + ((<usize>i) << 2);
		const any = v128.or(
			v128.or(f32x4.gt(v128.load(at, 0), least), f32x4.gt(v128.load(at, 16), least)),
			v128.or(f32x4.gt(v128.load(at, 32), least), f32x4.gt(v128.load(at, 48), least)),
		);
		if (!v128.any_true(any)) continue;
		if (found + 16 > CAPACITY) return -1;
		for (let k = i; k < i + 16; k++) {
			if (load<f32>(row + ((<usize>k) << 2)) > -Infinity) {
				store<u32>(TOKENS + ((<usize>found) << 2), <u32>k);
				found++;
			}
		}
	}
	for (; i < count; i++) {
		if (found === CAPACITY) return -1;
		if (load<f32>(row + ((<usize>i) << 2)) > -Infinity) {
			store<u32>(TOKENS + ((<usize>found) << 2), <u32>i);
			found++;
		}
	}
	return found;
}

/** Words of a tournament's tokens: the second half of GUEST, whose first half holds the probabilities as f64. */
const LAYERS: usize = GUEST + (1 << 21);

/** All bits of the lanes whose words have the bit set. */
function lanes(at: usize, shift: i32): v128 {
	const bits = v128.and(i32x4.shr_u(v128.load64_zero(at), shift), i32x4.splat(1));
	return i64x2.neg(i64x2.extend_low_i32x4_u(bits));
}

/**
 * Layers 0 … depth − 1 of a tournament over `count` probabilities, in place; `count` is even. A layer's mass is summed
 * in two lanes, even and odd tokens.
 */
export function tournament(count: i32, depth: i32): void {
	let mass = f64x2.splat(0);
	for (let i = 0; i < count; i += 2) {
		const p = v128.load(GUEST + ((<usize>i) << 3));
		mass = f64x2.add(mass, v128.and(p, lanes(LAYERS + ((<usize>i) << 2), 0)));
	}
	for (let layer = 0; layer < depth; layer++) {
		const total = f64x2.extract_lane(mass, 0) + f64x2.extract_lane(mass, 1);
		const lost = f64x2.splat(1 - total);
		const won = f64x2.splat(2 - total);
		mass = f64x2.splat(0);
		for (let i = 0; i < count; i += 2) {
			const at = GUEST + ((<usize>i) << 3);
			const words = LAYERS + ((<usize>i) << 2);
			const p = f64x2.mul(v128.load(at), v128.bitselect(won, lost, lanes(words, layer)));
			v128.store(at, p);
			mass = f64x2.add(mass, v128.and(p, lanes(words, layer + 1)));
		}
	}
}

/** Multiplier of the 64-bit generator of `lcg64.ts`. */
const LCG: u64 = ((<u64>0x5851f42d) << 32) | <u64>0x4c957f2d;

/**
 * Layer bits of google-deepmind/synthid-text for `count` windows of `stride` ids in PAIRS, to RESULTS, ⌈depth / 32⌉ words
 * each. The keys of the layers are u64 in GUEST.
 */
export function deepmindBits(count: i32, stride: i32, depth: i32, beginHigh: u32, beginLow: u32): void {
	const begin = ((<u64>beginHigh) << 32) | <u64>beginLow;
	let ids = PAIRS;
	let to = RESULTS;
	for (let i = 0; i < count; i++) {
		let ngram = begin;
		for (let k = 0; k < stride; k++) {
			ngram = (ngram + <u64>load<u32>(ids)) * LCG + 1;
			ids += 4;
		}
		let word: u32 = 0;
		for (let d = 0; d < depth; d++) {
			let hash: i64 = <i64>((ngram + load<u64>(GUEST + ((<usize>d) << 3))) * LCG + 1);
			for (let step = 0; step < 12; step++) hash = <i64>(<u64>(hash + 1) * LCG + 1) >> 5;
			word |= (<u32>(hash >> 30) & 1) << (d & 31);
			if ((d & 31) === 31 || d === depth - 1) {
				store<u32>(to, word);
				to += 4;
				word = 0;
			}
		}
	}
}

/** e^(x − top) of `count` logits in RESULTS, in place: the weights of {@link softmaxDraw}. */
export function relativeWeights(count: i32, top: f32): void {
	const most = f32x4.splat(top);
	const end = RESULTS + ((<usize>count) << 2);
	for (let at = RESULTS; at < end; at += 16) v128.store(at, weights(f32x4.sub(v128.load(at), most)));
}
