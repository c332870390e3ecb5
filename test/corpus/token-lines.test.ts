/**
 * Token ids straight from bytes: what JSON says, or nothing.
 */
import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { idScanner, scanIds } from '../../src/corpus/token-lines.js';
import { compileKernel } from '../../src/model/kernel/build.js';

const LIMIT = 2 ** 27;

test('the committed kernel is compiled from its source', async () => {
	const committed = await readFile(new URL('../../src/corpus/kernel.wasm.ts', import.meta.url), 'utf8');
	expect(committed === (await compileKernel('corpus')), 'stale: run `npm run build:kernel`').toBe(true);
});

/** Lists as they are written, with spaces, and what only looks like one. */
const separator = fc.constantFrom(',', ', ', ' ,', ',  ', ',,', '.', ',\t');
const word = fc.oneof(
	{ weight: 8, arbitrary: fc.integer({ min: 0, max: 2 ** 28 }).map(String) },
	{ weight: 4, arbitrary: fc.integer({ min: 0, max: 2000 }).map(String) },
	{ weight: 1, arbitrary: fc.constantFrom('007', '-1', '1e3', '"7"', '', '123456789012', '[1]', '0') },
);
const line = fc
	.tuple(
		fc.constantFrom('[', '[', '[', ' [', '[ ', '', '{'),
		fc.array(word, { maxLength: 20 }),
		fc.oneof({ weight: 5, arbitrary: fc.constantFrom(',', ', ') }, { weight: 1, arbitrary: separator }),
		fc.constantFrom(']', ']', ']', ' ]', '] ', '', ']]', ',]', ']7'),
	)
	.map(([open, words, between, close]) => open + words.join(between) + close);

/** Ids of a line that JSON says is a list of them; undefined for all else. */
function byJson(text: string): number[] | undefined {
	try {
		const value: unknown = JSON.parse(text);
		const isList = Array.isArray(value) && value.every((id) => Number.isInteger(id) && id >= 0 && id < LIMIT);
		return isList ? value : undefined;
	} catch {
		return undefined;
	}
}

test('a line is a list of ids to both readers exactly where it is one to JSON', () => {
	fc.assert(
		fc.property(fc.array(line, { maxLength: 8 }), fc.constantFrom('\n', '\r\n'), (lines, ending) => {
			const bytes = Buffer.from(lines.join(ending));
			const scanner = idScanner(bytes);
			let start = 0;
			for (const text of lines) {
				const end = start + Buffer.byteLength(text);
				const expected = byJson(text);
				for (const scan of [scanner, scanIds.bind(null, bytes)]) {
					const out = new Uint32Array(300);
					const count = scan(start, end, LIMIT, out, 7);
					// Numbers such as 1e3 or -0 are left to JSON.
					if (count >= 0) expect([...out.subarray(7, 7 + count)]).toEqual(expected);
					else if (expected !== undefined) expect(text).toMatch(/[-.eE]/);
				}
				start = end + ending.length;
			}
		}),
		{ numRuns: 2000 },
	);
});

test('what was read before does not go on behind the end of the bytes', () => {
	idScanner(Buffer.from('[1,2,3,4,5]'));
	const scan = idScanner(Buffer.from('[1,2'));
	expect(scan(0, 4, LIMIT, new Uint32Array(9), 0)).toBe(-1);
});
