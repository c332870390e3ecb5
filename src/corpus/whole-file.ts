/**
 * Files that are read as a whole, up to a bound: plain text and JSON.
 *
 * @module
 */
import { isUtf8 } from 'node:buffer';
import { badInput } from '../errors.js';
import type { ByteReader } from './byte-source.js';

/** Largest file that is read as a whole, bytes when unpacked. */
export const MAX_WHOLE_BYTES = 64 * 2 ** 20;

/**
 * The text of a file; a byte order mark is dropped.
 *
 * @param remedy what to do with a larger file
 * @throws TouchmarkError `bad-input` for invalid UTF-8 or more than 64 MiB
 */
export async function readWhole(reader: ByteReader, name: string, remedy: string): Promise<string> {
	let buffer = Buffer.allocUnsafe(2 ** 18);
	let held = 0;
	for (;;) {
		if (held > MAX_WHOLE_BYTES) throw badInput(`${name}: is larger than ${MAX_WHOLE_BYTES} bytes; ${remedy}`);
		if (held === buffer.length) {
			const larger = Buffer.allocUnsafe(2 * held);
			buffer.copy(larger);
			buffer = larger;
		}
		const got = await reader.read(buffer, held, buffer.length - held);
		if (got === 0) break;
		held += got;
	}
	const bytes = buffer.subarray(0, held);
	if (!isUtf8(bytes)) throw badInput(`${name}: is not valid UTF-8; convert the file`);
	return bytes.toString('utf8').replace(/^\uFEFF/, '');
}

/** Lines of a text as one text: `\n` between them, none at the end. */
export function plainText(text: string): string {
	return text.replace(/\r\n/g, '\n').replace(/\n$/, '');
}

/**
 * Records of a JSON file: of a list its members, of an object itself, or the members of the one list of objects in it.
 *
 * @param isRecord tells records from what holds them
 */
export function recordsIn(
	value: unknown,
	isRecord: (value: Readonly<Record<string, unknown>>) => boolean,
): unknown[] {
	if (Array.isArray(value)) return value;
	if (typeof value !== 'object' || value === null) return [value];
	const object = value as Readonly<Record<string, unknown>>;
	if (isRecord(object)) return [object];
	const lists = Object.values(object).filter(
		(field) => Array.isArray(field) && field.some((member) => typeof member === 'object' && member !== null),
	);
	return lists.length === 1 ? (lists[0] as unknown[]) : [object];
}
