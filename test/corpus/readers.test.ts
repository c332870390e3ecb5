import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readTextDocuments, readTokenDocuments } from '../../src/corpus/documents.js';
import { loadTokenizer } from '../../src/corpus/load-tokenizer.js';
import { TouchmarkError } from '../../src/errors.js';
import { all, put } from './files.js';

describe('readers', () => {
	it('read JSONL with any other fields, CRLF, a byte order mark and no last newline', async () => {
		const path = put('a.jsonl', '\uFEFF{"id":7,"text":"x","model":"m"}\r\n\r\n{"prompt":"p","text":"y"}');
		expect(await all(readTextDocuments(path))).toEqual([
			{ id: '7', text: 'x' },
			{ id: '3', text: 'y', prompt: 'p' },
		]);
	});

	it('read the fields that are named', async () => {
		const path = put('b.jsonl', '{"answer":"x","question":"p"}\n');
		expect(await all(readTextDocuments(path, { text: 'answer', prompt: 'question' }))).toEqual([
			{ id: '1', text: 'x', prompt: 'p' },
		]);
	});

	it('read a whole text and token ids', async () => {
		expect(await all(readTextDocuments(put('c.txt', 'one\ntwo\n')))).toEqual([
			{ id: 'c.txt', text: 'one\ntwo' },
		]);
		expect(await all(readTokenDocuments(put('d.jsonl', '[1,2]\n[]\n')))).toEqual([
			{ id: '1', tokens: [1, 2] },
			{ id: '2', tokens: [] },
		]);
	});

	it('refuse a line that is too long, by name', async () => {
		const path = put('long.txt', Buffer.alloc(66 * 2 ** 20, 97));
		await expect(all(readTextDocuments(path))).rejects.toThrow(/long\.txt:1: is longer than/);
	});

	const json = fc.json().map((text) => `${text}\n`);
	const content = fc.oneof(
		fc.uint8Array({ maxLength: 200 }),
		json.map((text) => new TextEncoder().encode(text)),
		fc
			.tuple(json, fc.uint8Array({ maxLength: 8 }), json)
			.map(([a, b, c]) => Buffer.concat([Buffer.from(a), b, Buffer.from(c)])),
		fc
			.constantFrom('{"text":"a"}', '[1,2,3]', '{"text":"a","prompt":null}')
			.map((text) => new TextEncoder().encode(text)),
	);
	it.each([
		['JSONL', 'fuzz.jsonl', (path: string) => all<unknown>(readTextDocuments(path))],
		['text', 'fuzz.txt', (path: string) => all<unknown>(readTextDocuments(path))],
		['tokens', 'fuzz-ids.jsonl', (path: string) => all<unknown>(readTokenDocuments(path))],
	])('give documents or one sentence for a thousand random files (%s)', async (_kind, name, read) => {
		let refused = 0;
		await fc.assert(
			fc.asyncProperty(content, async (bytes) => {
				const path = put(name, bytes);
				try {
					expect((await read(path)).length).toBeGreaterThan(0);
				} catch (error) {
					if (!TouchmarkError.isInstance(error)) throw error;
					refused++;
					expect(error.message).toContain(name);
					expect(error.message).not.toContain('\n');
				}
			}),
			{ numRuns: 1000, seed: 20261123 },
		);
		expect(refused).toBeGreaterThan(0);
	});
});

describe('tokenizers', () => {
	it('give back what they encoded', () => {
		const tokenizer = loadTokenizer('models/teacher');
		const text = 'It was the best of times, — naïve 北京 🙂\n\tcode();';
		expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
		expect(tokenizer.vocabSize).toBe(2048);
		expect(tokenizer.specialTokens).toEqual([0]);
	});

	it.each([
		['missing', '/nowhere/tokenizer.json', /cannot be read/],
		['not JSON', put('t1.json', 'x'), /not valid JSON/],
		['something else', put('t2.json', '{"a":1}'), /"model"/],
		['broken', put('t3.json', '{"model":{"type":"nothing"}}'), /not a tokenizer/],
	])('refuse a file that is %s', (_what, path, sentence) => {
		expect(() => loadTokenizer(path)).toThrow(sentence);
	});
});
