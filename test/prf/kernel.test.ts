/**
 * The kernel against its plain twins, and both against brute force.
 *
 * @module
 */
import { readFile } from 'node:fs/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { compileKernel } from '../../src/model/kernel/build.js';
import { chacha8, plainChacha8 } from '../../src/prf/chacha8.js';
import { hmacSha256 } from '../../src/prf/hmac.js';
import { loadRow, prfKernel, scratchRow, softmaxDraw } from '../../src/prf/kernel.js';
import { philox, plainPhilox } from '../../src/prf/philox.js';
import type { FieldBits, GridName, Prf } from '../../src/prf/prf.js';
import { plainLoadRow, plainSoftmaxDraw } from '../../src/prf/rows.js';

/** Deterministic random words. */
function randomWords(seed: number): () => number {
	let a = seed;
	return () => {
		a = (a + 0x9e3779b9) | 0;
		let t = a ^ (a >>> 16);
		t = Math.imul(t, 0x21f0aaad);
		t = t ^ (t >>> 15);
		t = Math.imul(t, 0x735a2d97);
		return (t ^ (t >>> 15)) >>> 0;
	};
}

const bytes = (random: () => number, length: number) => Uint8Array.from({ length }, () => random() >>> 24);
/** Any id, and now and then the position before the text. */
const anyId = (random: () => number) => (random() < 2 ** 28 ? 0xffffffff : random());
const context = (random: () => number, width: number) => Array.from({ length: width }, () => anyId(random));
/** Bit patterns, which tell −0 from 0. */
const patterns = (row: Float32Array) => new Uint32Array(row.slice().buffer);
/** That two lists are the same; `toEqual` takes long over long ones. */
function expectSame(ours: Uint32Array, theirs: Uint32Array): void {
	expect(ours.length).toBe(theirs.length);
	expect(ours.findIndex((word, i) => word !== theirs[i])).toBe(-1);
}

interface Twins {
	readonly name: string;
	readonly bits: readonly FieldBits[];
	readonly kernel: Prf;
	readonly plain: Prf;
}

const keys = randomWords(20_270_301);
const key32 = bytes(keys, 32);
const key8 = bytes(keys, 8);
const PRFS: readonly Twins[] = [
	{ name: 'chacha8', bits: [1, 8, 32], kernel: chacha8(key32), plain: plainChacha8(key32) },
	{ name: 'philox', bits: [32], kernel: philox(key8), plain: plainPhilox(key8) },
];
const CASES = PRFS.flatMap((twins) => twins.bits.map((bits) => ({ ...twins, bits })));
const SIZES = [
	1, 2, 3, 4, 15, 16, 17, 31, 63, 65, 127, 255, 257, 511, 513, 2047, 2049, 16_384, 16_389, 40_003,
];

describe('the kernel', () => {
	test('is compiled from the source beside it', async () => {
		const committed = await readFile(new URL('../../src/prf/kernel.wasm.ts', import.meta.url), 'utf8');
		expect(committed === (await compileKernel('prf')), 'stale: run `npm run build:kernel`').toBe(true);
	});
	test('is what runs here', () => {
		expect(prfKernel()).toBeDefined();
		expect(scratchRow(1000).buffer).toBe(prfKernel()?.buffer);
	});
	test('has no room for more than 2^20 tokens: such rows are plain', () => {
		expect(scratchRow(2 ** 20).buffer).toBe(prfKernel()?.buffer);
		const row = scratchRow(2 ** 20 + 1);
		expect(row.length).toBe(2 ** 20 + 1);
		expect(row.buffer).not.toBe(prfKernel()?.buffer);
	});
});

