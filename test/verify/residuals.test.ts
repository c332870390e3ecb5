/** Weights from residuals: what may enter, what the references explain, and the formula of docs/statistics.md. */
import { dirname, relative } from 'node:path';
import fc from 'fast-check';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { freshMark } from '../../bench/fresh-marks.js';
import { newWeightedSum, weightedScore } from '../../src/stats/index.js';
import { radioactivity } from '../../src/verify/radioactivity.js';
import { fitReferences } from '../../src/verify/reference-fit.js';
import {
	type ContextCounts,
	countContexts,
	listedPrediction,
	newResiduals,
	type PairWeights,
	type Prediction,
	type Residuals,
} from '../../src/verify/residuals.js';
import { reachedBy } from '../reached.js';
import { refusal } from '../refusal.js';

/** A prediction of all of a small vocabulary. */
const full = (...probabilities: number[]): Prediction => ({
	tokens: probabilities.map((_, token) => token),
	of: (token) => probabilities[token],
});
/** Weights as windows and numbers. */
const table = ({ rows, weights, contextWidth }: PairWeights) =>
	new Map(
		[...weights].map((weight, i) => [
			rows.subarray(i * (contextWidth + 1), (i + 1) * (contextWidth + 1)).join(),
			weight,
		]),
	);

describe('nothing that knows the key can enter', () => {
	const served = Array.from({ length: 20 }, (_, i) => [i % 5, (3 * i) % 7, i % 4, (i * i) % 11]);

	it.each([0, 1, 2, 4])(
		'a planted filter, counts of (context, token) rows, is refused: width %i',
		(contextWidth) => {
			const planted = countContexts(served, contextWidth + 1);
			const sentence = refusal(() => newResiduals('text', contextWidth, 1, planted));
			expect(sentence).toMatch(/counts of \(context, token\) pairs know the key and may not enter weights/);
			expect(sentence).toMatch(
				new RegExp(`rows of ${contextWidth + 1} ids where a context .* has ${contextWidth}`),
			);
		},
	);

	it('nor does one that lies about its width: rows are only looked up by whole contexts', () => {
		const lying: ContextCounts = { contextWidth: 1, counts: countContexts(served, 2).counts };
		expect(lying.counts.size).toBeGreaterThan(10);
		const residuals = newResiduals('text', 1, 1, lying);
		for (const [one, two, three] of served) {
			residuals.addToken([one], two, [full(...new Array(11).fill(1 / 11))]);
			residuals.addToken([two], three, [full(...new Array(11).fill(1 / 11))]);
		}
		expect(residuals.weights().weights).toHaveLength(0);
	});

	it('the types take predictions, ids and counts of contexts, and nothing else', () => {
		expectTypeOf(newResiduals).parameters.toEqualTypeOf<
			[kind: 'readings' | 'text', contextWidth: number, references: number, exposure?: ContextCounts]
		>();
		expectTypeOf<Parameters<Residuals['addToken']>>().toEqualTypeOf<
			[prefix: ArrayLike<number>, token: number, references: readonly Prediction[]]
		>();
		expectTypeOf<Parameters<Residuals['addReading']>>().toEqualTypeOf<
			[prefix: ArrayLike<number>, suspect: Prediction, references: readonly Prediction[]]
		>();
		expectTypeOf<Parameters<Residuals['weights']>>().toEqualTypeOf<[]>();
		const mark = freshMark('kgw', 1, new Uint8Array(32));
		// @ts-expect-error a mark holds its key
		expect(refusal(() => newResiduals('text', 1, 1, mark))).toMatch(/rows of undefined ids/);
	});

	it('the module reaches no other that holds keys, marks or scores', () => {
		const reached = reachedBy('src/verify/residuals.ts');
		const folders = new Set(reached.map((path) => relative('src', dirname(path))));
		expect([...folders].sort()).toEqual(['', 'stats', 'verify']);
		expect(reached.filter((path) => path.includes('verify/'))).toEqual([
			'src/verify/reference-fit.ts',
			'src/verify/residuals.ts',
		]);
	});

	it('another key meets the same weights', () => {
		const digests = [1, 2].map((byte) => {
			const mark = freshMark('kgw', 1, new Uint8Array(32).fill(byte));
			const residuals = newResiduals('readings', 1, 1);
			residuals.addReading([3], full(0.5, 0.25, 0.25), [full(0.25, 0.25, 0.5)]);
			const observations = {
				...({ mode: 'open', digest: 'ab', given: [] } as const),
				weights: () => residuals.weights(),
			};
			const { result } = radioactivity(observations, [mark], { heldOutKeys: 1 });
			expect(result.mark).toBe(mark.id);
			return result.weights[0].digest;
		});
		expect(digests[0]).toMatch(/^[0-9a-f]{64}$/);
		expect(digests[1]).toBe(digests[0]);
	});
});

