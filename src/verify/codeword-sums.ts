/**
 * The columns of a codebook, and coarse sums along all its codewords: by the WebAssembly kernel (`kernel/assembly.ts`) where
 * the host runs SIMD, else by its twin, to the same bits.
 *
 * @module
 */
import { startKernel } from '../wasm.js';
import { KERNEL } from './kernel.wasm.js';

/** The largest value of a table, so that two of them fit a byte. */
export const MOST_VALUE = 127;

/** Two symbols, of positions 2i and 2i + 1, share a byte of column i: the even position has the low four bits. */
export interface CodewordColumns {
	/** Column i, one byte an account. */
	column(i: number): Uint8Array;
	/**
	 * Sums along all codewords.
	 *
	 * @param columns indices
	 * @param tables for each column 32 values, 0 to {@link MOST_VALUE}: 16 of the even position, 16 of the next
	 * @returns one sum an account; valid until the next call
	 */
	sums(columns: readonly number[], tables: Uint8Array): Uint16Array;
}

interface Exports {
	codewordSums(
		codebook: number,
		stride: number,
		columns: number,
		tables: number,
		count: number,
		blocks: number,
		out: number,
	): void;
}

const PAGE = 65_536;

function kernelOn(memory: WebAssembly.Memory): Exports | undefined {
	try {
		return startKernel<Exports>(KERNEL, memory);
	} catch {
		return undefined;
	}
}

/** Empty columns. @param count columns */
export function newCodewordColumns(accounts: number, count: number): CodewordColumns {
	const blocks = Math.ceil(accounts / 16);
	const stride = blocks * 16;
	const tablesAt = 4 * count;
	const outAt = tablesAt + 32 * count;
	const codebookAt = outAt + 2 * stride;
	const bytes = codebookAt + stride * count;
	if (typeof WebAssembly === 'undefined') return plainColumns(accounts, count);
	const pages = Math.ceil(bytes / PAGE);
	const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
	const kernel = kernelOn(memory);
	if (kernel === undefined) return plainColumns(accounts, count);
	const { buffer } = memory;
	const out = new Uint16Array(buffer, outAt, accounts);
	return {
		column: (i) => new Uint8Array(buffer, codebookAt + i * stride, accounts),
		sums(columns, tables) {
			new Uint32Array(buffer, 0, columns.length).set(columns);
			new Uint8Array(buffer, tablesAt, tables.length).set(tables);
			kernel.codewordSums(codebookAt, stride, 0, tablesAt, columns.length, blocks, outAt);
			return out;
		},
	};
}

/** The twin in plain TypeScript. */
export function plainColumns(accounts: number, count: number): CodewordColumns {
	const all = Array.from({ length: count }, () => new Uint8Array(accounts));
	const out = new Uint16Array(accounts);
	return {
		column: (i) => all[i],
		sums(columns, tables) {
			out.fill(0);
			columns.forEach((index, i) => {
				const both = Uint8Array.from(
					{ length: 256 },
					(_, byte) => tables[32 * i + (byte & 15)] + tables[32 * i + 16 + (byte >> 4)],
				);
				const column = all[index];
				for (let account = 0; account < accounts; account++) out[account] += both[column[account]];
			});
			return out;
		},
	};
}