describe.each(CASES)('$name, fields of $bits bits: kernel and twin agree', ({ kernel, plain, bits }) => {
	test.each([0, 1, 2, 3, 4, 5, 6, 7, 8, 13, 16])('10,000 pairs at width %i', (width) => {
		const random = randomWords(100 * bits + width);
		const count = 10_000;
		const pairs = Uint32Array.from({ length: count * (width + 1) }, (_, i) =>
			i % (width + 1) === width ? random() >>> 5 : anyId(random),
		);
		const ours = new Uint32Array(count);
		const theirs = new Uint32Array(count);
		kernel.pairFields(pairs, width, bits, ours);
		plain.pairFields(pairs, width, bits, theirs);
		expectSame(ours, theirs);
		const at = 4321 * (width + 1);
		expect(ours[4321]).toBe(plain.field(pairs.subarray(at, at + width), pairs[at + width], bits));
	});
	test('any number of pairs, from none to more than one chunk', () => {
		const random = randomWords(bits);
		for (const count of [0, 1, 2, 3, 5, 7, 8, 9, 8192, 8193, 20_001]) {
			const pairs = Uint32Array.from({ length: 2 * count }, () => random() >>> 5);
			// One more, which must stay as it is.
			const ours = new Uint32Array(count + 1).fill(77);
			const theirs = new Uint32Array(count + 1).fill(77);
			kernel.pairFields(pairs, 1, bits, ours.subarray(0, count));
			plain.pairFields(pairs, 1, bits, theirs.subarray(0, count));
			expectSame(ours, theirs);
		}
	});
	test('whole vocabularies of any size', () => {
		const random = randomWords(bits + 1);
		for (const size of SIZES) {
			const ids = context(random, size % 7);
			const ours = new Uint32Array(size);
			const theirs = new Uint32Array(size);
			kernel.fields(ids, bits, ours);
			plain.fields(ids, bits, theirs);
			expectSame(ours, theirs);
		}
	});
});

describe('bias', () => {
	const { kernel, plain } = PRFS[0];
	test.each([
		[8, [0, 0.2, 1, 64, 64.5, 128, 255, 256, 300]],
		[1, [0, 1, 2]],
	] as const)(
		'fields of %i bits: kernel and twin agree, in place and on rows of the host',
		(bits, limits) => {
			const random = randomWords(bits + 2);
			for (const size of SIZES)
				for (const below of limits) {
					const logits = Float32Array.from({ length: size }, () => {
						const kind = random() & 15;
						return kind === 0 ? -Infinity : kind === 1 ? -0 : random() / 2 ** 28 - 8;
					});
					const ids = context(random, size % 5);
					const delta = (random() & 3) === 0 ? -1.7 : 2.1;
					const theirs = logits.slice();
					plain.bias(ids, bits, below, delta, theirs);
					const ours = logits.slice();
					kernel.bias(ids, bits, below, delta, ours);
					expectSame(patterns(ours), patterns(theirs));
					const row = scratchRow(size + 1);
					row.set(logits);
					row[size] = 3;
					kernel.bias(ids, bits, below, delta, row.subarray(0, size));
					expectSame(patterns(row.subarray(0, size)), patterns(theirs));
					expect(row[size]).toBe(3);
				}
		},
	);
	test('is given to the tokens whose field is below the limit, in single precision', () => {
		const fields = new Uint32Array(3000);
		kernel.fields([5, 6], 8, fields);
		const logits = new Float32Array(3000).fill(1.5);
		kernel.bias([5, 6], 8, 64, 0.1, logits);
		expect(logits).toEqual(Float32Array.from(fields, (field) => (field < 64 ? 1.5 + Math.fround(0.1) : 1.5)));
	});
	test('a generator without fields of 8 bits takes its whole word, as its twin does', () => {
		const [ours, theirs] = [new Float32Array(500), new Float32Array(500)];
		PRFS[1].kernel.bias([1], 8, 2 ** 31, 1, ours);
		PRFS[1].plain.bias([1], 8, 2 ** 31, 1, theirs);
		expect(ours).toEqual(theirs);
	});
});

const UNIFORM: Record<GridName, (word: number) => number> = {
	word32: (word) => (word + 0.5) / 2 ** 32,
	float24: (word) => Math.fround(((word >>> 8) + 1) / (2 ** 24 + 1)),
};

/** Logits of a row by the token's place in it. */
const SHAPES: Record<string, (random: () => number, i: number, size: number) => number> = {
	flat: () => 1.25,
	uniform: (random) => (6 * random()) / 2 ** 32,
	gaussian: (random) => 2 * Math.sqrt(-2 * Math.log((random() + 0.5) / 2 ** 32)) * Math.cos(random()),
	peaked: (random, i, size) => (i === (size * 2) >> 2 ? 18 : random() / 2 ** 31),
	'two far apart': (random, i, size) => (i === 0 || i === size - 1 ? 30 : random() / 2 ** 31),
	rising: (_, i) => i / 40,
	falling: (_, i) => -i / 40,
	ties: (random) => random() & 3,
	'mostly excluded': (random) => ((random() & 31) === 0 ? random() / 2 ** 30 : -Infinity),
	'huge numbers': (random) => 1e30 * (random() & 3),
	'beyond what exponentials reach': (random) => (random() & 1 ? -2000 : 2000) + random() / 2 ** 32,
};

