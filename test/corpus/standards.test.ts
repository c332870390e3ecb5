/**
 * Every file of the collections of hard inputs (JSONTestSuite, the list of naughty strings, Apache's and hyparquet's
 * Parquet files) gives its rows or one sentence. Skipped where the collections are not at hand: they are large, and the
 * other tests of this folder make the like themselves.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSource } from '../../src/corpus/byte-source.js';
import { openParquet, parquetRows } from '../../src/corpus/parquet.js';
import { readShard } from '../../src/corpus/read-shard.js';
import { planShards } from '../../src/corpus/shards.js';
import { TouchmarkError } from '../../src/errors.js';
import { put } from './files.js';

const STANDARDS = join('..', 'shared', 'data', 'standards');
const here = (folder: string): boolean => existsSync(join(STANDARDS, folder));
const NOTE = 'skipped where ../shared/data/standards is missing';
const FIELDS = { text: 'text', prompt: 'prompt' };

async function read(path: string) {
	const problems: string[] = [];
	const told = ({ message }: TouchmarkError): void => {
		expect(message).not.toMatch(/[\n\r]/);
		expect(message).toContain(path);
		problems.push(message);
	};
	const records = [];
	for (const shard of await planShards([path], told))
		for await (const batch of readShard(shard, FIELDS, told)) records.push(...batch);
	return { records, problems };
}

describe.skipIf(!here('json-test-suite'))(`JSONTestSuite (${NOTE})`, () => {
	const folder = join(STANDARDS, 'json-test-suite', 'test_parsing');
	const files = here('json-test-suite') ? readdirSync(folder) : [];
	/** Its bytes as the value of a field that nobody asks for, so that the verdict is the parser's alone. */
	const around = (bytes: Buffer) =>
		Buffer.concat([Buffer.from('{"text":"a","other":'), bytes, Buffer.from('}')]);

	it('as JSON files: what is valid is read, what is not is one sentence', async () => {
		expect(files.length).toBeGreaterThan(300);
		for (const file of files) {
			const { records, problems } = await read(put('suite.json', around(readFileSync(join(folder, file)))));
			if (file.startsWith('y_'))
				expect({ file, records, problems }).toEqual({
					file,
					records: [{ id: '1', text: 'a' }],
					problems: [],
				});
			// Inside of an object, a file that lacks its end is completed by what stands around it.
			else expect({ file, count: records.length + problems.length }).toEqual({ file, count: 1 });
			if (file.startsWith('n_')) expect({ file, records }).toEqual({ file, records: [] });
		}
	});
	it('as they are, as JSON and as JSONL: no crash, every sentence named', async () => {
		for (const file of files)
			for (const name of ['bare.json', 'bare.jsonl']) {
				const bytes = readFileSync(join(folder, file));
				const { records, problems } = await read(put(name, bytes));
				// A list of no records has nothing to name.
				expect({ file, count: records.length }).toEqual({ file, count: 0 });
				if (file.startsWith('n_') && bytes.toString().trim() !== '')
					expect({ file, problems: problems.length }).not.toEqual({ file, problems: 0 });
			}
	});
});

describe.skipIf(!here('unicode'))(`naughty strings (${NOTE})`, () => {
	const folder = join(STANDARDS, 'unicode');
	it('as texts of JSONL, of JSON, of CSV and as a file, not one is changed', async () => {
		const strings: string[] = JSON.parse(readFileSync(join(folder, 'blns.json'), 'utf8'));
		expect(strings.length).toBeGreaterThan(400);
		const texts = async (path: string) => {
			const { records, problems } = await read(path);
			expect(problems).toEqual([]);
			return records.map(({ text }) => text);
		};
		const objects = strings.map((text) => ({ text }));
		expect(
			await texts(put('blns.jsonl', objects.map((object) => JSON.stringify(object)).join('\n'))),
		).toEqual(strings);
		expect(await texts(put('blns.json', JSON.stringify(objects)))).toEqual(strings);
		const csv = strings.map((text) => `x,"${text.replaceAll('"', '""')}"\n`).join('');
		expect(await texts(put('blns.csv', `other,text\n${csv}`))).toEqual(strings);
		const whole = readFileSync(join(folder, 'blns.txt'), 'utf8');
		expect(await texts(put('blns.txt', whole))).toEqual([whole.replaceAll('\r\n', '\n').replace(/\n$/, '')]);
	});
});

