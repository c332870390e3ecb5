/**
 * A set of pairs of 32-bit numbers in 8 bytes each: appended, and sorted when there is no room.
 *
 * With a bound, the set becomes a sample: when it is full, only pairs with a small first number are kept, now and from then on. Where
 * first numbers are hashes that is a uniform sample of them, with every pair that they have (Wegman's adaptive sampling; Flajolet 1990).
 *
 * @module
 */

const FIRST_SIZE = 2 ** 16;
/** Which half of eight bytes is the more significant one here. */
const HIGH = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 1 : 0;

/** Distinct pairs, in order. */
export interface SortedPairs {
	readonly count: number;
	first(i: number): number;
	second(i: number): number;
	/** Share of the first numbers that were kept: 1, ½, ¼ … */
	readonly share: number;
}

/** A growing set of pairs. */
export interface NumberPairs {
	/** @param first @param second from 0 to 2^32 − 1 */
	add(first: number, second: number): void;
	sorted(): SortedPairs;
}

/** @param most pairs that are held at the same time, a power of two; not more are ever in memory */
export function newNumberPairs(most = 2 ** 31): NumberPairs {
	let packed = new BigUint64Array(Math.min(most, FIRST_SIZE));
	let words = new Uint32Array(packed.buffer);
	let count = 0;
	/** First numbers below it are kept. */
	let ceiling = 2 ** 32;

	/** Sorts, drops what is there twice, and samples down to half of the bound. */
	function compact(): void {
		packed.subarray(0, count).sort();
		let kept = 0;
		for (let i = 0; i < count; i++) {
			const low = words[2 * i + 1 - HIGH];
			const high = words[2 * i + HIGH];
			if (kept > 0 && low === words[2 * kept - 1 - HIGH] && high === words[2 * kept - 2 + HIGH]) continue;
			words[2 * kept + 1 - HIGH] = low;
			words[2 * kept + HIGH] = high;
			kept++;
		}
		while (kept > most / 2) {
			ceiling /= 2;
			while (kept > 0 && words[2 * kept - 2 + HIGH] >= ceiling) kept--;
		}
		count = kept;
	}

	return {
		add(first, second) {
			if (first >= ceiling) return;
			if (count === packed.length) {
				compact();
				if (count > packed.length / 2 && packed.length < most) {
					const larger = new BigUint64Array(2 * packed.length);
					larger.set(packed);
					packed = larger;
					words = new Uint32Array(packed.buffer);
				}
				if (first >= ceiling) return;
			}
			words[2 * count + 1 - HIGH] = second;
			words[2 * count + HIGH] = first;
			count++;
		},
		sorted() {
			compact();
			return {
				count,
				first: (i) => words[2 * i + HIGH],
				second: (i) => words[2 * i + 1 - HIGH],
				share: ceiling / 2 ** 32,
			};
		},
	};
}