describe.each(['word32', 'float24'] as const)('contenders on grid %s', (grid) => {
	/** The winner by definition: the first of those that come first. */
	function winner(words: Uint32Array, logits: Float32Array): number {
		const top = logits.reduce((most, logit) => Math.max(most, logit), -Infinity);
		let first = -1;
		let least = Infinity;
		for (let token = 0; token < logits.length; token++) {
			const time = -Math.log(UNIFORM[grid](words[token])) / Math.exp(logits[token] - top);
			if (time < least) {
				least = time;
				first = token;
			}
		}
		return first;
	}

	test.each(Object.entries(SHAPES))('hold the winner and few others: %s', (_, shape) => {
		const random = randomWords(grid.length);
		const tokens = new Uint32Array(3000);
		const words = new Uint32Array(3000);
		let others = 0;
		let rows = 0;
		for (let i = 0; i < 60; i++) {
			const size = 1 + (random() % (i < 30 ? 200 : 3000));
			const logits = Float32Array.from({ length: size }, (_, token) => shape(random, token, size));
			const ids = context(random, i % 7);
			for (const { kernel, plain } of PRFS) {
				const fields = new Uint32Array(size);
				plain.fields(ids, 32, fields);
				const expected = winner(fields, logits);
				const row = scratchRow(size);
				row.set(logits);
				const before = patterns(row);
				for (const [prf, input] of [
					[kernel, row],
					[kernel, logits],
					[plain, logits],
				] as const) {
					const count = prf.contenders(ids, input, grid, tokens, words);
					const found = tokens.subarray(0, count);
					if (expected < 0) {
						expect(count).toBe(0);
						continue;
					}
					expect(found).toContain(expected);
					expect(new Set(found).size).toBe(count);
					expect(words.subarray(0, count)).toEqual(Uint32Array.from(found, (token) => fields[token]));
					for (const token of found) expect(logits[token]).toBeGreaterThan(-Infinity);
					others += count - 1;
					rows++;
				}
				expectSame(patterns(row), before);
			}
		}
		expect(others / rows).toBeLessThan(2);
	});
	test('a row that excludes everything has none', () => {
		const tokens = new Uint32Array(100);
		for (const { kernel, plain } of PRFS)
			for (const prf of [kernel, plain])
				expect(prf.contenders([1], new Float32Array(100).fill(-Infinity), grid, tokens, tokens.slice())).toBe(
					0,
				);
	});
	test('rows without room in the kernel are worked on all the same', () => {
		const size = 2 ** 20 + 3;
		const logits = new Float32Array(size);
		logits[size - 1] = 40;
		const tokens = new Uint32Array(size);
		const words = new Uint32Array(size);
		expect(PRFS[0].kernel.contenders([1], logits, grid, tokens, words)).toBe(1);
		expect(tokens[0]).toBe(size - 1);
	});
});

test('a generator without a kernel offers the same functions', () => {
	const prf = hmacSha256(key32);
	const pairs = Uint32Array.from([1, 2, 3, 4, 5, 6]);
	const out = new Uint32Array(2);
	prf.pairFields(pairs, 2, 32, out);
	expect([...out]).toEqual([prf.field([1, 2], 3, 32), prf.field([4, 5], 6, 32)]);
	const logits = new Float32Array(40);
	const words = new Uint32Array(40);
	const tokens = new Uint32Array(40);
	const count = prf.contenders([9], logits, 'word32', tokens, words);
	const fields = new Uint32Array(40);
	prf.fields([9], 32, fields);
	expect(tokens.subarray(0, count)).toContain(fields.indexOf(Math.max(...fields)));
});

