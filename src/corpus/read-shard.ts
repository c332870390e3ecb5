/**
 * Texts of a part of a corpus, in batches.
 *
 * @module
 */
import { badInput, TouchmarkError } from '../errors.js';
import { parseJson } from '../input.js';
import { type ByteReader, type ByteSource, openSource, readerOf } from './byte-source.js';
import { unpacked } from './decompress.js';
import { type Broken, lineBlocks, type NamePlace, readFrom, report, textsOf } from './lines.js';
import { holdsText, LAYOUT_FIELDS, type RecordFields, recordReader, type ScanRecord } from './records.js';
import type { Shard } from './shards.js';
import { plainText, readWhole, recordsIn } from './whole-file.js';

/** Records of a batch, at most. */
const BATCH = 256;
/** Characters of a batch's texts and prompts, beyond which no record is added: few, so that they are forgotten while they are young. */
const BATCH_CHARACTERS = 2 ** 15;

/**
 * The texts of a shard. Whatever the file holds, no more is in memory than a batch, and a line, a page of Parquet, or a
 * whole file of JSON or text, each of which has a bound.
 *
 * Ids are the records' own, else their places: the byte at which a line of plain JSONL begins (so that ids do not depend
 * on how a file was cut), the number of a line in a compressed file or CSV, of a record in JSON, of a row in Parquet, all
 * counted from 1; of a text file its name.
 *
 * What reads CSV or Parquet is loaded for a file that is one.
 *
 * @param fields that hold text and prompt
 * @param broken is told of records, row groups and files that cannot be read, which are then left out
 * @throws TouchmarkError `bad-input` that names file, place and field, where there is no `broken`
 */
export async function* readShard(
	shard: Shard,
	fields: RecordFields,
	broken?: Broken,
): AsyncGenerator<ScanRecord[]> {
	yield* withSource(shard, broken, (source) => {
		if (shard.format === 'jsonl') return textsOfLines(shardLines(source, shard, broken), fields, broken);
		if (shard.format === 'json') return jsonRecords(source, shard, fields, broken);
		if (shard.format === 'csv') return tableRecords(source, shard, fields, broken);
		if (shard.format === 'parquet') return columnRecords(source, shard, fields, broken);
		return textRecords(source, shard);
	});
}

/** Opens a shard's source around what reads it; what ends it early is told to `broken`. */
export async function* withSource<T>(
	{ path }: Shard,
	broken: Broken | undefined,
	read: (source: ByteSource) => AsyncGenerator<T>,
): AsyncGenerator<T> {
	let source: ByteSource | undefined;
	try {
		source = await openSource(path);
		yield* read(source);
	} catch (error) {
		if (!TouchmarkError.isInstance(error)) throw error;
		report(error, broken);
	} finally {
		await source?.close();
	}
}

/** Bytes of a shard's file as if it was not compressed, from a place on. */
function readerFor(source: ByteSource, { compression }: Shard, from = 0): ByteReader {
	if (compression === 'none') return source.reader(from);
	return readerOf(unpacked(source.reader(), compression, source.name));
}

/** Blocks of lines of JSONL, and what a line is called. */
export interface RecordLines {
	readonly blocks: ReturnType<typeof lineBlocks>;
	readonly place: NamePlace;
	idOf(byte: number, number: number): string;
}

/** The lines of a JSONL shard. */
export function shardLines(source: ByteSource, shard: Shard, broken: Broken | undefined): RecordLines {
	const plain = shard.compression === 'none';
	const place: NamePlace = plain
		? (byte) => `${source.name} at byte ${byte}`
		: (_byte, number) => `${source.name}:${number}`;
	// A size of 0 is one that is not known.
	const range = plain && shard.to > 0 ? { from: shard.from, to: shard.to } : {};
	const blocks = lineBlocks(readerFor(source, shard, readFrom(shard.from)), { ...range, place, broken });
	return { blocks, place, idOf: (byte, number) => String(plain ? byte : number) };
}

/** Gathers records into batches. */
function newBatches(): {
	add(records: readonly ScanRecord[]): boolean;
	take(): ScanRecord[];
} {
	let batch: ScanRecord[] = [];
	let characters = 0;
	return {
		/** True when it is time to take. */
		add(records) {
			for (const record of records) {
				batch.push(record);
				characters += record.text.length + (record.prompt?.length ?? 0);
			}
			return batch.length >= BATCH || characters >= BATCH_CHARACTERS;
		},
		take() {
			const taken = batch;
			batch = [];
			characters = 0;
			return taken;
		},
	};
}

/** What `read` gives; nothing where it fails and `broken` was told. */
function orBroken(read: () => ScanRecord[], broken: Broken | undefined): ScanRecord[] {
	try {
		return read();
	} catch (error) {
		if (!TouchmarkError.isInstance(error)) throw error;
		report(error, broken);
		return [];
	}
}

