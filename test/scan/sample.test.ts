/**
 * The sample of distinct windows: the same whatever the order, the split and the repeats.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { newSample, type SampledWindows } from '../../src/scan/sample.js';
import { newWindowCutter } from '../../src/scan/windows.js';

const WIDTH = 2;

/** A sample of texts. */
function sampled(texts: readonly (readonly number[])[], most: number): SampledWindows {
	const cutter = newWindowCutter({ contextWidth: WIDTH, start: 'skip', narrow: false }, 5);
	const sample = newSample(WIDTH + 1, most);
	for (const text of texts) {
		cutter.fill(Uint32Array.from(text), [text.length]);
		sample.add(cutter.windows);
	}
	return sample.windows();
}

const texts = fc.array(fc.array(fc.integer({ min: 0, max: 6 }), { maxLength: 40 }), { maxLength: 20 });

/** All distinct windows by brute force. */
function distinct(all: readonly (readonly number[])[]): Set<string> {
	const seen = new Set<string>();
	for (const text of all)
		for (let i = 0; i + WIDTH < text.length; i++) seen.add(text.slice(i, i + WIDTH + 1).join());
	return seen;
}

const rowsOf = ({ rows, size }: SampledWindows) =>
	Array.from({ length: size }, (_, i) =>
		Array.from(rows.subarray(i * (WIDTH + 1), (i + 1) * (WIDTH + 1))).join(),
	);

describe('a sample of distinct windows', () => {
	test('holds every window once, until it is full', () => {
		fc.assert(
			fc.property(texts, (all) => {
				const seen = distinct(all);
				const kept = rowsOf(sampled(all, 1000));
				expect(new Set(kept)).toEqual(seen);
				expect(kept).toHaveLength(seen.size);
			}),
		);
	});

	test('keeps the least hashes of all distinct windows, in whatever order they come and however often', () => {
		fc.assert(
			fc.property(texts, fc.integer({ min: 1, max: 40 }), (all, most) => {
				const whole = rowsOf(sampled(all, 1000));
				expect(rowsOf(sampled(all, most))).toEqual(whole.slice(0, most));
				expect(rowsOf(sampled([...all].reverse().concat(all), most))).toEqual(whole.slice(0, most));
			}),
		);
	});

	test('merged samples are the sample of everything', () => {
		fc.assert(
			fc.property(texts, texts, fc.integer({ min: 1, max: 40 }), (one, other, most) => {
				const merged = newSample(WIDTH + 1, most);
				merged.merge(sampled(one, most));
				merged.merge(sampled(other, most));
				expect(rowsOf(merged.windows())).toEqual(rowsOf(sampled([...one, ...other], most)));
			}),
		);
	});

	test('windows with hashes above a known limit are not missed', () => {
		fc.assert(
			fc.property(texts, texts, fc.integer({ min: 1, max: 10 }), (one, other, most) => {
				const all = newSample(WIDTH + 1, most);
				all.merge(sampled(one, most));
				const limit = all.threshold;
				const cutter = newWindowCutter({ contextWidth: WIDTH, start: 'skip', narrow: false }, 5);
				const part = newSample(WIDTH + 1, most);
				for (const text of other) {
					cutter.fill(Uint32Array.from(text), [text.length]);
					part.add(cutter.windows, limit);
				}
				all.merge(part.windows());
				expect(rowsOf(all.windows())).toEqual(rowsOf(sampled([...one, ...other], most)));
			}),
		);
	});

	test('of more windows at once than wait to be looked up, too', () => {
		const count = 300_000;
		const cutter = newWindowCutter({ contextWidth: WIDTH, start: 'skip', narrow: false }, 5);
		cutter.fill(
			Uint32Array.from({ length: count }, (_, i) => (i * i) % 100_003),
			[count],
		);
		const { windows } = cutter;
		const sample = newSample(WIDTH + 1, 500);
		sample.add(windows);
		const least = Array.from({ length: windows.size }, (_, i) => i)
			.sort((i, j) => windows.high[i] - windows.high[j] || windows.low[i] - windows.low[j])
			.map((i) => windows.ids.subarray(windows.places[i], windows.places[i] + WIDTH + 1).join());
		expect(rowsOf(sample.windows())).toEqual([...new Set(least)].slice(0, 500));
	});

	test('what is given as fresh, bit by bit, is all that is kept, and most of it once', () => {
		const whole = Array.from({ length: 3000 }, (_, i) => [i >> 5, i & 31, 7]);
		for (const all of [whole, [...whole, ...whole]]) {
			const cutter = newWindowCutter({ contextWidth: WIDTH, start: 'skip', narrow: false }, 5);
			const sample = newSample(WIDTH + 1, 100);
			const merged = newSample(WIDTH + 1, 100);
			let given = 0;
			for (const text of all) {
				cutter.fill(Uint32Array.from(text), [text.length]);
				sample.add(cutter.windows);
				if (text[1] !== 31) continue;
				const fresh = sample.fresh();
				given += fresh.size;
				merged.merge(fresh);
			}
			merged.merge(sample.fresh());
			expect(rowsOf(merged.windows())).toEqual(rowsOf(sampled(all, 100)));
			// The least 100 of 3,000 in random order: 100·(1 + ln 30) = 440 come in, and no repeat of any.
			expect(given).toBeLessThan(800);
		}
		fc.assert(
			fc.property(texts, fc.integer({ min: 1, max: 40 }), (all, most) => {
				const cutter = newWindowCutter({ contextWidth: WIDTH, start: 'skip', narrow: false }, 5);
				const sample = newSample(WIDTH + 1, most);
				const merged = newSample(WIDTH + 1, most);
				for (const text of all) {
					cutter.fill(Uint32Array.from(text), [text.length]);
					sample.add(cutter.windows);
					merged.merge(sample.fresh());
				}
				expect(rowsOf(merged.windows())).toEqual(rowsOf(sampled(all, most)));
			}),
		);
	});

	test('is uniform: each of 20,000 windows is kept as often as the others', () => {
		// 10 equal classes of windows, by their last id; chi-square with 9 degrees of freedom is above 33.7 once in 10,000.
		const text = Array.from({ length: 20_000 }, (_, i) => [7 * i + 1, i >> 3, i % 10]).map((ids) => ids);
		const kept = rowsOf(sampled(text, 2000));
		const counts = new Array(10).fill(0);
		for (const row of kept) counts[Number(row.split(',')[2])]++;
		const chi = counts.reduce((sum, count) => sum + (count - 200) ** 2 / 200, 0);
		expect(chi).toBeLessThan(33.7);
	});
});

describe('windows', () => {
	test('rolling hashes are those of each window alone', () => {
		fc.assert(
			fc.property(
				fc.array(fc.integer({ min: 0, max: 2 ** 27 - 1 }), { minLength: 5, maxLength: 30 }),
				fc.integer({ min: 0, max: 4 }),
				(ids, contextWidth) => {
					const cutter = newWindowCutter({ contextWidth, start: 'skip', narrow: false }, 9);
					cutter.fill(Uint32Array.from(ids), [ids.length]);
					const { size, high, low } = cutter.windows;
					const together = Array.from({ length: size }, (_, i) => [high[i], low[i]]);
					const alone = together.map((_, i) => {
						const one = newWindowCutter({ contextWidth, start: 'skip', narrow: false }, 9);
						const window = ids.slice(i, i + contextWidth + 1);
						one.fill(Uint32Array.from(window), [window.length]);
						return [one.windows.high[0], one.windows.low[0]];
					});
					expect(alone).toEqual(together);
				},
			),
		);
	});
});
