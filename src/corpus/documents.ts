/**
 * Documents out of files: JSONL records, plain text, or token ids.
 *
 * @module
 */
import { basename, extname } from 'node:path';
import { z } from 'zod';
import { badInput, TouchmarkError } from '../errors.js';
import { checked, parseJson } from '../input.js';
import { type Broken, type Line, readLines } from './lines.js';
import { isChat, recordReader } from './records.js';

/** A text to be tested. */
export interface TextDocument {
	readonly id: string;
	readonly text: string;
	/** What the suspect was given; its contexts are not scored. */
	readonly prompt?: string;
	/** Entropy of each token, nats; where a field for it was named. */
	readonly entropies?: readonly number[];
}

/** Token ids to be tested. */
export interface TokenDocument {
	readonly id: string;
	readonly tokens: readonly number[];
	readonly entropies?: readonly number[];
}

const Text = z.string({ error: 'must be a string' });
const Entropies = z.array(z.number().min(0, 'is an entropy below 0'), {
	error: 'must be a JSON array of numbers',
});
const Id = z.union([z.string(), z.number()]);

/** Which fields of a JSONL record are read; other fields are left alone. */
export interface Fields {
	readonly text: string;
	readonly prompt: string;
	readonly entropies?: string;
}
export const DEFAULT_FIELDS: Fields = { text: 'text', prompt: 'prompt' };

const JSONL = new Set(['.jsonl', '.ndjson']);

/** Whether each line of a file is a record; else the whole of it is one text. */
export function holdsRecords(path: string): boolean {
	return JSONL.has(extname(path).toLowerCase());
}

/**
 * The documents of a file: of a line each for `.jsonl` and `.ndjson` (objects with a text field, an optional `id` and
 * prompt field, or a chat in one of the layouts of {@link recordReader}), else the whole file as one text.
 *
 * @throws TouchmarkError `bad-input` that names file, line and field; also for a file with no document
 * @param broken is told of records that cannot be read, which are then left out
 */
export async function* readTextDocuments(
	path: string,
	fields: Fields = DEFAULT_FIELDS,
	broken?: Broken,
): AsyncGenerator<TextDocument> {
	if (!holdsRecords(path)) {
		const lines: string[] = [];
		for await (const line of readLines(path)) lines.push(line.text);
		if (lines.every((line) => line.trim() === ''))
			throw badInput(`${path}: is empty; there is nothing to test`);
		yield { id: basename(path), text: lines.join('\n') };
		return;
	}
	const Record = z.looseObject({
		id: Id.optional(),
		[fields.text]: Text,
		[fields.prompt]: Text.nullable().optional(),
		...(fields.entropies === undefined ? {} : { [fields.entropies]: Entropies }),
	});
	const chats = recordReader(fields);
	for await (const { value, line } of readJsonLines(path, broken)) {
		const where = `${path}:${line.number}`;
		if (fields.entropies === undefined && isChat(value, fields)) {
			yield* orBroken(() => chats(value, String(line.number), () => where), broken) ?? [];
			continue;
		}
		const record = orBroken(() => checked(Record, value, where) as Record<string, unknown>, broken);
		if (record === undefined) continue;
		const prompt = record[fields.prompt];
		yield {
			id: String(record.id ?? line.number),
			text: record[fields.text] as string,
			...(typeof prompt === 'string' ? { prompt } : {}),
			...(fields.entropies === undefined ? {} : { entropies: record[fields.entropies] as number[] }),
		};
	}
}

/** Largest token id that fits every PRF. */
export const MAX_TOKEN_ID = 2 ** 27 - 1;

/**
 * Documents of token ids: one JSON array of integers a line.
 *
 * @param vocabSize ids must be below it; without one, below 2^27
 * @param entropies a field: lines are then objects with `tokens` and it, the entropy of each token
 * @param broken is told of lines that cannot be read, which are then left out
 * @throws TouchmarkError `bad-input` that names file, line and position
 */
export async function* readTokenDocuments(
	path: string,
	vocabSize?: number,
	entropies?: string,
	broken?: Broken,
): AsyncGenerator<TokenDocument> {
	const limit = vocabSize ?? MAX_TOKEN_ID + 1;
	const IntegerList = z.array(
		z
			.int({ error: 'must be an integer token id' })
			.min(0, 'is a negative token id')
			.lt(limit, `is a token id outside the vocabulary of ${limit}`),
		{ error: 'must be a JSON array of token ids' },
	);
	const Weighted = z.looseObject({ tokens: IntegerList, [entropies ?? '']: Entropies });
	const read = (value: unknown, where: string) => {
		if (entropies === undefined) return { tokens: checked(IntegerList, value, where) };
		const record = checked(Weighted, value, where) as Record<string, number[]>;
		return { tokens: record.tokens, entropies: record[entropies] };
	};
	for await (const { value, line } of readJsonLines(path, broken)) {
		const document = orBroken(() => read(value, `${path}:${line.number}`), broken);
		if (document !== undefined) yield { id: String(line.number), ...document };
	}
}

/** What `read` gives; undefined where it fails and `broken` was told. */
function orBroken<T>(read: () => T, broken: Broken | undefined): T | undefined {
	try {
		return read();
	} catch (error) {
		if (broken === undefined || !TouchmarkError.isInstance(error)) throw error;
		broken(error);
		return undefined;
	}
}

/** The values of a file with one JSON value a line; empty lines are passed over. @param broken as for {@link readTextDocuments} */
export async function* readJsonLines(
	path: string,
	broken?: Broken,
): AsyncGenerator<{ value: unknown; line: Line }> {
	let some = false;
	for await (const line of readLines(path, broken)) {
		if (line.text.trim() === '') continue;
		some = true;
		const parsed = orBroken(() => ({ value: parseJson(line.text, `${path}:${line.number}`), line }), broken);
		if (parsed !== undefined) yield parsed;
	}
	if (!some) throw badInput(`${path}: is empty; there is nothing to test`);
}
