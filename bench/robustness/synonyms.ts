/**
 * Words that can stand for each other: a list of our own for the English of nineteenth-century novels.
 *
 * @module
 */
import type { Uniforms } from '../../src/schemes/scheme.js';

/** Words that can stand for each other in most places; a word is replaced by another of its line. */
const SYNONYMS: readonly (readonly string[])[] = [
	['but', 'yet'],
	['and', 'as well as'],
	['said', 'remarked', 'replied', 'answered'],
	['very', 'most', 'exceedingly'],
	['great', 'large', 'considerable'],
	['little', 'small'],
	['good', 'fine', 'excellent'],
	['upon', 'on'],
	['in', 'within'],
	['to', 'unto'],
	['from', 'out of'],
	['with', 'along with'],
	['that', 'which'],
	['when', 'whenever', 'as'],
	['while', 'whilst'],
	['because', 'since', 'for'],
	['though', 'although'],
	['who', 'that'],
	['before', 'ere'],
	['never', 'not ever'],
	['always', 'ever'],
	['perhaps', 'maybe'],
	['must', 'had to'],
	['could', 'was able to'],
	['would', 'might'],
	['should', 'ought to'],
	['began', 'started', 'commenced'],
	['seemed', 'appeared'],
	['looked', 'gazed', 'glanced'],
	['saw', 'noticed', 'perceived'],
	['thought', 'believed', 'supposed'],
	['knew', 'understood'],
	['went', 'passed', 'walked'],
	['came', 'arrived'],
	['took', 'seized'],
	['made', 'caused'],
	['give', 'offer', 'grant'],
	['house', 'home', 'dwelling'],
	['room', 'chamber'],
	['man', 'fellow', 'gentleman'],
	['woman', 'lady'],
	['child', 'infant'],
	['father', 'papa'],
	['mother', 'mamma'],
	['face', 'countenance'],
	['voice', 'tone'],
	['hand', 'palm'],
	['eyes', 'glance'],
	['way', 'manner'],
	['time', 'moment'],
	['day', 'morning'],
	['all', 'every bit of'],
	['some', 'a few'],
	['any', 'whatever'],
	['only', 'merely', 'just'],
	['quite', 'entirely', 'wholly'],
	['now', 'at present'],
	['then', 'thereupon'],
	['so', 'thus'],
	['more', 'further'],
	['such', 'like'],
	['indeed', 'truly'],
	['about', 'concerning'],
	['through', 'throughout'],
	['after', 'following'],
	['old', 'aged', 'ancient'],
	['young', 'youthful'],
	['dear', 'beloved'],
	['a', 'one'],
	['the', 'that'],
	['his', 'that man’s'],
	['not', 'hardly'],
];
const OTHERS = new Map(
	SYNONYMS.flatMap((line) => line.map((word) => [word, line.filter((other) => other !== word)] as const)),
);

/** Other words that can stand where this one stands, in lower case; undefined where the list has none. */
export function synonymsOf(word: string): readonly string[] | undefined {
	return OTHERS.get(word.toLowerCase());
}

/** Another word of its line, with a capital where the word has one; the word itself where the list has none. */
export function replacedBySynonym(word: string, random: Uniforms): string {
	const others = synonymsOf(word);
	if (others === undefined) return word;
	const other = others[Math.floor(random.next() * others.length)];
	return word === word.toLowerCase() ? other : other[0].toUpperCase() + other.slice(1);
}
