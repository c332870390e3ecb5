/**
 * Validity of the weighted test under fresh keys, for weights that an adversary could have chosen and every kind of
 * score; what breaks it; and that it finds what is there.
 */
import { describe, expect, it } from 'vitest';
import { freshKey, specOf } from '../../bench/fresh-marks.js';
import { randomStream } from '../../src/embed/random.js';
import { bindMark, type Mark } from '../../src/marks/mark.js';
import type { MarkSpec } from '../../src/marks/mark-spec.js';
import { SCORE_UNIT } from '../../src/schemes/fixed-log.js';
import { logBinomialUpperTail, newWeightedSum, weightedScore } from '../../src/stats/index.js';
import { radioactivity } from '../../src/verify/radioactivity.js';
import { newResiduals, type PairWeights } from '../../src/verify/residuals.js';
import type { TestResult } from '../../src/verify/test-result.js';
import { newWeightedTest, testWeighted } from '../../src/verify/weighted.js';
import { refusal } from '../refusal.js';

const KEYS = 1_000;
const DECISION = { level: 1e-2, hypotheses: 1, searchBits: 0 };
/** Tokens; contexts are made of them too, so that small hashes meet. */
const VOCABULARY = 16;
const CONTEXTS = 9;
const PER_CONTEXT = 4;
const PAIRS = CONTEXTS * PER_CONTEXT;

const chacha = { prf: 'chacha8-v1', contextWidth: 1 } as const;
const green = { name: 'kgw', gamma: 0.25, delta: 2 } as const;
const SPECS: readonly { readonly name: string; readonly spec: MarkSpec }[] = [
	{ name: 'green lists by hash', spec: specOf({ scheme: green, ...chacha }) },
	{
		name: 'green lists of exact size',
		spec: specOf({
			scheme: { ...green, vocabSize: VOCABULARY },
			prf: 'transformers-kgw-v1',
			contextWidth: 1,
		}),
	},
	{
		name: 'tournaments',
		spec: specOf({ scheme: { name: 'synthid', depth: 4 }, channel: 'shape', ...chacha }),
	},
	{ name: 'gumbel', spec: specOf({ scheme: { name: 'gumbel' }, ...chacha }) },
	{ name: 'two keys', spec: specOf({ scheme: { name: 'dual_key_gumbel', alpha: 0.3 }, ...chacha }) },
	{
		name: 'windows of one effective pair (min)',
		spec: specOf({ scheme: { ...green, seeding: 'min' }, prf: 'chacha8-v1', contextWidth: 3 }),
	},
	{
		name: 'a keyed share of contexts',
		spec: specOf({ scheme: { ...green, gamma: 0.5 }, ...chacha, selector: 'keyed', share: 128 }),
	},
];

/** Distinct windows: contexts of ids, the same tokens after each. */
function rowsOf(width: number): Uint32Array {
	const rows: number[] = [];
	for (let context = 0; context < CONTEXTS; context++)
		for (let token = 0; token < PER_CONTEXT; token++) {
			// Ids that contexts share: a minimum of them often is the same.
			const ids = Array.from(
				{ length: width },
				(_, i) => 1 + (i === width - 1 ? context : (context >> i) % 3),
			);
			rows.push(...ids, 2 * token);
		}
	return Uint32Array.from(rows);
}

function pairsOf(width: number, weights: ArrayLike<number>): PairWeights {
	return {
		...{ contextWidth: width, rows: rowsOf(width), weights: Float64Array.from(weights) },
		...{ observations: PAIRS, coefficients: [1], digest: '' },
	};
}

const noise = randomStream('weighted/weights');
const each = (weight: (context: number, token: number) => number) =>
	Array.from({ length: PAIRS }, (_, i) => weight(Math.floor(i / PER_CONTEXT), i % PER_CONTEXT));
