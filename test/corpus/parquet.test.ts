/** Parquet: rows of text, chats and token ids, page by page, and files that say too much of themselves. */
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { type ColumnSource, parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, it } from 'vitest';
import { openSource } from '../../src/corpus/byte-source.js';
import { openParquet, parquetRows } from '../../src/corpus/parquet.js';
import { readRuns } from '../../src/corpus/parquet-page.js';
import { readShard } from '../../src/corpus/read-shard.js';
import { readTokenShard } from '../../src/corpus/read-token-shard.js';
import { planShards, type Shard } from '../../src/corpus/shards.js';
import { put } from './files.js';

const FIELDS = { text: 'text', prompt: 'prompt' };
const GZIP = { GZIP: (bytes: Uint8Array) => gzipSync(bytes) };

function write(name: string, columnData: ColumnSource[], options: object = {}): string {
	return put(name, new Uint8Array(parquetWriteBuffer({ columnData, compressors: GZIP, ...options })));
}

async function read(path: string, given?: Shard[]) {
	const problems: string[] = [];
	const told = ({ message }: Error): void => {
		expect(message).not.toMatch(/[\n\r]/);
		problems.push(message.replaceAll(path, 'F'));
	};
	const records = [];
	for (const shard of given ?? (await planShards([path], told)))
		for await (const batch of readShard(shard, FIELDS, told)) records.push(...batch);
	return { records, problems };
}

async function tokens(path: string, vocabSize?: number) {
	const problems: string[] = [];
	const records: [string, number[]][] = [];
	for (const shard of await planShards([path]))
		for await (const batch of readTokenShard(shard, vocabSize, ({ message }) =>
			problems.push(message.replaceAll(path, 'F')),
		))
			for (const record of batch) records.push([record.id, Array.from(record.tokens)]);
	return { records, problems };
}

describe('text', () => {
	const texts = Array.from({ length: 3000 }, (_, i) =>
		i % 7 === 0 ? null : `text ${i} naïve ${'🙂'.repeat(i % 5)}`,
	);
	it.each(['UNCOMPRESSED', 'SNAPPY', 'GZIP'])(
		'of many pages and row groups, %s, with nulls',
		async (codec) => {
			const columns: ColumnSource[] = [
				{ name: 'other', data: texts.map((_, i) => i), type: 'INT32' },
				{ name: 'text', data: texts, type: 'STRING' },
				{ name: 'prompt', data: texts.map((_, i) => `p${i % 3}`), type: 'STRING' },
			];
			const path = write('text.parquet', columns, { codec, rowGroupSize: 700, pageSize: 2000 });
			const { records, problems } = await read(path);
			expect(records).toEqual(
				texts.flatMap((text, i) => (text === null ? [] : [{ id: String(i + 1), text, prompt: `p${i % 3}` }])),
			);
			expect(problems.length).toBe(texts.filter((text) => text === null).length);
			expect(problems[1]).toBe('F: row 8: field "text": must be a string');
			// The same records row group by row group.
			const [{ id: _, ...whole }] = await planShards([path]);
			const parts = Array.from({ length: whole.to }, (_, i) => ({
				...whole,
				id: `${i}`,
				from: i,
				to: i + 1,
			}));
			expect(parts.length).toBe(5);
			expect((await read(path, parts)).records).toEqual(records);
		},
	);
	it('ids of a column, numbers of 64 bits too', async () => {
		const path = write('ids.parquet', [
			{ name: 'id', data: [5n, 2n ** 60n], type: 'INT64' },
			{ name: 'text', data: ['a', 'b'], type: 'STRING' },
		]);
		expect((await read(path)).records.map(({ id }) => id)).toEqual(['5', String(2n ** 60n)]);
	});
	it('that is not UTF-8 is one broken record', async () => {
		const data = [Uint8Array.of(0x61), Uint8Array.of(0xff), Uint8Array.of(0x62)];
		const path = write('bytes.parquet', [{ name: 'text', data, type: 'BYTE_ARRAY' }]);
		const { records, problems } = await read(path);
		expect(records.map(({ text }) => text)).toEqual(['a', 'b']);
		expect(problems).toEqual(['F: row 2: field "text": is not valid UTF-8; repair the record']);
	});
	it('a column that is not there is named once, with those that are', async () => {
		const path = write('none.parquet', [{ name: 'body', data: ['a', 'b'], type: 'STRING' }]);
		expect(await read(path)).toEqual({ records: [], problems: ['F: has no column "text"; it has "body"'] });
	});
	it('Alpaca columns', async () => {
		const path = write('alpaca.parquet', [
			{ name: 'instruction', data: ['Say'], type: 'STRING' },
			{ name: 'output', data: ['x'], type: 'STRING' },
		]);
		expect((await read(path)).records).toEqual([{ id: '1', text: 'x', prompt: 'Say' }]);
	});
});

