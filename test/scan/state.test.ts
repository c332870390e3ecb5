/**
 * States of scans: merging them gives the same bytes whatever the order and the split; what does not belong together, or was
 * changed, is refused.
 */
import fc from 'fast-check';
import nacl from 'tweetnacl';
import { describe, expect, test } from 'vitest';
import { canonicalBytes } from '../../src/marks/mark-spec.js';
import type { PlanDescription } from '../../src/scan/plan.js';
import { newSample } from '../../src/scan/sample.js';
import {
	decodeRows,
	encodeRows,
	mergeStates,
	newStateMerge,
	parseState,
	type ScanState,
	type ShardRow,
	shapesOf,
	signState,
	stateDigest,
	stateOf,
	stateText,
	totalsOf,
} from '../../src/scan/state.js';
import { newWindowCutter } from '../../src/scan/windows.js';
import { refusal } from '../refusal.js';

const hex = (byte: number) => byte.toString(16).padStart(2, '0').repeat(32);

/** Samples of 25 windows, so that small corpora fill them. */
const plan: PlanDescription = {
	sampleSize: 25,
	mostPlaces: 10,
	countCells: 2 ** 29,
	groups: [
		{
			tokenizer: hex(1),
			shapes: [
				{ contextWidth: 1, start: 'skip', narrow: false },
				{ contextWidth: 2, start: 'pad', narrow: false },
			],
			marks: [hex(2), hex(3)],
			judges: [hex(3)],
		},
		{
			tokenizer: hex(4),
			shapes: [{ contextWidth: 1, start: 'skip', narrow: false }],
			marks: [hex(5)],
			judges: [hex(5)],
		},
	],
};

type Text = readonly number[];

/** The state of some shards, each a list of texts, scanned together. */
function scanned(shards: ReadonlyMap<string, readonly Text[]>, of: PlanDescription = plan): ScanState {
	const samples = shapesOf(of).map(({ shape, words, seed }) => {
		const cutter = newWindowCutter(shape, seed);
		const sample = newSample(words, of.sampleSize);
		for (const text of [...shards.values()].flat()) {
			cutter.fill(Uint32Array.from(text), [text.length]);
			sample.add(cutter.windows);
		}
		return sample.windows();
	});
	const rows = [...shards].map(([id, texts]): ShardRow => {
		const tokens = texts.reduce((sum, text) => sum + text.length, 0);
		return { id, records: texts.length, skipped: 0, judged: texts.length, tokens, candidates: 0 };
	});
	return stateOf(of, rows, samples);
}

const text = fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 30 });
/** A corpus: shards by name. */
const corpus = fc
	.array(fc.tuple(fc.string({ minLength: 1, maxLength: 3 }), fc.array(text, { maxLength: 5 })), {
		minLength: 1,
		maxLength: 8,
	})
	.map((shards) => new Map(shards));

const example = scanned(
	new Map([
		['a', [[1, 2, 3, 4, 5, 6, 7, 8, 9]]],
		['b', [[9, 8, 7, 6, 5, 4, 3, 2, 1]]],
	]),
);

describe('merging', () => {
	test('gives the state of a scan of everything, to the byte, whatever the split and the order', () => {
		fc.assert(
			fc.property(corpus, fc.array(fc.nat({ max: 3 }), { minLength: 8, maxLength: 8 }), (shards, where) => {
				const parts = [0, 1, 2, 3]
					.map((part) => new Map([...shards].filter((_, i) => where[i] === part)))
					.filter(({ size }) => size > 0)
					.map((some) => scanned(some));
				const whole = stateText(scanned(shards));
				expect(stateText(parts.reduce(mergeStates))).toBe(whole);
				const merge = newStateMerge();
				for (const part of [...parts].reverse()) merge.add(part, 'a state');
				expect(stateText(merge.merged())).toBe(whole);
				expect(stateText(parseState(JSON.parse(whole), 'state.json'))).toBe(whole);
			}),
		);
	});

	test('is associative, commutative and idempotent, also where states share shards', () => {
		const subset = fc.array(fc.boolean(), { minLength: 8, maxLength: 8 });
		fc.assert(
			fc.property(corpus, subset, subset, subset, (shards, ...choices) => {
				const [a, b, c] = choices.map((chosen) => scanned(new Map([...shards].filter((_, i) => chosen[i]))));
				const bytes = (state: ScanState) => stateText(state);
				expect(bytes(mergeStates(a, mergeStates(b, c)))).toBe(bytes(mergeStates(mergeStates(a, b), c)));
				expect(bytes(mergeStates(a, b))).toBe(bytes(mergeStates(b, a)));
				expect(bytes(mergeStates(a, a))).toBe(bytes(a));
				expect(bytes(mergeStates(mergeStates(a, b), b))).toBe(bytes(mergeStates(a, b)));
			}),
		);
	});

	test('the digest is of what was seen, and not of how it was split', () => {
		fc.assert(
			fc.property(corpus, (shards) => {
				const one = scanned(new Map([['all', [...shards.values()].flat()]]));
				expect(stateDigest(one)).toBe(stateDigest(scanned(shards)));
				expect(totalsOf(one)).toEqual(totalsOf(scanned(shards)));
			}),
		);
		const less = scanned(new Map([['a', [[1, 2, 3, 4, 5, 6, 7, 8]]]]));
		expect(stateDigest(less)).not.toBe(stateDigest(example));
	});

	test('the text of a state is its canonical form (RFC 8785) on a line', () => {
		expect(stateText(example)).toBe(`${Buffer.from(canonicalBytes(example)).toString('utf8')}\n`);
		const reordered = JSON.parse(stateText(example));
		expect(Object.keys(reordered)).toEqual(Object.keys(reordered).sort());
	});

	test('states of other marks, tokenizers or sample sizes are refused', () => {
		const [first, second] = plan.groups;
		for (const other of [
			{ ...plan, groups: [{ ...first, marks: [hex(2), hex(9)] }, second] },
			{ ...plan, groups: [{ ...first, judges: [hex(2)] }, second] },
			{ ...plan, groups: [{ ...first, tokenizer: hex(9) }, second] },
			{ ...plan, groups: [second, first] },
			{ ...plan, groups: [first] },
			{ ...plan, sampleSize: 26 },
			{ ...plan, mostPlaces: 11 },
			{ ...plan, countCells: 2 ** 30 },
		])
			expect(refusal(() => mergeStates(example, scanned(new Map([['c', [[1, 2, 3]]]]), other)))).toMatch(
				/^second state: is of other marks, tokenizers, versions or --count-memory .*; scan again with the same ones$/,
			);
	});

	test('a shard that two states tell differently of is refused', () => {
		const other = scanned(new Map([['b', [[9, 8, 7]]]]));
		expect(refusal(() => mergeStates(example, other))).toBe(
			'second state: shard "b" is in a state before it too, and not the same; scan it again',
		);
	});
});