/** The texts of lines, in batches. @param broken as for {@link readShard} */
export async function* textsOfLines(
	{ blocks, place, idOf }: RecordLines,
	fields: RecordFields,
	broken: Broken | undefined,
): AsyncGenerator<ScanRecord[]> {
	const read = recordReader(fields);
	const batches = newBatches();
	for await (const block of blocks) {
		const textOf = textsOf(block, place, broken);
		for (let i = 0; i < block.starts.length; i++) {
			const text = textOf(i);
			if (text === undefined || isBlank(text)) continue;
			const byte = block.at + block.starts[i];
			const number = block.first + i;
			const where = (): string => place(byte, number);
			const records = orBroken(() => read(parsed(text, where), idOf(byte, number), where), broken);
			if (batches.add(records)) yield batches.take();
		}
		const rest = batches.take();
		if (rest.length > 0) yield rest;
	}
}

/** Whether a line is empty but for spaces. */
export function isBlank(text: string): boolean {
	return text.length === 0 || (text.charCodeAt(0) <= 32 && text.trim() === '');
}

/** JSON of a line; its place is asked for when needed. */
export function parsed(text: string, where: () => string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return parseJson(text, where());
	}
}

async function* jsonRecords(
	source: ByteSource,
	shard: Shard,
	fields: RecordFields,
	broken: Broken | undefined,
): AsyncGenerator<ScanRecord[]> {
	const remedy = 'convert it to JSONL, a record a line, which has no such bound';
	const text = await readWhole(readerFor(source, shard), source.name, remedy);
	const value = parseJson(text, source.name);
	const read = recordReader(fields);
	yield* placed(
		recordsIn(value, (object) => holdsText(object, fields)),
		1,
		(record, number) => read(record, String(number), () => `${source.name}: record ${number}`),
		broken,
	);
}

/** Batches of records that are numbered. */
function* placed<T>(
	values: readonly T[],
	first: number,
	read: (value: T, number: number) => ScanRecord[],
	broken: Broken | undefined,
): Generator<ScanRecord[]> {
	const batches = newBatches();
	for (const [i, value] of values.entries())
		if (batches.add(orBroken(() => read(value, first + i), broken))) yield batches.take();
	const rest = batches.take();
	if (rest.length > 0) yield rest;
}

/** Columns in which a record's text, prompt and id may be. */
function wantedColumns({ text, prompt }: RecordFields): string[] {
	return [text, text.split('.')[0], prompt, prompt.split('.')[0], 'id'];
}

async function* tableRecords(
	source: ByteSource,
	shard: Shard,
	fields: RecordFields,
	broken: Broken | undefined,
): AsyncGenerator<ScanRecord[]> {
	const delimiter = /\.tsv(\.\w+)?$/i.test(source.name.replace(/\?.*$/, '')) ? '\t' : ',';
	const wanted = [...new Set([...wantedColumns(fields), ...LAYOUT_FIELDS])];
	const read = recordReader(fields);
	const reader = readerFor(source, shard);
	const { csvRecords } = await import('./csv.js');
	for await (const records of csvRecords(reader, source.name, delimiter, wanted, broken))
		yield* placed(
			records,
			0,
			({ row, line }) => read(row, String(line), () => `${source.name}:${line}`),
			broken,
		);
}

async function* columnRecords(
	source: ByteSource,
	shard: Shard,
	fields: RecordFields,
	broken: Broken | undefined,
): AsyncGenerator<ScanRecord[]> {
	const { openParquet, parquetRows } = await import('./parquet.js');
	const file = await openParquet(source);
	const own = new Set(wantedColumns(fields));
	const has = (column: string) => file.columns.includes(column);
	const text = [fields.text, fields.text.split('.')[0]].some(has);
	const layouts = new Set<string>(LAYOUT_FIELDS);
	const columns = file.columns.filter((column) => own.has(column) || (!text && layouts.has(column)));
	if (!text && !columns.some((column) => layouts.has(column)))
		throw badInput(`${source.name}: has no column "${fields.text}"; it has ${listed(file.columns)}`);
	const read = recordReader(fields);
	for await (const { first, rows } of parquetRows(file, shard.from, shard.to, columns, broken))
		yield* placed(
			rows,
			first,
			(row, number) => read(row, String(number), () => `${source.name}: row ${number}`),
			broken,
		);
}

/** Some names, for an error. */
export function listed(names: readonly string[]): string {
	const some = names.slice(0, 10).map((name) => `"${name.replace(/\s+/g, ' ').slice(0, 40)}"`);
	return `${some.join(', ')}${names.length > some.length ? ' and more' : ''}` || 'none';
}

async function* textRecords(source: ByteSource, shard: Shard): AsyncGenerator<ScanRecord[]> {
	const text = plainText(await readWhole(readerFor(source, shard), source.name, 'split it'));
	if (text.trim() !== '') yield [{ id: source.name.replace(/^.*[/\\]/s, ''), text }];
}
