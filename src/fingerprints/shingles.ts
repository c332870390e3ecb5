/**
 * Shingles of a text, and which of them its fingerprints are made from.
 *
 * A shingle is five words in a row. Of every eight shingles in a row the one with the least hash is chosen (winnowing: Schleimer, Wilkerson,
 * Aiken, "Winnowing: local algorithms for document fingerprinting", SIGMOD 2003), so a text has about two chosen shingles in nine words, and
 * whoever copies 12 words in a row copies one of them. Choice and digests need no key.
 *
 * @module
 */
import { spread, type Words } from './words.js';

/** Words of a shingle. */
export const SHINGLE_WORDS = 5;
/** Shingles in a row of which one is chosen. */
export const WINDOW = 8;

/** Words of a row of {@link digestsOf}: a digest of four, and a zero. */
export const ROW = 5;

/** Bases of the four polynomials over the words' hashes, odd, and their fifth powers. */
const BASES = [0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2f] as const;
const POWERS = BASES.map((base) => {
	let power = 1;
	for (let i = 0; i < SHINGLE_WORDS; i++) power = Math.imul(power, base);
	return power;
});

/** How many shingles a text of so many words has. */
export function shingleCount({ count }: Pick<Words, 'count'>): number {
	return Math.max(0, count - SHINGLE_WORDS + 1);
}

/**
 * Digests of all shingles, in order: rows of four words and a zero, the form in which a generator takes them as contexts.
 *
 * @returns [shingles × ROW]
 */
export function digestsOf(words: Words): Uint32Array {
	const rows = new Uint32Array(shingleCount(words) * ROW);
	const { hashes, count } = words;
	let h0 = 0;
	let h1 = 0;
	let h2 = 0;
	let h3 = 0;
	for (let i = 0; i < count; i++) {
		const a = hashes[2 * i];
		const b = hashes[2 * i + 1];
		h0 = (Math.imul(h0, BASES[0]) + a) | 0;
		h1 = (Math.imul(h1, BASES[1]) + b) | 0;
		h2 = (Math.imul(h2, BASES[2]) + (a ^ (b >>> 7))) | 0;
		h3 = (Math.imul(h3, BASES[3]) + (b ^ (a << 9))) | 0;
		if (i >= SHINGLE_WORDS) {
			const c = hashes[2 * (i - SHINGLE_WORDS)];
			const d = hashes[2 * (i - SHINGLE_WORDS) + 1];
			h0 = (h0 - Math.imul(c, POWERS[0])) | 0;
			h1 = (h1 - Math.imul(d, POWERS[1])) | 0;
			h2 = (h2 - Math.imul(c ^ (d >>> 7), POWERS[2])) | 0;
			h3 = (h3 - Math.imul(d ^ (c << 9), POWERS[3])) | 0;
		}
		if (i >= SHINGLE_WORDS - 1) {
			const at = (i - SHINGLE_WORDS + 1) * ROW;
			rows[at] = h0;
			rows[at + 1] = h1;
			rows[at + 2] = h2;
			rows[at + 3] = h3;
		}
	}
	return rows;
}

/** The digests as keys of sets and maps, in order. @param rows of {@link digestsOf} */
export function shingleKeys(rows: Uint32Array): string[] {
	return Array.from({ length: rows.length / ROW }, (_, i) => rows.subarray(i * ROW, (i + 1) * ROW).join());
}

/** Indices of the chosen shingles, ascending. @param rows of {@link digestsOf} */
export function chosenShingles(rows: Uint32Array): number[] {
	const count = rows.length / ROW;
	const ranks = Uint32Array.from({ length: count }, (_, i) => spread(rows[i * ROW]));
	const chosen: number[] = [];
	// A text with fewer shingles than a window has one window.
	for (let end = Math.min(WINDOW, count); end <= count && count > 0; end++) {
		const begin = Math.max(0, end - WINDOW);
		let least = begin;
		for (let i = begin + 1; i < end; i++) if (ranks[i] <= ranks[least]) least = i;
		if (chosen.at(-1) !== least) chosen.push(least);
	}
	return chosen;
}
