/**
 * Records of CSV with a header row (RFC 4180), as they stream by.
 *
 * @module
 */
import { isUtf8 } from 'node:buffer';
import { parse } from 'csv-parse';
import { badInput } from '../errors.js';
import type { ByteReader } from './byte-source.js';
import { type Broken, report } from './lines.js';
import { NOT_UTF8 } from './records.js';

/** A record and the number of the line on which it ends, counted from 1. */
export interface CsvRecord {
	readonly line: number;
	readonly row: Readonly<Record<string, unknown>>;
}

interface Parsed {
	readonly info: { readonly lines: number };
	readonly record: Readonly<Record<string, string>>;
}

const READ = 2 ** 18;
/** Longest record, bytes. */
const MAX_RECORD_BYTES = 2 ** 24;

/**
 * Records with the columns that are wanted, some at a time.
 *
 * @param wanted columns; a file must have one of them
 * @param broken is told of records with too many or too few fields or a quote out of place, which are left out
 * @throws TouchmarkError `bad-input` for such a record where there is no `broken`, for a file without a wanted column,
 * and for a record of more than 16 MiB, which is what a quote that is missing makes of a file
 */
export async function* csvRecords(
	reader: ByteReader,
	name: string,
	delimiter: ',' | '\t',
	wanted: readonly string[],
	broken?: Broken,
): AsyncGenerator<CsvRecord[]> {
	// Fields are bytes until they are wanted (Latin-1 has a character for each), so that one that is not UTF-8 is one
	// broken record and no broken file.
	let names: string[] | undefined;
	let problem: Error | undefined;
	const parser = parse({
		delimiter,
		// Given, since looking for them costs a microsecond a byte of the first line.
		record_delimiter: ['\r\n', '\n'],
		encoding: 'latin1',
		info: true,
		skip_empty_lines: true,
		skip_records_with_error: true,
		columns: (header: string[]) => {
			names = header.map((field) => textOf(field) ?? field);
			return names;
		},
		on_skip: (error) => {
			if (error === undefined) return undefined;
			const { lines = 0 } = error as { lines?: number };
			const reason = error.message.replace(/\s+/g, ' ').slice(0, 120);
			try {
				report(badInput(`${name}:${lines}: is not a record of this CSV (${reason})`), broken);
			} catch (fatal) {
				problem ??= fatal as Error;
			}
			return undefined;
		},
		// Room for whatever a piece becomes: it is written when all of it was parsed.
		...{ readableHighWaterMark: 2 ** 30 },
	});
	const failed = new Promise<never>((_, reject) => parser.on('error', reject));
	failed.catch(() => undefined);

	const taken = (): CsvRecord[] => {
		if (problem !== undefined) throw problem;
		if (names !== undefined && !names.some((field) => wanted.includes(field)))
			throw badInput(
				`${name}: has no column ${wanted.map((field) => `"${field}"`).join(', ')}; name the field`,
			);
		const records: CsvRecord[] = [];
		for (let next: Parsed | null = parser.read(); next !== null; next = parser.read()) {
			const row: Record<string, unknown> = {};
			for (const field of wanted)
				if (Object.hasOwn(next.record, field)) row[field] = textOf(next.record[field]) ?? NOT_UTF8;
			records.push({ line: next.info.lines, row });
		}
		return records;
	};
	try {
		let since = 0;
		let line = 0;
		for (let first = true; ; first = false) {
			const buffer = Buffer.allocUnsafe(READ);
			const got = await reader.read(buffer, 0, READ);
			if (got === 0) break;
			const marked = first && got >= 3 && buffer.readUIntBE(0, 3) === 0xefbbbf;
			const piece = buffer.subarray(marked ? 3 : 0, got);
			await Promise.race([new Promise<void>((done) => parser.write(piece, () => done())), failed]);
			const records = taken();
			since = records.length === 0 ? since + got : 0;
			line = records.at(-1)?.line ?? line;
			if (since > MAX_RECORD_BYTES)
				throw badInput(
					`${name}:${line + 1}: is a record of more than ${MAX_RECORD_BYTES} bytes; a quote may be missing`,
				);
			if (records.length > 0) yield records;
		}
		await Promise.race([new Promise<void>((done) => parser.end(() => done())), failed]);
		const records = taken();
		if (records.length > 0) yield records;
	} finally {
		parser.destroy();
	}
}

/** Text of bytes that are written as Latin-1; undefined where it is not UTF-8. */
function textOf(latin1: string): string | undefined {
	const bytes = Buffer.from(latin1, 'latin1');
	return isUtf8(bytes) ? bytes.toString('utf8') : undefined;
}
