/**
 * A corpus out of what ships with the package: unmarked texts of the embedded teacher and its prompts say which token follows
 * which, and records of any number are drawn from that. They read like nothing, but tokens follow each other as often as
 * in text, and hardly a window of five comes twice.
 *
 * @module
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import type { Tokenizer } from '../corpus/tokenizer.js';
import { type Random, randomStream } from '../embed/random.js';
import { logUniformLength } from './lengths.js';

/** Characters that are written at once. */
const PIECE = 2 ** 22;

/** Draws tokens, each given the one before. */
interface Chain {
	draw(before: number): number;
}

/**
 * Counts token pairs; Witten–Bell smoothing by single tokens, as P(t | c) = (n(c, t) + d(c)·P(t)) / (n(c) + d(c)) with d(c) the number of
 * distinct tokens after c. What came after a token is held as a list, so that a draw takes one look.
 */
function newChain(texts: readonly (readonly number[])[], random: Random): Chain {
	const all = texts.flat();
	const after = new Map<number, number[]>();
	for (const text of texts)
		for (let i = 1; i < text.length; i++) {
			const list = after.get(text[i - 1]);
			if (list === undefined) after.set(text[i - 1], [text[i]]);
			else list.push(text[i]);
		}
	const distinct = new Map([...after].map(([token, list]) => [token, new Set(list).size]));
	return {
		draw(before) {
			const list = after.get(before) ?? [];
			const i = Math.floor(random.next() * (list.length + (distinct.get(before) ?? 1)));
			return i < list.length ? list[i] : all[Math.floor(random.next() * all.length)];
		},
	};
}

/**
 * Writes a corpus, records `{"id", "text"}` of 30 to 400 tokens. The same texts and seed give the same bytes.
 *
 * @param texts token ids without special tokens
 * @param done called with records as they are written
 */
export function writeMadeCorpus(
	path: string,
	records: number,
	texts: readonly (readonly number[])[],
	{ decode }: Tokenizer,
	seed: string,
	done: (records: number) => void,
): void {
	const random = randomStream(`benchmark/corpus/${seed}`);
	const chain = newChain(texts, random);
	const file = openSync(path, 'w');
	try {
		let piece = '';
		let told = 0;
		for (let record = 0; record < records; record++) {
			const tokens = new Array<number>(logUniformLength(random.next()));
			let token = -1;
			for (let i = 0; i < tokens.length; i++) {
				token = chain.draw(token);
				tokens[i] = token;
			}
			piece += `${JSON.stringify({ id: `made-${record}`, text: decode(tokens) })}\n`;
			if (piece.length < PIECE) continue;
			writeSync(file, piece);
			done(record + 1 - told);
			told = record + 1;
			piece = '';
		}
		writeSync(file, piece);
		done(records - told);
	} finally {
		closeSync(file);
	}
}
