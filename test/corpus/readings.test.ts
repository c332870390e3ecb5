/** Readings of an API: what is read, what is refused, and files made by changing good ones. */
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_TOKEN_ID } from '../../src/corpus/documents.js';
import { readReadings } from '../../src/corpus/readings.js';
import { TouchmarkError } from '../../src/errors.js';
import { embeddedTokenizer } from '../../src/generate/embedded.js';
import { folder, put } from './files.js';

const tokenizer = embeddedTokenizer();
/** Of a vocabulary of this size. */
const read = (path: string, vocabSize = MAX_TOKEN_ID + 1) => readReadings(path, { ...tokenizer, vocabSize });

/** The sentence with which a file is refused. */
async function failure(path: string): Promise<string> {
	try {
		await read(path);
	} catch (error) {
		if (!TouchmarkError.isInstance(error)) throw error;
		expect(error.code).toBe('bad-input');
		expect(error.message).not.toMatch(/[\n\r]/);
		expect(error.message.length).toBeLessThan(500);
		return error.message;
	}
	return expect.unreachable('it did not fail');
}
const reading = (part: object = {}) =>
	JSON.stringify({
		id: 'a',
		prefix: [5, 6],
		top: [
			[7, Math.log(0.5)],
			[8, Math.log(0.25)],
		],
		...part,
	});
const NESTED = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;

describe('read', () => {
	it('ids as text, probabilities out of logarithms, in the order of the file', async () => {
		const path = put(
			'good.jsonl',
			`${reading()}\n\n${reading({ id: 2, prefix: [], top: [[MAX_TOKEN_ID, 0]], model: 'm' })}\r\n`,
		);
		expect(await read(path)).toEqual([
			{
				id: 'a',
				prefix: [5, 6],
				tokens: [7, 8],
				probabilities: [expect.closeTo(0.5, 12), expect.closeTo(0.25, 12)],
			},
			{ id: '2', prefix: [], tokens: [MAX_TOKEN_ID], probabilities: [1] },
		]);
	});
	it('rounded probabilities: a little above 1 in all, a logarithm a hair above 0', async () => {
		const path = put(
			'rounded.jsonl',
			reading({
				top: [
					[1, 5e-7],
					[2, Math.log(5e-4)],
				],
			}),
		);
		const [{ probabilities }] = await read(path);
		expect(probabilities[0] + probabilities[1]).toBeGreaterThan(1);
	});
	it('text: its strings as tokens of the mark, where both cut at the same places', async () => {
		const top = [' time', ' tim', ' t', 'e', '\ufffd', '', ' zz', ' was', ' was'].map((string) => [
			string,
			-3,
		]);
		const [{ prefix, tokens, probabilities }] = await read(
			put('text.jsonl', reading({ prefix: 'It was', top })),
		);
		expect(prefix).toEqual(tokenizer.encode('It was'));
		const [time] = tokenizer.encode(' time').slice(-1);
		const [t] = tokenizer.encode(' t').slice(-1);
		// 'e' and ' tim' would be cut elsewhere; what is listed twice is ambiguous.
		expect(tokens[0]).toBe(time);
		expect(tokens[2]).toBe(t);
		expect(tokens.slice(4)).toEqual([null, null, null, null, null]);
		expect(probabilities).toHaveLength(9);
	});
	it('a token that is nearly impossible', async () => {
		const [{ probabilities }] = await read(put('rare.jsonl', reading({ top: [[1, -9999]] })));
		expect(probabilities).toEqual([0]);
	});
});