const WEIGHTS: Readonly<Record<string, readonly number[]>> = {
	positive: each(() => noise.next()),
	negative: each(() => -noise.next()),
	'mixed signs': each(() => 2 * noise.next() - 1),
	'equal in a list': each((context) => (context % 2 === 0 ? 1 : -0.7)),
	'that cancel in a list': each((_, token) => (token === 0 ? 1 : -1 / (PER_CONTEXT - 1))),
	'one huge': each((context, token) => (context + token === 0 ? 1e3 : noise.next() - 0.5)),
};

/** The most of KEYS rejections that a rate explains, family-wise 99.9 % over `cells`. */
function upperEdge(rate: number, cells: number): number {
	let most = 0;
	while (logBinomialUpperTail(most + 1, KEYS, rate) > Math.log(1e-3 / cells)) most++;
	return most;
}
const CELLS = SPECS.length * Object.keys(WEIGHTS).length * 3;
const EDGES = { p: upperEdge(0.01, CELLS), e20: upperEdge(0.05, CELLS), e100: upperEdge(0.01, CELLS) };

interface Counts {
	readonly p: number;
	readonly e20: number;
	readonly e100: number;
}
function countsOf(results: readonly Pick<TestResult, 'log10P' | 'log10E'>[]): Counts {
	return {
		p: results.filter(({ log10P }) => log10P <= -2).length,
		e20: results.filter(({ log10E }) => log10E >= Math.log10(20)).length,
		e100: results.filter(({ log10E }) => log10E >= 2).length,
	};
}
const leaves = ({ p, e20, e100 }: Counts) => p > EDGES.p || e20 > EDGES.e20 || e100 > EDGES.e100;

function* freshMarks(spec: MarkSpec, seed: string): Generator<Mark> {
	const random = randomStream(`weighted/${seed}`);
	for (let i = 0; i < KEYS; i++) yield bindMark(spec, freshKey(spec, random));
}

describe.each(SPECS)('under fresh keys: $name', ({ name, spec }) => {
	const tests = Object.values(WEIGHTS).map((weights) =>
		newWeightedTest(pairsOf(spec.contextWidth, weights), spec),
	);
	const results = tests.map((): TestResult[] => []);
	it('the tests run', () => {
		for (const mark of freshMarks(spec, name))
			tests.forEach(({ test }, i) => {
				results[i].push(test(mark, DECISION));
			});
	});
	it.each(Object.keys(WEIGHTS).map((weights, i) => ({ weights, i })))('weights $weights', ({ i }) => {
		const counts = countsOf(results[i]);
		expect({ counts, leaves: leaves(counts) }).toEqual({ counts, leaves: false });
		expect(results[i]).toHaveLength(KEYS);
		// The weights meet different scores: the test is alive.
		expect(new Set(results[i].map(({ score }) => score)).size).toBeGreaterThan(4);
	});
});