describe('the digest', () => {
	const gathered = (last: number) => {
		const residuals = newResiduals('readings', 1, 1);
		residuals.addReading([3], full(0.5, 0.3, 0.2), [full(0.25, 0.25, 0.5)]);
		residuals.addReading([4], full(last, 1 - last), [full(0.5, 0.5)]);
		return residuals;
	};
	it('is the same for the same readings, and however often it is asked for', () => {
		const one = gathered(0.4);
		expect(one.weights()).toEqual(one.weights());
		expect(one.weights().digest).toBe(gathered(0.4).weights().digest);
		expect(one.weights().observations).toBe(2);
	});
	it('changes with a weight, and with a row', () => {
		const { digest } = gathered(0.4).weights();
		expect(gathered(0.41).weights().digest).not.toBe(digest);
		const other = newResiduals('readings', 1, 1);
		other.addReading([5], full(0.5, 0.3, 0.2), [full(0.25, 0.25, 0.5)]);
		other.addReading([4], full(0.4, 0.6), [full(0.5, 0.5)]);
		expect([...other.weights().weights]).toEqual([...gathered(0.4).weights().weights]);
		expect(other.weights().digest).not.toBe(digest);
	});
});

describe('references', () => {
	const share = fc.double({ min: 0.001, max: 1, noNaN: true });
	const columns = (count: number) =>
		fc.array(
			fc.array(share, { minLength: 12, maxLength: 12 }).map((values) => Float64Array.from(values)),
			{
				minLength: count,
				maxLength: count,
			},
		);

	it('planted coefficients are recovered', () => {
		fc.assert(
			fc.property(columns(2), share, share, (predicted, a, b) => {
				const [one, two] = predicted;
				const dot = (x: Float64Array, y: Float64Array) => x.reduce((sum, value, i) => sum + value * y[i], 0);
				fc.pre(dot(one, two) ** 2 < 0.95 * dot(one, one) * dot(two, two));
				const mass = one.map((value, i) => a * value + b * two[i]);
				const fitted = fitReferences(mass, predicted);
				expect(fitted[0]).toBeCloseTo(a, 6);
				expect(fitted[1]).toBeCloseTo(b, 6);
			}),
		);
	});
	it('are never taken off, whatever the suspect does', () => {
		fc.assert(
			fc.property(
				columns(3),
				fc.array(fc.double({ min: 0, max: 5, noNaN: true }), { minLength: 12, maxLength: 12 }),
				(predicted, mass) => {
					for (const c of fitReferences(Float64Array.from(mass), predicted))
						expect(c).toBeGreaterThanOrEqual(0);
				},
			),
		);
		// Without the bound the second would be −½.
		const [one, two] = [
			[1, 1, 1, 1],
			[0, 0.4, 0.4, 0],
		].map((column) => Float64Array.from(column));
		const mass = one.map((value, i) => value - 0.5 * two[i]);
		const [first, second] = fitReferences(mass, [one, two]);
		expect(second).toBe(0);
		expect(first).toBeGreaterThan(0.85);
		expect(first).toBeLessThan(0.95);
	});
	it('a reference that predicts nothing gets 0', () => {
		const one = Float64Array.of(0.2, 0.4, 0.6);
		expect(fitReferences(one, [one, new Float64Array(3)])).toEqual([expect.closeTo(1, 9), 0]);
	});
	it('a suspect that is a mixture of its references has no residuals', () => {
		const residuals = newResiduals('readings', 1, 2);
		const [one, two] = [full(0.6, 0.3, 0.1), full(0.1, 0.2, 0.7)];
		for (const context of [1, 2, 3])
			residuals.addReading([context], full(0.6 * 0.7 + 0.03, 0.21 + 0.06, 0.07 + 0.21), [one, two]);
		const { coefficients, weights } = residuals.weights();
		expect(coefficients).toEqual([expect.closeTo(0.7, 6), expect.closeTo(0.3, 6)]);
		for (const weight of weights) expect(weight).toBeCloseTo(0, 5);
	});
});

