/**
 * What marking does to the distribution of a single token, over many keys: nothing for keyed draws and tournaments;
 * for green lists what delta says.
 */
import chiSquareCdf from '@stdlib/stats-base-dists-chisquare-cdf';
import { describe, expect, it } from 'vitest';
import { freshKey, specOf } from '../../bench/fresh-marks.js';
import { randomStream } from '../../src/embed/random.js';
import { bindMark } from '../../src/marks/mark.js';
import type { MarkSpec } from '../../src/marks/mark-spec.js';
import { scoreOfWindow } from '../../src/schemes/scheme.js';

/** The seeds are fixed; a correct source fails a chi-square test here with this probability over seeds. */
const ERROR_RATE = 1e-3;
const KEYS = 12_000;
/** Draws of one key, each after a context of its own, for a scheme that fills a table for every key. */
const DRAWS_WITH_TABLE = 6;
const LOGITS = Float32Array.of(0.3, -1, 2, -Infinity, 1.1, 0, -0.4, 1.9, -2, 0.5);

function softmax(logits: ArrayLike<number>): number[] {
	const weights = Array.from(logits, Math.exp);
	const total = weights.reduce((sum, weight) => sum + weight);
	return weights.map((weight) => weight / total);
}

/** p-value of Pearson's test that `counts` come from these probabilities; 0 when the impossible occurred. */
function chiSquareP(counts: readonly number[], probabilities: readonly number[]): number {
	const total = counts.reduce((sum, count) => sum + count);
	if (counts.some((count, i) => probabilities[i] === 0 && count > 0)) return 0;
	const cells = [...probabilities.keys()].filter((i) => probabilities[i] > 0);
	const statistic = cells.reduce((sum, i) => {
		const expected = probabilities[i] * total;
		return sum + (counts[i] - expected) ** 2 / expected;
	}, 0);
	return 1 - chiSquareCdf(statistic, cells.length - 1);
}

const chacha = { prf: 'chacha8-v1', contextWidth: 4 } as const;
const philox = { prf: 'philox4x32-10-v1', contextWidth: 4 } as const;
const table = { tableSize: 65_536, tableSeed: 0 } as const;
const UNBIASED: readonly [string, MarkSpec][] = [
	['gumbel', specOf({ scheme: { name: 'gumbel' }, ...chacha })],
	['gumbel on Philox', specOf({ scheme: { name: 'gumbel' }, ...philox })],
	['dual_key_gumbel', specOf({ scheme: { name: 'dual_key_gumbel', alpha: 0.3 }, ...chacha })],
	['dual_key_gumbel on Philox', specOf({ scheme: { name: 'dual_key_gumbel', alpha: 0.3 }, ...philox })],
	['synthid, 30 layers', specOf({ scheme: { name: 'synthid', depth: 30 }, ...chacha })],
	['synthid on Philox', specOf({ scheme: { name: 'synthid', depth: 30 }, ...philox })],
	[
		'synthid of transformers',
		specOf({
			scheme: { name: 'synthid', depth: 30, ...table },
			prf: 'transformers-synthid-v1',
			contextWidth: 4,
		}),
	],
	[
		'synthid of google-deepmind',
		specOf({ scheme: { name: 'synthid', depth: 30 }, prf: 'deepmind-synthid-v1', contextWidth: 4 }),
	],
	['exp-edit', specOf({ scheme: { name: 'exp-edit', keyLength: 64 }, prf: 'chacha8-v1', contextWidth: 0 })],
];

describe('over many keys a draw is one from softmax', () => {
	it.each(UNBIASED)('%s', (name, spec) => {
		const random = randomStream(`distribution/${name}`);
		const context = spec.scheme.name === 'exp-edit' ? [17] : [17, 4, 250, 9];
		const draws = 'tableSize' in spec.scheme ? DRAWS_WITH_TABLE : 1;
		const counts = new Array<number>(LOGITS.length).fill(0);
		for (let i = 0; i < KEYS / draws; i++) {
			const { scheme } = bindMark(spec, freshKey(spec, random));
			for (let other = 0; other < draws; other++)
				counts[scheme.draw?.([...context.slice(0, -1), 9 + other], LOGITS.slice(), random) ?? 0]++;
		}
		expect(chiSquareP(counts, softmax(LOGITS))).toBeGreaterThan(ERROR_RATE);
		// The same counts would show a distribution that is off by a tenth of the temperature.
		expect(chiSquareP(counts, softmax(LOGITS.map((logit) => logit / 1.15)))).toBeLessThan(1e-6);
	});

	it.each(['draft', 'target'] as const)('dual_key_gumbel, the %s key alone', (role) => {
		const spec = UNBIASED[2][1];
		const random = randomStream(`distribution/${role}`);
		const counts = new Array<number>(LOGITS.length).fill(0);
		for (let i = 0; i < KEYS; i++) {
			const { drawDraft, drawTarget } = bindMark(spec, freshKey(spec, random)).scheme;
			counts[(role === 'draft' ? drawDraft : drawTarget)?.([1, 2, 3, 4], LOGITS) ?? 0]++;
		}
		expect(chiSquareP(counts, softmax(LOGITS))).toBeGreaterThan(ERROR_RATE);
	});
});