describe('what leaves the band, so that staying in it means something', () => {
	const [{ spec: hashed }] = SPECS;
	const min = SPECS[5].spec;

	/** Scores of windows under a key, as if each had one of its own. */
	const scoresOf = (mark: Mark, rows: Uint32Array) => {
		const scores = new Float64Array(PAIRS);
		const { effective } = mark.scheme;
		const words = effective?.words ?? mark.spec.contextWidth + 1;
		const pairs = effective === undefined ? rows : new Uint32Array(PAIRS * words);
		if (effective !== undefined)
			for (let i = 0; i < PAIRS; i++) effective.of(rows, i * (mark.spec.contextWidth + 1), pairs, i * words);
		mark.scheme.scores(pairs, PAIRS, scores);
		return scores.map((score) => score / SCORE_UNIT);
	};
	const law = { kind: 'bernoulli', p: 0.25, trials: 1 } as const;

	it('weights that know the key', () => {
		const results = [...freshMarks(hashed, 'knowing')].map((mark) => {
			const scores = scoresOf(mark, rowsOf(1));
			return testWeighted(
				pairsOf(
					1,
					scores.map((score) => score - 0.25),
				),
				mark,
				DECISION,
			);
		});
		expect(countsOf(results).p).toBe(KEYS);
		expect(countsOf(results).e100).toBe(KEYS);
	});
	it('a filter that leans on the key a little: served pairs only', () => {
		// Served once in ten: green three times as often as others, as text under a mark of δ = 1.1 is.
		const random = randomStream('weighted/served');
		const results = [...freshMarks(hashed, 'served')].map((mark) => {
			const weights = scoresOf(mark, rowsOf(1)).map((score) =>
				random.next() < (score === 1 ? 0.3 : 0.1) ? 1 : 0.2,
			);
			return testWeighted(pairsOf(1, weights), mark, DECISION);
		});
		expect(countsOf(results).p).toBeGreaterThan(EDGES.p);
	});
	it('every pair twice', () => {
		const twice = Float64Array.from([...WEIGHTS['mixed signs'], ...WEIGHTS['mixed signs']]);
		const sum = newWeightedSum(law, twice);
		const results = [...freshMarks(hashed, 'twice')].map((mark) => {
			const scores = scoresOf(mark, rowsOf(1));
			const observed = weightedScore(twice, [...scores, ...scores]);
			return { log10P: sum.logP(observed) / Math.LN10, log10E: sum.logE(observed) / Math.LN10 };
		});
		expect(countsOf(results).p).toBeGreaterThan(EDGES.p);
	});
	it('windows of one effective pair as if each had a score of its own', () => {
		const weights = WEIGHTS['equal in a list'].map(Math.abs);
		const sum = newWeightedSum(law, weights);
		const rows = rowsOf(min.contextWidth);
		const results = [...freshMarks(min, 'windows')].map((mark) => {
			const observed = weightedScore(weights, scoresOf(mark, rows));
			return { log10P: sum.logP(observed) / Math.LN10, log10E: sum.logE(observed) / Math.LN10 };
		});
		expect(countsOf(results).p).toBeGreaterThan(EDGES.p);
	});
});

