/**
 * Fingerprints of served answers, to be looked up by the million.
 *
 * Entries are sorted into buckets by their leading bits (a counting sort), so that a look-up reads two numbers and, almost always,
 * ends there. At most 45 bytes an entry while it is built, 17 to 21 afterwards.
 *
 * @module
 */
import type { Fingerprint } from '../fingerprints/fingerprints.js';

/** Fingerprints that more answers than this have are phrases that everybody uses; they are not looked up. */
export const COMMON_ANSWERS = 10;

/** A fingerprint of an answer. */
export interface ServedPlace {
	/** Number of the answer, in the order in which they were added. */
	readonly answer: number;
	/** Its how many-th fingerprint it is, from 0. */
	readonly place: number;
}

/** Answers by fingerprint. */
export interface ServedIndex {
	/** Fingerprints, of all answers together; those that are common or were taken out left out. */
	readonly size: number;
	/** Fingerprints left out since more than ten answers have them. */
	readonly common: number;
	/** Whether any answer may have a fingerprint whose first 32 bits these are. False is certain. */
	mayHave(word: number): boolean;
	/** Takes a fingerprint out. */
	strike(fingerprint: Fingerprint): void;
	/** Where answers have a fingerprint; nowhere when it is common or was taken out. */
	placesOf(fingerprint: Fingerprint): ServedPlace[];
}

/** Gathers fingerprints. */
export interface ServedIndexBuilder {
	/** Adds the fingerprints of the next answer, in order. */
	add(fingerprints: readonly Fingerprint[]): void;
	/** Ends it. */
	build(): ServedIndex;
}

export function newServedIndex(): ServedIndexBuilder {
	let words = new Uint32Array(1 << 16);
	let more = new Uint16Array(1 << 16);
	let owners = new Uint32Array(1 << 16);
	let places = new Uint16Array(1 << 16);
	let count = 0;
	let answers = 0;
	return {
		add(fingerprints) {
			if (count + fingerprints.length > words.length) {
				const size = 2 * (count + fingerprints.length);
				words = grown(words, new Uint32Array(size));
				more = grown(more, new Uint16Array(size));
				owners = grown(owners, new Uint32Array(size));
				places = grown(places, new Uint16Array(size));
			}
			for (const [place, fingerprint] of fingerprints.entries()) {
				words[count] = fingerprint.word;
				more[count] = fingerprint.more;
				places[count] = place;
				owners[count++] = answers;
			}
			answers++;
		},
		build: () => sorted(words.subarray(0, count), more, owners, places),
	};
}

function grown<T extends Uint32Array | Uint16Array>(old: T, larger: T): T {
	larger.set(old);
	return larger;
}

/** @param words leading bits, as many as there are entries */
function sorted(
	words: Uint32Array,
	more: Uint16Array,
	owners: Uint32Array,
	places: Uint16Array,
): ServedIndex {
	const bits = Math.min(28, Math.max(8, Math.ceil(Math.log2(words.length + 1))));
	const shift = 32 - bits;
	const begins = new Uint32Array(2 ** bits + 1);
	for (const word of words) begins[(word >>> shift) + 1]++;
	for (let i = 1; i < begins.length; i++) begins[i] += begins[i - 1];
	const next = begins.slice(0, -1);
	const own = {
		words: new Uint32Array(words.length),
		more: new Uint16Array(words.length),
		owners: new Uint32Array(words.length),
		places: new Uint16Array(words.length),
	};
	for (const [i, word] of words.entries()) {
		const at = next[word >>> shift]++;
		own.words[at] = word;
		own.more[at] = more[i];
		own.owners[at] = owners[i];
		own.places[at] = places[i];
	}
	/** Entries that are not looked up. */
	const left = new Uint8Array(words.length);
	/** Entries of a fingerprint. */
	function entriesOf({ word, more }: Fingerprint): number[] {
		const found: number[] = [];
		const end = begins[(word >>> shift) + 1];
		for (let at = begins[word >>> shift]; at < end; at++)
			if (own.words[at] === word && own.more[at] === more) found.push(at);
		return found;
	}
	let common = 0;
	let struck = 0;
	for (let bucket = 0; bucket < begins.length - 1; bucket++) {
		if (begins[bucket + 1] - begins[bucket] <= COMMON_ANSWERS) continue;
		for (let at = begins[bucket]; at < begins[bucket + 1]; at++)
			if (entriesOf({ word: own.words[at], more: own.more[at] }).length > COMMON_ANSWERS) {
				left[at] = 1;
				common++;
			}
	}
	return {
		get size() {
			return words.length - common - struck;
		},
		common,
		strike(fingerprint) {
			for (const at of entriesOf(fingerprint)) {
				if (left[at] === 0) struck++;
				left[at] = 1;
			}
		},
		mayHave(word) {
			const end = begins[(word >>> shift) + 1];
			for (let at = begins[word >>> shift]; at < end; at++) if (own.words[at] === word) return true;
			return false;
		},
		placesOf: (fingerprint) =>
			entriesOf(fingerprint)
				.filter((at) => left[at] === 0)
				.map((at) => ({ answer: own.owners[at], place: own.places[at] })),
	};
}
