/**
 * A page of a Parquet column, with bounds. The library's own page reader believes what a page says of itself: a run of two
 * thousand million values in ten bytes ends the process. So levels, indices and sizes are checked here; the encodings of
 * values are the library's.
 *
 * @see https://parquet.apache.org/docs/file-format/data-pages/encodings/
 * @module
 */
import zlib, { brotliDecompressSync, unzipSync } from 'node:zlib';
import { decompress as unzstd } from 'fzstd';
import type { Compressors, DecodedArray, Encoding, PageHeader } from 'hyparquet';
import { alpDecode } from 'hyparquet/src/alp.js';
import { convert } from 'hyparquet/src/convert.js';
import { decompressPage } from 'hyparquet/src/datapage.js';
import { deltaBinaryUnpack, deltaByteArray, deltaLengthByteArray } from 'hyparquet/src/delta.js';
import { byteStreamSplit } from 'hyparquet/src/encoding.js';
import { readPlain } from 'hyparquet/src/plain.js';
import { getMaxDefinitionLevel, getMaxRepetitionLevel } from 'hyparquet/src/schema.js';
import { compressors as libraryCompressors } from 'hyparquet-compressors';

/** Largest page, bytes when unpacked. */
export const MAX_PAGE_BYTES = 2 ** 27;
/** Most values of a page. */
export const MAX_PAGE_VALUES = 2 ** 23;

/** How the pages of a column are read. */
export type ColumnDecoder = Parameters<typeof convert>[1];

/** Values of a page, with the levels that say where lists begin and what is null; no levels where none are needed. */
export interface PageValues {
	readonly count: number;
	readonly repetition: Uint8Array | undefined;
	readonly definition: Uint8Array | undefined;
	/** Those that are not null. */
	readonly values: DecodedArray;
}

/** Unpacks pages: as many bytes as a page says, not one more. */
export const COMPRESSORS: Compressors = {
	...libraryCompressors,
	GZIP: (input, length) => alone(unzipSync(input, { maxOutputLength: Math.max(1, length) })),
	BROTLI: (input, length) => alone(brotliDecompressSync(input, { maxOutputLength: Math.max(1, length) })),
	ZSTD: (input, length) => {
		if ('zstdDecompressSync' in zlib)
			return alone(
				(zlib.zstdDecompressSync as typeof unzipSync)(input, { maxOutputLength: Math.max(1, length) }),
			);
		const output = new Uint8Array(length);
		unzstd(input, output);
		return output;
	},
};

/** Bytes in memory of their own, so that a length that is wrong leads nowhere. */
function alone(bytes: Buffer): Uint8Array {
	return bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);
}

/** Refuses a page that says of itself what cannot be, or is too much. @throws Error with a reason */
export function checkHeader(header: PageHeader): void {
	const { compressed_page_size: packed, uncompressed_page_size: unpacked } = header;
	const v2 = header.data_page_header_v2;
	const counts = header.data_page_header ?? v2 ?? header.dictionary_page_header;
	within('size of a page', packed, 2 ** 31);
	if (unpacked > MAX_PAGE_BYTES)
		throw new Error(`a page of ${unpacked} bytes; at most ${MAX_PAGE_BYTES} are read`);
	within('size of a page', unpacked, MAX_PAGE_BYTES);
	if (counts === undefined) return;
	if (counts.num_values > MAX_PAGE_VALUES)
		throw new Error(`a page of ${counts.num_values} values; at most ${MAX_PAGE_VALUES} are read`);
	within('number of values', counts.num_values, MAX_PAGE_VALUES);
	if (v2 === undefined) return;
	within('number of nulls', v2.num_nulls, v2.num_values);
	within('size of levels', v2.repetition_levels_byte_length, packed);
	within('size of levels', v2.definition_levels_byte_length, packed - v2.repetition_levels_byte_length);
}

function within(what: string, value: number, most: number): void {
	if (!(Number.isInteger(value) && value >= 0 && value <= most))
		throw new Error(`the ${what} is ${typeof value === 'number' ? value : 'no number'}`);
}

