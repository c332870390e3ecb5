/**
 * Texts of the tokenizer benches: English, code, Chinese, Arabic, German.
 *
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

const BOOKS = 'bench/distillation/books';
const LANGUAGES = ['chinese', 'arabic', 'german'] as const;

/** A text and what it is. */
export interface NamedText {
	readonly name: string;
	readonly text: string;
}

/**
 * The repository's own texts, and one more for each JSONL file of a folder.
 *
 * @param perBook characters to take of each English book
 * @param corpus folder of JSONL files whose records have a field `text`
 */
export function namedTexts(perBook: number, corpus?: string): NamedText[] {
	const books = readdirSync(BOOKS).sort();
	const english = books.map((book) =>
		gunzipSync(readFileSync(join(BOOKS, book)))
			.toString('utf8')
			.slice(0, perBook),
	);
	const sources = readdirSync('src', { recursive: true, encoding: 'utf8' })
		.filter((file) => file.endsWith('.ts') && !file.endsWith('.wasm.ts'))
		.sort();
	return [
		{ name: 'english', text: english.join('\n') },
		{ name: 'code', text: sources.map((file) => readFileSync(join('src', file), 'utf8')).join('\n') },
		...LANGUAGES.map((name) => ({ name, text: readFileSync(`bench/corpus/${name}.txt`, 'utf8') })),
		...(corpus === undefined ? [] : jsonlTexts(corpus)),
	];
}

function jsonlTexts(folder: string): NamedText[] {
	const files = readdirSync(folder).filter((file) => file.endsWith('.jsonl'));
	return files.sort().map((file) => {
		const lines = readFileSync(join(folder, file), 'utf8').trimEnd().split('\n');
		const texts = lines.map((line) => (JSON.parse(line) as { text: string }).text);
		return { name: file.slice(0, -'.jsonl'.length), text: texts.join('\n') };
	});
}

/** Cuts a text into documents of about this many characters, never inside a character. */
export function documents(text: string, characters: number): string[] {
	const list: string[] = [];
	for (let from = 0; from < text.length; ) {
		let to = Math.min(text.length, from + characters);
		if (/[\uD800-\uDBFF]/.test(text[to - 1])) to++;
		list.push(text.slice(from, to));
		from = to;
	}
	return list;
}