describe('the formula', () => {
	it('counted answers, as the worked example of docs/statistics.md has it', () => {
		// Context 7 comes 20 times: 9 times token 0, 11 times token 1. The reference says 0.25 and 0.75.
		const gather = (exposure?: ContextCounts) => {
			const residuals = newResiduals('text', 1, 1, exposure);
			for (let i = 0; i < 20; i++) residuals.addToken([7], i < 9 ? 0 : 1, [full(0.25, 0.75)]);
			return residuals.weights();
		};
		const { coefficients, weights, observations } = gather();
		expect(observations).toBe(20);
		// c = Σ n·r/v / Σ r²/v, r = (5, 15), v = r + 0.1.
		const c = ((9 * 5) / 5.1 + (11 * 15) / 15.1) / (25 / 5.1 + 225 / 15.1);
		expect(c).toBeCloseTo(0.9974, 4);
		expect(coefficients).toEqual([expect.closeTo(c, 9)]);
		expect([...weights]).toEqual([
			expect.closeTo((9 - 5 * c) / Math.sqrt(5 * c + 4), 9),
			expect.closeTo((11 - 15 * c) / Math.sqrt(15 * c + 4), 9),
		]);
		expect([...weights].map((weight) => weight.toFixed(3))).toEqual(['1.339', '-0.910']);
		// The context came 64 times in unmarked text: about 16 and 48 exposures, as fitted.
		const shrunk = gather({ contextWidth: 1, counts: new Map([['7', 64]]) });
		expect([...shrunk.weights].map((weight, i) => weight / weights[i])).toEqual([
			expect.closeTo((16 * c) / (16 * c + 16), 9),
			expect.closeTo((48 * c) / (48 * c + 16), 9),
		]);
		expect([...shrunk.weights].map((weight) => weight.toFixed(3))).toEqual(['0.668', '-0.682']);
		// Lists with γ = ½, only token 0 green.
		const sum = newWeightedSum({ kind: 'bernoulli', p: 0.5, trials: 1 }, shrunk.weights);
		const observed = weightedScore(shrunk.weights, [1, 0]);
		expect((observed - sum.mean) / sum.deviation).toBeCloseTo(1.414, 3);
		expect(Math.exp(sum.logP(observed))).toBeCloseTo(1 / 4, 9);
		expect(Math.exp(sum.logE(observed))).toBeCloseTo(3.475, 3);
	});
	it('given probabilities, as the worked example of docs/statistics.md has it', () => {
		const residuals = newResiduals('readings', 1, 1);
		for (let i = 0; i < 4; i++) residuals.addReading([7], full(0.3, 0.7), [full(0.25, 0.75)]);
		residuals.addReading([8], full(0.9, 0.1), [full(0.25, 0.75)]);
		const { coefficients, weights } = residuals.weights();
		const v = [1, 3, 0.25, 0.75].map((mass) => mass + 0.1);
		const c =
			(1.2 / v[0] + (2.8 * 3) / v[1] + (0.9 * 0.25) / v[2] + (0.1 * 0.75) / v[3]) /
			(1 / v[0] + 9 / v[1] + 0.25 ** 2 / v[2] + 0.75 ** 2 / v[3]);
		expect(coefficients[0]).toBeCloseTo(c, 9);
		// Sums of four readings: 1.2 against c, over 1/4 + 1/50; the single reading is clipped at ±½.
		const want = [Math.log(1.2 / c) / 0.27, Math.log(2.8 / (3 * c)) / 0.27, 0.5 / 1.02, -0.5 / 1.02];
		want.forEach((value, i) => {
			expect(weights[i]).toBeCloseTo(value, 5);
		});
		expect([...weights].map((weight) => weight.toFixed(3))).toEqual(['0.773', '-0.158', '0.490', '-0.490']);
		expect(coefficients[0]).toBeCloseTo(0.974, 4);
	});
	it('a reading counts for nothing where its context occurs earlier in its prefix: models repeat what they are given', () => {
		const gather = (...prefixes: number[][]) => {
			const residuals = newResiduals('readings', 2, 1);
			for (const prefix of prefixes) residuals.addReading(prefix, full(0.5, 0.5), [full(0.25, 0.75)]);
			return [...table(residuals.weights()).keys()];
		};
		expect(gather([4, 5, 6, 4, 5])).toEqual([]);
		expect(gather([4, 4, 4])).toEqual([]);
		expect(gather([4, 5, 6, 5, 4], [5, 4])).toEqual(['5,4,0', '5,4,1']);
		const without = newResiduals('readings', 0, 1);
		without.addReading([1, 7], full(0.5, 0.3, 0.2), [full(0.25, 0.25, 0.5)]);
		expect([...table(without.weights()).keys()]).toEqual(['0', '2']);
	});
	it('a reference that explains nothing has no say, whatever it predicts, even as the first', () => {
		const gather = (...others: Prediction[]) => {
			const residuals = newResiduals('text', 1, others.length, {
				contextWidth: 1,
				counts: new Map([['7', 640]]),
			});
			for (let i = 0; i < 100; i++) residuals.addToken([7], i < 20 ? 0 : 1, others);
			return residuals.weights();
		};
		const [liar, honest] = [full(0.01, 0.01, 0.98), full(0.25, 0.75, 0)];
		const beside = gather(liar, honest);
		expect(beside.coefficients[0]).toBe(0);
		const alone = gather(honest).weights;
		for (const i of [0, 1]) expect(beside.weights[i] / alone[i]).toBeCloseTo(1, 1);
	});
	it('refuses predictions that are no numbers', () => {
		const residuals = newResiduals('readings', 1, 1);
		expect(() => residuals.addReading([7], full(0.5, 0.5), [full(NaN, 0.5)])).toThrow(
			/predicts a probability of NaN/,
		);
	});
	it('without the context in unmarked text a pair weighs nothing', () => {
		const residuals = newResiduals('readings', 1, 1, { contextWidth: 1, counts: new Map([['7', 16]]) });
		residuals.addReading([7], full(0.5, 0.5), [full(0.25, 0.75)]);
		residuals.addReading([8], full(0.5, 0.5), [full(0.25, 0.75)]);
		expect([...table(residuals.weights()).keys()]).toEqual(['7,0', '7,1']);
	});
	it('pairs that were not written are kept where the references expect them a tenth of a time', () => {
		const residuals = newResiduals('text', 1, 1);
		for (let i = 0; i < 5; i++) residuals.addToken([7], 0, [full(0.93, 0.06, 0.01)]);
		const found = table(residuals.weights());
		expect([...found.keys()]).toEqual(['7,0', '7,1']);
		expect(found.get('7,1')).toBeLessThan(0);
	});
	it('only the end of a prefix matters', () => {
		const gather = (prefixes: number[][]) => {
			const residuals = newResiduals('readings', 2, 1);
			for (const prefix of prefixes) residuals.addReading(prefix, full(0.5, 0.5), [full(0.25, 0.75)]);
			return residuals.weights();
		};
		expect(
			gather([
				[1, 2, 3],
				[9, 2, 3],
			]),
		).toEqual(
			gather([
				[2, 3],
				[2, 3],
			]),
		);
	});
});

