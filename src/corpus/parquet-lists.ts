/**
 * Columns of lists of whole numbers, which is how Parquet holds token ids: page by page, so that a row group of a thousand
 * million ids takes no more memory than a page and the longest list.
 *
 * @module
 */
import { type DecodedArray, parquetSchema, type RowGroup } from 'hyparquet';
import { getMaxDefinitionLevel, getMaxRepetitionLevel, getTreePath } from 'hyparquet/src/schema.js';
import { badInput, type TouchmarkError } from '../errors.js';
import { asProblem, chunksOf, type ParquetFile, pagesOf } from './parquet.js';

/** Longest list. */
const MAX_LIST = 2 ** 24;

/** A list and the number of its row, counted from 1. */
export interface NumberedList {
	readonly row: number;
	/** Null where the row has none, or an entry that is none. */
	readonly list: Uint32Array | null;
	/** An entry that is no whole number in [0, limit). */
	readonly wrong?: number;
}

/**
 * The lists of a column in some row groups.
 *
 * @param limit entries must be below it; at most 2^32
 * @param broken is told of a row group that breaks, whose other rows are then left out
 * @throws TouchmarkError `bad-input` where there is no `broken`, and when the column does not hold lists of integers
 */
export async function* integerLists(
	file: ParquetFile,
	from: number,
	to: number,
	column: string,
	limit: number,
	broken?: (problem: TouchmarkError) => void,
): AsyncGenerator<NumberedList[]> {
	const { row_groups } = file.metadata;
	let first = row_groups.slice(0, from).reduce((sum, { num_rows }) => sum + Number(num_rows), 1);
	for (const [i, group] of row_groups.slice(from, to).entries()) {
		try {
			yield* listsOf(file, group, first, column, limit);
		} catch (error) {
			const problem = asProblem(`${file.source.name}: row group ${from + i}`, error);
			if (broken === undefined) throw problem;
			broken(problem);
		}
		first += Number(group.num_rows);
	}
}

async function* listsOf(
	file: ParquetFile,
	group: RowGroup,
	firstRow: number,
	column: string,
	limit: number,
): AsyncGenerator<NumberedList[]> {
	const tree = parquetSchema(file.metadata);
	const chunks = chunksOf(file, group, column);
	const path = chunks.length === 1 ? getTreePath(tree, chunks[0].path_in_schema) : undefined;
	if (
		path === undefined ||
		getMaxRepetitionLevel(path) !== 1 ||
		(chunks[0].type !== 'INT32' && chunks[0].type !== 'INT64')
	)
		throw badInput(`${file.source.name}: column "${column}" does not hold lists of integers`);
	const full = getMaxDefinitionLevel(path);
	// Below this level there is no list at all.
	const listed = full - (path[path.length - 1].element.repetition_type === 'OPTIONAL' ? 1 : 0);
	const open = {
		ids: new Uint32Array(1024),
		length: 0,
		row: firstRow - 1,
		absent: false,
		wrong: undefined as number | undefined,
	};

	const closed = (): NumberedList => {
		const { row, absent, wrong } = open;
		const list = absent || wrong !== undefined ? null : open.ids.slice(0, open.length);
		return { row, list, ...(wrong === undefined ? {} : { wrong }) };
	};
	for await (const { count, repetition, definition, values } of pagesOf(file, tree, chunks[0])) {
		const lists: NumberedList[] = [];
		const ids = numbersOf(values);
		for (let i = 0, next = 0; i < count; i++) {
			if (repetition === undefined || repetition[i] === 0) {
				if (open.row >= firstRow) lists.push(closed());
				open.row++;
				open.length = 0;
				open.absent = false;
				open.wrong = undefined;
			} else if (open.row < firstRow) throw new Error('a column begins within a row');
			const level = definition === undefined ? full : definition[i];
			if (level === full) {
				const id = ids[next++];
				if (!(id >= 0 && id < limit)) open.wrong ??= Number(id);
				if (open.length === open.ids.length) {
					if (open.length >= MAX_LIST) throw new Error(`a list of more than ${MAX_LIST} numbers`);
					const larger = new Uint32Array(2 * open.length);
					larger.set(open.ids);
					open.ids = larger;
				}
				open.ids[open.length++] = id;
			} else if (level >= listed && listed < full) open.wrong ??= Number.NaN;
			else if (level === 0 && listed > 1) open.absent = true;
		}
		if (lists.length > 0) yield lists;
	}
	if (open.row >= firstRow) yield [closed()];
	if (open.row - firstRow + 1 !== Number(group.num_rows))
		throw new Error(`column "${column}" has ${open.row - firstRow + 1} of ${group.num_rows} rows`);
}

/** Entries as numbers; those of 64 bits that no double holds become what is out of every vocabulary. */
function numbersOf(values: DecodedArray): ArrayLike<number> {
	if (values instanceof BigInt64Array || values instanceof BigUint64Array)
		return Float64Array.from(values as unknown as Iterable<bigint>, Number);
	if (Array.isArray(values) && typeof values[0] === 'bigint') return Float64Array.from(values, Number);
	return values as ArrayLike<number>;
}
