/**
 * Reported records as Parquet: one row a record and mark, flat, as tables want it. Memory: one row group.
 *
 * @module
 */
import { fileWriter, ParquetWriter } from 'hyparquet-writer';
import { newFile } from '../output.js';
import type { FlaggedOfShard } from './judge-candidates.js';

/** Rows of a row group. */
const GROUP_ROWS = 8192;

type Cell = string | number | null;
type Row = readonly Cell[];

/** Columns in the order of a row. */
const COLUMNS = [
	{ name: 'shard', type: 'BYTE_ARRAY', required: true },
	{ name: 'record', type: 'BYTE_ARRAY', required: true },
	{ name: 'part', type: 'INT32', required: true },
	{ name: 'log10E', type: 'DOUBLE', required: true },
	{ name: 'mark', type: 'BYTE_ARRAY', required: true },
	{ name: 'markLog10E', type: 'DOUBLE', required: true },
	{ name: 'scored', type: 'INT32', required: true },
	{ name: 'spanPairs', type: 'INT32', required: true },
	{ name: 'spanScore', type: 'DOUBLE', required: true },
	{ name: 'firstToken', type: 'INT32', required: false },
	{ name: 'lastToken', type: 'INT32', required: false },
] as const;

function rowsOf({ shard, record, part, log10E, marks }: FlaggedOfShard): Row[] {
	return marks.map(({ mark, log10E: own, scored, span }) => [
		...[shard, record, part, log10E, mark, own, scored, span.pairs, span.score],
		...(span.tokens ?? [null, null]),
	]);
}

/** Writes them; the file is whole or not there. @throws TouchmarkError `failed` where it cannot be written */
export async function writeFlaggedParquet(
	path: string,
	records: AsyncIterable<FlaggedOfShard>,
): Promise<void> {
	const { temporary, writing, finish } = newFile(path);
	const writer = writing(
		() =>
			new ParquetWriter({
				writer: fileWriter(temporary),
				createdBy: 'touchmark',
				schema: [
					{ name: 'flagged', num_children: COLUMNS.length },
					...COLUMNS.map(({ name, type, required }) => ({
						...{ name, type, repetition_type: required ? ('REQUIRED' as const) : ('OPTIONAL' as const) },
						...(type === 'BYTE_ARRAY' ? { converted_type: 'UTF8' as const } : {}),
					})),
				],
			}),
	);
	let rows: Row[] = [];
	function writeGroup(): void {
		if (rows.length === 0) return;
		const columnData = COLUMNS.map(({ name }, i) => ({ name, data: rows.map((row) => row[i]) }));
		writing(() => writer.write({ columnData, rowGroupSize: GROUP_ROWS }));
		rows = [];
	}
	for await (const record of records) {
		rows.push(...rowsOf(record));
		if (rows.length >= GROUP_ROWS) writeGroup();
	}
	writeGroup();
	writing(() => writer.finish());
	finish();
}