describe('refused: file, line and field are named', () => {
	it.each([
		['a list', '[]', /:2: .*object/],
		['null', 'null', /:2: .*object/],
		['a torn record', '{"id":"a","prefix":[1', /:2: is not valid JSON/],
		['no id', reading({ id: undefined }), /:2: field "id"/],
		['an id that is a list', reading({ id: [] }), /:2: field "id"/],
		['an id that was there', reading({ id: 'first' }), /:2: field "id": occurs twice/],
		['no prefix', reading({ prefix: undefined }), /:2: field "prefix"/],
		[
			'a prefix of text with ids',
			reading({ prefix: 'It was' }),
			/:2: field "top\.0\.0": must be a token as text/,
		],
		['a negative id', reading({ prefix: [1, -1] }), /:2: field "prefix\.1"/],
		['a fraction', reading({ prefix: [0.5] }), /:2: field "prefix\.0": must be an integer token id/],
		['an id that no generator takes', reading({ prefix: [MAX_TOKEN_ID + 1] }), /:2: field "prefix\.0"/],
		['no tokens', reading({ top: [] }), /:2: field "top": must list at least one token/],
		['no list of tokens', reading({ top: undefined }), /:2: field "top"/],
		['tokens as an object', reading({ top: { 7: -1 } }), /:2: field "top"/],
		['tokens without probabilities', reading({ top: [7, 8] }), /:2: field "top\.0"/],
		['a token as text', reading({ top: [['the', -1]] }), /:2: field "top\.0\.0": must be an integer/],
		['a token with three numbers', reading({ top: [[7, -1, -1]] }), /:2: field "top\.0"/],
		['a probability as text', reading({ top: [[7, '-1']] }), /:2: field "top\.0\.1"/],
		[
			'probabilities where logarithms belong',
			reading({ top: [[7, 0.5]] }),
			/:2: field "top\.0\.1": is a log-probability above 0/,
		],
		[
			'a token twice',
			reading({
				top: [
					[7, -1],
					[7, -2],
				],
			}),
			/:2: field "top": lists a token twice/,
		],
		[
			'more than all',
			reading({
				top: [
					[7, -0.1],
					[8, -0.5],
				],
			}),
			/:2: field "top": probabilities add up to more than 1/,
		],
		['a logarithm of minus infinity', '{"id":1,"prefix":[],"top":[[1,-1e400]]}', /:2: field "top\.0\.1"/],
		['200,000 brackets for a prefix', `{"id":1,"prefix":${NESTED},"top":[[1,-1]]}`, /:2: field "prefix\.0"/],
	])('%s', async (_what, line, sentence) => {
		const path = put('r.jsonl', `${reading({ id: 'first' })}\n${line}\n${reading({ id: 'last' })}\n`);
		const message = await failure(path);
		expect(message).toMatch(/^.*r\.jsonl:2: /);
		expect(message).toMatch(sentence);
	});
	it('an id of the vocabulary’s size', async () => {
		const path = put('size.jsonl', reading());
		await expect(read(path, 9)).resolves.toHaveLength(1);
		await expect(read(path, 8)).rejects.toThrow(
			/size\.jsonl:1: field "top\.1\.0": is a token id outside the vocabulary of 8$/,
		);
	});
	it.each(['', '\n \n'])('a file of %j, one that is not there, and a folder', async (content) => {
		expect(await failure(put('none.jsonl', content))).toMatch(/none\.jsonl: is empty/);
		expect(await failure(join(folder, 'nowhere.jsonl'))).toMatch(/nowhere\.jsonl: /);
		expect(await failure(folder)).toMatch(new RegExp(`^${folder}`));
	});
});

describe('whatever a file holds', () => {
	const outcomeOf = async (name: string, content: string | Uint8Array): Promise<'read' | 'refused'> => {
		const path = put(name, content);
		try {
			for (const { tokens, probabilities } of await read(path)) {
				expect(tokens.length).toBe(probabilities.length);
				for (const p of probabilities) expect(p >= 0 && p <= 1.001).toBe(true);
			}
			return 'read';
		} catch (error) {
			if (!TouchmarkError.isInstance(error)) throw error;
			expect(error.message.startsWith(path)).toBe(true);
			expect(error.message).not.toMatch(/[\n\r]/);
			return 'refused';
		}
	};
	const counting = () => {
		const outcomes = { read: 0, refused: 0 };
		return { outcomes, count: (outcome: keyof typeof outcomes) => outcomes[outcome]++ };
	};

	it('lines of JSON values: readings, or one sentence', async () => {
		const { outcomes, count } = counting();
		const id = fc.oneof(fc.string({ maxLength: 3 }), fc.nat(), fc.jsonValue());
		const token = fc.oneof({ weight: 20, arbitrary: fc.nat(3000) }, fc.jsonValue());
		const log = fc.oneof(
			{ weight: 20, arbitrary: fc.double({ min: -60, max: -2, noNaN: true }) },
			fc.double({ noNaN: true }),
			fc.jsonValue(),
		);
		const line = fc.oneof(
			{
				weight: 9,
				arbitrary: fc.record({
					id,
					prefix: fc.array(token, { maxLength: 3 }),
					top: fc.array(fc.tuple(token, log), { maxLength: 3 }),
				}),
			},
			fc.jsonValue() as fc.Arbitrary<unknown>,
		);
		await fc.assert(
			fc.asyncProperty(fc.array(line, { minLength: 1, maxLength: 2 }), async (lines) => {
				count(await outcomeOf('json.jsonl', lines.map((value) => JSON.stringify(value)).join('\n')));
			}),
			{ numRuns: 500, seed: 20_261_125 },
		);
		expect(outcomes.read).toBeGreaterThan(50);
		expect(outcomes.refused).toBeGreaterThan(50);
	});
	it('good files with a few bytes changed, and bytes', async () => {
		const { outcomes, count } = counting();
		const good = Buffer.from(`${reading()}\n${reading({ id: 1 })}\n`);
		const edit = fc.record({
			at: fc.nat(good.length),
			remove: fc.nat(3),
			insert: fc.oneof(fc.uint8Array({ maxLength: 2 }), fc.constant(Uint8Array.from(Buffer.from('9')))),
		});
		const changed = fc
			.array(edit, { minLength: 1, maxLength: 2 })
			.map((edits) =>
				edits.reduce(
					(content, { at, remove, insert }) =>
						Buffer.concat([content.subarray(0, at), insert, content.subarray(at + remove)]),
					good,
				),
			);
		const bytes = fc.oneof({ weight: 9, arbitrary: changed }, fc.uint8Array({ maxLength: 200 }));
		await fc.assert(
			fc.asyncProperty(bytes, async (content) => {
				count(await outcomeOf('bytes.jsonl', content));
			}),
			{ numRuns: 500, seed: 20_261_126 },
		);
		expect(outcomes.read).toBeGreaterThan(30);
		expect(outcomes.refused).toBeGreaterThan(100);
	});
});
