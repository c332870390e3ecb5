/** Records that are JSON but not what a reader asks for, and files made by changing good ones. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_TOKEN_ID, readTextDocuments, readTokenDocuments } from '../../src/corpus/documents.js';
import { loadTokenizer } from '../../src/corpus/load-tokenizer.js';
import { TouchmarkError } from '../../src/errors.js';
import { all, folder, put } from './files.js';

async function failure(attempt: () => unknown): Promise<string> {
	try {
		await attempt();
	} catch (error) {
		if (!TouchmarkError.isInstance(error)) throw error;
		expect(error.code).toBe('bad-input');
		expect(error.message).not.toContain('\n');
		expect(error.message.length).toBeLessThan(500);
		return error.message;
	}
	return expect.unreachable('it did not fail');
}
const NESTED = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;

describe('JSONL', () => {
	it.each([
		['a list', '["text"]', /:2: .*object/],
		['a string', '"text"', /:2: .*object/],
		['null', 'null', /:2: .*object/],
		['no text', '{"id":"x"}', /:2: field "text": must be a string/],
		['a text that is a number', '{"text":5}', /:2: field "text": must be a string/],
		['a text that is null', '{"text":null}', /:2: field "text": must be a string/],
		['a text that is a list', '{"text":["a"]}', /:2: field "text": must be a string/],
		[
			'a prompt that is a list of turns',
			'{"text":"a","prompt":[{"role":"user"}]}',
			/:2: field "prompt": must be a string/,
		],
		['an id that is a list', '{"text":"a","id":[]}', /:2: field "id"/],
		['two records on a line', '{"text":"a"} {"text":"b"}', /:2: is not valid JSON/],
		['a torn record', '{"text":"a', /:2: is not valid JSON/],
		['a comment', '// {"text":"a"}', /:2: is not valid JSON/],
		['200,000 brackets', NESTED, /:2: .*object/],
		['200,000 brackets for a text', `{"text":${NESTED}}`, /:2: field "text": must be a string/],
		['200,000 brackets that do not close', '['.repeat(200_000), /:2: is not valid JSON/],
	])('%s: file, line and field are named', async (_what, line, sentence) => {
		const path = put('r.jsonl', `{"text":"first"}\n${line}\n{"text":"last"}\n`);
		const message = await failure(() => all(readTextDocuments(path)));
		expect(message).toMatch(/^.*r\.jsonl:2: /);
		expect(message).toMatch(sentence);
	});
	it('fields that nobody asked for may hold anything', async () => {
		const path = put('extra.jsonl', `{"text":"a","usage":${NESTED},"__proto__":{"prompt":"no"}}\n`);
		expect(await all(readTextDocuments(path))).toEqual([{ id: '1', text: 'a' }]);
	});
	it('documents before the bad line are given first', async () => {
		const path = put('late.jsonl', '{"text":"a"}\n{"text":"b"}\nx\n');
		const texts: string[] = [];
		const reading = async () => {
			for await (const { text } of readTextDocuments(path)) texts.push(text);
		};
		expect(await failure(reading)).toMatch(/late\.jsonl:3/);
		expect(texts).toEqual(['a', 'b']);
	});
	it('an empty text, a prompt of null and a number as id are fine; .NDJSON is JSONL', async () => {
		const path = put('ok.NDJSON', '{"text":"","prompt":null,"id":0}\n{"text":"b","id":"x"}\n');
		expect(await all(readTextDocuments(path))).toEqual([
			{ id: '0', text: '' },
			{ id: 'x', text: 'b' },
		]);
	});
	it('a field that is named is the one that is missing', async () => {
		const path = put('named.jsonl', '{"text":"a"}\n');
		const fields = { text: 'completion', prompt: 'prompt' };
		expect(await failure(() => all(readTextDocuments(path, fields)))).toMatch(/:1: field "completion"/);
	});
});

describe('token ids', () => {
	const limited = (path: string) => all(readTokenDocuments(path, 100));
	it.each([
		[
			'an id of the vocabulary’s size',
			'[0,99,100]',
			/field "2": is a token id outside the vocabulary of 100/,
		],
		['a negative id', '[5,-1]', /field "1": is a negative token id/],
		['a fraction', '[1.5]', /field "0": must be an integer token id/],
		['a text', '["1"]', /field "0": must be an integer token id/],
		['null', '[null]', /field "0": must be an integer token id/],
		['an object', '{"tokens":[1]}', /must be a JSON array of token ids/],
		['a number', '5', /must be a JSON array of token ids/],
		['200,000 brackets', NESTED, /field "0": must be an integer token id/],
		['an id beyond doubles', '[1e400]', /field "0"/],
	])('%s: file, line and position are named', async (_what, line, sentence) => {
		const path = put('t.jsonl', `[1,2]\n\n${line}\n`);
		const message = await failure(() => limited(path));
		expect(message).toMatch(/t\.jsonl:3: /);
		expect(message).toMatch(sentence);
	});
	it('without a vocabulary any id that every PRF can take, and none above', async () => {
		expect(await all(readTokenDocuments(put('max.jsonl', `[${MAX_TOKEN_ID}]`)))).toEqual([
			{ id: '1', tokens: [134_217_727] },
		]);
		expect(await failure(() => all(readTokenDocuments(put('over.jsonl', `[${MAX_TOKEN_ID + 1}]`))))).toMatch(
			/over\.jsonl:1/,
		);
	});
});

it.each(['', '\n', ' \n\t\r\n', '\uFEFF'])('a file of %j holds nothing to test', async (content) => {
	for (const [name, read] of [
		['e.jsonl', (path: string) => all<unknown>(readTextDocuments(path))],
		['e.txt', (path: string) => all<unknown>(readTextDocuments(path))],
		['e-ids.jsonl', (path: string) => all<unknown>(readTokenDocuments(path))],
	] as const)
		expect(await failure(() => read(put(name, content)))).toMatch(/e(-ids)?\.\w+: is empty/);
});

describe('a thousand good files with a few bytes changed', () => {
	const texts = [
		'{"id":"a","text":"It was a dark night.","prompt":"Go on"}\n{"text":"naïve 🙂"}\n',
		'{"text":"x","prompt":null,"meta":{"a":[1,2]}}\r\n\r\n{"text":"y"}',
	];
	const ids = ['[1,2,3]\n[]\n[2047,0]\n', '[12]', '[ 5, 6 , 7 ]\r\n'];
	const edit = fc.record({
		at: fc.nat(200),
		remove: fc.nat(3),
		insert: fc.oneof(
			fc.uint8Array({ maxLength: 3 }),
			fc
				.constantFrom('"', '\\', '{', ']', ',', '\n', '\r', '-', '1e9', '\uFEFF', '\ud83d', '9999')
				.map((text) => Uint8Array.from(Buffer.from(text))),
		),
	});
	const changedFrom = (good: string[]) =>
		fc.tuple(fc.constantFrom(...good), fc.array(edit, { minLength: 1, maxLength: 3 })).map(([text, edits]) =>
			edits.reduce((content, { at, remove, insert }) => {
				const from = at % (content.length + 1);
				return Buffer.concat([content.subarray(0, from), insert, content.subarray(from + remove)]);
			}, Buffer.from(text)),
		);
	it.each([
		['texts', 'm.jsonl', texts, (path: string) => all<unknown>(readTextDocuments(path))],
		['token ids', 'm-ids.jsonl', ids, (path: string) => all<unknown>(readTokenDocuments(path, 2048))],
	])('%s: documents, or one sentence that names the file', async (_what, name, good, read) => {
		const outcomes = { read: 0, refused: 0 };
		await fc.assert(
			fc.asyncProperty(changedFrom(good), async (bytes) => {
				const path = put(name, bytes);
				try {
					expect((await read(path)).length).toBeGreaterThan(0);
					outcomes.read++;
				} catch (error) {
					if (!TouchmarkError.isInstance(error)) throw error;
					outcomes.refused++;
					expect(error.message.startsWith(path)).toBe(true);
					expect(error.message).not.toMatch(/[\n\r]/);
				}
			}),
			{ numRuns: 1000, seed: 20_261_131 },
		);
		expect(outcomes.read).toBeGreaterThan(50);
		expect(outcomes.refused).toBeGreaterThan(50);
	});
});

describe('tokenizer files', () => {
	const model = { type: 'BPE', vocab: { a: 0, b: 1 }, merges: [] };
	const valid = {
		version: '1.0',
		added_tokens: [],
		normalizer: null,
		pre_tokenizer: null,
		post_processor: null,
		decoder: null,
		model,
	};

	it('a small one is read, from its file or its folder, and named by its digest', () => {
		const path = put('tokenizer.json', JSON.stringify(valid));
		expect(loadTokenizer(path)).toMatchObject({ vocabSize: 2, specialTokens: [] });
		expect(loadTokenizer(folder).fingerprint).toBe(loadTokenizer(path).fingerprint);
		const other = put('other.json', `${JSON.stringify(valid)} `);
		expect(loadTokenizer(other).fingerprint).not.toBe(loadTokenizer(path).fingerprint);
	});
	it.each<[string, string | Uint8Array]>([
		['nothing', ''],
		['bytes', Uint8Array.of(0xff, 0x00, 0xfe)],
		['a list', '[]'],
		['null', 'null'],
		['a list as model', JSON.stringify({ ...valid, model: [] })],
		['no vocabulary', JSON.stringify({ ...valid, model: { type: 'BPE' } })],
		['a vocabulary of null', JSON.stringify({ ...valid, model: { ...model, vocab: null } })],
		['an unknown normalizer', JSON.stringify({ ...valid, normalizer: { type: 'Rot13' } })],
		['an unknown pre-tokenizer', JSON.stringify({ ...valid, pre_tokenizer: { type: 'Nothing' } })],
		[
			'a special token without an id',
			JSON.stringify({ ...valid, added_tokens: [{ special: true, content: 'x' }] }),
		],
		['200,000 brackets', NESTED],
		[
			'200,000 brackets as model',
			JSON.stringify({ ...valid, model: 0 }).replace('"model":0', `"model":${NESTED}`),
		],
	])('%s: one sentence that names the file', async (_what, content) => {
		const path = put('bad-tokenizer.json', content);
		expect(await failure(() => loadTokenizer(path))).toMatch(/^.*bad-tokenizer\.json: /);
	});
	it('a folder without one, and a path that is nothing', async () => {
		mkdirSync(join(folder, 'empty'));
		expect(await failure(() => loadTokenizer(join(folder, 'empty')))).toMatch(
			/empty\/tokenizer\.json: cannot be read/,
		);
		expect(await failure(() => loadTokenizer(join(folder, 'nowhere')))).toMatch(/nowhere: cannot be read/);
	});
});
