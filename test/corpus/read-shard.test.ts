/** Texts out of every format, in every layout, packed and broken. */
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readShard } from '../../src/corpus/read-shard.js';
import { readTokenShard } from '../../src/corpus/read-token-shard.js';
import type { ScanRecord } from '../../src/corpus/records.js';
import { planShards } from '../../src/corpus/shards.js';
import { all, put } from './files.js';

const FIELDS = { text: 'text', prompt: 'prompt' };

/** Records of a file, and the sentences about what was left out. */
async function read(path: string, fields = FIELDS): Promise<{ records: ScanRecord[]; problems: string[] }> {
	const problems: string[] = [];
	const told = ({ message }: Error): void => {
		expect(message).not.toMatch(/[\n\r]/);
		expect(message.length).toBeLessThan(600);
		problems.push(message.replace(path, 'F'));
	};
	const records: ScanRecord[] = [];
	for (const shard of await planShards([path], told))
		for await (const batch of readShard(shard, fields, told)) {
			expect(batch.length).toBeGreaterThan(0);
			records.push(...batch);
		}
	return { records, problems };
}

describe('layouts', () => {
	const one = async (record: unknown, fields = FIELDS) => {
		const { records, problems } = await read(put('layout.jsonl', JSON.stringify(record)), fields);
		return problems.length > 0 ? problems : records;
	};
	it('OpenAI: each answer, with all that was said before', async () => {
		expect(
			await one({
				id: 'c',
				messages: [
					{ role: 'system', content: 'Be brief.' },
					{ role: 'user', content: [{ type: 'text', text: 'One?' }, { type: 'image_url' }] },
					{ role: 'assistant', content: 'First.' },
					{ role: 'user', content: 'Two?' },
					{ role: 'assistant', content: null, tool_calls: [] },
					{ role: 'assistant', content: 'Second.' },
				],
			}),
		).toEqual([
			{ id: 'c/3', text: 'First.', prompt: 'Be brief.\nOne?' },
			{ id: 'c/6', text: 'Second.', prompt: 'Be brief.\nOne?\nFirst.\nTwo?' },
		]);
	});
	it('ShareGPT', async () => {
		expect(
			await one({
				conversations: [
					{ from: 'gpt', value: 'Hello.' },
					{ from: 'human', value: 'Who?' },
					{ from: 'gpt', value: 'Me.' },
				],
			}),
		).toEqual([
			{ id: '0/1', text: 'Hello.' },
			{ id: '0/3', text: 'Me.', prompt: 'Hello.\nWho?' },
		]);
	});
	it('Alpaca, with an input and without', async () => {
		expect(await one({ instruction: 'Add.', input: '1 2', output: '3' })).toEqual([
			{ id: '0', text: '3', prompt: 'Add.\n1 2' },
		]);
		expect(await one({ instruction: 'Sing.', input: '', output: 'La' })).toEqual([
			{ id: '0', text: 'La', prompt: 'Sing.' },
		]);
	});
	it('a field of text comes first; a path leads to one; a field may hold a chat', async () => {
		const messages = [{ role: 'assistant', content: 'chat' }];
		expect(await one({ text: 'own', messages })).toEqual([{ id: '0', text: 'own' }]);
		const fields = { text: 'choices.0.message.content', prompt: 'request.prompt' };
		expect(
			await one({ id: 7, choices: [{ message: { content: 'deep' } }], request: { prompt: 'p' } }, fields),
		).toEqual([{ id: '7', text: 'deep', prompt: 'p' }]);
		expect(await one({ talk: messages }, { text: 'talk', prompt: 'prompt' })).toEqual([
			{ id: '0/1', text: 'chat' },
		]);
		expect(await one({ 'a.b': 'dotted name' }, { text: 'a.b', prompt: 'p' })).toEqual([
			{ id: '0', text: 'dotted name' },
		]);
	});
	it.each([
		['nothing', {}, 'F at byte 0: field "text": must be a string'],
		['a number for text', { text: 5 }, 'F at byte 0: field "text": must be a string'],
		['a list for a prompt', { text: 'a', prompt: ['b'] }, 'F at byte 0: field "prompt": must be a string'],
		[
			'no answer',
			{ messages: [{ role: 'user', content: 'a' }] },
			'F at byte 0: is a chat without an answer of an assistant',
		],
		[
			'a number for content',
			{ messages: [{ role: 'assistant', content: 5 }] },
			'F at byte 0: field "0.content": must be a string',
		],
		['turns that are none', { messages: ['a'] }, 'F at byte 0: field "text": must be a string'],
		['a list', ['text'], 'F at byte 0: Invalid input: expected object, received array'],
		['null', null, 'F at byte 0: Invalid input: expected object, received null'],
	])('a record with %s is named', async (_what, record, sentence) => {
		expect(await one(record)).toEqual([sentence]);
	});
	it('an id that is no name, or too long for one, is not taken', async () => {
		for (const id of [null, {}, [], true, 'x'.repeat(300)])
			expect(await one({ id, text: 'a' })).toEqual([{ id: '0', text: 'a' }]);
	});
	it('a chat whose prompts would fill the memory is refused', async () => {
		const turn = { role: 'assistant', content: 'x'.repeat(5000) };
		const chat = { messages: Array.from({ length: 5000 }, () => turn) };
		expect(await one(chat)).toEqual([expect.stringMatching(/too much before it; split it$/)]);
	});
});

