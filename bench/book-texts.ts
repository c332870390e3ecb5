/**
 * Texts of a given number of tokens, cut from novels.
 *
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Tokenizer } from '../src/corpus/tokenizer.js';

const BOOKS = 'bench/distillation/books';

/** As many texts from each book as from the others, evenly spread over it. */
export function bookTexts(tokenizer: Tokenizer, tokens: number, count: number): string[] {
	const books = readdirSync(BOOKS).map((name) =>
		tokenizer.encode(gunzipSync(readFileSync(join(BOOKS, name))).toString('utf8')),
	);
	return Array.from({ length: count }, (_, i) => {
		const ids = books[i % books.length];
		const places = Math.floor(ids.length / tokens);
		const place = Math.floor((i * places) / count) * tokens;
		return tokenizer.decode(ids.slice(place, place + tokens));
	});
}
