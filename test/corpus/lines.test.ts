import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_LINE_BYTES, readLines } from '../../src/corpus/lines.js';
import { TouchmarkError } from '../../src/errors.js';
import { newFolder } from '../cli/run-cli.js';

const folder = newFolder();
let files = 0;
function put(content: string | Uint8Array): string {
	const path = join(folder, `lines-${++files}.txt`);
	writeFileSync(path, content);
	return path;
}
async function linesOf(path: string): Promise<string[]> {
	const lines: string[] = [];
	for await (const { text, number } of readLines(path)) expect(lines.push(text)).toBe(number);
	return lines;
}
async function failure(path: string): Promise<string> {
	try {
		await linesOf(path);
	} catch (error) {
		if (!TouchmarkError.isInstance(error)) throw error;
		expect(error.message).not.toContain('\n');
		return error.message;
	}
	return expect.unreachable('it did not fail');
}

describe('lines', () => {
	it.each([
		['a last newline or none', 'a\nb', ['a', 'b']],
		['a last newline', 'a\nb\n', ['a', 'b']],
		['empty lines', '\n\na\n\n', ['', '', 'a', '']],
		['CRLF', 'a\r\nb\r\n', ['a', 'b']],
		['a lone CR inside a line', 'a\rb\n', ['a\rb']],
		['a byte order mark', '\uFEFFa\nb', ['a', 'b']],
		['that character elsewhere, where it is text', 'a\n\uFEFFb\uFEFF', ['a', '\uFEFFb\uFEFF']],
		['two byte order marks: the second is text', '\uFEFF\uFEFFa', ['\uFEFFa']],
		['separators that are no ends of lines', 'a\u2028b\u0085c\vd', ['a\u2028b\u0085c\vd']],
		['NUL', 'a\0b', ['a\0b']],
		['nothing', '', []],
		['a byte order mark alone', '\uFEFF', ['']],
	])('with %s', async (_what, content, expected) => {
		expect(await linesOf(put(content))).toEqual(expected);
	});
	it('are those of the text, whatever it is', async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.array(
					fc.string({ unit: 'grapheme', maxLength: 12 }).filter((text) => !/[\r\n\uFEFF]/.test(text)),
					{
						maxLength: 12,
					},
				),
				fc.constantFrom('\n', '\r\n'),
				async (lines, end) => {
					const text = lines.map((line) => `${line}${end}`).join('');
					expect(await linesOf(put(text))).toEqual(lines);
				},
			),
			{ seed: 20_261_130, numRuns: 150 },
		);
	});
	it('may lie across reads of a mebibyte, characters included', async () => {
		// Four-byte characters with one byte before them: each read ends inside of one.
		const line = `x${'🙂'.repeat(600_000)}`;
		expect(await linesOf(put(`${line}\nshort\n${line}`))).toEqual([line, 'short', line]);
	});
});

describe('what cannot be read', () => {
	it.each<[string, number[], number]>([
		['cut short at the end of the file', [0x61, 0x0a, 0xe2, 0x82], 2],
		['cut short at the end of a line', [0xe2, 0x82, 0x0a, 0x61], 1],
		['overlong', [0xc0, 0x80], 1],
		['of half a surrogate pair', [0xed, 0xa0, 0x80], 1],
		['of UTF-16', [0xff, 0xfe, 0x61, 0x00], 1],
		['of Latin-1', [0x61, 0x0a, 0x0a, 0x63, 0x61, 0x66, 0xe9, 0x0a], 3],
	])('UTF-8 %s: file and line are named', async (_what, bytes, line) => {
		const path = put(Uint8Array.from(bytes));
		expect(await failure(path)).toBe(
			`${path}:${line}: is not valid UTF-8; convert the file or repair the line`,
		);
	});
	it('a file that is missing, a folder, a path with NUL', async () => {
		expect(await failure(join(folder, 'missing'))).toMatch(/missing: cannot be read \(ENOENT\)$/);
		mkdirSync(join(folder, 'sub'));
		expect(await failure(join(folder, 'sub'))).toMatch(/sub: cannot be read \(EISDIR\)$/);
		expect(await failure(`${folder}/a\0b`)).toMatch(/cannot be read/);
	});
	it('a line over 64 MiB, to the byte; one of 64 MiB is read', async () => {
		const content = Buffer.alloc(2 + MAX_LINE_BYTES + 2, 0x61);
		content[1] = 0x0a;
		content[content.length - 1] = 0x0a;
		const path = put(content);
		expect(await failure(path)).toBe(`${path}:2: is longer than 67108864 bytes; split it`);
		writeFileSync(path, content.subarray(0, content.length - 2));
		expect((await linesOf(path)).map((line) => line.length)).toEqual([1, MAX_LINE_BYTES]);
	});
});