describe('windows of one effective pair', () => {
	it('are scored once, with their weights added up', () => {
		const { spec } = SPECS[5];
		const [mark] = freshMarks(spec, 'once');
		const { effective } = mark.scheme;
		const rows = rowsOf(3);
		const out = new Uint32Array(effective?.words ?? 0);
		const distinct = new Map<string, number>();
		const weights = WEIGHTS['mixed signs'];
		for (let i = 0; i < PAIRS; i++) {
			effective?.of(rows, 4 * i, out, 0);
			distinct.set(out.join(), (distinct.get(out.join()) ?? 0) + weights[i]);
		}
		expect(distinct.size).toBeLessThan(0.7 * PAIRS);
		const result = testWeighted(pairsOf(3, weights), mark, DECISION);
		expect(result.scored).toBe(distinct.size);
		const sum = newWeightedSum({ kind: 'bernoulli', p: 0.25, trials: 1 }, [...distinct.values()]);
		const scores = new Float64Array(distinct.size);
		const pairs = [...distinct.keys()].flatMap((key) => key.split(',').map(Number));
		mark.scheme.scores(Uint32Array.from(pairs), distinct.size, scores);
		const observed = weightedScore(
			[...distinct.values()],
			scores.map((score) => score / SCORE_UNIT),
		);
		expect(result.score).toBeCloseTo((observed - sum.mean) / sum.deviation, 9);
		expect(result.log10E).toBeCloseTo(sum.logE(observed) / Math.LN10, 9);
	});
	it('of a marked prompt do not count, even where copying changed the window around the seed', () => {
		const spec = specOf({ scheme: { ...green, seeding: 'min' }, prf: 'chacha8-v1', contextWidth: 4 });
		const [mark] = freshMarks(spec, 'copied');
		const prompt = [1, 2, 3, 4];
		while (prompt.length < 400) {
			const logits = Float32Array.from(
				{ length: 300 },
				(_, t) => ((t * 7919 + prompt.length * 31) % 300) / 150,
			);
			mark.scheme.tilt?.(prompt.slice(-4), logits);
			prompt.push(logits.indexOf(Math.max(...logits)));
		}
		// Every fifth token is replaced: no window is whole, most seeds and their tokens are.
		const answer = prompt.map((token, i) => (i % 5 === 0 ? 500 + i : token));
		const residuals = newResiduals('text', 4, 1);
		const reference = { tokens: [400], of: (token: number) => (token === 400 ? 0.5 : 1e-3) };
		for (let at = 4; at < answer.length; at++)
			residuals.addToken(answer.slice(at - 4, at), answer[at], [reference]);
		const weights = () => residuals.weights();
		expect(testWeighted(weights(), mark, DECISION).log10P).toBeLessThan(-4);
		const { result } = radioactivity({ mode: 'closed', exchanges: [{ prompt, answer }], weights }, [mark], {
			heldOutKeys: 9,
		});
		expect(result.scored).toBeGreaterThan(50);
		expect(result.log10P).toBeGreaterThan(-2);
	});
	it('from one list of exact size have the law of that list', () => {
		const { spec } = SPECS[1];
		const [mark] = freshMarks(spec, 'list');
		const weights = WEIGHTS['that cancel in a list'];
		const rows = rowsOf(1);
		const colours = each((context, token) =>
			mark.scheme.green?.([rows[2 * context * PER_CONTEXT]], 2 * token) ? 1 : 0,
		);
		const law = { kind: 'bernoulli', p: 0.25, trials: 1, lists: { green: 4, of: VOCABULARY } } as const;
		const sum = newWeightedSum(
			law,
			weights,
			each((context) => context),
		);
		const observed = weightedScore(weights, colours);
		const { log10E, log10P, scored } = testWeighted(pairsOf(1, weights), mark, DECISION);
		expect(scored).toBe(PAIRS);
		expect(log10E).toBeCloseTo(sum.logE(observed) / Math.LN10, 9);
		expect(log10P).toBeCloseTo(sum.logP(observed) / Math.LN10, 9);
		const independent = newWeightedSum({ kind: 'bernoulli', p: 0.25, trials: 1 }, weights);
		expect(independent.logE(observed)).not.toBeCloseTo(sum.logE(observed), 3);
	});
	it('outside the keyed share of contexts do not count', () => {
		const { spec } = SPECS[6];
		const [mark] = freshMarks(spec, 'share');
		const covered = Array.from({ length: CONTEXTS }, (_, context) => mark.covers([context + 1]));
		expect(covered.filter(Boolean).length).toBeGreaterThan(0);
		expect(testWeighted(pairsOf(1, WEIGHTS.positive), mark, DECISION).scored).toBe(
			PER_CONTEXT * covered.filter(Boolean).length,
		);
	});
});

