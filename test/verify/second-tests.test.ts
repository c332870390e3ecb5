/** Tests that are declared beside the sum of scores: edited text, token entropies, alignment. */
import { describe, expect, it } from 'vitest';
import { band } from '../../bench/calibration.js';
import { freshKey, specOf } from '../../bench/fresh-marks.js';
import { createMarker } from '../../src/embed/marker.js';
import { randomStream } from '../../src/embed/random.js';
import { bindMark, type Mark } from '../../src/marks/mark.js';
import { newWeightedSum, weightedScore } from '../../src/stats/index.js';
import { testAligned } from '../../src/verify/aligned.js';
import { detect } from '../../src/verify/detect.js';
import { testEdited } from '../../src/verify/edited.js';
import { testEntropyWeighted } from '../../src/verify/entropy-weighted.js';
import { newPairSet } from '../../src/verify/pairs.js';

const V = 300;
const random = randomStream('second tests');
const chacha = { prf: 'chacha8-v1' } as const;
const decision = { level: 1e-6, hypotheses: 2, searchBits: 0 };
const fresh = (part: Parameters<typeof specOf>[0]): Mark => {
	const spec = specOf(part);
	return bindMark(spec, freshKey(spec, random));
};
const below = (n: number) => Math.floor(n * random.next());

/** A marked text over random logits; a share of the steps is forced, with entropy near 0. */
function written(mark: Mark, length: number, forced = 0): { tokens: number[]; entropies: number[] } {
	const marker = createMarker({ marks: [mark], vocabSize: V, unkeyedShare: 0 });
	const generation = marker.start({ seed: `${random.next()}` });
	const entropies: number[] = [];
	for (let step = 0; step < length; step++) {
		const force = random.next() < forced;
		const logits = Float32Array.from({ length: V }, () => 2 * random.next());
		if (force) logits[below(V)] = 30;
		entropies.push(force ? 0.001 : 5);
		marker.step([generation], logits);
	}
	return { tokens: [...generation.tokens], entropies };
}

describe('edited gumbel text', () => {
	const part = { scheme: { name: 'gumbel' }, contextWidth: 2, ...chacha } as const;

	it('is found by a few strong scores among many wiped ones', () => {
		const mark = fresh(part);
		const { tokens } = written(mark, 700);
		// Nineteen of twenty stretches are rewritten: few windows are whole.
		const edited = tokens.map((token, i) => (Math.floor(i / 7) % 14 === 0 ? token : below(V)));
		const result = detect('x', edited, [mark], { edited: true });
		expect(result.hypotheses).toBe(2);
		const [sum, fit] = result.tests;
		expect([sum.statistic, fit.statistic]).toEqual(['sum', 'goodness-of-fit']);
		expect(fit.log10P).toBeLessThan(sum.log10P - 2);
		expect(result.verdict).toBe('marked');
	});

	it('keeps its error rate on unmarked text', () => {
		const tests = 2000;
		let rejected = 0;
		for (let i = 0; i < tests; i++) {
			const pairs = newPairSet(part as { contextWidth: number; start: 'skip' } & typeof part);
			pairs.add(Array.from({ length: 120 }, () => below(V)));
			if (testEdited(pairs, fresh(part), decision).pValue <= 0.01) rejected++;
		}
		const [low, high] = band(tests, 0.01, 1e-4);
		expect(rejected / tests).toBeGreaterThanOrEqual(low);
		expect(rejected / tests).toBeLessThanOrEqual(high);
	});
});

