/**
 * Texts out of records, whatever format held them: a text field, or one of the layouts of chats.
 *
 * - A field that holds the text, and maybe one that holds the prompt.
 * - OpenAI: `messages` of `role` and `content` (a text, or parts of which those of text count).
 * - ShareGPT: `conversations` of `from` and `value`.
 * - Alpaca: `instruction`, maybe `input`, and `output`.
 *
 * Of a chat each answer of the assistant is a text; what was said before it is its prompt.
 *
 * @module
 */
import { z } from 'zod';
import { badInput } from '../errors.js';
import { checked } from '../input.js';

/** A text of a corpus. */
export interface ScanRecord {
	/** The record's own `id`, else its place in the file; `/2` behind it for the second message of a chat. */
	readonly id: string;
	readonly text: string;
	/** What was said before. */
	readonly prompt?: string;
}

/** Which fields hold a record's text and prompt: a name, or a path such as `choices.0.message`. */
export interface RecordFields {
	readonly text: string;
	readonly prompt: string;
}

/** Fields in which layouts are looked for. */
export const LAYOUT_FIELDS = ['messages', 'conversations', 'instruction', 'input', 'output'] as const;

/** Stands for text that was not UTF-8 where a format's library decodes it. */
export const NOT_UTF8: unique symbol = Symbol('not UTF-8');

/** An `id` that is longer is not used. */
const MAX_ID = 256;
/** Characters of all prompts of one chat, each answer's counted. */
const MAX_PROMPTS = 2 ** 28;

type Fields = Readonly<Record<string, unknown>>;

/**
 * A function that gives the texts of a record.
 *
 * @returns takes the record, its place (the id of one that has none) and what errors call it, which it is asked for when
 * needed. It throws TouchmarkError `bad-input` that names the field when the record has no text.
 */
export function recordReader(
	fields: RecordFields,
): (value: unknown, place: string, where: () => string) => ScanRecord[] {
	const textOf = fieldReader(fields.text);
	const promptOf = fieldReader(fields.prompt);
	return (value, place, where) => {
		if (!isObject(value)) throw wrong(z.looseObject({}), value, where());
		const text = textOf(value);
		const id = idOf(value, place);
		if (typeof text === 'string') {
			const prompt = promptOf(value);
			if (prompt === undefined || prompt === null) return [{ id, text }];
			if (typeof prompt === 'string') return [{ id, text, prompt }];
			throw notText(fields.prompt, prompt, where());
		}
		const chat =
			text === undefined || text === null ? (value.messages ?? value.conversations) : isTurns(text) && text;
		if (isTurns(chat)) return answersOf(chat, id, where);
		if ((text === undefined || text === null) && isAlpaca(value)) return [alpacaOf(value, id)];
		throw notText(fields.text, text, where());
	};
}

/** Whether a record has a text, in any of the layouts. */
export function holdsText(value: Fields, fields: RecordFields): boolean {
	return typeof fieldReader(fields.text)(value) === 'string' || isChat(value, fields);
}

/** Whether a record has no text of its own, but a chat in one of the layouts. */
export function isChat(value: unknown, fields: RecordFields): boolean {
	if (!isObject(value)) return false;
	const text = fieldReader(fields.text)(value);
	if (text !== undefined && text !== null) return isTurns(text);
	return isTurns(value.messages ?? value.conversations) || isAlpaca(value);
}

function wrong(schema: z.ZodType, value: unknown, where: string): unknown {
	try {
		checked(schema, value, where);
	} catch (error) {
		return error;
	}
	return badInput(`${where}: cannot be read`);
}

function notText(field: string, value: unknown, where: string): unknown {
	if (value === NOT_UTF8)
		return badInput(`${where}: field "${field}": is not valid UTF-8; repair the record`);
	const schema = z.looseObject({ [field]: z.string({ error: 'must be a string' }) });
	return wrong(schema, { [field]: value }, where);
}

/** Reads a field by its name, else by its path. */
export function fieldReader(field: string): (record: Fields) => unknown {
	const path = field.split('.');
	if (path.length === 1) return (record) => (Object.hasOwn(record, field) ? record[field] : undefined);
	return (record) => {
		if (Object.hasOwn(record, field)) return record[field];
		let value: unknown = record;
		for (const part of path) {
			if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
			value = (value as Fields)[part];
		}
		return value;
	};
}

function isObject(value: unknown): value is Fields {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function idOf(record: Fields, place: string): string {
	const id = Object.hasOwn(record, 'id') ? record.id : undefined;
	if (typeof id === 'string') return id.length <= MAX_ID ? id : place;
	return typeof id === 'number' || typeof id === 'bigint' ? String(id) : place;
}

function isAlpaca(record: Fields): record is Fields & { instruction: string; output: string } {
	return typeof record.instruction === 'string' && typeof record.output === 'string';
}

function alpacaOf(record: Fields & { instruction: string; output: string }, id: string): ScanRecord {
	const { instruction, input, output } = record;
	const prompt = typeof input === 'string' && input !== '' ? `${instruction}\n${input}` : instruction;
	return { id, text: output, prompt };
}

/** Names of who answers, in the layouts' files. */
const ANSWERERS = new Set<unknown>(['assistant', 'gpt', 'chatgpt', 'model']);

function isTurns(value: unknown): value is readonly Fields[] {
	return (
		Array.isArray(value) &&
		value.length > 0 &&
		value.every((turn) => isObject(turn) && (typeof turn.role === 'string' || typeof turn.from === 'string'))
	);
}

function answersOf(chat: readonly Fields[], id: string, where: () => string): ScanRecord[] {
	const answers: ScanRecord[] = [];
	let before = '';
	let prompts = 0;
	for (const [i, turn] of chat.entries()) {
		const [author, content] =
			typeof turn.role === 'string' ? [turn.role, turn.content] : [turn.from, turn.value];
		const said = saidIn(content);
		if (said === undefined)
			throw notText(`${i}.${typeof turn.role === 'string' ? 'content' : 'value'}`, content, where());
		if (ANSWERERS.has(author) && said !== '') {
			prompts += before.length;
			if (prompts > MAX_PROMPTS)
				throw badInput(`${where()}: is a chat of which each answer has too much before it; split it`);
			answers.push({ id: `${id}/${i + 1}`, text: said, ...(before === '' ? {} : { prompt: before }) });
		}
		if (said !== '') before = before === '' ? said : `${before}\n${said}`;
	}
	if (answers.length === 0) throw badInput(`${where()}: is a chat without an answer of an assistant`);
	return answers;
}

/** Text of a message; undefined where it is neither text, parts, nor nothing (a call of a tool). */
function saidIn(content: unknown): string | undefined {
	if (typeof content === 'string') return content;
	if (content === null || content === undefined) return '';
	if (!Array.isArray(content)) return undefined;
	let said = '';
	for (const part of content) if (isObject(part) && typeof part.text === 'string') said += part.text;
	return said;
}
