/**
 * The arithmetic of the transformer in AssemblyScript, compiled to WebAssembly SIMD by `npm run build:kernel`.
 *
 * Every argument that names data is a byte address in the imported memory; all numbers are f32. Nothing
 * here allocates. The order of additions within one output never depends on the number of rows, so a row's
 * result is the same to the bit whatever batch it is computed in.
 *
 * @module
 */

/** Columns that one panel of a packed matrix holds side by side. */
const PANEL: i32 = 16;

/** Positions that one block of the key cache holds side by side. */
const BLOCK: i32 = 8;

function madd(sum: v128, a: v128, b: v128): v128 {
	return f32x4.add(sum, f32x4.mul(a, b));
}

function sumOf(v: v128): f32 {
	return (
		f32x4.extract_lane(v, 0) +
		f32x4.extract_lane(v, 1) +
		(f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3))
	);
}

function maxOf(v: v128): f32 {
	return max(
		max(f32x4.extract_lane(v, 0), f32x4.extract_lane(v, 1)),
		max(f32x4.extract_lane(v, 2), f32x4.extract_lane(v, 3)),
	);
}

/** e^x in four lanes, to about 1e-7 of itself; below -87 it is about 1e-38. Cephes' `expf`. */
function exp4(value: v128): v128 {
	const x = f32x4.min(f32x4.max(value, f32x4.splat(-87)), f32x4.splat(88));
	const n = f32x4.nearest(f32x4.mul(x, f32x4.splat(Mathf.LOG2E)));
	let r = f32x4.sub(x, f32x4.mul(n, f32x4.splat(0.693359375)));
	r = f32x4.sub(r, f32x4.mul(n, f32x4.splat(-2.1219444e-4)));
	let p = f32x4.splat(1.98756915e-4);
	p = madd(f32x4.splat(1.3981999507e-3), p, r);
	p = madd(f32x4.splat(8.3334519073e-3), p, r);
	p = madd(f32x4.splat(4.1665795894e-2), p, r);
	p = madd(f32x4.splat(1.6666665459e-1), p, r);
	p = madd(f32x4.splat(5.0000001201e-1), p, r);
	p = madd(f32x4.add(r, f32x4.splat(1)), p, f32x4.mul(r, r));
	const power = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(127)), 23);
	return f32x4.mul(p, power);
}

/**
 * y = x·Wᵀ, or y += x·Wᵀ where `add` is 1. x is [rows, inner], y is [rows, columns], both row-major; w is
 * packed as [columns / 16, inner, 16]. `columns` is a multiple of 16.
 */
export function matmul(x: usize, w: usize, y: usize, rows: i32, inner: i32, columns: i32, add: i32): void {
	const xRow = (<usize>inner) << 2;
	const yRow = (<usize>columns) << 2;
	const panelBytes = (<usize>(inner * PANEL)) << 2;
	for (let column = 0; column < columns; column += PANEL) {
		let row = 0;
		let from = x;
		let to = y + ((<usize>column) << 2);
		for (; row + 1 < rows; row += 2) {
			twoRows(from, from + xRow, w, to, to + yRow, xRow, add);
			from += xRow << 1;
			to += yRow << 1;
		}
		if (row < rows) oneRow(from, w, to, xRow, add);
		w += panelBytes;
	}
}

/** Two rows by one panel: eight accumulators in registers. Unrolled by two, it is slower under V8. */
function twoRows(a: usize, b: usize, w: usize, ya: usize, yb: usize, bytes: usize, add: i32): void {
	let a0 = f32x4.splat(0);
	let a1 = f32x4.splat(0);
	let a2 = f32x4.splat(0);
	let a3 = f32x4.splat(0);
	let b0 = f32x4.splat(0);
	let b1 = f32x4.splat(0);
	let b2 = f32x4.splat(0);
	let b3 = f32x4.splat(0);
	const end = a + bytes;
	while (a < end) {
		const s = v128.load32_splat(a);
		const t = v128.load32_splat(b);
		let v = v128.load(w, 0);
		a0 = madd(a0, s, v);
		b0 = madd(b0, t, v);
		v = v128.load(w, 16);
		a1 = madd(a1, s, v);
		b1 = madd(b1, t, v);
		v = v128.load(w, 32);
		a2 = madd(a2, s, v);
		b2 = madd(b2, t, v);
		v = v128.load(w, 48);
		a3 = madd(a3, s, v);
		b3 = madd(b3, t, v);
		a += 4;
		b += 4;
		w += 64;
	}
	if (add) {
		a0 = f32x4.add(a0, v128.load(ya, 0));
		a1 = f32x4.add(a1, v128.load(ya, 16));
		a2 = f32x4.add(a2, v128.load(ya, 32));
		a3 = f32x4.add(a3, v128.load(ya, 48));
		b0 = f32x4.add(b0, v128.load(yb, 0));
		b1 = f32x4.add(b1, v128.load(yb, 16));
		b2 = f32x4.add(b2, v128.load(yb, 32));
		b3 = f32x4.add(b3, v128.load(yb, 48));
	}
	v128.store(ya, a0, 0);
	v128.store(ya, a1, 16);
	v128.store(ya, a2, 32);
	v128.store(ya, a3, 48);
	v128.store(yb, b0, 0);
	v128.store(yb, b1, 16);
	v128.store(yb, b2, 32);
	v128.store(yb, b3, 48);
}

