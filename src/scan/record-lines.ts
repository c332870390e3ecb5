/**
 * Records out of a stream of JSONL, such as a process's standard input: what `scan` reads from a file of the same bytes, with
 * the same ids. Nothing is read before it is asked for, so whoever feeds the stream has to wait.
 *
 * @module
 */
import { readerOf } from '../corpus/byte-source.js';
import { MAX_TOKEN_ID } from '../corpus/documents.js';
import {
	type Broken,
	type Line,
	type LineBlock,
	type LineOptions,
	lineBlocks,
	report,
	textsOf,
} from '../corpus/lines.js';
import type { TokenRecord } from '../corpus/read-token-shard.js';
import { type RecordFields, recordReader, type ScanRecord } from '../corpus/records.js';
import { idReader, scanIds } from '../corpus/token-lines.js';
import { TouchmarkError } from '../errors.js';
import { parseJson } from '../input.js';

/** What standard input is called. */
export const STANDARD_INPUT = 'standard input';

const place = (_byte: number, number: number) => `${STANDARD_INPUT}:${number}`;

/** Blocks of lines of a stream. */
function blocksOf(input: AsyncIterable<Uint8Array>, options: LineOptions): AsyncGenerator<LineBlock> {
	return lineBlocks(
		readerOf(
			(async function* () {
				yield* input;
			})(),
		),
		options,
	);
}

/** Lines of standard input. @throws TouchmarkError `bad-input` for invalid UTF-8, or a line over 64 MiB */
export async function* linesOf(input: AsyncIterable<Uint8Array>): AsyncGenerator<Line> {
	for await (const block of blocksOf(input, { place })) {
		const textOf = textsOf(block, place);
		for (let i = 0; i < block.starts.length; i++) {
			const text = textOf(i);
			if (text !== undefined) yield { text, number: block.first + i };
		}
	}
}

/** How records are read. */
export interface RecordOptions {
	readonly fields: RecordFields;
	/** Records are lists of token ids, or objects that have one. */
	readonly tokens: boolean;
}

/**
 * Records, in batches. An id is the record's own, else the byte at which its line begins.
 *
 * @param broken is told of records that cannot be read, which are then left out
 * @throws TouchmarkError `bad-input` that names line and field, where there is no `broken`
 */
export async function* recordsOf(
	input: AsyncIterable<Uint8Array>,
	{ fields, tokens }: RecordOptions,
	broken?: Broken,
): AsyncGenerator<(ScanRecord | TokenRecord)[]> {
	const textReader = recordReader(fields);
	const listReader = idReader(MAX_TOKEN_ID + 1, undefined);
	const read = (value: unknown, id: string, where: () => string): (ScanRecord | TokenRecord)[] =>
		tokens ? [listReader(value, id, where)] : textReader(value, id, where);
	for await (const block of blocksOf(input, { place, broken })) {
		const textOf = textsOf(block, place, broken);
		const batch: (ScanRecord | TokenRecord)[] = [];
		for (let i = 0; i < block.starts.length; i++) {
			const id = String(block.at + block.starts[i]);
			const list = tokens ? plainList(block, i) : undefined;
			if (list !== undefined) {
				batch.push({ id, tokens: list });
				continue;
			}
			const text = textOf(i);
			if (text === undefined || text.trim() === '') continue;
			const where = () => place(0, block.first + i);
			try {
				batch.push(...read(parseJson(text, where()), id, where));
			} catch (error) {
				if (!TouchmarkError.isInstance(error)) throw error;
				report(error, broken);
			}
		}
		if (batch.length > 0) yield batch;
	}
}

/** The ids of a line that is a list of them, and nothing else. */
function plainList({ bytes, starts, ends }: LineBlock, i: number): Uint32Array | undefined {
	// An id takes a byte, and another that parts it from the next.
	const ids = new Uint32Array(((ends[i] - starts[i]) >> 1) + 1);
	const count = scanIds(bytes, starts[i], ends[i], MAX_TOKEN_ID + 1, ids, 0);
	return count < 0 ? undefined : ids.subarray(0, count);
}
