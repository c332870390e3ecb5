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
	textsOf,
} from '../corpus/lines.js';
import { textsOfLines } from '../corpus/read-shard.js';
import { type TokenRecord, tokensOfLines } from '../corpus/read-token-shard.js';
import type { RecordFields, ScanRecord } from '../corpus/records.js';

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
export function recordsOf(
	input: AsyncIterable<Uint8Array>,
	{ fields, tokens }: RecordOptions,
	broken?: Broken,
): AsyncGenerator<(ScanRecord | TokenRecord)[]> {
	const lines = { blocks: blocksOf(input, { place, broken }), place, idOf: (byte: number) => String(byte) };
	return tokens ? tokensOfLines(lines, MAX_TOKEN_ID + 1, broken) : textsOfLines(lines, fields, broken);
}