describe('green lists with token entropies', () => {
	const part = { scheme: { name: 'kgw', gamma: 0.25, delta: 2 }, contextWidth: 1, ...chacha } as const;

	it('are found sooner where much of the text was forced', () => {
		const mark = fresh(part);
		const { tokens, entropies } = written(mark, 400, 0.7);
		const plain = detect('x', tokens, [mark]);
		for (const weighting of [{ kind: 'sweet', threshold: 1 }, { kind: 'ewd' }] as const) {
			const result = detect('x', tokens, [mark], { entropies: { values: entropies, weighting } });
			const weighted = result.tests[1];
			expect(weighted.statistic).toBe('entropy-weighted');
			expect(weighted.log10P).toBeLessThan(plain.log10P - 3);
			expect(result.hypotheses).toBe(2);
		}
	});

	it.each([{ kind: 'sweet', threshold: 1 }, { kind: 'ewd' }] as const)(
		'$kind keeps its error rate on unmarked text',
		(weighting) => {
			const tests = 2000;
			let rejected = 0;
			for (let i = 0; i < tests; i++) {
				const tokens = Array.from({ length: 150 }, () => below(V));
				const entropies = tokens.map(() => 4 * random.next());
				const { pValue } = testEntropyWeighted({ tokens, entropies }, fresh(part), weighting, decision);
				if (pValue <= 0.01) rejected++;
			}
			expect(rejected / tests).toBeLessThanOrEqual(band(tests, 0.01, 1e-4)[1]);
		},
	);

	it('on a list of exact size, ewd has the bound that is proven for one', () => {
		const lists = fresh({
			scheme: { name: 'kgw', gamma: 0.25, delta: 2, vocabSize: 16 },
			...{ prf: 'transformers-kgw-v1', contextWidth: 1 },
		});
		// Context 5 alone carries entropy: one list, twelve of its tokens.
		const others = [1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13];
		const tokens = others.flatMap((token) => [5, token]);
		const entropies = others.flatMap((_, i) => [0, 1 + Math.sqrt(i)]);
		const result = testEntropyWeighted({ tokens, entropies }, lists, { kind: 'ewd' }, decision);
		expect(result.scored).toBe(others.length);
		const law = { kind: 'bernoulli', p: 0.25, trials: 1 } as const;
		const weights = entropies.filter((weight) => weight > 0);
		const green = others.map((token) => (lists.scheme.green?.([5], token) ? 1 : 0));
		const observed = weightedScore(weights, green);
		expect(result.score).toBeCloseTo(observed, 9);
		const exact = { ...law, lists: { green: 4, of: 16 } };
		const bound = newWeightedSum(exact, weights, new Array(weights.length).fill(0)).logP(observed);
		expect(result.log10P).toBeCloseTo(bound / Math.LN10, 9);
		expect(newWeightedSum(law, weights).logP(observed)).not.toBeCloseTo(bound, 2);
	});

	it('need one entropy a token, and a green list', () => {
		const tokens = [1, 2, 3, 4];
		const sweet = { kind: 'ewd' } as const;
		expect(() => testEntropyWeighted({ tokens, entropies: [1] }, fresh(part), sweet, decision)).toThrow(
			/1 entropies for 4 tokens/,
		);
		const gumbel = fresh({ scheme: { name: 'gumbel' }, contextWidth: 1, ...chacha });
		expect(() => testEntropyWeighted({ tokens, entropies: [1, 1, 1, 1] }, gumbel, sweet, decision)).toThrow(
			/green lists only/,
		);
	});
});

describe('exp-edit', () => {
	const part = { scheme: { name: 'exp-edit', keyLength: 64 }, contextWidth: 0, ...chacha } as const;

	it('ranks an edited text first of a hundred keys, and is no evidence by itself', () => {
		const mark = fresh(part);
		const { tokens } = written(mark, 50);
		// A fifth of the tokens deleted, a fifth as many foreign ones put in.
		const edited = tokens.flatMap((token) => {
			const dice = random.next();
			return dice < 0.2 ? [] : dice < 0.4 ? [token, below(V)] : [token];
		});
		const result = detect('x', edited, [mark], { level: 0.05 });
		expect(result.tests[0]).toMatchObject({ statistic: 'alignment', heldOut: { count: 99, rank: 1 } });
		expect(result.log10PCorrected).toBe(0);
		expect(result.verdict).not.toBe('marked');
	});

	it('ranks of unmarked text are spread over all', () => {
		const tests = 200;
		let first = 0;
		for (let i = 0; i < tests; i++) {
			const tokens = Array.from({ length: 16 }, () => below(V));
			if (
				testAligned(tokens, fresh({ ...part, scheme: { name: 'exp-edit', keyLength: 24 } }), decision, 19)
					.pValue <= 0.1
			)
				first++;
		}
		const [low, high] = band(tests, 0.1, 1e-4);
		expect(first / tests).toBeGreaterThanOrEqual(low);
		expect(first / tests).toBeLessThanOrEqual(high);
	});
});
