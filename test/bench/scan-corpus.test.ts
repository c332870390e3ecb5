/** The corpora that the scan's benches make: deterministic, as large as asked, and marked where they are planted. */
import { mkdtempSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { plantedRecords } from '../../bench/planted-records.js';
import { makeTextCorpus, recordsOf, type TextRecord } from '../../bench/scan-corpus.js';
import { embeddedTokenizer } from '../../src/generate/embedded.js';
import { detect } from '../../src/verify/detect.js';

async function gathered(count: number, seed: string): Promise<TextRecord[]> {
	const records: TextRecord[] = [];
	for await (const record of recordsOf(count, seed)) records.push(record);
	return records;
}

const folder = mkdtempSync(join(tmpdir(), 'scan-corpus-'));

describe('makeTextCorpus', () => {
	it('writes as many bytes as asked, to the end of a record, and says how many', () => {
		const path = join(folder, 'asked.jsonl');
		const said = makeTextCorpus(path, 3_000_000, 'one');
		expect(statSync(path).size).toBe(said.bytes);
		expect(said.bytes).toBeGreaterThanOrEqual(3_000_000);
		const lines = readFileSync(path, 'utf8').split('\n');
		expect(lines.pop()).toBe('');
		expect(lines.length).toBe(said.records);
		expect(said.bytes - Buffer.byteLength(`${lines.at(-1)}\n`)).toBeLessThan(3_000_000);

		const records = lines.map((line) => JSON.parse(line) as TextRecord);
		expect(new Set(records.map(({ text }) => text)).size).toBeGreaterThan(0.99 * records.length);
		expect(new Set(records.map(({ id }) => id)).size).toBe(records.length);
		const { encode } = embeddedTokenizer();
		const lengths = records
			.slice(0, 300)
			.map(({ text }) => encode(text).length)
			.sort((a, b) => a - b);
		expect(lengths[0]).toBeLessThan(100);
		expect(lengths[150]).toBeGreaterThan(150);
		expect(lengths[299]).toBeGreaterThan(1_000);
	});

	it('writes the same bytes for the same seed, others for another', () => {
		const [a, b, c] = ['a', 'b', 'c'].map((name) => join(folder, `${name}.jsonl`));
		makeTextCorpus(a, 200_000, 'one');
		makeTextCorpus(b, 200_000, 'one');
		makeTextCorpus(c, 200_000, 'two');
		expect(readFileSync(b)).toEqual(readFileSync(a));
		expect(readFileSync(c)).not.toEqual(readFileSync(a));
	});
});

describe('recordsOf', () => {
	it('gives as many records as asked, the same for the same seed', async () => {
		const records = await gathered(2_000, 'one');
		expect(records).toHaveLength(2_000);
		expect(await gathered(500, 'one')).toEqual(records.slice(0, 500));
		expect(await gathered(10, 'two')).not.toEqual(records.slice(0, 10));
	});

	it('cuts between words, or between characters where a script has no spaces', async () => {
		const records = (await gathered(2_000, 'one')).filter(({ id }) => !id.startsWith('code'));
		expect(records.some(({ text }) => /\p{Script=Han}/u.test(text))).toBe(true);
		for (const { text } of records) {
			expect(text).not.toContain('\ufffd');
			expect(text).not.toMatch(/^ | $/);
		}
	});
});

describe('plantedRecords', () => {
	it('are marked, of many lengths, and the same for the same seed', () => {
		const { ring, records } = plantedRecords(6, 'one');
		const [shape, choice] = ring.marks.map((spec) => ring.bind(spec, 'verify'));
		for (const { tokens } of records) {
			expect(tokens.length).toBeGreaterThanOrEqual(30);
			expect(tokens.length).toBeLessThanOrEqual(400);
			expect(detect('', tokens, [choice]).log10P).toBeLessThan(-6);
		}
		expect(new Set(records.map(({ tokens }) => tokens.length)).size).toBeGreaterThan(3);
		const longest = records.reduce((a, b) => (a.tokens.length > b.tokens.length ? a : b));
		expect(detect('', longest.tokens, [shape]).log10P).toBeLessThan(-3);
	});

	it('of a smaller count are the first of a larger', () => {
		const few = plantedRecords(2, 'two').records;
		expect(plantedRecords(5, 'two').records.slice(0, 2)).toEqual(few);
	});
});