describe.skipIf(!here('parquet'))(`Parquet files (${NOTE})`, () => {
	const folder = join(STANDARDS, 'parquet');
	const filesOf = (sub: string): string[] =>
		here('parquet') ? readdirSync(join(folder, sub)).filter((file) => file.includes('.parquet')) : [];

	/** Every column of a file, or its sentence. */
	async function rowsOf(path: string): Promise<unknown[] | string> {
		const source = await openSource(path);
		try {
			const file = await openParquet(source);
			const all: unknown[] = [];
			for await (const { rows } of parquetRows(file, 0, Infinity, file.columns))
				for (const row of rows) all.push(file.columns.map((column) => row[column]));
			return all;
		} catch (error) {
			if (!TouchmarkError.isInstance(error)) throw error;
			expect(error.message).toContain(path);
			expect(error.message).not.toMatch(/[\n\r]/);
			return error.message;
		} finally {
			await source.close();
		}
	}
	/** As the expected rows were written: numbers for integers, null for what is absent. */
	const plain = (value: unknown): unknown =>
		JSON.parse(JSON.stringify(value, (_, one) => (typeof one === 'bigint' ? Number(one) : one)));

	it.each(filesOf('hyparquet'))('%s has its rows', async (file) => {
		const expected = JSON.parse(
			readFileSync(join(folder, 'hyparquet', file.replace('.parquet', '.json')), 'utf8'),
		);
		expect(plain(await rowsOf(join(folder, 'hyparquet', file)))).toEqual(expected);
	});

	/** Those of Apache's files that cannot be read, and why. */
	const REFUSED: Readonly<Record<string, RegExp>> = {
		'datapage_v1-corrupt-checksum.parquet': /checksum differs/,
		'rle-dict-uncompressed-corrupt-checksum.parquet': /checksum differs/,
		'encrypt_columns_and_footer.parquet.encrypted': /is encrypted/,
		'uniform_encryption.parquet.encrypted': /is encrypted/,
		'large_string_map.brotli.parquet': /has 2147483749 bytes in a row group/,
	};
	it.each(filesOf('apache'))('%s', async (file) => {
		const rows = await rowsOf(join(folder, 'apache', file));
		if (file in REFUSED) expect(rows).toMatch(REFUSED[file]);
		else {
			expect(rows).toBeInstanceOf(Array);
			expect(rows.length).toBeGreaterThan(0);
		}
	});
	it.each(['delta_byte_array', 'delta_encoding_optional_column'])(
		'%s has the rows of its table',
		async (name) => {
			const rows = await rowsOf(join(folder, 'apache', `${name}.parquet`));
			const [, ...expected] = readFileSync(join(folder, 'apache', `${name}_expect.csv`), 'utf8')
				.trimEnd()
				.split('\n');
			const cells = (row: string) =>
				[...row.matchAll(/(?:^|,)(?:"([^"]*)")?/g)].map(([, cell]) => cell ?? '');
			expect(plain(rows)).toEqual(
				expected.map((row, i) =>
					cells(row).map((cell, column) => {
						const value = (rows as unknown[][])[i][column];
						if (cell === '') return value === null ? null : '';
						return typeof value === 'string' ? cell : Number(cell);
					}),
				),
			);
		},
	);
	it.each(filesOf('apache/bad_data'))('bad: %s gives one sentence, or rows', async (file) => {
		const rows = await rowsOf(join(folder, 'apache', 'bad_data', file));
		// Zeros of no bits: unusual, but plain what they mean.
		if (file === 'ARROW-GH-43605.parquet') expect(rows.length).toBe(21_186);
		else expect(rows).toMatch(/: is not Parquet that can be read \(.+\)$/);
	});
});