/** One row by one panel, for an odd last row; adds in the same order as `twoRows`. */
function oneRow(a: usize, w: usize, y: usize, bytes: usize, add: i32): void {
	let a0 = f32x4.splat(0);
	let a1 = f32x4.splat(0);
	let a2 = f32x4.splat(0);
	let a3 = f32x4.splat(0);
	const end = a + bytes;
	while (a < end) {
		const s = v128.load32_splat(a);
		a0 = madd(a0, s, v128.load(w, 0));
		a1 = madd(a1, s, v128.load(w, 16));
		a2 = madd(a2, s, v128.load(w, 32));
		a3 = madd(a3, s, v128.load(w, 48));
		a += 4;
		w += 64;
	}
	if (add) {
		a0 = f32x4.add(a0, v128.load(y, 0));
		a1 = f32x4.add(a1, v128.load(y, 16));
		a2 = f32x4.add(a2, v128.load(y, 32));
		a3 = f32x4.add(a3, v128.load(y, 48));
	}
	v128.store(y, a0, 0);
	v128.store(y, a1, 16);
	v128.store(y, a2, 32);
	v128.store(y, a3, 48);
}

/** y = x / sqrt(mean(x²) + epsilon) · weight for each row. x, y: [rows, width]; `width` is a multiple of 4. */
export function norm(x: usize, weight: usize, y: usize, rows: i32, width: i32, epsilon: f32): void {
	const bytes = (<usize>width) << 2;
	for (let row = 0; row < rows; row++) {
		let squares = f32x4.splat(0);
		for (let i: usize = 0; i < bytes; i += 16) {
			const v = v128.load(x + i);
			squares = madd(squares, v, v);
		}
		const scale = f32x4.splat(1 / Mathf.sqrt(sumOf(squares) / <f32>width + epsilon));
		for (let i: usize = 0; i < bytes; i += 16) {
			v128.store(y + i, f32x4.mul(f32x4.mul(v128.load(x + i), scale), v128.load(weight + i)));
		}
		x += bytes;
		y += bytes;
	}
}

/** y = silu(gate)·up. x: [rows, 2, width], gate before up; y: [rows, width]; `width` is a multiple of 4. */
export function gate(x: usize, y: usize, rows: i32, width: i32): void {
	const bytes = (<usize>width) << 2;
	for (let row = 0; row < rows; row++) {
		for (let i: usize = 0; i < bytes; i += 16) {
			const g = v128.load(x + i);
			const sigmoidInverse = f32x4.add(f32x4.splat(1), exp4(f32x4.neg(g)));
			v128.store(y + i, f32x4.mul(f32x4.div(g, sigmoidInverse), v128.load(x + bytes + i)));
		}
		x += bytes << 1;
		y += bytes;
	}
}

/**
 * Attention of one new position over the cache, which it first extends by that position's keys and values.
 *
 * `qkv` is [rows, 3, heads, dim]; `y` is [rows, heads, dim]; `turn` is the position's cosines and sines,
 * [2, dim / 2]; `keys` is [rows, heads, capacity / 8, dim, 8]; `values` is [rows, heads, dim / 16, capacity,
 * 16]; `scores` is room for `capacity` numbers. `position` counts from 0; `dim` is a multiple of 16 and
 * `capacity` of 8.
 */
export function attend(
	qkv: usize,
	y: usize,
	turn: usize,
	keys: usize,
	values: usize,
	scores: usize,
	rows: i32,
	heads: i32,
	dim: i32,
	position: i32,
	capacity: i32,
): void {
	const headBytes = (<usize>dim) << 2;
	const rowBytes = <usize>heads * headBytes;
	const cacheBytes = <usize>capacity * headBytes;
	for (let row = 0; row < rows; row++) {
		for (let head = 0; head < heads; head++) {
			rotate(qkv, turn, headBytes);
			rotate(qkv + rowBytes, turn, headBytes);
			storeKey(qkv + rowBytes, keys, dim, position);
			storeValue(qkv + (rowBytes << 1), values, dim, position, capacity);
			score(qkv, keys, scores, dim, position);
			const total = softmax(scores, position + 1);
			mix(scores, 1 / total, values, y, dim, position, capacity);
			qkv += headBytes;
			y += headBytes;
			keys += cacheBytes;
			values += cacheBytes;
		}
		qkv += rowBytes << 1;
	}
}