describe('loadRow', () => {
	test('kernel and twin agree: scaled logits and what is amiss', () => {
		const random = randomWords(11);
		const seen = new Set<string>();
		for (let i = 0; i < 2000; i++) {
			const size = 1 + (random() % 70);
			const offset = random() % 5;
			const logits = Float32Array.from({ length: offset + size + 3 }, () => random() / 2 ** 27 - 16);
			if (i % 5 === 0) logits.fill(-Infinity);
			if (i % 3 === 0) logits[random() % logits.length] = [Number.NaN, Infinity, -Infinity, -0][random() & 3];
			const scale = i % 7 === 0 ? 1 : 0.1 + random() / 2 ** 30;
			const row = scratchRow(size + 1);
			row[size] = 7;
			const own = new Float32Array(size);
			const state = loadRow(logits, offset, size, scale, row);
			expect(state).toBe(plainLoadRow(logits, offset, size, scale, own));
			expectSame(patterns(row.subarray(0, size)), patterns(own));
			expect(row[size]).toBe(7);
			seen.add(state);
		}
		expect([...seen].sort()).toEqual(['empty', 'nan', 'ok']);
	});
	test('a product too large for single precision is found', () => {
		for (const row of [scratchRow(2), new Float32Array(2)]) {
			expect(loadRow(Float32Array.of(1, 3e38), 0, 2, 1, row)).toBe('ok');
			expect(loadRow(Float32Array.of(1, 3e38), 0, 2, 2, row)).toBe('nan');
		}
	});
});

describe('softmaxDraw', () => {
	test.each(Object.entries(SHAPES))('kernel and twin agree, and follow the distribution: %s', (_, shape) => {
		const random = randomWords(12);
		for (let i = 0; i < 60; i++) {
			const size = 1 + (random() % (i < 30 ? 40 : 3000));
			const logits = Float32Array.from({ length: size }, (_, token) => shape(random, token, size));
			const row = scratchRow(size);
			row.set(logits);
			const top = Math.max(...logits);
			if (top === -Infinity) {
				expect(softmaxDraw(row, 0.5)).toBe(-1);
				expect(plainSoftmaxDraw(logits, 0.5)).toBe(-1);
				continue;
			}
			const weights = Array.from(logits, (logit) => Math.exp(logit - top));
			const total = weights.reduce((sum, w) => sum + w);
			for (const uniform of [0, 1 - 2 ** -53, 0.5, random() / 2 ** 32, random() / 2 ** 32]) {
				const token = softmaxDraw(row, uniform);
				expect(token).toBe(plainSoftmaxDraw(logits, uniform));
				expect(weights[token]).toBeGreaterThan(0);
				const before = weights.slice(0, token).reduce((sum, w) => sum + w, 0) / total;
				expect(before).toBeLessThanOrEqual(uniform + 1e-6);
				expect(before + weights[token] / total).toBeGreaterThanOrEqual(uniform - 1e-6);
			}
		}
	});
	test('frequencies are those of the softmax', () => {
		const row = scratchRow(5);
		row.set([0, 1, 2, 3, -Infinity]);
		const counts = new Array<number>(5).fill(0);
		const draws = 100_000;
		for (let i = 0; i < draws; i++) counts[softmaxDraw(row, (i + 0.5) / draws)]++;
		const total = 1 + Math.E + Math.E ** 2 + Math.E ** 3;
		counts.forEach((count, i) => {
			expect(Math.abs(count - (i === 4 ? 0 : (draws * Math.E ** i) / total))).toBeLessThan(2);
		});
	});
});

describe('without WebAssembly', () => {
	afterEach(() => {
		vi.unstubAllGlobals();
		vi.resetModules();
	});
	test('the twins take over', async () => {
		vi.stubGlobal('WebAssembly', undefined);
		vi.resetModules();
		const plain = await import('../../src/prf/kernel.js');
		const { chacha8: bound } = await import('../../src/prf/chacha8.js');
		expect(plain.prfKernel()).toBeUndefined();
		const row = plain.scratchRow(300);
		expect(plain.loadRow(new Float32Array(300), 0, 300, 1, row)).toBe('ok');
		expect(plain.softmaxDraw(row, 0.5)).toBe(150);
		bound(key32).bias([1, 2, 3, 4, 5], 8, 64, 1, row);
		const kernelRow = new Float32Array(300);
		PRFS[0].kernel.bias([1, 2, 3, 4, 5], 8, 64, 1, kernelRow);
		expect(row).toEqual(kernelRow);
	});
});
