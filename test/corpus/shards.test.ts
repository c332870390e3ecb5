/** Parts of a corpus: which there are, and that each line is in exactly one. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Broken } from '../../src/corpus/lines.js';
import { readShard } from '../../src/corpus/read-shard.js';
import { planShards, SHARD_BYTES, type Shard } from '../../src/corpus/shards.js';
import { newFolder } from '../cli/run-cli.js';
import { all, put } from './files.js';

const FIELDS = { text: 'text', prompt: 'prompt' };

/** A file as one part, or cut at these bytes. */
function cutAt(path: string, size: number, places: readonly number[]): Shard[] {
	const bounds = [0, ...places, size];
	return bounds.slice(1).map((to, i) => ({
		...{ id: `${path}[${bounds[i]}]`, path, format: 'jsonl', compression: 'none' },
		...{ from: bounds[i], to, bytes: to - bounds[i] },
	}));
}

async function recordsOf(shards: readonly Shard[], broken?: Broken) {
	const records = [];
	for (const shard of shards) records.push(...(await all(readShard(shard, FIELDS, broken))).flat());
	return records;
}

describe('byte ranges of JSONL', () => {
	it('hold each line once, wherever a file is cut', async () => {
		const line = fc.oneof(
			fc.string({ unit: 'grapheme', maxLength: 30 }).map((text) => JSON.stringify({ text })),
			fc.nat(9).map((id) => JSON.stringify({ id, text: 'x'.repeat(300) })),
			fc.constantFrom('', ' ', '\t'),
		);
		const content = fc
			.tuple(
				fc.array(line, { maxLength: 12 }),
				fc.constantFrom('\n', '\r\n'),
				fc.boolean(),
				fc.constantFrom('', '\uFEFF'),
			)
			.map(([lines, end, last, mark]) => Buffer.from(mark + lines.join(end) + (last ? end : '')));
		let several = 0;
		await fc.assert(
			fc.asyncProperty(content, fc.array(fc.nat(), { maxLength: 6 }), async (bytes, anywhere) => {
				const path = put('cut.jsonl', bytes);
				const places = [...new Set(anywhere.map((place) => place % (bytes.length + 1)))]
					.filter((place) => place > 0 && place < bytes.length)
					.sort((a, b) => a - b);
				const whole = await recordsOf(cutAt(path, bytes.length, []));
				expect(await recordsOf(cutAt(path, bytes.length, places))).toEqual(whole);
				expect(whole.length).toBe(bytes.toString().match(/^\uFEFF?\{/gm)?.length ?? 0);
				if (places.length > 0 && whole.length > 1) several++;
			}),
			{ numRuns: 400, seed: 20_261_201 },
		);
		expect(several).toBeGreaterThan(100);
	});

	it('are made of files over 8 MiB, where a line may be longer than a part', async () => {
		const long = JSON.stringify({ text: 'y'.repeat(2.5 * SHARD_BYTES) });
		const short = JSON.stringify({ text: 'short' });
		const path = put('large.jsonl', `${short}\n${long}\n${short}`);
		const shards = await planShards([path]);
		expect(shards.map(({ id }) => id)).toEqual([0, 1, 2].map((i) => `${path}[${i * SHARD_BYTES}]`));
		expect(shards.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(long.length + 2 * short.length + 2);
		const read = [];
		for (const shard of shards)
			read.push((await recordsOf([shard])).map(({ id, text }) => [id, text.length]));
		expect(read).toEqual([
			[
				['0', 5],
				[String(short.length + 1), 2.5 * SHARD_BYTES],
			],
			[],
			[[String(short.length + long.length + 2), 5]],
		]);
	});

	it('leave out a line over 64 MiB, which is named once, and go on behind it', async () => {
		const path = put('enormous.jsonl', `{"text":"a"}\n${'z'.repeat(65 * 2 ** 20)}\n{"text":"b"}\n`);
		for (const shards of [await planShards([path]), cutAt(path, 65 * 2 ** 20 + 27, [])]) {
			const problems: string[] = [];
			const records = await recordsOf(shards, ({ message }) => problems.push(message));
			expect(records.map(({ text }) => text)).toEqual(['a', 'b']);
			expect(problems).toEqual([`${path} at byte 13: is longer than 67108864 bytes; split it`]);
		}
	});
});

describe('a plan', () => {
	const folder = newFolder();
	const sub = join(folder, 'sub', 'deep');
	mkdirSync(sub, { recursive: true });
	mkdirSync(join(folder, '.hidden'));
	for (const name of [
		'b.jsonl',
		'a.JSONL.gz',
		'c.csv',
		'notes.weird',
		'.d.jsonl',
		'.hidden/e.jsonl',
		'sub/deep/f.txt.zst',
	])
		writeFileSync(join(folder, name), '');
	const names = async (paths: string[]) =>
		(await planShards(paths)).map(({ id, format, compression }) => [
			id.slice(folder.length + 1),
			format,
			compression,
		]);

	it('holds the files of a folder that are known and not hidden, sorted by name', async () => {
		expect(await names([folder])).toEqual([
			['a.JSONL.gz', 'jsonl', 'gzip'],
			['b.jsonl', 'jsonl', 'none'],
			['c.csv', 'csv', 'none'],
			['sub/deep/f.txt.zst', 'text', 'zstd'],
		]);
	});
	it('is the same however its sources are named, and names each once', async () => {
		symlinkSync(join(folder, 'b.jsonl'), join(folder, 'z.jsonl'));
		const plan = await names([folder]);
		expect(await names([join(folder, 'c.csv'), folder, `${folder}/**/*.*`, join(folder, 'b.jsonl')])).toEqual(
			[...plan.slice(0, 3), ['notes.weird', 'text', 'none'], ...plan.slice(3)],
		);
	});
	it('follows a folder that leads back to itself no further', async () => {
		symlinkSync(folder, join(sub, 'again'));
		expect((await names([folder])).length).toBe(4);
	});
	it('takes a file of an unknown ending for text', async () => {
		expect(await names([join(folder, 'notes.weird')])).toEqual([['notes.weird', 'text', 'none']]);
	});
	it.each([
		['nowhere.jsonl', /nowhere\.jsonl: cannot be read \(ENOENT\)$/],
		['*.parquet', /\*\.parquet: matches no file$/],
		['.hidden/none', /none: cannot be read \(ENOENT\)$/],
	])('names %s, which is not there, and goes on', async (name, sentence) => {
		const problems: string[] = [];
		const paths = [join(folder, name), join(folder, 'b.jsonl')];
		const shards = await planShards(paths, ({ message }) => problems.push(message));
		expect(shards.length).toBe(1);
		expect(problems).toEqual([expect.stringMatching(sentence)]);
		await expect(planShards(paths)).rejects.toThrow(sentence);
	});
	it('names a folder that holds nothing known', async () => {
		const empty = newFolder();
		await expect(planShards([empty])).rejects.toThrow(`${empty}: holds no file of a known ending`);
	});
	it.each([
		['http://example.com/a.jsonl', /only https/],
		['ftp://example.com/a.jsonl', /only https/],
		['s3://bucket/a.jsonl', /presigned URL/],
		['https://', /not a URL/],
	])('refuses %s', async (url, sentence) => {
		await expect(planShards([url])).rejects.toThrow(sentence);
	});
});