describe('formats', () => {
	it('JSON: a list, one record, or an object around one list', async () => {
		const records = [{ text: 'a' }, { id: 'x', text: 'b' }];
		const expected = [
			{ id: '1', text: 'a' },
			{ id: 'x', text: 'b' },
		];
		for (const value of [records, { version: 1, tags: ['t'], data: records }])
			expect(await read(put('j.json', `\uFEFF${JSON.stringify(value)}`))).toEqual({
				records: expected,
				problems: [],
			});
		expect((await read(put('j.json', '{"text":"one"}'))).records).toEqual([{ id: '1', text: 'one' }]);
		expect(await read(put('j.json', '[{"text":"a"},5,{"text":"b"}]'))).toEqual({
			records: [expected[0], { id: '3', text: 'b' }],
			problems: ['F: record 2: Invalid input: expected object, received number'],
		});
	});
	it('JSON that breaks, or is too large, is one sentence', async () => {
		expect((await read(put('j.json', '[{"text":"a"},'))).problems).toEqual([
			expect.stringMatching(/^F: is not valid JSON/),
		]);
		const large = put('large.json', Buffer.alloc(2 ** 26 + 1, 32));
		expect((await read(large)).problems).toEqual([
			expect.stringMatching(/^F: is larger than 67108864 bytes; convert it to JSONL/),
		]);
	});
	it('text: a file is a document; an empty one is none', async () => {
		expect((await read(put('t.txt', '\uFEFFone\r\ntwo\r\n'))).records).toEqual([
			{ id: 't.txt', text: 'one\ntwo' },
		]);
		expect(await read(put('t.txt', ' \n'))).toEqual({ records: [], problems: [] });
		expect((await read(put('t.txt', Uint8Array.of(0x63, 0xe9)))).problems).toEqual([
			'F: is not valid UTF-8; convert the file',
		]);
	});
	it('CSV: quotes, line ends in fields, other columns, a mark at its beginning', async () => {
		const csv = '\uFEFFid,text,other\r\n7,"a ""b""\r\nc",x\r\n,naïve,y\r\n';
		expect((await read(put('c.csv', csv))).records).toEqual([
			{ id: '7', text: 'a "b"\r\nc' },
			{ id: '', text: 'naïve' },
		]);
		expect((await read(put('c.tsv', 'prompt\ttext\np, q\tr\n'))).records).toEqual([
			{ id: '2', text: 'r', prompt: 'p, q' },
		]);
		expect((await read(put('c.csv', 'instruction,input,output\nSay,,x\n'))).records).toEqual([
			{ id: '2', text: 'x', prompt: 'Say' },
		]);
	});
	it('CSV: broken records are named one by one, a file without the column once', async () => {
		const csv = Buffer.concat([
			Buffer.from('text,n\nok,1\ntoo,many,fields\nfew\nb"d,2\n'),
			Uint8Array.of(0xe9, 0x2c, 0x33, 0x0a),
			Buffer.from('last,4\n'),
		]);
		const { records, problems } = await read(put('c.csv', csv));
		expect(records.map(({ text }) => text)).toEqual(['ok', 'last']);
		expect(problems.length).toBe(4);
		for (const [i, problem] of problems.entries()) expect(problem).toMatch(new RegExp(`^F:${i + 3}: `));
		expect(problems[3]).toMatch(/UTF-8/);
		const none = await read(put('c.csv', `a,b\n${'1,2\n'.repeat(50)}`));
		expect(none).toEqual({ records: [], problems: [expect.stringMatching(/^F: has no column "text"/)] });
	});
	it('CSV with a quote that never closes does not fill the memory', async () => {
		const path = put('open.csv', `text\nok\n"${'word, '.repeat(4 * 2 ** 20)}`);
		const { records, problems } = await read(path);
		expect(records.map(({ text }) => text)).toEqual(['ok']);
		expect(problems).toEqual([
			expect.stringMatching(/^F:3: is a record of more than 16777216 bytes; a quote may be missing$/),
		]);
	});
});

