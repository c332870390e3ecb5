/** A benchmark's figures over several scans, its page, and the corpus that it makes up. */
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
	type BenchmarkRun,
	benchmarkResult,
	type ObservedRun,
	type PlantedOutcome,
} from '../../src/benchmark/benchmark-result.js';
import { writeMadeCorpus } from '../../src/benchmark/made-corpus.js';
import { renderBenchmark } from '../../src/benchmark/page.js';
import { embeddedPrompts, embeddedTokenizer } from '../../src/generate/embedded.js';

const EVIL = '<script>document.title = "pwned"</script>';

function observed(run: Partial<BenchmarkRun>, outcomes: PlantedOutcome[], others: number[]): ObservedRun {
	const found = outcomes.filter((one) => one.found).length;
	return {
		run: {
			...{ seed: EVIL, planted: outcomes.length, found, falsePositives: 0, records: 100, skipped: 0 },
			...{ tokens: 1000, seconds: 1, tokensPerSecond: 1000, recordsPerSecond: 100, peakRssBytes: 2 ** 20 },
			...{ log10P: -1, log10E: 1, verdict: 'no-evidence', markedAtLeast: 0 },
			...{ shareLower95: 0, plantedShare: 0.01 },
			...run,
		},
		outcomes,
		otherLog10Es: others,
	};
}
const outcome = (tokens: number, log10E: number | null, found: boolean): PlantedOutcome => ({
	...{ tokens, log10E, found },
});
const options = { made: true, share: 0.02, level: 1e-6, fdr: 0.05 };

describe('benchmarkResult', () => {
	const result = benchmarkResult(
		[
			observed({ tokensPerSecond: 10, peakRssBytes: 7 }, [], [0.5]),
			observed(
				{ tokensPerSecond: 30, falsePositives: 1, markedAtLeast: 2, shareLower95: 0.02 },
				[outcome(30, 9, true), outcome(59, null, false)],
				[8, -1],
			),
			observed({ tokensPerSecond: 20, markedAtLeast: 2 }, [outcome(60, 7, true), outcome(400, 90, true)], []),
		],
		options,
	);
	it('puts scans together', () => {
		expect(result.all).toMatchObject({
			...{ planted: 4, found: 3, falsePositives: 1, tokensPerSecond: 20, peakRssBytes: 2 ** 20 },
			// Of two reported records one is wrong in the second scan, of two none in the third; the first has none to find.
			falseDiscoveryRate: 0.25,
			// The second says 2 of 1, and a share of 0.02 of 0.01.
			...{ markedAtLeastHeld: 2, shareLower95Held: 2 },
		});
		expect(result.power.map(({ planted, found }) => [planted, found])).toEqual([
			[2, 1],
			[1, 1],
			[0, 0],
			[1, 1],
		]);
		expect(result.evidence).toEqual({
			...{ planted: [7, 9, 90], plantedWithout: 1, others: [-1, 0.5, 8] },
			othersWithout: 300 - 4 - 3,
		});
	});
	it('the page escapes what it is given, and is the same for the same result', () => {
		const data = { result, version: '0.1.0', generatedAt: '2026-11-25T21:00:00.000Z', seconds: 3 };
		const page = renderBenchmark(data);
		expect(page).not.toContain('<script');
		expect(page).toContain('&lt;script');
		expect(page).toBe(renderBenchmark(data));
		expect(page).toContain('120 to 239: 0 of 0');
		expect(page).not.toMatch(/NaN|Infinity|undefined/);
	});
	it('a page of nothing found is whole', () => {
		const empty = benchmarkResult([observed({}, [], [])], options);
		const page = renderBenchmark({ result: empty, version: '0.1.0', generatedAt: '', seconds: 3 });
		expect(page).toContain('None has any. Without evidence: 100.');
		expect(page).not.toMatch(/NaN|Infinity|undefined/);
	});
});

it('a made corpus is made again by its seed, and hardly a window comes twice', () => {
	const tokenizer = embeddedTokenizer();
	const texts = embeddedPrompts().map((prompt) => tokenizer.encode(prompt));
	const folder = mkdtempSync(join(tmpdir(), 'touchmark-'));
	let written = 0;
	const make = (name: string, seed: string) => {
		const path = join(folder, name);
		writeMadeCorpus(path, 300, texts, tokenizer, seed, (records) => {
			written += records;
		});
		return readFileSync(path, 'utf8');
	};
	const one = make('a', 'a');
	expect(make('b', 'a')).toBe(one);
	expect(make('c', 'b')).not.toBe(one);
	expect(written).toBe(900);
	const records = one
		.trimEnd()
		.split('\n')
		.map((line) => tokenizer.encode(JSON.parse(line).text));
	expect(records).toHaveLength(300);
	const windows = records.flatMap((ids) => ids.slice(4).map((_, i) => ids.slice(i, i + 5).join()));
	expect(new Set(windows).size).toBeGreaterThan(0.9 * windows.length);
});
