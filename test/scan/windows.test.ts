/**
 * Windows and their hashes: what the kernel cuts is what the definition says.
 */
import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BEFORE_TEXT } from '../../src/marks/mark-spec.js';
import { compileKernel } from '../../src/model/kernel/build.js';
import { hashesOfRows, newWindowCutter } from '../../src/scan/windows.js';

const texts = fc.array(fc.array(fc.integer({ min: 0, max: 2 ** 27 - 1 }), { maxLength: 25 }), {
	maxLength: 12,
});
const shapes = fc.record({
	contextWidth: fc.integer({ min: 0, max: 16 }),
	start: fc.constantFrom('skip' as const, 'pad' as const),
});

/** Rows of all windows, by the definition. */
function windowsOf(text: readonly number[], contextWidth: number, start: 'skip' | 'pad'): number[][] {
	const ids = start === 'pad' ? [...Array<number>(contextWidth).fill(BEFORE_TEXT), ...text] : text;
	return ids.slice(contextWidth).map((_, i) => ids.slice(i, i + contextWidth + 1));
}

describe('windows', () => {
	test.each(['scan', 'scan/counting'] as const)(
		'the committed kernel of %s is compiled from its source',
		async (folder) => {
			const committed = await readFile(
				new URL(`../../src/${folder}/kernel.wasm.ts`, import.meta.url),
				'utf8',
			);
			expect(committed === (await compileKernel(folder)), 'stale: run `npm run build:kernel`').toBe(true);
		},
	);

	test('are those of each text, with the hashes of their rows', () => {
		fc.assert(
			fc.property(
				fc.array(texts, { minLength: 1, maxLength: 3 }),
				shapes,
				fc.nat(),
				(fills, { contextWidth, start }, seed) => {
					const cutter = newWindowCutter({ contextWidth, start, narrow: false }, seed);
					for (const all of fills) {
						const ends = all.map((_, i) => all.slice(0, i + 1).flat().length);
						cutter.fill(Uint32Array.from(all.flat()), ends);
						const { windows } = cutter;
						const expected = all.map((text) => windowsOf(text, contextWidth, start));
						const rows = Uint32Array.from(expected.flat(2));
						expect(windows.size).toBe(expected.flat().length);
						expect([...windows.starts.subarray(0, all.length + 1)]).toEqual([
							0,
							...all.map((_, i) => expected.slice(0, i + 1).flat().length),
						]);
						expect(windows.rowsAt(windows.places.subarray(0, windows.size))).toEqual(rows);
						const { high, low } = hashesOfRows(rows, contextWidth + 1, seed);
						expect(windows.high.subarray(0, windows.size)).toEqual(high);
						expect(windows.low.subarray(0, windows.size)).toEqual(low);
						for (const limit of [0, 2 ** 31, 2 ** 32 - 1, high[0] ?? 7])
							expect([...windows.below(limit)]).toEqual([...high.keys()].filter((i) => high[i] <= limit));
						const { places, rest, before } = windows.halves(8);
						const inFirst = expected.flatMap((text, i) =>
							text.map((_, k) => text.length < 8 || high[windows.starts[i] + k] < 2 ** 31),
						);
						expect([...places]).toEqual(
							[...windows.places.subarray(0, windows.size)].filter((_, i) => inFirst[i]),
						);
						expect([...rest]).toEqual(
							[...windows.places.subarray(0, windows.size)].filter((_, i) => !inFirst[i]),
						);
						for (let i = 0; i <= windows.size; i++)
							expect(before[i]).toBe(inFirst.slice(0, i).filter(Boolean).length);
					}
				},
			),
		);
	});

	test('leave out those whose context was given', () => {
		const cutter = newWindowCutter({ contextWidth: 2, start: 'skip', narrow: false }, 0);
		cutter.fill(Uint32Array.of(1, 2, 3, 4, 1, 2, 5), [4, 7], [[9, 2, 3], []]);
		const { windows } = cutter;
		expect([...windows.rowsAt(windows.places.subarray(0, windows.size))]).toEqual([1, 2, 3, 1, 2, 5]);
		expect([...windows.high.subarray(0, 2)]).toEqual([
			...hashesOfRows(Uint32Array.of(1, 2, 3, 1, 2, 5), 3, 0).high,
		]);
	});
});