/** Values that the pages of a column refer to. */
export function readDictionary(bytes: Uint8Array, header: PageHeader, column: ColumnDecoder): DecodedArray {
	const page = decompressPage(bytes, header.uncompressed_page_size, column.codec, column.compressors);
	const count = header.dictionary_page_header?.num_values ?? 0;
	const reader = { view: viewOf(page), offset: 0 };
	const values = readPlain(reader, column.type, count, column.element.type_length);
	if (reader.offset > page.length) throw new Error('values reach beyond their page');
	return convert(values, column);
}

/**
 * Values of a data page of either version.
 *
 * @throws Error with a reason, when levels or values are fewer than the page says or do not fit its schema
 */
export function readDataPage(
	bytes: Uint8Array,
	header: PageHeader,
	column: ColumnDecoder,
	dictionary: DecodedArray | undefined,
): PageValues {
	const maxRepetition = getMaxRepetitionLevel(column.schemaPath);
	const maxDefinition = getMaxDefinitionLevel(column.schemaPath);
	const v2 = header.data_page_header_v2;
	const v1 = header.data_page_header;
	const about = v2 ?? v1;
	if (about === undefined) throw new Error('a page without a header of its kind');
	const count = about.num_values;
	let repetition: Uint8Array | undefined;
	let definition: Uint8Array | undefined;
	let page: Uint8Array;
	let at = 0;
	if (v2 !== undefined) {
		const split = v2.repetition_levels_byte_length;
		const end = split + v2.definition_levels_byte_length;
		if (maxRepetition > 0) repetition = levels(bytes.subarray(0, split), maxRepetition, count);
		if (maxDefinition > 0) definition = levels(bytes.subarray(split, end), maxDefinition, count);
		page = bytes.subarray(end);
		const size = header.uncompressed_page_size - end;
		if (v2.is_compressed !== false && size > 0)
			page = decompressPage(page, size, column.codec, column.compressors);
	} else {
		page = decompressPage(bytes, header.uncompressed_page_size, column.codec, column.compressors);
		const next = (most: number): Uint8Array => {
			const length = viewOf(page).getUint32(at, true);
			const part = page.subarray(at + 4, at + 4 + length);
			at += 4 + length;
			return levels(part, most, count);
		};
		if (maxRepetition > 0) repetition = next(maxRepetition);
		if (maxDefinition > 0) definition = next(maxDefinition);
	}
	if (repetition !== undefined && count > 0 && repetition[0] > maxRepetition)
		throw new Error('a level is above the schema');
	let present = count;
	if (definition !== undefined) {
		present = 0;
		for (let i = 0; i < count; i++) if (definition[i] === maxDefinition) present++;
	}
	const values = readValues(page.subarray(at), about.encoding, present, column, dictionary);
	if (values.length < present) throw new Error(`a page has ${values.length} of ${present} values`);
	return { count, repetition, definition: present === count ? undefined : definition, values };
}

function readValues(
	bytes: Uint8Array,
	encoding: Encoding,
	count: number,
	column: ColumnDecoder,
	dictionary: DecodedArray | undefined,
): DecodedArray {
	if (count === 0) return [];
	const { type, element } = column;
	if (encoding === 'PLAIN_DICTIONARY' || encoding === 'RLE_DICTIONARY') {
		if (dictionary === undefined) throw new Error('a page refers to a dictionary that is not there');
		return lookedUp(dictionary, indices(bytes.subarray(1), bytes[0], count));
	}
	const reader = { view: viewOf(bytes), offset: 0 };
	if (encoding === 'RLE' && type === 'BOOLEAN') {
		// Version 1 writes a length before the runs, as does version 2 of most writers.
		const prefixed = bytes.length >= 4 && reader.view.getUint32(0, true) === bytes.length - 4;
		const runs = bytes.subarray(prefixed ? 4 : 0);
		return Array.from(indices(runs, 1, count), (bit) => bit === 1);
	}
	/** Values are views of the page, and nothing keeps them from being views of what lies behind it. */
	const converted = (values: DecodedArray): DecodedArray => {
		if (reader.offset > bytes.length) throw new Error('values reach beyond their page');
		return convert(values, column);
	};
	if (encoding === 'PLAIN') return converted(readPlain(reader, type, count, element.type_length));
	if (encoding === 'DELTA_BINARY_PACKED') {
		const values = type === 'INT32' ? new Int32Array(count) : new BigInt64Array(count);
		deltaBinaryUnpack(reader, count, values);
		return convert(values, column);
	}
	if (encoding === 'DELTA_LENGTH_BYTE_ARRAY') {
		const values: Uint8Array[] = new Array(count);
		deltaLengthByteArray(reader, count, values);
		return converted(values);
	}
	if (encoding === 'DELTA_BYTE_ARRAY') {
		checkPrefixes(bytes, count);
		const values: Uint8Array[] = new Array(count);
		deltaByteArray(reader, count, values);
		return converted(values);
	}
	if (encoding === 'BYTE_STREAM_SPLIT' && count * (element.type_length ?? 1) <= bytes.length)
		return convert(byteStreamSplit(reader, count, type, element.type_length), column);
	if (encoding === 'ALP') return convert(alpDecode(reader, count, type), column);
	throw new Error(`the encoding ${encoding} is not one that is read`);
}

