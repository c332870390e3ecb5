/**
 * Words of a text as a copyist leaves them: case, punctuation and spacing are gone.
 *
 * A word is a run of letters, marks and digits in lower case after Unicode's NFKC; apostrophes inside it are passed over. In scripts
 * that put no spaces between words (Chinese, Japanese, Thai, Lao, Khmer, Burmese) each letter is a word.
 *
 * @module
 */

/** Words of a text. */
export interface Words {
	/** The text after NFKC; offsets count its UTF-16 units. */
	readonly text: string;
	readonly count: number;
	/** Where each word begins, and where it ends. */
	readonly starts: Uint32Array;
	readonly ends: Uint32Array;
	/** 64 bits a word, two entries: equal words have equal hashes. No key: they are not secret. */
	readonly hashes: Uint32Array;
}

/** What a UTF-16 unit is; 0 where nobody has asked yet. */
const BETWEEN = 1;
const WITHIN = 2;
const ALONE = 3;
const PASSED = 4;

const LETTER = /[\p{L}\p{M}\p{N}]/u;
const UNSPACED =
	/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
/** Apostrophes, soft hyphen, zero-width characters. */
const PASSED_OVER = /['’‘ʼ`´\u00ad\u200b-\u200d\u2060\ufeff]/;

const classes = new Uint8Array(65536);
const lower = new Uint16Array(65536);

/** Classifies a unit when it is first met. */
function classify(unit: number): number {
	const character = String.fromCharCode(unit);
	lower[unit] = character.toLowerCase().charCodeAt(0);
	classes[unit] = PASSED_OVER.test(character)
		? PASSED
		: UNSPACED.test(character)
			? ALONE
			: LETTER.test(character)
				? WITHIN
				: BETWEEN;
	return classes[unit];
}

/** Class of a letter that takes two units; the units themselves are hashed. */
function classOfPair(text: string, at: number): number {
	const character = String.fromCodePoint(text.codePointAt(at) ?? 0);
	return UNSPACED.test(character) ? ALONE : LETTER.test(character) ? WITHIN : BETWEEN;
}

/** Spreads every bit of a word over all of it (the last steps of MurmurHash3, A. Appleby). */
export function spread(word: number): number {
	let x = word ^ (word >>> 16);
	x = Math.imul(x, 0x85ebca6b);
	x ^= x >>> 13;
	x = Math.imul(x, 0xc2b2ae35);
	return (x ^ (x >>> 16)) >>> 0;
}

const NOT_ASCII = /[\u0080-\uffff]/;
let starts = new Uint32Array(1024);
let ends = new Uint32Array(1024);
let hashes = new Uint32Array(2048);

/** Splits a text. */
export function wordsOf(given: string): Words {
	const text = NOT_ASCII.test(given) ? given.normalize('NFKC') : given;
	// No more words than units, and one.
	if (starts.length < text.length + 1) {
		starts = new Uint32Array(text.length + 1);
		ends = new Uint32Array(text.length + 1);
		hashes = new Uint32Array(2 * text.length + 2);
	}
	let count = 0;
	let inside = false;
	let a = 0;
	let b = 0;
	let end = 0;
	const close = (): void => {
		if (!inside) return;
		ends[count] = end;
		hashes[2 * count] = spread(a);
		hashes[2 * count + 1] = spread(b);
		count++;
		inside = false;
	};
	const take = (unit: number, at: number): void => {
		if (!inside) {
			inside = true;
			starts[count] = at;
			a = 0x811c9dc5;
			b = 0x9747b28c;
		}
		a = Math.imul(a ^ unit, 0x01000193);
		b = Math.imul(b ^ unit, 0x5bd1e995);
		b ^= b >>> 15;
		end = at + 1;
	};
	for (let at = 0; at < text.length; at++) {
		const unit = text.charCodeAt(at);
		const paired = unit >= 0xd800 && unit < 0xdc00 && at + 1 < text.length;
		const kind = paired ? classOfPair(text, at) : classes[unit] || classify(unit);
		if (kind === PASSED) continue;
		if (kind !== WITHIN) close();
		if (kind === BETWEEN) {
			if (paired) at++;
			continue;
		}
		take(paired ? unit : lower[unit], at);
		if (paired) take(text.charCodeAt(++at), at);
		if (kind === ALONE) close();
	}
	close();
	return {
		text,
		count,
		starts: starts.slice(0, count),
		ends: ends.slice(0, count),
		hashes: hashes.slice(0, 2 * count),
	};
}