const LINES = Array.from({ length: 2000 }, (_, i) =>
	JSON.stringify({ text: `line ${i} ${'ab'.repeat(i % 50)}` }),
);
const JSONL = `${LINES.join('\n')}\n`;
const ZSTD_TWO = 'KLUv/QRo3QAAqHsidGV4dCI6Im9uZSJ9CnR3byJ9CgEAUsw6kOLf7g==';
const ZSTD_FRAMES = 'KLUv/QRYiQAAeyJ0ZXh0IjoidGhyZWUifQq2uKPEKLUv/QBYgQAAeyJ0ZXh0IjoiZm91ciJ9Cg==';

describe('compressed files', () => {
	it('gzip of one member or several; ids are numbers of lines', async () => {
		const members = Buffer.concat([gzipSync(JSONL.slice(0, 1000)), gzipSync(JSONL.slice(1000))]);
		for (const bytes of [gzipSync(JSONL), members]) {
			const { records, problems } = await read(put('g.jsonl.gz', bytes));
			expect(problems).toEqual([]);
			expect(records.map(({ text }) => JSON.stringify({ text }))).toEqual(LINES);
			expect(records.map(({ id }) => id)).toEqual(LINES.map((_, i) => String(i + 1)));
		}
	});
	it('Zstandard of one frame or several', async () => {
		const bytes = (base64: string) => Buffer.from(base64, 'base64');
		const all = Buffer.concat([ZSTD_TWO, ZSTD_FRAMES].map(bytes));
		expect((await read(put('z.jsonl.zst', all))).records.map(({ text }) => text)).toEqual([
			'one',
			'two',
			'three',
			'four',
		]);
		expect((await read(put('z.txt.zst', bytes(ZSTD_FRAMES)))).records[0].text).toBe(
			'{"text":"three"}\n{"text":"four"}',
		);
	});
	it('what lies before a cut is read, and the cut is named', async () => {
		const packed = gzipSync(JSONL, { level: 1 });
		const { records, problems } = await read(put('cut.jsonl.gz', packed.subarray(0, packed.length - 20)));
		expect(problems).toEqual([
			expect.stringMatching(/^F: breaks off as gzip data within .* \(unexpected end of file\)$/),
		]);
		expect(records.length).toBeGreaterThan(1900);
		expect(records.map(({ text }) => JSON.stringify({ text }))).toEqual(LINES.slice(0, records.length));

		const frames = Buffer.from(ZSTD_FRAMES, 'base64');
		const cut = await read(put('cut.jsonl.zst', frames.subarray(0, frames.length - 3)));
		expect(cut.records).toEqual([{ id: '1', text: 'three' }]);
		expect(cut.problems).toEqual([expect.stringMatching(/^F: breaks off as Zstandard data/)]);
	});
	it.each(['gz', 'zst'])('a file that is not .%s at all', async (ending) => {
		const { records, problems } = await read(put(`not.jsonl.${ending}`, '{"text":"plain"}\n'));
		expect(records).toEqual([]);
		expect(problems).toEqual([expect.stringMatching(/^F: breaks off as/)]);
	});
	it('damage is named', async () => {
		const packed = gzipSync(JSONL);
		packed[packed.length >> 1] ^= 0xff;
		expect((await read(put('damaged.jsonl.gz', packed))).problems.at(-1)).toMatch(/breaks off as gzip data/);
	});
	it('a window beyond 128 MiB is refused before it is made', async () => {
		const hostile = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0, 21 << 3, 1, 0, 0);
		expect((await read(put('window.jsonl.zst', hostile))).problems).toEqual([
			expect.stringMatching(/needs a window of 2147483648 bytes/),
		]);
	});
	it('bombs of every format are refused within little memory', async () => {
		const bomb = gzipSync(Buffer.alloc(100 * 2 ** 20, 0x61));
		expect(bomb.length).toBeLessThan(2 ** 19);
		// RLE blocks of 128 KiB from four bytes each.
		const block = Uint8Array.of(0x02, 0x00, 0x10, 0x61);
		const zstd = Buffer.concat([
			Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0, 7 << 3),
			...Array(800).fill(block),
			Uint8Array.of(1, 0, 0),
		]);
		const sentences: [string, Uint8Array, RegExp][] = [
			['bomb.jsonl.gz', bomb, /^F:1: is longer than/],
			['bomb.json.gz', bomb, /^F: is larger than/],
			['bomb.csv.gz', bomb, /^F:1: is a record of more than/],
			['bomb.txt.gz', bomb, /^F: is larger than/],
			['bomb.jsonl.zst', zstd, /^F:1: is longer than/],
		];
		for (const [name, bytes, sentence] of sentences) {
			const { records, problems } = await read(put(name, bytes));
			expect(records).toEqual([]);
			expect(problems).toEqual([expect.stringMatching(sentence)]);
		}
	});
});

