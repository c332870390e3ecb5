/**
 * The cells that decide about candidates: those of the windows that they are judged by. On a cluster only these are counted,
 * in a second pass over the same records, so that what is sent around is small.
 *
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { cellOf } from './counting/counts.js';
import { type BoundGroup, windowSeed } from './plan.js';
import type { Candidate } from './shard-scan.js';
import { newWindowCutter } from './windows.js';

/** A set of cells: an eighth of a byte for each that there can be. */
export interface WantedCells {
	/** Adds those of a candidate. */
	add(candidate: Pick<Candidate, 'group' | 'tokens'>): void;
	has(cell: number): boolean;
	/** All of them, ascending. */
	all(): Generator<number>;
	/** SHA-256 of all of them, hexadecimal. */
	digest(): string;
}

/** Cells that lie in one page of memory. */
const STRETCH = 2 ** 15;
/** Cells that are hashed at once. */
const HASHED = 2 ** 14;

/** @param groups what is looked for @param cells of the table, a power of two */
export function newWantedCells(groups: readonly BoundGroup[], cells: number): WantedCells {
	const bits = new Uint32Array(cells / 32);
	/** Which stretches of it have a cell, so that the others are never looked at. */
	const used = new Uint8Array(cells / STRETCH);
	const cutters = groups.map(({ number, shapes, judges }) =>
		shapes.flatMap((shape, i) =>
			judges.some((judge) => judge.shape === i) ? [newWindowCutter(shape, windowSeed(number, i))] : [],
		),
	);

	function* all(): Generator<number> {
		for (let stretch = 0; stretch < used.length; stretch++) {
			if (used[stretch] === 0) continue;
			const end = ((stretch + 1) * STRETCH) / 32;
			for (let word = end - STRETCH / 32; word < end; word++)
				for (let rest = bits[word]; rest !== 0; rest &= rest - 1)
					yield 32 * word + 31 - Math.clz32(rest & -rest);
		}
	}

	return {
		add({ group, tokens }) {
			const ids = Uint32Array.from(tokens);
			for (const cutter of cutters[group]) {
				cutter.fill(ids, [ids.length]);
				const { size, low } = cutter.windows;
				for (let i = 0; i < size; i++) {
					const cell = cellOf(low[i], cells);
					bits[cell >>> 5] |= 1 << (cell & 31);
					used[Math.floor(cell / STRETCH)] = 1;
				}
			}
		},
		has: (cell) => ((bits[cell >>> 5] >>> (cell & 31)) & 1) === 1,
		all,
		digest() {
			const hash = sha256.create();
			const bytes = Buffer.alloc(4 * HASHED);
			let held = 0;
			for (const cell of all()) {
				bytes.writeUInt32LE(cell, 4 * held++);
				if (held < HASHED) continue;
				hash.update(bytes);
				held = 0;
			}
			return bytesToHex(hash.update(bytes.subarray(0, 4 * held)).digest());
		},
	};
}
