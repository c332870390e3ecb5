/**
 * Token ids out of lines of JSONL: a list of ids, or an object that has one.
 *
 * @module
 */
import { z } from 'zod';
import { badInput } from '../errors.js';
import { checked } from '../input.js';
import { startKernel } from '../wasm.js';
import { KERNEL } from './kernel.wasm.js';

const SPACE = 32;
const TAB = 9;
const COMMA = 44;
const OPEN = 91;
const CLOSE = 93;
const ZERO = 48;

/**
 * Reads a line that is a JSON list of ids, straight from its bytes.
 *
 * @param limit ids must be below it; at most 2^27
 * @param out takes the ids, from `at` on
 * @returns how many there are; -1 when the line is anything else, or an id is not below the limit
 */
export function scanIds(
	bytes: Uint8Array,
	start: number,
	end: number,
	limit: number,
	out: Uint32Array,
	at: number,
): number {
	let i = start;
	let to = at;
	let byte = bytes[i];
	while (i < end && (byte === SPACE || byte === TAB)) byte = bytes[++i];
	if (byte !== OPEN) return -1;
	byte = bytes[++i];
	while (byte === SPACE || byte === TAB) byte = bytes[++i];
	if (byte !== CLOSE || i >= end)
		for (;;) {
			let id = byte - ZERO;
			if (!(id >= 0 && id <= 9)) return -1;
			const begin = i;
			byte = bytes[++i];
			for (let digit = byte - ZERO; digit >= 0 && digit <= 9; digit = byte - ZERO) {
				id = 10 * id + digit;
				byte = bytes[++i];
			}
			// No zeros before a number; nine digits are no overflow yet.
			if (i - begin > 9 || id >= limit || (i - begin > 1 && bytes[begin] === ZERO)) return -1;
			out[to++] = id;
			while (byte === SPACE || byte === TAB) byte = bytes[++i];
			if (byte === CLOSE) break;
			if (byte !== COMMA) return -1;
			byte = bytes[++i];
			while (byte === SPACE || byte === TAB) byte = bytes[++i];
		}
	i++;
	while (i < end && (bytes[i] === SPACE || bytes[i] === TAB)) i++;
	// A list that ends behind the line is another line's.
	return i === end ? to - at : -1;
}

/** What the kernel (`kernel/assembly.ts`) exports. */
interface Exports {
	readonly BYTES: WebAssembly.Global<'i32'>;
	readonly MOST: WebAssembly.Global<'i32'>;
	readonly IDS: WebAssembly.Global<'i32'>;
	scanList(start: number, end: number, limit: number): number;
}

const PAGE = 65_536;

function loadKernel() {
	const pages = 98;
	const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
	const run = startKernel<Exports>(KERNEL, memory);
	const { buffer } = memory;
	const most = run.MOST.value;
	return {
		run,
		most,
		bytes: new Uint8Array(buffer, run.BYTES.value, most + 1),
		ids: new Uint32Array(buffer, run.IDS.value, (pages * PAGE - run.IDS.value) >> 2),
	};
}
let kernel: ReturnType<typeof loadKernel> | undefined;

/** Reads lines of some bytes as {@link scanIds} does, by the kernel where it can. Valid until another one is made. */
export function idScanner(
	bytes: Uint8Array,
): (start: number, end: number, limit: number, out: Uint32Array, at: number) => number {
	kernel ??= loadKernel();
	const { run, most, bytes: own, ids } = kernel;
	if (bytes.length > most) return (...line) => scanIds(bytes, ...line);
	own.set(bytes);
	// What lies there from before must not go on behind the end.
	own[bytes.length] = 0;
	return (start, end, limit, out, at) => {
		const count = run.scanList(own.byteOffset + start, own.byteOffset + end, limit);
		if (count < 0) return scanIds(bytes, start, end, limit, out, at);
		out.set(ids.subarray(0, count), at);
		return count;
	};
}

/** Fields that are looked for where none is named. */
export const TOKEN_FIELDS = ['tokens', 'input_ids'] as const;

/** Takes the ids and the id of a record. */
export type IdReader = (
	value: unknown,
	place: string,
	where: () => string,
) => { id: string; tokens: number[] };

/** Schema of a list of ids, for what is wrong with one. */
function idList(limit: number): z.ZodType<number[]> {
	return z.array(
		z
			.int({ error: 'must be an integer token id' })
			.min(0, 'is a negative token id')
			.lt(limit, `is a token id outside the vocabulary of ${limit}`),
		{ error: 'must be a JSON array of token ids' },
	);
}

/**
 * Reads the ids of a record that is JSON.
 *
 * @param field that holds them where a record is an object; default: one of {@link TOKEN_FIELDS}
 * @returns throws TouchmarkError `bad-input` that names field and position
 */
export function idReader(limit: number, field: string | undefined): IdReader {
	const schema = idList(limit);
	return (value, place, where) => {
		if (Array.isArray(value))
			return { id: place, tokens: idsIn(value, limit) ?? checked(schema, value, where()) };
		if (typeof value !== 'object' || value === null)
			throw badInput(`${where()}: must be a JSON array of token ids, or an object that has one`);
		const record = value as Readonly<Record<string, unknown>>;
		const name = field ?? TOKEN_FIELDS.find((known) => Object.hasOwn(record, known)) ?? TOKEN_FIELDS[0];
		const list = Object.hasOwn(record, name) ? record[name] : undefined;
		const { id } = record;
		return {
			id: typeof id === 'string' || typeof id === 'number' ? String(id) : place,
			tokens:
				idsIn(list, limit) ?? checked(z.looseObject({ [name]: schema }), { [name]: list }, where())[name],
		};
	};
}

/** A list of ids, where it is one; undefined where the schema says what is wrong. */
function idsIn(value: unknown, limit: number): number[] | undefined {
	if (!Array.isArray(value)) return undefined;
	for (const id of value) if (!(Number.isInteger(id) && id >= 0 && id < limit)) return undefined;
	return value as number[];
}
