/**
 * Token ids of a part of a corpus, in batches.
 *
 * @module
 */
import { badInput, TouchmarkError } from '../errors.js';
import type { ByteSource } from './byte-source.js';
import { MAX_TOKEN_ID } from './documents.js';
import { type Broken, type LineBlock, report, textsOf } from './lines.js';
import { isBlank, listed, parsed, type RecordLines, shardLines, withSource } from './read-shard.js';
import type { Shard } from './shards.js';
import { idReader, idScanner, TOKEN_FIELDS } from './token-lines.js';

/** Token ids of a record. */
export interface TokenRecord {
	/** The record's own `id`, else its place, as of texts. */
	readonly id: string;
	/** Valid until the next batch is asked for. */
	readonly tokens: ArrayLike<number>;
}

/** Records of a batch, at most. */
const BATCH = 256;

/**
 * The token ids of a shard: of JSONL a list of ids a line, or an object with one; of Parquet a column of lists.
 *
 * @param vocabSize ids must be below it; without one, below 2^27
 * @param broken is told of records, row groups and files that cannot be read, which are then left out
 * @param field or column that holds the ids; default: `tokens` or `input_ids`
 * @throws TouchmarkError `bad-input` that names file, place and position, where there is no `broken`
 */
export async function* readTokenShard(
	shard: Shard,
	vocabSize: number | undefined,
	broken?: Broken,
	field?: string,
): AsyncGenerator<TokenRecord[]> {
	const limit = Math.min(vocabSize ?? Infinity, MAX_TOKEN_ID + 1);
	yield* withSource(shard, broken, (source) => {
		if (shard.format === 'jsonl')
			return tokensOfLines(shardLines(source, shard, broken), limit, broken, field);
		if (shard.format === 'parquet') return columnTokens(source, shard, limit, broken, field);
		throw badInput(`${source.name}: token ids are read from JSONL and Parquet; convert the file`);
	});
}

/** The token ids of lines, in batches. @param limit ids must be below it; the others as for {@link readTokenShard} */
export async function* tokensOfLines(
	{ blocks, place, idOf }: RecordLines,
	limit: number,
	broken?: Broken,
	field?: string,
): AsyncGenerator<TokenRecord[]> {
	const read = idReader(limit, field);
	let ids = new Uint32Array(0);
	for await (const block of blocks) {
		const { starts, at, first } = block;
		// An id takes a byte, and another that parts it from the next.
		const most = (block.bytes.length >> 1) + 1;
		if (ids.length < most) ids = new Uint32Array(most);
		const counts = scanLines(block, limit, ids);
		let textOf: ((index: number) => string | undefined) | undefined;
		let used = 0;
		let batch: TokenRecord[] = [];
		for (let i = 0; i < starts.length; i++) {
			const byte = at + starts[i];
			const number = first + i;
			if (counts[i] >= 0) {
				batch.push({ id: idOf(byte, number), tokens: ids.subarray(used, used + counts[i]) });
				used += counts[i];
			} else {
				textOf ??= textsOf(block, place, broken);
				const text = textOf(i);
				if (text === undefined || isBlank(text)) continue;
				const where = (): string => place(byte, number);
				try {
					batch.push(read(parsed(text, where), idOf(byte, number), where));
				} catch (error) {
					if (!TouchmarkError.isInstance(error)) throw error;
					report(error, broken);
				}
			}
			if (batch.length >= BATCH) {
				yield batch;
				batch = [];
			}
		}
		if (batch.length > 0) yield batch;
	}
}

/** Puts the ids of a block's lines one behind the other; how many each line has: -1 for one that is no plain list. */
function scanLines({ bytes, starts, ends }: LineBlock, limit: number, ids: Uint32Array): Int32Array {
	const counts = new Int32Array(starts.length);
	const scan = idScanner(bytes);
	let used = 0;
	for (let i = 0; i < starts.length; i++) {
		counts[i] = scan(starts[i], ends[i], limit, ids, used);
		if (counts[i] > 0) used += counts[i];
	}
	return counts;
}

async function* columnTokens(
	source: ByteSource,
	shard: Shard,
	limit: number,
	broken: Broken | undefined,
	field: string | undefined,
): AsyncGenerator<TokenRecord[]> {
	const { openParquet } = await import('./parquet.js');
	const { integerLists } = await import('./parquet-lists.js');
	const file = await openParquet(source);
	const wanted: readonly string[] = field === undefined ? TOKEN_FIELDS : [field];
	const column = wanted.find((name) => file.columns.includes(name));
	if (column === undefined)
		throw badInput(`${source.name}: has no column "${wanted[0]}"; it has ${listed(file.columns)}`);
	for await (const lists of integerLists(file, shard.from, shard.to, column, limit, broken)) {
		const batch: TokenRecord[] = [];
		for (const { row, list, wrong } of lists)
			if (list !== null) batch.push({ id: String(row), tokens: list });
			else
				report(
					badInput(
						`${source.name}: row ${row}: column "${column}" ${wrong === undefined ? 'is empty' : `has an entry that is no token id below ${limit}`}`,
					),
					broken,
				);
		for (let i = 0; i < batch.length; i += BATCH) yield batch.slice(i, i + BATCH);
	}
}
