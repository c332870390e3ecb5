/** Sources on a server: a real one, on this machine. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readShard } from '../../src/corpus/read-shard.js';
import { planShards, SHARD_BYTES } from '../../src/corpus/shards.js';

const FIELDS = { text: 'text', prompt: 'prompt' };
const JSONL = Buffer.from(
	Array.from(
		{ length: 240_000 },
		(_, i) => `${JSON.stringify({ text: `line ${i} ${'x'.repeat(i % 300)}` })}\n`,
	).join(''),
);
const PARQUET = Buffer.from(
	parquetWriteBuffer({
		columnData: [
			{ name: 'text', data: Array.from({ length: 2000 }, (_, i) => `row ${i}`), type: 'STRING' },
			{
				name: 'ballast',
				data: Array.from({ length: 2000 }, (_, i) => `${i}${Math.sin(i)}`.repeat(200)),
				type: 'STRING',
			},
		],
		codec: 'UNCOMPRESSED',
	}),
);
const FILES: Readonly<Record<string, Buffer>> = {
	'/a.jsonl': JSONL,
	'/a.jsonl.gz': gzipSync(JSONL.subarray(0, 2 ** 20)),
	'/a.parquet': PARQUET,
	'/small.jsonl': Buffer.from('{"text":"small"}\n'),
	'/empty.jsonl': Buffer.alloc(0),
};

describe('a server', () => {
	let server: Server;
	let base = '';
	/** How it behaves in a test. */
	const manner = { ranges: true, failures: 0, shrink: false, breakAt: Infinity };
	let sent = 0;
	beforeAll(async () => {
		server = createServer((request, response) => {
			const file = FILES[new URL(request.url ?? '', 'http://x').pathname];
			if (file === undefined) return response.writeHead(404).end();
			if (manner.failures-- > 0) return response.writeHead(503).end();
			const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
			if (range === null || !manner.ranges) {
				response.writeHead(200, { 'content-length': file.length });
				response.write(file.subarray(0, manner.breakAt));
				return manner.breakAt < file.length ? setTimeout(() => response.destroy(), 50) : response.end();
			}
			const from = Number(range[1]);
			if (from >= file.length)
				return response.writeHead(416, { 'content-range': `bytes */${file.length}` }).end();
			const part = file.subarray(from, Number(range[2]) + 1);
			sent += part.length;
			const size = manner.shrink && from > 0 ? file.length - 1 : file.length;
			response.writeHead(206, { 'content-range': `bytes ${from}-${from + part.length - 1}/${size}` });
			return response.end(part);
		});
		await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
		base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	});
	afterAll(() => server.close());
	beforeEach(() => {
		Object.assign(manner, { ranges: true, failures: 0, shrink: false, breakAt: Infinity });
		sent = 0;
	});
	const read = async (url: string) => {
		const problems: string[] = [];
		const told = ({ message }: Error) => problems.push(message.replaceAll(base, 'S'));
		const shards = await planShards([url], told);
		const texts: string[] = [];
		for (const shard of shards)
			for await (const batch of readShard(shard, FIELDS, told)) texts.push(...batch.map(({ text }) => text));
		return { shards, texts, problems };
	};
	const lines = JSONL.toString()
		.trimEnd()
		.split('\n')
		.map((line) => JSON.parse(line).text as string);

	it('that gives ranges: JSONL in parts, every line once', async () => {
		const { shards, texts, problems } = await read(`${base}/a.jsonl`);
		expect(shards.map(({ id }) => id)).toEqual([0, 1, 2].map((i) => `${base}/a.jsonl[${i * SHARD_BYTES}]`));
		expect(problems).toEqual([]);
		expect(texts).toEqual(lines);
	});
	it('that gives none: JSONL as one part', async () => {
		manner.ranges = false;
		const { shards, texts, problems } = await read(`${base}/a.jsonl`);
		expect(shards.length).toBe(1);
		expect(problems).toEqual([]);
		expect(texts).toEqual(lines);
	});
	it('compressed files, small ones and empty ones', async () => {
		for (const ranges of [true, false]) {
			manner.ranges = ranges;
			const { texts, problems } = await read(`${base}/a.jsonl.gz`);
			expect(texts).toEqual(lines.slice(0, texts.length));
			expect(texts.length).toBeGreaterThan(5000);
			expect(problems.length).toBe(1);
			expect((await read(`${base}/small.jsonl`)).texts).toEqual(['small']);
			expect(await read(`${base}/empty.jsonl`)).toMatchObject({ texts: [], problems: [] });
		}
	});
	it('Parquet: only the column that is wanted is sent', async () => {
		const { texts, problems } = await read(`${base}/a.parquet`);
		expect(problems).toEqual([]);
		expect(texts).toEqual(Array.from({ length: 2000 }, (_, i) => `row ${i}`));
		expect(PARQUET.length).toBeGreaterThan(5_000_000);
		expect(sent).toBeLessThan(200_000);
	});
	it('Parquet needs ranges', async () => {
		manner.ranges = false;
		expect((await read(`${base}/a.parquet`)).problems).toEqual([
			expect.stringMatching(/^S\/a\.parquet: the server gives no byte ranges/),
		]);
	});
	it('that fails at times is asked again; one that has nothing is not', async () => {
		manner.failures = 2;
		expect((await read(`${base}/small.jsonl`)).texts).toEqual(['small']);
		expect((await read(`${base}/missing.jsonl`)).problems).toEqual([
			'S/missing.jsonl: cannot be read (the server answers 404)',
		]);
	});
	it('whose file changes while it is read, or whose connection breaks', async () => {
		manner.shrink = true;
		expect((await read(`${base}/a.jsonl`)).problems).toEqual(
			Array(3).fill('S/a.jsonl: has changed while it was read; read it again'),
		);
		Object.assign(manner, { ranges: false, breakAt: 1_000_000 });
		const { texts, problems } = await read(`${base}/a.jsonl`);
		expect(problems).toEqual([expect.stringMatching(/^S\/a\.jsonl: the connection broke at byte \d+$/)]);
		expect(texts).toEqual(lines.slice(0, texts.length));
		expect(texts.length).toBeGreaterThan(1000);
	});
	it('that is not there', async () => {
		const gone = createServer();
		await new Promise<void>((listening) => gone.listen(0, '127.0.0.1', listening));
		const { port } = gone.address() as AddressInfo;
		await new Promise((closed) => gone.close(closed));
		expect((await read(`http://127.0.0.1:${port}/a.jsonl`)).problems).toEqual([
			`http://127.0.0.1:${port}/a.jsonl: the server cannot be reached (ECONNREFUSED)`,
		]);
	});
	it('signatures of presigned URLs are in no id and no sentence', async () => {
		const { shards, texts } = await read(`${base}/small.jsonl?X-Amz-Signature=secret&x=1`);
		expect(texts).toEqual(['small']);
		expect(shards[0].id).toBe(`${base}/small.jsonl`);
		expect((await read(`${base}/missing.jsonl?sig=secret`)).problems.join()).not.toContain('secret');
		expect((await read(`${base}/small.jsonl?part=1`)).shards[0].id).toBe(`${base}/small.jsonl?part=1`);
	});
});