describe('a tournament as shape', () => {
	const spec = specOf({
		scheme: { name: 'synthid', depth: 4 },
		channel: 'shape',
		prf: 'chacha8-v1',
		contextWidth: 1,
	});
	it('tilts each key, and averages to the distribution over keys', () => {
		const random = randomStream('tournament shape');
		const mean = new Array<number>(LOGITS.length).fill(0);
		const square = new Array<number>(LOGITS.length).fill(0);
		for (let i = 0; i < KEYS; i++) {
			const logits = LOGITS.slice();
			bindMark(spec, freshKey(spec, random)).scheme.tilt?.([5], logits);
			softmax(logits).forEach((share, token) => {
				mean[token] += share / KEYS;
				square[token] += share ** 2 / KEYS;
			});
		}
		softmax(LOGITS).forEach((share, token) => {
			const deviation = Math.sqrt(square[token] - mean[token] ** 2);
			expect(Math.abs(mean[token] - share)).toBeLessThanOrEqual((4.5 * deviation) / Math.sqrt(KEYS));
			if (share > 0.05) expect(deviation).toBeGreaterThan(0.3 * share);
		});
	});
	it('leaves probabilities that add up to 1, and excluded tokens excluded', () => {
		const logits = LOGITS.slice();
		bindMark(spec, new Uint8Array(32).fill(1)).scheme.tilt?.([5], logits);
		const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
		expect(total).toBeCloseTo(1, 6);
		expect(logits[3]).toBe(-Infinity);
	});
});

describe('green lists add delta to green tokens and nothing else', () => {
	const lists = { name: 'kgw', gamma: 0.25, delta: 1.5 } as const;
	const cases: readonly [string, MarkSpec, number[]][] = [
		['left hash', specOf({ scheme: lists, ...chacha }), [1, 2, 3, 4]],
		['min hash', specOf({ scheme: { ...lists, seeding: 'min' }, ...chacha }), [1, 2, 3, 4]],
		['self hash', specOf({ scheme: { ...lists, seeding: 'self' }, ...chacha }), [1, 2, 3, 4]],
		[
			'self hash, the context in the vocabulary',
			specOf({ scheme: { ...lists, seeding: 'self' }, ...chacha }),
			[7, 7, 0, 299],
		],
		[
			'unigram',
			specOf({ scheme: { name: 'unigram', gamma: 0.25, delta: 1.5 }, prf: 'chacha8-v1', contextWidth: 0 }),
			[],
		],
		[
			"transformers' lefthash",
			specOf({ scheme: { ...lists, vocabSize: 300 }, prf: 'transformers-kgw-v1', contextWidth: 1 }),
			[5],
		],
		["vLLM's red_green", specOf({ scheme: lists, ...philox }), [1, 2, 3, 4]],
		[
			"vLLM's sbw",
			specOf({ scheme: { ...lists, seeding: 'self' }, prf: 'vllm-sbw-v1', contextWidth: 3 }),
			[1, 2, 299],
		],
		[
			'three_bricks',
			specOf({ scheme: { ...lists, vocabSize: 300, payload: 17 }, prf: 'meta-mt19937-v1', contextWidth: 4 }),
			[1, 2, 3, 4],
		],
	];
	it.each(cases)('%s', (name, spec, context) => {
		const random = randomStream(`lists/${name}`);
		let green = 0;
		const rounds = 40;
		for (let i = 0; i < rounds; i++) {
			const { scheme } = bindMark(spec, freshKey(spec, random));
			const before = Float32Array.from({ length: 300 }, () => random.next());
			const after = before.slice();
			scheme.tilt?.(context, after);
			for (let token = 0; token < 300; token++) {
				const isGreen = scoreOfWindow(scheme, context, token) > 0;
				const wanted = isGreen ? Math.fround(before[token] + 1.5) : before[token];
				expect(after[token]).toBe(wanted);
				if (isGreen) green++;
			}
		}
		const total = 300 * rounds;
		expect(Math.abs(green / total - 0.25)).toBeLessThan(5 * Math.sqrt(0.1875 / total));
	});
	it('unigram names its green ids, for endpoints that take a static bias', () => {
		const { scheme } = bindMark(cases[4][1], new Uint8Array(32).fill(3));
		const logits = new Float32Array(500);
		scheme.tilt?.([], logits);
		expect([...(scheme.greenList?.(500) ?? [])]).toEqual([...logits.keys()].filter((t) => logits[t] > 0));
	});
});
