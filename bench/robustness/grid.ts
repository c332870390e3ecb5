/**
 * The attacks of the bench `robustness` and how strong each is tried.
 *
 * @module
 */

import { readFileSync } from 'node:fs';
import { Tokenizer as HuggingFace } from '@huggingface/tokenizers';
import { loadTokenizer } from '../../src/corpus/load-tokenizer.js';
import type { Tokenizer } from '../../src/corpus/tokenizer.js';
import { embeddedPrompts } from '../../src/generate/embedded.js';
import type { Uniforms } from '../../src/schemes/scheme.js';
import { tokenizerFile } from '../tokenizers/vocabularies.js';
import {
	deleted,
	disguised,
	inserted,
	lowered,
	mixed,
	shuffled,
	substituted,
	unpunctuated,
	withSynonyms,
	wordsOf,
} from './attacks.js';

/** What an attacker has. */
export interface Means {
	readonly random: Uniforms;
	/** An unmarked text to hide in. */
	readonly host: string;
	/** Words to write. */
	readonly lexicon: readonly string[];
	/** The tokenizer of the marked model: what a truncation counts by. */
	readonly tokenizer: Tokenizer;
	/** Another model family's. */
	readonly other: OtherTokenizer;
}

/** A tokenizer that the mark is not of. */
export interface OtherTokenizer {
	readonly tokenizer: Tokenizer;
	/** The text after its round trip through ids, decoded as that family's host does. */
	through(text: string): string;
}

/** One strength of an attack. */
export interface Point {
	readonly label: string;
	/** Place on the axis of a curve. */
	readonly at: number;
	/** Whether the verifier has the other tokenizer and not the mark's. */
	readonly misread?: true;
	attack(text: string, means: Means): string;
}

/** An attack at all its strengths. */
export interface Attack {
	readonly name: string;
	/** What its axis shows; absent where the points are of different kinds. */
	readonly axis?: string;
	readonly points: readonly Point[];
	/** Only for texts of this many tokens or more. */
	readonly least?: number;
}

const percent = (share: number) => `${Math.round(100 * share)} %`;

/** An attack whose strength is a share. */
function byShare(
	name: string,
	axis: string,
	shares: readonly number[],
	attack: (text: string, share: number, means: Means) => string,
): Attack {
	const points = shares.map(
		(at): Point => ({ label: percent(at), at, attack: (text, means) => attack(text, at, means) }),
	);
	return { name, axis, points };
}

/** An attack with points of different kinds. */
function byKind(name: string, kinds: Readonly<Record<string, Point['attack']>>): Attack {
	return { name, points: Object.entries(kinds).map(([label, attack], at) => ({ label, at, attack })) };
}

const EDITS = [0.05, 0.1, 0.2, 0.3, 0.5];
const WORDS = 'share of the words';

/** Every attack; the first does nothing but decode and encode again. */
export const ATTACKS: readonly Attack[] = [
	byKind('none', { 'from text': (text) => text }),
	byShare('substitution', WORDS, EDITS, (text, share, { lexicon, random }) =>
		substituted(text, share, lexicon, random),
	),
	byShare('deletion', WORDS, EDITS, (text, share, { random }) => deleted(text, share, random)),
	byShare('insertion', WORDS, EDITS, (text, share, { lexicon, random }) =>
		inserted(text, share, lexicon, random),
	),
	byShare('synonyms', 'share of the words that have one', [0.25, 0.5, 1], (text, share, { random }) =>
		withSynonyms(text, share, random),
	),
	byShare(
		'copy-paste',
		'share of the words that is marked',
		[0.1, 0.25, 0.5, 0.75, 0.9],
		(text, share, { host, random }) => mixed(text, host, share, random),
	),
	{
		name: 'truncation',
		axis: 'tokens left',
		points: [50, 100, 200].map(
			(at): Point => ({
				label: `${at} tokens`,
				at,
				attack: (text, { tokenizer }) => tokenizer.decode(tokenizer.encode(text).slice(0, at)),
			}),
		),
		least: 400,
	},
	byKind('sentences', { shuffled: (text, { random }) => shuffled(text, random) }),
	byKind('normalisation', {
		'lower case': lowered,
		'no punctuation': unpunctuated,
		both: (text) => lowered(unpunctuated(text)),
	}),
	{
		name: 're-tokenization',
		points: [
			{ label: 'through another tokenizer', at: 0, attack: (text, { other }) => other.through(text) },
			{ label: 'read with another tokenizer', at: 1, misread: true, attack: (text) => text },
		],
	},
	byKind('look-alike letters', {
		'5 % of them': (text, { random }) => disguised(text, 0.05, random),
		'20 % of them': (text, { random }) => disguised(text, 0.2, random),
	}),
];

/** All points of the attacks for texts of a length, in order. */
export function pointsAt(length: number): { attack: string; point: Point }[] {
	return ATTACKS.filter(({ least = 0 }) => length >= least).flatMap(({ name, points }) =>
		points.map((point) => ({ attack: name, point })),
	);
}

/** Ids of a text as its verifier reads it after an attack. */
export function readAfter({ attack, misread }: Point, text: string, means: Means): number[] {
	return (misread ? means.other.tokenizer : means.tokenizer).encode(attack(text, means));
}

/** Running words of the shipped prompts, a novel that no shipped model was trained on: frequent words come often. */
export function lexiconOf(): string[] {
	return embeddedPrompts().flatMap(wordsOf);
}

/** Llama 3.1's, with the spaces before punctuation taken away, as its configuration asks of decoders. */
export function otherTokenizer(): OtherTokenizer {
	const file = tokenizerFile('llama3_1');
	const library = new HuggingFace(JSON.parse(readFileSync(file, 'utf8')), {});
	const tokenizer = loadTokenizer(file);
	return {
		tokenizer,
		through: (text) =>
			library.decode(tokenizer.encode(text), {
				skip_special_tokens: true,
				clean_up_tokenization_spaces: true,
			}),
	};
}
