/**
 * What is to be asked, out of files.
 *
 * @module
 */
import { extname } from 'node:path';
import { z } from 'zod';
import { MAX_TOKEN_ID, readJsonLines } from '../corpus/documents.js';
import { readLines } from '../corpus/lines.js';
import { badInput } from '../errors.js';
import { checked } from '../input.js';
import type { Given, Prefix, Prompt } from './inquiry.js';

const Id = z.union([z.string().min(1), z.number()]).transform(String);
const PromptLine = z.looseObject({ id: Id.optional(), prompt: z.string().min(1, 'is empty') });
const GivenLine = z.union([
	z.looseObject({ id: Id.optional(), prompt: z.string().default(''), text: z.string().min(1, 'is empty') }),
	z.looseObject({ id: Id, prompt: z.string().default(''), a: z.string(), b: z.string() }),
]);

const isJsonl = (path: string) => ['.jsonl', '.ndjson'].includes(extname(path).toLowerCase());

/**
 * Prompts: `{id, prompt}` a line for `.jsonl` and `.ndjson`, else one prompt a line. Without ids the number of the line.
 *
 * @throws TouchmarkError `bad-input` that names file, line and field
 */
export async function readPrompts(path: string): Promise<Prompt[]> {
	const prompts: Prompt[] = [];
	if (isJsonl(path))
		for await (const { value, line } of readJsonLines(path)) {
			const { id, prompt } = checked(PromptLine, value, `${path}:${line.number}`);
			prompts.push({ id: id ?? String(line.number), prompt });
		}
	else
		for await (const { text, number } of readLines(path))
			if (text.trim() !== '') prompts.push({ id: String(number), prompt: text });
	return distinct(prompts, path);
}

/**
 * Texts: `{id, prompt, text}` a line, or pairs of a trial, `{id, prompt, a, b}`, which give two: `id/a` and `id/b`.
 *
 * @throws TouchmarkError `bad-input`
 */
export async function readGiven(path: string): Promise<Given[]> {
	const texts: Given[] = [];
	for await (const { value, line } of readJsonLines(path)) {
		const one = checked(GivenLine, value, `${path}:${line.number}`);
		const { id = String(line.number), prompt } = one;
		if ('text' in one) texts.push({ id, prompt, text: one.text as string });
		else {
			const { a, b } = one as { a: string; b: string };
			texts.push({ id: `${id}/a`, prompt, text: a }, { id: `${id}/b`, prompt, text: b });
		}
	}
	return distinct(texts, path);
}

/**
 * Prefixes: `{id, prefix}` a line.
 *
 * @param vocabSize ids must be below it
 * @throws TouchmarkError `bad-input`
 */
export async function readPrefixes(path: string, vocabSize = MAX_TOKEN_ID + 1): Promise<Prefix[]> {
	const Token = z
		.int({ error: 'must be an integer token id' })
		.min(0, 'is a negative token id')
		.lt(vocabSize, `is a token id outside the vocabulary of ${vocabSize}`);
	const PrefixLine = z.looseObject({ id: Id.optional(), prefix: z.array(Token).min(1, 'is empty') });
	const prefixes: Prefix[] = [];
	for await (const { value, line } of readJsonLines(path)) {
		const { id, prefix } = checked(PrefixLine, value, `${path}:${line.number}`);
		prefixes.push({ id: id ?? String(line.number), prefix });
	}
	return distinct(prefixes, path);
}

function distinct<T extends { readonly id: string }>(all: T[], path: string): T[] {
	if (all.length === 0) throw badInput(`${path}: is empty; there is nothing to ask`);
	const seen = new Set<string>();
	for (const { id } of all) {
		if (seen.has(id)) throw badInput(`${path}: id "${id}" occurs twice`);
		seen.add(id);
	}
	return all;
}