describe('hostile lines', () => {
	it('are named, and the lines around them read', async () => {
		const hostile: (string | Uint8Array)[] = [
			`${'['.repeat(1_000_000)}`,
			`${'['.repeat(1_000_000)}${']'.repeat(1_000_000)}`,
			`{"text":${'{"a":'.repeat(200_000)}1${'}'.repeat(200_000)}}`,
			'{"text":"torn',
			'{"text":"a"} {"text":"b"}',
			Uint8Array.of(0x7b, 0xff, 0xfe, 0x7d),
			Uint8Array.of(0xed, 0xa0, 0x80),
			'\u0000',
			'NaN',
		];
		const path = put(
			'hostile.jsonl',
			Buffer.concat([
				Buffer.from('{"text":"first"}\n'),
				...hostile.flatMap((line) => [Buffer.from(line as string), Buffer.from('\n')]),
				Buffer.from('{"text":"last"}\n'),
			]),
		);
		const { records, problems } = await read(path);
		expect(records.map(({ text }) => text)).toEqual(['first', 'last']);
		expect(problems.length).toBe(hostile.length);
	});
	it('that are JSON are read: NUL, halves of surrogates, keys that come twice, __proto__', async () => {
		const path = put(
			'odd.jsonl',
			'{"text":"a\\u0000b"}\n{"text":"\\ud800"}\n{"text":"a","text":"b"}\n{"__proto__":{"text":"no"},"text":"c"}\n',
		);
		expect((await read(path)).records.map(({ text }) => text)).toEqual(['a\0b', '\ud800', 'b', 'c']);
		expect((await read(put('odd.jsonl', '{"__proto__":{"text":"no"}}\n'))).problems.length).toBe(1);
	});
	it('UTF-16 and Latin-1 files are named', async () => {
		const utf16 = put('utf16.jsonl', Buffer.from('\uFEFF{"text":"a"}\n', 'utf16le'));
		expect((await read(utf16)).problems[0]).toMatch(/^F at byte 0: is not valid UTF-8/);
		const latin1 = put('latin1.jsonl', Buffer.from('{"text":"a"}\n{"text":"é"}\n', 'latin1'));
		const { records, problems } = await read(latin1);
		expect(records.length).toBe(1);
		expect(problems).toEqual(['F at byte 13: is not valid UTF-8; convert the file or repair the line']);
	});
});

