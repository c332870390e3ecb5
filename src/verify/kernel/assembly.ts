/**
 * One look-up in all codewords at once, in AssemblyScript, compiled to WebAssembly SIMD by `npm run build:kernel`.
 *
 * Sixteen symbols make a table of sixteen bytes, which is one register: a shuffle looks up sixteen accounts. Arguments are
 * byte addresses in the imported memory; nothing here allocates.
 *
 * @module
 */

/**
 * Sums along codewords.
 *
 * @param codebook columns of `stride` bytes, one byte an account: symbols of an even position (low four bits) and of the next
 * @param columns indices of the columns to go through, 32 bits each
 * @param tables for each of them 32 bytes: values of the symbols at the even position, then at the next; each at most 127
 * @param count how many columns
 * @param blocks of 16 accounts
 * @param out sums, 16 bits each
 */
export function codewordSums(
	codebook: usize,
	stride: usize,
	columns: usize,
	tables: usize,
	count: i32,
	blocks: i32,
	out: usize,
): void {
	const low = i8x16.splat(15);
	for (let block = 0; block < blocks; block++) {
		const from = codebook + ((<usize>block) << 4);
		let first = i16x8.splat(0);
		let second = i16x8.splat(0);
		for (let i: usize = 0; i < <usize>count; i++) {
			const both = v128.load(from + <usize>load<u32>(columns + (i << 2)) * stride);
			const table = tables + (i << 5);
			const values = i8x16.add(
				i8x16.swizzle(v128.load(table), v128.and(both, low)),
				i8x16.swizzle(v128.load(table + 16), i8x16.shr_u(both, 4)),
			);
			first = i16x8.add(first, i16x8.extend_low_i8x16_u(values));
			second = i16x8.add(second, i16x8.extend_high_i8x16_u(values));
		}
		v128.store(out, first);
		v128.store(out, second, 16);
		out += 32;
	}
}