/** Rotary position of one head, in place. */
function rotate(x: usize, turn: usize, headBytes: usize): void {
	const half = headBytes >> 1;
	for (let i: usize = 0; i < half; i += 16) {
		const a = v128.load(x + i);
		const b = v128.load(x + half + i);
		const cos = v128.load(turn + i);
		const sin = v128.load(turn + half + i);
		v128.store(x + i, f32x4.sub(f32x4.mul(a, cos), f32x4.mul(b, sin)));
		v128.store(x + half + i, f32x4.add(f32x4.mul(b, cos), f32x4.mul(a, sin)));
	}
}

function storeKey(key: usize, keys: usize, dim: i32, position: i32): void {
	let to = keys + ((<usize>((position / BLOCK) * dim * BLOCK + (position % BLOCK))) << 2);
	for (let d = 0; d < dim; d++) {
		store<f32>(to, load<f32>(key + ((<usize>d) << 2)));
		to += BLOCK << 2;
	}
}

function storeValue(value: usize, values: usize, dim: i32, position: i32, capacity: i32): void {
	let to = values + ((<usize>(position * PANEL)) << 2);
	for (let d = 0; d < dim; d += PANEL) {
		memory.copy(to, value + ((<usize>d) << 2), PANEL << 2);
		to += (<usize>(capacity * PANEL)) << 2;
	}
}

/** scores[t] = q·k[t] / sqrt(dim) for t ≤ position, and -∞ for the rest of the last block. */
function score(query: usize, keys: usize, scores: usize, dim: i32, position: i32): void {
	const scale = f32x4.splat(1 / Mathf.sqrt(<f32>dim));
	const queryEnd = query + ((<usize>dim) << 2);
	let to = scores;
	for (let t = 0; t <= position; t += BLOCK) {
		let low = f32x4.splat(0);
		let high = f32x4.splat(0);
		for (let q = query; q < queryEnd; q += 4) {
			const s = v128.load32_splat(q);
			low = madd(low, s, v128.load(keys, 0));
			high = madd(high, s, v128.load(keys, 16));
			keys += 32;
		}
		v128.store(to, f32x4.mul(low, scale), 0);
		v128.store(to, f32x4.mul(high, scale), 16);
		to += BLOCK << 2;
	}
	for (let past = scores + ((<usize>(position + 1)) << 2); past < to; past += 4) store<f32>(past, -Infinity);
}

/** Replaces scores by exp(score - max) and returns their sum. Reads whole blocks: the rest must be -∞. */
function softmax(scores: usize, count: i32): f32 {
	const end = scores + ((<usize>((count + BLOCK - 1) & -BLOCK)) << 2);
	let top = v128.load(scores);
	for (let p = scores; p < end; p += 16) top = f32x4.max(top, v128.load(p));
	const shift = f32x4.splat(maxOf(top));
	let total = f32x4.splat(0);
	for (let p = scores; p < end; p += 16) {
		const e = exp4(f32x4.sub(v128.load(p), shift));
		total = f32x4.add(total, e);
		v128.store(p, e);
	}
	return sumOf(total);
}

/** y = scale · Σ weights[t]·values[t] over t ≤ position. */
function mix(
	weights: usize,
	scale: f32,
	values: usize,
	y: usize,
	dim: i32,
	position: i32,
	capacity: i32,
): void {
	const end = weights + ((<usize>(position + 1)) << 2);
	const factor = f32x4.splat(scale);
	for (let d = 0; d < dim; d += PANEL) {
		let a = f32x4.splat(0);
		let b = f32x4.splat(0);
		let c = f32x4.splat(0);
		let e = f32x4.splat(0);
		let from = values;
		for (let p = weights; p < end; p += 4) {
			const s = v128.load32_splat(p);
			a = madd(a, s, v128.load(from, 0));
			b = madd(b, s, v128.load(from, 16));
			c = madd(c, s, v128.load(from, 32));
			e = madd(e, s, v128.load(from, 48));
			from += PANEL << 2;
		}
		v128.store(y, f32x4.mul(a, factor), 0);
		v128.store(y, f32x4.mul(b, factor), 16);
		v128.store(y, f32x4.mul(c, factor), 32);
		v128.store(y, f32x4.mul(e, factor), 48);
		y += PANEL << 2;
		values += (<usize>(capacity * PANEL)) << 2;
	}
}