describe('a state that is read', () => {
	const changed = (change: (state: Record<string, unknown> & ScanState) => object) =>
		refusal(() => parseState({ ...example, ...change(structuredClone(example)) }, 'state.json'));
	const shape = plan.groups[0].shapes[0];
	const [rows, ...rest] = example.samples;
	const windows = decodeRows(rows, shape.contextWidth, 0, 'sample').rows;
	const sample = (changedRows: Uint32Array) => ({ samples: [encodeRows(changedRows), ...rest] });

	test('must have its windows in order, each once, and not too many', () => {
		const swapped = windows.slice();
		swapped.set(windows.subarray(2, 4), 0);
		swapped.set(windows.subarray(0, 2), 2);
		const doubled = Uint32Array.from([...windows.subarray(0, 2), ...windows]);
		for (const bad of [swapped, doubled])
			expect(changed(() => sample(bad))).toBe(
				'state.json: field "samples.0": is not the least windows in their order',
			);
		expect(changed((state) => ({ plan: { ...state.plan, sampleSize: 3 } }))).toMatch(/is not the least/);
	});

	test('must have whole windows and one sample for each shape', () => {
		expect(changed(() => sample(windows.subarray(1)))).toMatch(/is not a whole number of windows/);
		expect(changed(() => ({ samples: rest }))).toMatch(/must have one sample for each of 3 shapes/);
		expect(changed(() => ({ samples: ['?', ...rest] }))).toMatch(/^state\.json: field "samples\.0"/);
	});

	test('must have its shards in order, each once', () => {
		const message = 'state.json: field "shards": must be in the order of their ids, each once';
		expect(changed(({ shards }) => ({ shards: [...shards].reverse() }))).toBe(message);
		expect(changed(({ shards }) => ({ shards: [shards[0], ...shards] }))).toBe(message);
		expect(changed(({ shards }) => ({ shards: [{ ...shards[0], records: -1 }] }))).toMatch(
			/shards\.0\.records/,
		);
	});

	test('must be one, and of this version', () => {
		expect(changed(() => ({ version: 2 }))).toMatch(/^state\.json: field "version"/);
		expect(changed(() => ({ more: 1 }))).toMatch(/^state\.json: /);
		for (const value of [null, 1, [], 'state']) expect(refusal(() => parseState(value, 'f'))).toMatch(/^f: /);
	});

	const { publicKey, secretKey } = nacl.sign.keyPair.fromSeed(new Uint8Array(32).fill(7));
	const signer = { publicKey, sign: (message: Uint8Array) => nacl.sign.detached(message, secretKey) };
	const signed = signState(example, signer);

	test('keeps its signature, which is not that of any other state', () => {
		expect(parseState(JSON.parse(stateText(signed)), 'state.json')).toEqual(signed);
		expect(signed.publicKey).toBe(Buffer.from(publicKey).toString('hex'));
		const message = /^state\.json: field "signature": is not that of this state$/;
		const read = (state: object) => refusal(() => parseState(state, 'state.json'));
		const [first, ...others] = signed.shards;
		expect(read({ ...signed, shards: [{ ...first, records: 7 }, ...others] })).toMatch(message);
		expect(read({ ...signed, samples: [encodeRows(windows.subarray(2)), ...rest] })).toMatch(message);
		expect(read({ ...signed, publicKey: hex(7) })).toMatch(message);
		expect(read({ ...signed, signature: null })).toMatch(/both a public key and a signature, or neither/);
		expect(read({ ...example, signature: signed.signature })).toMatch(/both a public key and a signature/);
	});

	test('that is merged is nobody’s, until it is signed again', () => {
		expect(mergeStates(signed, example)).toEqual(example);
		expect(signState(mergeStates(signed, signed), signer)).toEqual(signed);
	});
});