/** A few bytes of prefixes can stand for any length of text. */
function checkPrefixes(bytes: Uint8Array, count: number): void {
	const prefixes = new Int32Array(count);
	deltaBinaryUnpack({ view: viewOf(bytes), offset: 0 }, count, prefixes);
	let sum = bytes.length;
	for (const prefix of prefixes) sum += Math.abs(prefix);
	if (sum > MAX_PAGE_BYTES)
		throw new Error(`a page that becomes ${sum} bytes; at most ${MAX_PAGE_BYTES} are read`);
}

function lookedUp(dictionary: DecodedArray, places: Int32Array): DecodedArray {
	const values: unknown[] = new Array(places.length);
	for (let i = 0; i < places.length; i++) {
		if (places[i] >= dictionary.length) throw new Error('a value is not in its dictionary');
		values[i] = dictionary[places[i]];
	}
	return values;
}

function levels(bytes: Uint8Array, most: number, count: number): Uint8Array {
	const out = new Uint8Array(count);
	readRuns(bytes, 32 - Math.clz32(most), out);
	for (let i = 0; i < count; i++) if (out[i] > most) throw new Error('a level is above the schema');
	return out;
}

function indices(bytes: Uint8Array, width: number, count: number): Int32Array {
	if (width > 24) throw new Error(`indices of ${width} bits`);
	const out = new Int32Array(count);
	if (width > 0) readRuns(bytes, width, out);
	return out;
}

/**
 * Runs and packed bits (the hybrid encoding) into as many values as there is room for, and no more.
 *
 * @throws Error when there are fewer
 */
export function readRuns(bytes: Uint8Array, width: number, out: Uint8Array | Int32Array): void {
	const mask = 2 ** width - 1;
	let at = 0;
	let done = 0;
	while (done < out.length) {
		let header = 0;
		for (let shift = 0; ; shift += 7) {
			if (at >= bytes.length || shift > 28)
				throw new Error(`a page has ${done} of ${out.length} levels or indices`);
			const byte = bytes[at++];
			header += (byte & 127) * 2 ** shift;
			if (byte < 128) break;
		}
		const half = Math.floor(header / 2);
		if (header % 2 === 0) {
			let value = 0;
			for (let shift = 0; shift < width; shift += 8) value += (bytes[at++] ?? 0) << shift;
			const end = Math.min(out.length, done + half);
			out.fill(value, done, end);
			done = end;
			continue;
		}
		const end = Math.min(out.length, done + 8 * half);
		if (at + Math.ceil(((end - done) * width) / 8) > bytes.length)
			throw new Error('packed bits end before their values');
		const from = at;
		let bits = 0;
		let held = 0;
		while (done < end) {
			while (held < width) {
				// At most 24 + 7 bits are held.
				bits |= bytes[at++] << held;
				held += 8;
			}
			out[done++] = bits & mask;
			bits >>>= width;
			held -= width;
		}
		at = from + half * width;
	}
}

function viewOf(bytes: Uint8Array): DataView {
	return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