describe('refused', () => {
	const one = full(0.5, 0.5);
	it.each<[what: string, attempt: () => unknown, sentence: RegExp]>([
		['no reference', () => newResiduals('text', 1, 0), /1 to 8 references/],
		['nine references', () => newResiduals('text', 1, 9), /1 to 8 references/],
		[
			'a reading among text',
			() => newResiduals('text', 1, 1).addReading([1], one, [one]),
			/cannot be mixed in one test/,
		],
		[
			'text among readings',
			() => newResiduals('readings', 1, 1).addToken([1], 0, [one]),
			/cannot be mixed in one test/,
		],
		[
			'another number of predictions',
			() => newResiduals('text', 1, 2).addToken([1], 0, [one]),
			/predictions of 1 references where 2 were announced/,
		],
		[
			'a prefix that is too short',
			() => newResiduals('text', 3, 1).addToken([1, 2], 0, [one]),
			/has 2 ids where the context of this mark has 3/,
		],
	])('%s', (_what, attempt, sentence) => {
		expect(refusal(attempt)).toMatch(sentence);
	});
});

it('a listed prediction: others are at most as likely as the least listed and as what is left', () => {
	const parts = fc.array(fc.double({ min: 1e-5, max: 1, noNaN: true }), { minLength: 2, maxLength: 20 });
	fc.assert(
		fc.property(parts, (some) => {
			const total = some.reduce((sum, part) => sum + part, 0);
			// The last part stays unlisted.
			const listed = some.slice(0, -1).map((part) => part / total);
			const tokens = listed.map((_, i) => 3 * i);
			const { of, tokens: shown } = listedPrediction(tokens, listed);
			expect(shown).toBe(tokens);
			tokens.forEach((token, i) => {
				expect(of(token)).toBe(listed[i]);
			});
			const rest = some[some.length - 1] / total;
			for (const other of [1, 2, 1000]) {
				expect(of(other)).toBeLessThanOrEqual(Math.max(1e-6, Math.min(...listed)));
				expect(of(other)).toBeLessThanOrEqual(Math.max(1e-6, rest + 1e-12));
				expect(of(other)).toBeGreaterThanOrEqual(1e-6);
			}
		}),
	);
	expect(listedPrediction([4, 2], [0.6, 0.3]).of(5)).toBeCloseTo(0.1, 12);
	expect(listedPrediction([4, 2], [0.5, 0.05]).of(5)).toBe(0.05);
	expect(listedPrediction([4, 2], [0.6, 0.4]).of(5)).toBe(1e-6);
	expect(listedPrediction([4, 2], [0.7, 0.3001]).of(5)).toBe(1e-6);
});
