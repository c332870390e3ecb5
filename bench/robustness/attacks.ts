/**
 * What is done to a text so that it loses its mark. Attacks know no key and see the text alone; the same random numbers
 * do the same.
 *
 * @module
 */
import type { Uniforms } from '../../src/schemes/scheme.js';
import { replacedBySynonym, synonymsOf } from './synonyms.js';

/** A run of letters, marks and digits, with apostrophes inside. */
const WORD = /([\p{L}\p{M}\p{N}]+(?:[’'][\p{L}\p{M}\p{N}]+)*)/u;

/** Words at odd places, what lies between them at even ones; together they are the text. */
function piecesOf(text: string): string[] {
	return text.split(WORD);
}

/** The words of a text. */
export function wordsOf(text: string): string[] {
	return piecesOf(text).filter((_, i) => i % 2 === 1);
}

const below = (count: number, random: Uniforms) => Math.floor(count * random.next());

/** A share of `count` places, rounded to whole ones, each once. */
function someOf(count: number, share: number, random: Uniforms): number[] {
	const order = Array.from({ length: count }, (_, i) => i);
	const wanted = Math.round(share * count);
	for (let i = 0; i < wanted; i++) {
		const j = i + below(count - i, random);
		[order[i], order[j]] = [order[j], order[i]];
	}
	return order.slice(0, wanted);
}

/** How many words pieces have. */
const lengthOf = (pieces: readonly string[]) => (pieces.length - 1) / 2;

/** A share of the words, each replaced by another. @param lexicon at least two different words */
export function substituted(
	text: string,
	share: number,
	lexicon: readonly string[],
	random: Uniforms,
): string {
	const pieces = piecesOf(text);
	for (const i of someOf(lengthOf(pieces), share, random)) {
		const old = pieces[2 * i + 1];
		do pieces[2 * i + 1] = lexicon[below(lexicon.length, random)];
		while (pieces[2 * i + 1] === old);
	}
	return pieces.join('');
}

/** Without a share of the words, and without the space that each leaves. */
export function deleted(text: string, share: number, random: Uniforms): string {
	const pieces = piecesOf(text);
	const gone = new Set(someOf(lengthOf(pieces), share, random));
	let left = pieces[0];
	for (let i = 0; i < lengthOf(pieces); i++) {
		const after = pieces[2 * i + 2];
		if (!gone.has(i)) left += pieces[2 * i + 1] + after;
		else left += left === '' || /\s$/.test(left) ? after.replace(/^\s/, '') : after;
	}
	return left;
}

/** With as many more words as `share` of those that are there, each after another word. */
export function inserted(text: string, share: number, lexicon: readonly string[], random: Uniforms): string {
	const pieces = piecesOf(text);
	for (const i of someOf(lengthOf(pieces), share, random))
		pieces[2 * i + 1] += ` ${lexicon[below(lexicon.length, random)]}`;
	return pieces.join('');
}

/** A share of the words that have synonyms, each replaced by one. */
export function withSynonyms(text: string, share: number, random: Uniforms): string {
	const pieces = piecesOf(text);
	const known = Array.from({ length: lengthOf(pieces) }, (_, i) => 2 * i + 1).filter(
		(place) => synonymsOf(pieces[place]) !== undefined,
	);
	for (const i of someOf(known.length, share, random))
		pieces[known[i]] = replacedBySynonym(pieces[known[i]], random);
	return pieces.join('');
}

/** Its sentences in another order. */
export function shuffled(text: string, random: Uniforms): string {
	const sentences = sentencesOf(text);
	for (let i = sentences.length - 1; i > 0; i--) {
		const j = below(i + 1, random);
		[sentences[i], sentences[j]] = [sentences[j], sentences[i]];
	}
	return sentences.map((one) => (/\s$/.test(one) ? one : `${one} `)).join('');
}

/** Sentences with the space after them; together they are the text. */
export function sentencesOf(text: string): string[] {
	return text.split(/(?<=[.!?][”"’')\]]*\s+)(?=\S)/u);
}

/**
 * A stretch of the text inside another one, with as many words together as the text had (fewer where the host is short).
 *
 * @param share of the words that are the text's
 */
export function mixed(text: string, host: string, share: number, random: Uniforms): string {
	const [own, other] = [piecesOf(text), piecesOf(host)];
	const stretch = (pieces: readonly string[], from: number, to: number) =>
		pieces.slice(2 * from + 1, 2 * to).join('');
	const kept = Math.round(share * lengthOf(own));
	const from = below(lengthOf(own) - kept + 1, random);
	const hosted = Math.min(lengthOf(other), lengthOf(own) - kept);
	const place = below(hosted + 1, random);
	return [stretch(other, 0, place), stretch(own, from, from + kept), stretch(other, place, hosted)]
		.filter((part) => part !== '')
		.join(' ');
}

/** In lower case. */
export function lowered(text: string): string {
	return text.toLowerCase();
}

/** Without punctuation: apostrophes leave nothing, other marks a space. */
export function unpunctuated(text: string): string {
	return text
		.replace(/[’']/gu, '')
		.replace(/\p{P}+/gu, ' ')
		.replace(/ {2,}/g, ' ');
}

/** Cyrillic letters that look like Latin ones. */
const LOOK_ALIKES = new Map([...'aceopxy'].map((letter, i) => [letter, 'асеорху'[i]]));

/** A share of the letters that have one, each replaced by a letter that looks the same. */
export function disguised(text: string, share: number, random: Uniforms): string {
	const letters = [...text];
	const known = [...letters.keys()].filter((i) => LOOK_ALIKES.has(letters[i]));
	for (const i of someOf(known.length, share, random))
		letters[known[i]] = LOOK_ALIKES.get(letters[known[i]]) ?? '';
	return letters.join('');
}