describe('chats', () => {
	const schema = [
		{ name: 'root', num_children: 1 },
		{
			name: 'messages',
			repetition_type: 'OPTIONAL' as const,
			num_children: 1,
			converted_type: 'LIST' as const,
		},
		{ name: 'list', repetition_type: 'REPEATED' as const, num_children: 1 },
		{ name: 'element', repetition_type: 'OPTIONAL' as const, num_children: 2 },
		{
			name: 'role',
			type: 'BYTE_ARRAY' as const,
			converted_type: 'UTF8' as const,
			repetition_type: 'OPTIONAL' as const,
		},
		{
			name: 'content',
			type: 'BYTE_ARRAY' as const,
			converted_type: 'UTF8' as const,
			repetition_type: 'OPTIONAL' as const,
		},
	];
	it('in columns of structures', async () => {
		const chat = (i: number) => [
			{ role: 'user', content: `q${i}` },
			{ role: 'assistant', content: `a${i}` },
		];
		const data = Array.from({ length: 500 }, (_, i) => chat(i));
		const path = write('chats.parquet', [{ name: 'messages', data }], {
			schema,
			pageSize: 500,
			rowGroupSize: 200,
		});
		expect((await read(path)).records).toEqual(
			data.map((_, i) => ({ id: `${i + 1}/2`, text: `a${i}`, prompt: `q${i}` })),
		);
	});
});

describe('token ids', () => {
	const schemaOf = (type: 'INT32' | 'INT64') => [
		{ name: 'root', num_children: 1 },
		{
			name: 'input_ids',
			repetition_type: 'OPTIONAL' as const,
			num_children: 1,
			converted_type: 'LIST' as const,
		},
		{ name: 'list', repetition_type: 'REPEATED' as const, num_children: 1 },
		{ name: 'element', type, repetition_type: 'OPTIONAL' as const },
	];
	it('lists of any length, across pages and row groups', async () => {
		const list = fc.array(fc.nat(50_000), { maxLength: 40 });
		await fc.assert(
			fc.asyncProperty(
				fc.array(list, { minLength: 1, maxLength: 40 }),
				fc.nat(400),
				fc.integer({ min: 1, max: 40 }),
				async (data, pageSize, rowGroupSize) => {
					const path = write('k.parquet', [{ name: 'input_ids', data }], {
						schema: schemaOf('INT32'),
						pageSize: pageSize + 1,
						rowGroupSize,
					});
					expect(await tokens(path)).toEqual({
						records: data.map((ids, i) => [String(i + 1), ids]),
						problems: [],
					});
				},
			),
			{ numRuns: 60, seed: 20_261_202 },
		);
	});
	it('of 64 bits; a row without a list, and entries that are no ids, are named', async () => {
		const data = [[1n, 2n], null, [], [3n, null], [100n], [-1n], [2n ** 40n], [99n]];
		const path = write('k.parquet', [{ name: 'input_ids', data }], { schema: schemaOf('INT64') });
		const { records, problems } = await tokens(path, 100);
		expect(records).toEqual([
			['1', [1, 2]],
			['3', []],
			['8', [99]],
		]);
		expect(problems).toEqual([
			'F: row 2: column "input_ids" is empty',
			...[4, 5, 6, 7].map(
				(row) => `F: row ${row}: column "input_ids" has an entry that is no token id below 100`,
			),
		]);
	});
	it('a column of something else is named', async () => {
		const path = write('k.parquet', [{ name: 'tokens', data: ['a'], type: 'STRING' }]);
		expect((await tokens(path)).problems).toEqual(['F: column "tokens" does not hold lists of integers']);
	});
});