describe('token ids', () => {
	const tokens = async (path: string, vocabSize?: number, field?: string) => {
		const problems: string[] = [];
		const told = ({ message }: Error) => problems.push(message.replace(path, 'F'));
		const records: [string, number[]][] = [];
		for (const shard of await planShards([path]))
			for await (const batch of readTokenShard(shard, vocabSize, told, field))
				for (const { id, tokens } of batch) records.push([id, Array.from(tokens)]);
		return { records, problems };
	};
	it('are lists, or objects with one', async () => {
		const path = put(
			'k.jsonl',
			'[1,20,300]\n [ 0 ,\t7 ] \r\n[]\n\n{"id":"x","tokens":[5]}\n{"input_ids":[6]}',
		);
		expect(await tokens(path)).toEqual({
			records: [
				['0', [1, 20, 300]],
				['11', [0, 7]],
				['24', []],
				['x', [5]],
				['52', [6]],
			],
			problems: [],
		});
		expect((await tokens(put('k.jsonl', '{"ids":[1]}'), undefined, 'ids')).records).toEqual([['0', [1]]]);
	});
	it('that are none are named, with place and position', async () => {
		const lines = [
			'[1,100]',
			'[1,-1]',
			'[01]',
			'[1,]',
			'[1 2]',
			'[1',
			'1]',
			'[[1]]',
			'["1"]',
			'[1.5]',
			'[9999999999]',
			'[null]',
			'5',
			'{}',
			'[1]x',
			'[,1]',
			'[1]]',
		];
		const path = put('k.jsonl', `[99]\n${lines.join('\n')}\n[2e1]\n`);
		const { records, problems } = await tokens(path, 100);
		expect(records.map(([, ids]) => ids)).toEqual([[99], [20]]);
		expect(problems.length).toBe(lines.length);
		expect(problems[0]).toBe('F at byte 5: field "1": is a token id outside the vocabulary of 100');
	});
	it('are read from compressed files, and from no other format', async () => {
		expect((await tokens(put('k.jsonl.gz', gzipSync('[1]\n[2]\n')))).records).toEqual([
			['1', [1]],
			['2', [2]],
		]);
		expect((await tokens(put('k.csv', 'tokens\n1\n'))).problems).toEqual([
			'F: token ids are read from JSONL and Parquet; convert the file',
		]);
	});
});

it('without anyone to tell, the first problem ends the reading', async () => {
	const path = put('strict.jsonl', '{"text":"a"}\nx\n{"text":"b"}\n');
	const [shard] = await planShards([path]);
	await expect(all(readShard(shard, FIELDS))).rejects.toThrow(`${path} at byte 13: is not valid JSON`);
	await expect(all(readTokenShard(shard, 10))).rejects.toThrow(`${path} at byte 0: field "tokens"`);
});
