/**
 * The codewords that a trace holds against every text, of accounts or of groups, and what a text's table gives each of them.
 *
 * @module
 */
import type { BoundCode } from '../marks/account-code.js';
import type { AccountTable } from './account-table.js';
import { MOST_VALUE, newCodewordColumns } from './codeword-sums.js';

/** Sums along all codewords, rounded: codeword i has about `base + unit · steps[i]`. */
export interface CoarseSums {
	readonly steps: Uint16Array;
	readonly base: number;
	readonly unit: number;
}

/** Codewords by number. */
export interface Codebook {
	/** Sums of a table's entries along all codewords, each entry rounded to one of 128 steps; valid until the next call. */
	coarseSums(table: AccountTable): CoarseSums;
	/** The sum along one codeword. */
	sum(table: AccountTable, index: number): number;
}

/** Keeps codewords. @param codeword of each number below `count` */
export function newCodebook(
	{ positions: length }: Pick<BoundCode, 'positions'>,
	count: number,
	codeword: (index: number) => Uint8Array,
): Codebook {
	const half = length / 2;
	const codewords = newCodewordColumns(count, half);
	const columns = Array.from({ length: half }, (_, i) => codewords.column(i));
	for (let index = 0; index < count; index++) {
		const word = codeword(index);
		for (let i = 0; i < half; i++) columns[i][index] = word[2 * i] | (word[2 * i + 1] << 4);
	}

	return {
		coarseSums({ symbols, positions, scores }) {
			const least = new Float64Array(positions.length);
			let unit = Number.MIN_VALUE;
			let base = 0;
			for (let row = 0; row < positions.length; row++) {
				const own = scores.subarray(row * symbols, (row + 1) * symbols);
				least[row] = Math.min(...own);
				base += least[row];
				unit = Math.max(unit, (Math.max(...own) - least[row]) / MOST_VALUE);
			}
			const used = [...new Set(positions.map((position) => position >> 1))];
			const tables = new Uint8Array(32 * used.length);
			let column = 0;
			for (let row = 0; row < positions.length; row++) {
				if (positions[row] >> 1 !== used[column]) column++;
				const to = 32 * column + 16 * (positions[row] & 1);
				for (let s = 0; s < symbols; s++)
					tables[to + s] = Math.round((scores[row * symbols + s] - least[row]) / unit);
			}
			return { steps: codewords.sums(used, tables), base, unit };
		},
		sum({ symbols, positions, scores }, index) {
			let sum = 0;
			for (let row = 0; row < positions.length; row++) {
				const position = positions[row];
				const symbol = (columns[position >> 1][index] >> ((position & 1) << 2)) & 15;
				sum += scores[row * symbols + symbol];
			}
			return sum;
		},
	};
}
