/**
 * Rows of Parquet files: only the columns that are wanted, a few pages at a time.
 *
 * @module
 */
import { isUtf8 } from 'node:buffer';
import { crc32 } from 'node:zlib';
import {
	type ColumnMetaData,
	type DecodedArray,
	type FileMetaData,
	type PageHeader,
	type ParquetParsers,
	parquetMetadata,
	parquetSchema,
	type RowGroup,
	type SchemaTree,
} from 'hyparquet';
import { assembleLists, assembleNested } from 'hyparquet/src/assemble.js';
import { parquetHeader } from 'hyparquet/src/column.js';
import { DEFAULT_PARSERS } from 'hyparquet/src/convert.js';
import { getMaxDefinitionLevel, getTreePath, isFlatColumn } from 'hyparquet/src/schema.js';
import { badInput, TouchmarkError } from '../errors.js';
import type { ByteSource } from './byte-source.js';
import {
	COMPRESSORS,
	type ColumnDecoder,
	checkHeader,
	type PageValues,
	readDataPage,
	readDictionary,
} from './parquet-page.js';
import { NOT_UTF8 } from './records.js';

/** Largest description at the end of a file, bytes. */
const MAX_FOOTER = 2 ** 24;
/** Largest column of a row group, bytes when unpacked. */
export const MAX_COLUMN_BYTES = 2 ** 29;
/** Most values of a column of lists or structures in a row group: they are put together as a whole. */
const MAX_NESTED_VALUES = 2 ** 24;
/** What is read at once of a column, bytes. */
const WINDOW = 2 ** 22;
/** Bytes that a column may have more than it says. */
const UNCOUNTED = 128;
/** Rows that are given at once. */
const MAX_ROWS = 512;
/** Largest header of a page, bytes: it may hold the least and the greatest text of the page. */
const MAX_HEADER = 2 ** 24;

const PARSERS: ParquetParsers = {
	...DEFAULT_PARSERS,
	stringFromBytes: textFrom,
	jsonFromBytes(bytes) {
		const text = textFrom(bytes);
		try {
			return typeof text === 'string' ? JSON.parse(text) : text;
		} catch {
			return text;
		}
	},
};