describe('runs of levels and indices', () => {
	it('end where the values do, whatever a run claims', () => {
		const out = new Int32Array(10);
		// A run of 2^30 sevens.
		readRuns(Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x08, 7), 3, out);
		expect([...out]).toEqual(Array(10).fill(7));
	});
	it('packed bits of every width', () => {
		fc.assert(
			fc.property(
				fc.integer({ min: 1, max: 24 }),
				fc.array(fc.nat(), { minLength: 1, maxLength: 30 }),
				(width, any) => {
					const values = any.map((value) => value % 2 ** width);
					const groups = Math.ceil(values.length / 8);
					const bytes = new Uint8Array(1 + groups * width);
					bytes[0] = 2 * groups + 1;
					values.forEach((value, i) => {
						for (let bit = 0; bit < width; bit++) {
							const place = i * width + bit;
							if (Math.floor(value / 2 ** bit) % 2 === 1) bytes[1 + (place >> 3)] |= 1 << (place & 7);
						}
					});
					const out = new Int32Array(values.length);
					readRuns(bytes, width, out);
					expect([...out]).toEqual(values);
				},
			),
			{ seed: 20_261_203 },
		);
	});
	it('that are too few are an error', () => {
		expect(() => readRuns(Uint8Array.of(4, 1), 1, new Uint8Array(10))).toThrow(/2 of 10/);
		expect(() => readRuns(Uint8Array.of(3), 1, new Uint8Array(8))).toThrow(/end before/);
	});
});

describe('hostile files', () => {
	const texts = Array.from({ length: 400 }, (_, i) => `text ${i}`);
	const good = () =>
		parquetWriteBuffer({ columnData: [{ name: 'text', data: texts, type: 'STRING' }], rowGroupSize: 100 });
	it.each<[string, Uint8Array, RegExp]>([
		['nothing', new Uint8Array(0), /does not end as Parquet does/],
		['text', Buffer.from('this is not parquet'), /does not end as Parquet does/],
		['only its end', Buffer.from('\0\0\0\0PAR1'), /is not Parquet that can be read/],
		['a description longer than the file', Buffer.from('\xff\xff\0\0PAR1', 'latin1'), /longer than the file/],
		[
			'a description of 4 GiB',
			Buffer.from('\xff\xff\xff\xffPAR1', 'latin1'),
			/description of 4294967295 bytes/,
		],
		['an encrypted one', Buffer.from('\0\0\0\0PARE'), /is encrypted/],
	])('%s: one sentence', async (_what, bytes, sentence) => {
		const { records, problems } = await read(put('bad.parquet', bytes));
		expect(records).toEqual([]);
		expect(problems).toEqual([expect.stringMatching(sentence)]);
	});
	it('a file whose end was cut off, and one in gzip', async () => {
		const bytes = new Uint8Array(good());
		expect((await read(put('cut.parquet', bytes.subarray(0, -10)))).problems.length).toBe(1);
		expect((await read(put('packed.parquet.gz', gzipSync(bytes)))).problems).toEqual([
			expect.stringMatching(/is Parquet in a compressed file/),
		]);
	});
	it('a damaged row group is named, the others are read', async () => {
		const bytes = new Uint8Array(good());
		bytes.fill(0xff, 10, 40);
		const { records, problems } = await read(put('damaged.parquet', bytes));
		expect(records.map(({ id }) => Number(id))).toEqual(Array.from({ length: 300 }, (_, i) => i + 101));
		expect(problems).toEqual([expect.stringMatching(/^F: row group 0: is not Parquet that can be read/)]);
	});
	it('a thousand files with a few bytes changed: rows, or sentences', async () => {
		const bytes = new Uint8Array(good());
		let refused = 0;
		await fc.assert(
			fc.asyncProperty(
				fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
				async (changes) => {
					const changed = Uint8Array.from(bytes);
					for (const [at, to] of changes) changed[at] = to;
					const source = await openSource(put('changed.parquet', changed));
					try {
						const file = await openParquet(source);
						for await (const { rows } of parquetRows(file, 0, Infinity, file.columns))
							expect(rows.length).toBeLessThan(513);
					} catch (error) {
						refused++;
						expect((error as Error).name).toBe('TouchmarkError');
						expect((error as Error).message).not.toMatch(/[\n\r]/);
					} finally {
						await source.close();
					}
				},
			),
			{ numRuns: 1000, seed: 20_261_204 },
		);
		expect(refused).toBeGreaterThan(250);
	});
});
