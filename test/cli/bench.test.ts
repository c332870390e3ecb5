/** `touchmark bench`: what it says agrees with what it planted, with what it prints and with what its page draws. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import type { BenchmarkResult } from '../../src/benchmark/benchmark-result.js';
import { CHROMIUM, launchChromium, NO_CHROMIUM } from '../chromium.js';
import { runBuilt } from './built-cli.js';
import { newFolder, runCli } from './run-cli.js';

const folder = newFolder();
const out = join(folder, 'bench');
let result: BenchmarkResult;
let page = '';

/** The built command line, which has threads and processes. */
const bench = (...args: string[]) => runBuilt(['bench', ...args]);

beforeAll(async () => {
	// A corpus of its own with a field of its own, and a line that cannot be read.
	const words =
		'the heron stands in shallow water and waits for a fish that never comes this way again'.split(' ');
	const lines = Array.from({ length: 300 }, (_, i) =>
		JSON.stringify({
			id: i,
			said: {
				text: Array.from({ length: 60 }, (_, j) => words[(i * j * j + 7 * j + i) % words.length]).join(' '),
			},
		}),
	);
	writeFileSync(join(folder, 'corpus.jsonl'), `${lines.join('\n')}\n{"id": "torn\n`);
	const flags = ['--seeds', '1', '--share', '0.05', '--text-field', 'said.text', '--out', out, '--json'];
	const ended = await bench(join(folder, 'corpus.jsonl'), ...flags);
	expect(ended).toMatchObject({
		code: 0,
		err: expect.stringMatching(/^warning: .*corpus\.jsonl at byte \d+: is not valid JSON.*\n$/),
	});
	result = JSON.parse(ended.out);
	page = readFileSync(join(out, 'bench.html'), 'utf8');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('bench', () => {
	it('plants what it says, in a corpus that is otherwise the same', () => {
		const [none, planted] = result.runs;
		expect(none).toMatchObject({ records: 300, skipped: 1, planted: 0, found: 0, plantedShare: 0 });
		expect(planted).toMatchObject({ records: 315, skipped: 1, planted: 15 });
		expect(planted.tokens).toBeGreaterThan(none.tokens + 15 * 25);
		expect(none.seed).not.toBe(planted.seed);
		expect(none.verdict).not.toBe('marked');
		expect(planted.verdict).toBe('marked');
		expect(planted.found).toBeGreaterThan(10);
		expect(planted.plantedShare).toBeGreaterThan(planted.shareLower95);
		for (const { seconds, tokens, tokensPerSecond, peakRssBytes } of result.runs) {
			expect(tokensPerSecond).toBeCloseTo(tokens / seconds);
			// A process of Node alone takes as much.
			expect(peakRssBytes).toBeGreaterThan(2 ** 25);
		}
	});
	it('every planted record is in one class of lengths, and has evidence or none', () => {
		const { power, evidence, all, runs } = result;
		expect(power.reduce((sum, { planted }) => sum + planted, 0)).toBe(15);
		expect(power.reduce((sum, { found }) => sum + found, 0)).toBe(all.found);
		expect(evidence.planted.length + evidence.plantedWithout).toBe(15);
		expect(evidence.others.length + evidence.othersWithout).toBe(600);
		expect(all).toMatchObject({
			planted: 15,
			found: runs[1].found,
			markedAtLeastHeld: 2,
			shareLower95Held: 2,
		});
		// What is reported has more evidence than what is not.
		expect(evidence.planted.length).toBeGreaterThanOrEqual(all.found);
		expect(Math.min(...evidence.planted.slice(-all.found))).toBeGreaterThan(0);
	});
	it('writes what it prints, and draws the same numbers', () => {
		expect(JSON.parse(readFileSync(join(out, 'bench.json'), 'utf8'))).toEqual(result);
		const [power, planted, others] = [...page.matchAll(/<desc[^>]*>(.*?)<\/desc>/g)].map(([, text]) => text);
		for (const { from, to, planted: count, found } of result.power)
			expect(power).toContain(`${from} to ${to}: ${found} of ${count}`);
		const drawn = (text: string) =>
			[...text.matchAll(/-?\d+ to -?\d+: (\d+)/g)].reduce((sum, [, count]) => sum + Number(count), 0);
		expect(drawn(planted)).toBe(result.evidence.planted.length);
		expect(drawn(others)).toBe(result.evidence.others.length);
		expect(others).toContain(`Without evidence: ${result.evidence.othersWithout}.`);
	});
	it('the page loads nothing', () => {
		expect(page).not.toMatch(/<script|<link(?! rel="icon" href="data:,")|https?:|url\(|@import/);
	});
	it('bad flags and corpora are named', async () => {
		const flags = ['--out', join(folder, 'other')];
		expect(await runCli(['bench', '--share', '2', ...flags])).toMatchObject({
			code: 2,
			err: expect.stringMatching(/--share: must be/),
		});
		const missing = await bench(join(folder, 'none.jsonl'), '--strict', ...flags);
		expect(missing).toMatchObject({ code: 2, out: '', err: expect.stringMatching(/none\.jsonl/) });
	});
});

if (CHROMIUM === undefined) test('benchmark in a browser', (context) => context.skip(NO_CHROMIUM));

describe.skipIf(CHROMIUM === undefined)('benchmark in a browser', () => {
	test('nothing overflows, runs or is loaded, on a desk and on a phone', async () => {
		const browser = await launchChromium();
		try {
			for (const width of [1280, 390]) {
				const tab = await browser.newPage({ viewport: { width, height: 900 } });
				const heard: string[] = [];
				tab.on('console', (message) => heard.push(message.text()));
				tab.on('request', (request) => heard.push(request.url()));
				const address = pathToFileURL(join(out, 'bench.html')).href;
				await tab.goto(address, { waitUntil: 'load' });
				expect(heard.filter((text) => text !== address && !text.startsWith('data:'))).toEqual([]);
				expect(await tab.locator('svg').count()).toBe(3);
				expect(
					await tab.evaluate(
						() => document.documentElement.scrollWidth - document.documentElement.clientWidth,
					),
				).toBe(0);
				await tab.close();
			}
		} finally {
			await browser.close();
		}
	});
});