function textFrom(bytes: unknown): unknown {
	if (!(bytes instanceof Uint8Array)) return bytes;
	if (!isUtf8(bytes)) return NOT_UTF8;
	return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

/** Columns by name of a row. */
export type Row = Record<string, unknown>;

/** A Parquet file and its description. */
export interface ParquetFile {
	readonly source: ByteSource;
	readonly metadata: FileMetaData;
	/** Names of its columns; of nested ones the outermost. */
	readonly columns: readonly string[];
}

/** Our sentence for whatever the library or the checks say. */
export function asProblem(name: string, error: unknown): TouchmarkError {
	if (TouchmarkError.isInstance(error)) return error;
	const reason = error instanceof Error ? error.message.replace(/\s+/g, ' ').slice(0, 120) : 'invalid data';
	return badInput(`${name}: is not Parquet that can be read (${reason})`, error);
}

/**
 * Reads what a Parquet file says of itself.
 *
 * @throws TouchmarkError `bad-input` when it is no Parquet, encrypted, or says more than 16 MiB
 */
export async function openParquet(source: ByteSource): Promise<ParquetFile> {
	const { name, size = 0 } = source;
	try {
		const tail = Buffer.from(await source.bytes(Math.max(0, size - 8), size));
		const magic = tail.subarray(-4).toString('latin1');
		if (magic === 'PARE') throw badInput(`${name}: is encrypted Parquet; decrypt it`);
		if (tail.length < 8 || magic !== 'PAR1') throw new Error('it does not end as Parquet does');
		const length = tail.readUInt32LE(0);
		if (length > MAX_FOOTER)
			throw badInput(
				`${name}: has a description of ${length} bytes, more than ${MAX_FOOTER}; write fewer row groups`,
			);
		if (length + 8 > size) throw new Error('its description is longer than the file');
		const footer = await source.bytes(size - length - 8, size);
		const metadata = parquetMetadata(Uint8Array.from(footer), { geoparquet: false });
		const columns = parquetSchema(metadata).children.map(({ element }) => element.name);
		return { source, metadata, columns };
	} catch (error) {
		throw asProblem(name, error);
	}
}

/** Bytes of each row group, as the file says. @throws as {@link openParquet} */
export async function rowGroupsOf(source: ByteSource): Promise<number[]> {
	const { metadata } = await openParquet(source);
	return metadata.row_groups.map(({ columns }) =>
		columns.reduce((sum, { meta_data }) => sum + Number(meta_data?.total_compressed_size ?? 0), 0),
	);
}

/** The columns of a row group whose outermost name is this one. */
export function chunksOf(
	{ source: { name } }: ParquetFile,
	group: RowGroup,
	column: string,
): ColumnMetaData[] {
	const chunks: ColumnMetaData[] = [];
	for (const { meta_data: chunk, file_path, crypto_metadata } of group.columns) {
		if (crypto_metadata !== undefined) throw badInput(`${name}: column "${column}" is encrypted; decrypt it`);
		if (chunk?.path_in_schema[0] !== column) continue;
		if (file_path !== undefined) throw new Error('its columns lie in other files');
		const bytes = Number(chunk.total_uncompressed_size);
		if (bytes > MAX_COLUMN_BYTES || Number(chunk.total_compressed_size) > MAX_COLUMN_BYTES)
			throw badInput(
				`${name}: column "${column}" has ${bytes} bytes in a row group, more than ${MAX_COLUMN_BYTES}; write smaller row groups`,
			);
		chunks.push(chunk);
	}
	return chunks;
}

/** A page as it comes, and how to read it. */
interface Page extends PageValues {
	readonly column: ColumnDecoder;
}

/** Pages of a column of a row group, one after the other. */
export async function* pagesOf(
	{ source, metadata }: ParquetFile,
	tree: SchemaTree,
	chunk: ColumnMetaData,
): AsyncGenerator<Page> {
	const schemaPath = getTreePath(tree, chunk.path_in_schema);
	const column: ColumnDecoder = {
		pathInSchema: chunk.path_in_schema,
		type: chunk.type,
		element: schemaPath[schemaPath.length - 1].element,
		schemaPath,
		codec: chunk.codec,
		parsers: PARSERS,
		compressors: COMPRESSORS,
	};
	const { dictionary_page_offset: first, data_page_offset } = chunk;
	let at = Number(!first || data_page_offset < first ? data_page_offset : first);
	const values = Number(chunk.num_values);
	const last = (source.size ?? 0) - metadata.metadata_length - 8;
	// Old writers do not count the header of the dictionary.
	const end = Math.min(last, at + Number(chunk.total_compressed_size) + UNCOUNTED);
	if (at < 0 || at > last) throw new Error('a column lies outside of the file');
	let dictionary: DecodedArray | undefined;
	let window: Uint8Array = new Uint8Array(0);
	let windowAt = at;
	const need = async (length: number): Promise<void> => {
		const wanted = Math.min(length, end - at);
		if (at >= windowAt && at + wanted <= windowAt + window.length) return;
		window = await source.bytes(at, Math.min(end, at + Math.max(wanted, WINDOW)));
		windowAt = at;
		if (window.length < wanted) throw new Error('the file ends within a column');
	};
	/** Reads a header, and goes behind it. */
	const nextHeader = async (): Promise<PageHeader> => {
		for (let length = 2 ** 16; ; length *= 8) {
			await need(length);
			const rest = window.subarray(at - windowAt);
			const reader = { view: new DataView(rest.buffer, rest.byteOffset, rest.byteLength), offset: 0 };
			try {
				const header = parquetHeader(reader);
				at += reader.offset;
				return header;
			} catch (error) {
				// It may be longer than what was looked at.
				if (rest.length >= end - at || length > MAX_HEADER) throw error;
			}
		}
	};
	let seen = 0;
	while (at < end && seen < values) {
		const header = await nextHeader();
		checkHeader(header);
		const length = header.compressed_page_size;
		if (length > end - at) throw new Error('a page reaches beyond its column');
		await need(length);
		const bytes = window.subarray(at - windowAt, at - windowAt + length);
		at += length;
		if (header.crc !== undefined && crc32(bytes) !== header.crc >>> 0)
			throw new Error('a page is damaged: its checksum differs');
		if (header.type === 'DICTIONARY_PAGE') dictionary = readDictionary(bytes, header, column);
		else if (header.type === 'DATA_PAGE' || header.type === 'DATA_PAGE_V2') {
			const page = readDataPage(bytes, header, column, dictionary);
			seen += page.count;
			yield { ...page, column };
		}
	}
	if (seen !== values) throw new Error(`a column has ${seen} of ${values} values`);
}

/** Values of a column of a row group, a row each, some at a time. */
async function* valuesOf(
	file: ParquetFile,
	tree: SchemaTree,
	group: RowGroup,
	name: string,
): AsyncGenerator<DecodedArray> {
	const chunks = chunksOf(file, group, name);
	const schema = tree.children.find(({ element }) => element.name === name);
	if (chunks.length === 0 || schema === undefined) throw new Error(`a row group has no column "${name}"`);
	if (isFlatColumn([tree, schema])) {
		for await (const { values, definition, count } of pagesOf(file, tree, chunks[0])) {
			if (definition === undefined) yield values;
			else {
				const all: unknown[] = new Array(count);
				for (let i = 0, next = 0; i < count; i++) all[i] = definition[i] === 1 ? values[next++] : null;
				yield all;
			}
		}
		return;
	}
	const parts = new Map<string, DecodedArray>();
	let total = 0;
	for (const chunk of chunks) {
		const rows: unknown[] = [];
		for await (const { values, count, column, ...levels } of pagesOf(file, tree, chunk)) {
			total += count;
			if (total > MAX_NESTED_VALUES)
				throw badInput(
					`${file.source.name}: column "${name}" has more than ${MAX_NESTED_VALUES} values in a row group; write smaller row groups`,
				);
			if (levels.repetition !== undefined && rows.length === 0 && levels.repetition[0] > 0)
				throw new Error('a column begins within a row');
			const { definition, repetition } = levels;
			const filled = definition ?? new Uint8Array(count).fill(getMaxDefinitionLevel(column.schemaPath));
			assembleLists(rows, Array.from(filled), Array.from(repetition ?? []), values, column.schemaPath);
		}
		parts.set(chunk.path_in_schema.join('.'), rows);
	}
	assembleNested(parts, schema, PARSERS);
	yield parts.get(name) ?? [];
}

/**
 * Rows of some row groups. What breaks a row group is thrown when its rows before that were given.
 *
 * @param columns names of those wanted; a row has only them
 * @param broken is told of a row group that breaks, whose other rows are then left out
 * @throws TouchmarkError `bad-input` where there is no `broken`
 */
export async function* parquetRows(
	file: ParquetFile,
	from: number,
	to: number,
	columns: readonly string[],
	broken?: (problem: TouchmarkError) => void,
): AsyncGenerator<{ first: number; rows: Row[] }> {
	const { row_groups } = file.metadata;
	let first = row_groups.slice(0, from).reduce((sum, { num_rows }) => sum + Number(num_rows), 1);
	for (const [i, group] of row_groups.slice(from, to).entries()) {
		const count = Number(group.num_rows);
		try {
			yield* rowsOf(file, group, first, columns);
		} catch (error) {
			const problem = asProblem(`${file.source.name}: row group ${from + i}`, error);
			if (broken === undefined) throw problem;
			broken(problem);
		}
		first += count;
	}
}

async function* rowsOf(
	file: ParquetFile,
	group: RowGroup,
	firstRow: number,
	names: readonly string[],
): AsyncGenerator<{ first: number; rows: Row[] }> {
	const tree = parquetSchema(file.metadata);
	const count = Number(group.num_rows);
	const columns = names.map((name) => ({
		name,
		pages: valuesOf(file, tree, group, name),
		page: [] as DecodedArray,
		at: 0,
	}));
	try {
		for (let done = 0; done < count; ) {
			for (const column of columns)
				while (column.at >= column.page.length) {
					const next = await column.pages.next();
					if (next.done) throw new Error(`column "${column.name}" has ${done} of ${count} rows`);
					column.page = next.value;
					column.at = 0;
				}
			const rows: Row[] = [];
			const some = Math.min(MAX_ROWS, count - done, ...columns.map(({ page, at }) => page.length - at));
			for (let i = 0; i < some; i++) {
				const row: Row = {};
				for (const { name, page, at } of columns) row[name] = page[at + i];
				rows.push(row);
			}
			for (const column of columns) column.at += some;
			yield { first: firstRow + done, rows };
			done += some;
		}
	} finally {
		for (const { pages } of columns) await pages.return(undefined);
	}
}
