/**
 * A `Prf` whose work on vocabularies and on many pairs is done by the kernel.
 *
 * @module
 */
import { CHUNK, type Kernel, MOST_TOKENS } from './kernel.js';
import { MOST_NOISE } from './plain.js';
import type { FieldBits, Prf } from './prf.js';

/** How a PRF uses the kernel. */
export interface Generator {
	readonly id: 0 | 1;
	/** Writes to `params` what the kernel needs for the fields after a context. */
	enter(context: ArrayLike<number>, params: Uint32Array): void;
	/** Computes the fields of the first `count` pairs in the kernel's memory. */
	pairs(kernel: Kernel, count: number, width: number, bits: FieldBits): void;
}

/** Gives a plain `Prf` the kernel. Green lists are for generators that define fields of 1 and 8 bits. */
export function withKernel(plain: Prf, generator: Generator, kernel: Kernel): Prf {
	const { run, buffer, params, pairs: rows, results, chunk, guest } = kernel;

	function lower(bits: 1 | 8, most: number, amount: number, first: number, logits: number, count: number) {
		if (bits === 1) run.bias1(amount, first, logits, count);
		else run.bias8(most, amount, first, logits, count);
	}

	return {
		field: plain.field,
		fields(context, bits, out) {
			generator.enter(context, params);
			for (let first = 0; first < out.length; first += CHUNK) {
				const count = Math.min(CHUNK, out.length - first);
				run.fields(generator.id, bits, first, count);
				out.set(results.subarray(0, count), first);
			}
		},
		pairFields(pairs, width, bits, out) {
			const perRow = width + 1;
			const most = Math.floor(CHUNK / perRow);
			for (let first = 0; first < out.length; first += most) {
				const count = Math.min(most, out.length - first);
				rows.set(pairs.subarray(first * perRow, (first + count) * perRow));
				generator.pairs(kernel, count, width, bits);
				out.set(results.subarray(0, count), first);
			}
		},
		bias(context, bits, below, delta, logits) {
			const most = Math.min(Math.ceil(below), 2 ** bits) - 1;
			// A bit that is at most 1 says nothing.
			if (generator.id !== 0 || most < 0 || (bits === 1 && most > 0))
				return plain.bias(context, bits, below, delta, logits);
			generator.enter(context, params);
			const amount = -delta;
			if (logits.buffer === buffer) return lower(bits, most, amount, 0, logits.byteOffset, logits.length);
			for (let first = 0; first < logits.length; first += CHUNK) {
				const count = Math.min(CHUNK, logits.length - first);
				chunk.set(logits.subarray(first, first + count));
				lower(bits, most, amount, first, chunk.byteOffset, count);
				logits.set(chunk.subarray(0, count), first);
			}
		},
		contenders(context, logits, grid, tokens, words, turn = 0) {
			if (logits.length > MOST_TOKENS) return plain.contenders(context, logits, grid, tokens, words, turn);
			let at = logits.byteOffset;
			if (logits.buffer !== buffer) {
				guest.set(logits);
				at = guest.byteOffset;
			}
			generator.enter(context, params);
			const fill = grid === 'float24' ? 255 : 0;
			const count = run.contenders(generator.id, at, logits.length, MOST_NOISE[grid], fill, turn);
			if (count < 0) return plain.contenders(context, logits, grid, tokens, words, turn);
			tokens.set(kernel.tokens.subarray(0, count));
			words.set(kernel.words.subarray(0, count));
			return count;
		},
	};
}