describe('what is there is found', () => {
	it.each(SPECS)('a suspect whose residuals lean on the scores: $name', ({ name, spec }) => {
		const width = spec.contextWidth;
		const rows: number[] = [];
		for (let context = 0; context < 400; context++)
			for (let token = 0; token < 5; token++)
				rows.push(...Array.from({ length: width }, (_, i) => 1 + ((context >> (4 * i)) % 400)), token);
		// Distinct contexts; a list of exact size holds few ids.
		for (let context = 0; context < 400; context++)
			for (let token = 0; token < 5; token++) rows[(context * 5 + token) * (width + 1)] = 1 + context;
		const [mark] = freshMarks(spec, `power/${name}`);
		const count = 2000;
		const random = randomStream('weighted/power');
		const noisy = () => random.next() + random.next() + random.next() - 1.5;
		const pairs = (lean: number): PairWeights => {
			const { effective } = mark.scheme;
			const weights = Float64Array.from({ length: count }, (_, i) => {
				const window = Uint32Array.from(rows.slice(i * (width + 1), (i + 1) * (width + 1)));
				const out = new Uint32Array(effective?.words ?? 0);
				const scored = effective === undefined ? 1 : effective.of(window, 0, out, 0);
				const score = new Float64Array(1);
				mark.scheme.scores(effective === undefined ? window : out, scored, score);
				return noisy() + (lean * score[0]) / SCORE_UNIT;
			});
			// What a student knows of the mean, references take away.
			const mean = weights.reduce((sum, weight) => sum + weight, 0) / count;
			return {
				...{ contextWidth: width, rows: Uint32Array.from(rows), weights: weights.map((w) => w - mean) },
				...{ observations: count, coefficients: [1], digest: '' },
			};
		};
		const found = testWeighted(pairs(0.5), mark, DECISION);
		expect(found.log10P).toBeLessThan(-6);
		expect(found.log10E).toBeGreaterThan(5);
		expect(found.log10P).toBeLessThanOrEqual(-found.log10E + 1e-9);
		const innocent = testWeighted(pairs(0), mark, DECISION);
		expect(innocent.log10P).toBeGreaterThan(-3);
	});
});

describe('held-out keys', () => {
	it('rank the true key by standard deviations, ties against it', () => {
		const { spec } = SPECS[0];
		const [mark] = freshMarks(spec, 'rank');
		const weighted = newWeightedTest(pairsOf(1, WEIGHTS['mixed signs']), spec);
		const result = weighted.test(mark, DECISION);
		const ranked = (score: number) => weighted.heldOut({ ...result, score }, mark, 'ab'.repeat(32), 19);
		expect(ranked(100).heldOut).toEqual({ count: 19, rank: 1, pValue: 1 / 20 });
		expect(ranked(-100).heldOut).toEqual({ count: 19, rank: 20, pValue: 1 });
		expect(ranked(0)).toEqual(ranked(0));
		expect(ranked(0).log10Ps).toHaveLength(19);
		expect(ranked(0).log10Ps).not.toEqual(weighted.heldOut(result, mark, 'cd'.repeat(32), 19).log10Ps);
		const none = newWeightedTest(pairsOf(1, new Array(PAIRS).fill(0)), spec);
		expect(none.heldOut(none.test(mark, DECISION), mark, 'ab', 9).heldOut.rank).toBe(10);
	});
});

describe('refused', () => {
	it('weights of another context width', () => {
		const [mark] = freshMarks(SPECS[0].spec, 'width');
		expect(refusal(() => testWeighted(pairsOf(3, WEIGHTS.positive), mark, DECISION))).toMatch(
			/contexts of 3 ids, but the mark's have 1/,
		);
	});
	it('a window that has two weights, and a window without one', () => {
		const [mark] = freshMarks(SPECS[0].spec, 'twice');
		const pairs = pairsOf(1, WEIGHTS.positive);
		const rows = pairs.rows.map((id, i) => (i < 4 ? pairs.rows[i % 2] : id));
		expect(refusal(() => testWeighted({ ...pairs, rows }, mark, DECISION))).toMatch(/all distinct/);
		const fewer = { ...pairs, weights: pairs.weights.subarray(1) };
		expect(refusal(() => testWeighted(fewer, mark, DECISION))).toMatch(/one window each/);
	});
	it.each([
		specOf({
			scheme: { name: 'synthid', depth: 30, tableSize: 65_536, tableSeed: 0 },
			prf: 'transformers-synthid-v1',
			contextWidth: 3,
		}),
		specOf({ scheme: { name: 'synthid', depth: 30 }, prf: 'deepmind-synthid-v1', contextWidth: 3 }),
	])('marks without a proven bound for weights of either sign: $prf', (spec) => {
		const [mark] = freshMarks(spec, 'unsuited');
		expect(refusal(() => testWeighted(pairsOf(3, WEIGHTS.positive), mark, DECISION))).toMatch(
			/no proven bound/,
		);
	});
});
