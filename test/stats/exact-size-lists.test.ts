/**
 * Green lists of exact size (transformers, permutations of the vocabulary): under one context the tokens of the
 * list are drawn without replacement, so the number of green ones among k distinct tokens is hypergeometric. The
 * sum over contexts is tested against the binomial tail. By exact enumeration: that is an upper bound for every
 * count of at least the mean + 1, and not below. Then weighted sums with mixed signs: E e^(θT) over all lists.
 */
import { describe, expect, test } from 'vitest';
import { logPeakBound } from '../../src/stats/exact-size-lists.js';
import { logListExcess, logListMoment } from '../../src/stats/index.js';
import { logBinomialUpperTail } from '../../src/stats/tails.js';
import { randomSource } from './random.js';

const choose = (n: number, k: number): number =>
	k < 0 || k > n ? 0 : k === 0 ? 1 : (choose(n - 1, k - 1) * n) / k;

/** Chances of 0 … k green tokens among k distinct ones, `green` of `vocabulary` being green. */
const hypergeometric = (vocabulary: number, green: number, k: number) =>
	Array.from(
		{ length: k + 1 },
		(_, hits) => (choose(green, hits) * choose(vocabulary - green, k - hits)) / choose(vocabulary, k),
	);

function convolve(a: readonly number[], b: readonly number[]): number[] {
	const sum = new Array<number>(a.length + b.length - 1).fill(0);
	a.forEach((x, i) => {
		b.forEach((y, j) => {
			sum[i + j]! += x * y;
		});
	});
	return sum;
}

/** All ways to score up to 4 contexts of 1 … `vocabulary` distinct tokens. */
function* samples(vocabulary: number, most: number, from = 1): Generator<number[]> {
	yield [];
	if (most === 0) return;
	for (let k = from; k <= vocabulary; k++)
		for (const rest of samples(vocabulary, most - 1, k)) yield [k, ...rest];
}

interface Tail {
	readonly hits: number;
	readonly mean: number;
	readonly exact: number;
	readonly binomial: number;
}

/** The tails of all samples of all lists of a vocabulary. */
function* tails(vocabulary: number): Generator<Tail> {
	for (let green = 1; green < vocabulary; green++)
		for (const sample of samples(vocabulary, 4)) {
			const trials = sample.reduce((sum, k) => sum + k, 0);
			const law = sample.map((k) => hypergeometric(vocabulary, green, k)).reduce(convolve, [1]);
			const mean = (trials * green) / vocabulary;
			let exact = 0;
			for (let hits = trials; hits >= 0; hits--) {
				exact += law[hits]!;
				yield {
					hits,
					mean,
					exact,
					binomial: Math.exp(logBinomialUpperTail(hits, trials, green / vocabulary)),
				};
			}
		}
}

describe('lists of exact size', () => {
	test.each([2, 3, 4, 5, 6, 7])(
		'the binomial tail is an upper bound from the mean + 1 on: %i tokens',
		(size) => {
			let checked = 0;
			for (const { hits, mean, exact, binomial } of tails(size)) {
				if (hits < mean + 1 - 1e-9) continue;
				expect(exact).toBeLessThanOrEqual(binomial * (1 + 1e-12));
				checked++;
			}
			expect(checked).toBeGreaterThan(10);
		},
	);
	test('below it is not, but only where the p-value is no evidence', () => {
		let smallest = 1;
		for (const { exact, binomial } of tails(6))
			if (exact > binomial * (1 + 1e-12)) smallest = Math.min(smallest, binomial);
		expect(smallest).toBeLessThan(1);
		expect(smallest).toBeGreaterThan(0.2);
	});
	test('one token a context is exactly binomial', () => {
		const law = new Array<number[]>(20).fill(hypergeometric(40, 10, 1)).reduce(convolve, [1]);
		let exact = 0;
		for (let hits = 20; hits >= 0; hits--) {
			exact += law[hits]!;
			expect(exact / Math.exp(logBinomialUpperTail(hits, 20, 0.25))).toBeCloseTo(1, 11);
		}
	});
	test('a large list is nearly binomial', () => {
		const law = hypergeometric(50_000, 12_500, 40);
		const exact = law.slice(20).reduce((sum, x) => sum + x, 0);
		const ratio = exact / Math.exp(logBinomialUpperTail(20, 40, 0.25));
		expect(ratio).toBeLessThan(1);
		expect(ratio).toBeGreaterThan(0.98);
	});
});

/** E e^(θT) over all lists of `green` tokens: the mean over subsets of Π e^(θW), that is an elementary symmetric mean. */
function exactMoment(weights: readonly number[], green: number, of: number, theta: number): number {
	const sums = new Array<number>(green + 1).fill(0);
	sums[0] = 1;
	for (let t = 0; t < of; t++) {
		const y = Math.exp(theta * (weights[t] ?? 0));
		for (let j = green; j > 0; j--) sums[j]! += sums[j - 1]! * y;
	}
	return Math.log(sums[green]! / choose(of, green));
}

/** The same by going through the subsets. */
function momentBySubsets(weights: readonly number[], green: number, of: number, theta: number): number {
	let sum = 0;
	let count = 0;
	for (let set = 0; set < 2 ** of; set++) {
		let size = 0;
		let score = 0;
		for (let t = 0; t < of; t++)
			if ((set >> t) & 1) {
				size++;
				score += weights[t] ?? 0;
			}
		if (size !== green) continue;
		count++;
		sum += Math.exp(theta * score);
	}
	return Math.log(sum / count);
}

describe('weighted sums over one list', () => {
	const next = randomSource(20_261_202);
	const draw = (k: number, size = 2) => Float64Array.from({ length: k }, () => size * (2 * next() - 1));

	test('up to 48 tokens: exact, against all subsets', () => {
		for (let of = 2; of <= 9; of++)
			for (let green = 0; green <= of; green++)
				for (const k of [1, Math.ceil(of / 2), of]) {
					const weights = draw(k);
					const want = momentBySubsets([...weights], green, of, 1.3);
					expect(exactMoment([...weights], green, of, 1.3)).toBeCloseTo(want, 12);
					const got = logListMoment(weights, { green, of }, 1.3);
					expect(got).toBeGreaterThanOrEqual(want - 1e-14);
					expect(got).toBeLessThan(want + 1e-12);
				}
	});
	test('more tokens: an upper bound, close to it', () => {
		for (const [k, of, green] of [
			[49, 60, 15],
			[60, 60, 30],
			[80, 300, 75],
			[200, 400, 100],
		] as const)
			for (const size of [0.05, 0.5, 3]) {
				const weights = draw(k, size);
				const exact = exactMoment([...weights], green, of, 1);
				const bound = logListMoment(weights, { green, of }, 1);
				const variance = of * (green / of) * (1 - green / of);
				const squares = weights.reduce((sum, w) => sum + w * w, 0);
				expect(bound).toBeGreaterThanOrEqual(exact);
				if (size <= 1) expect(bound - exact).toBeLessThan(0.25 / variance + squares / (8 * of));
			}
	});
	test('one sign, many tokens: independence is a bound', () => {
		for (const sign of [1, -1]) {
			const weights = draw(120).map((w) => sign * Math.abs(w));
			const exact = exactMoment([...weights], 50, 200, 1);
			const independent = weights.reduce((sum, w) => sum + Math.log(0.75 + 0.25 * Math.exp(w)), 0);
			const bound = logListMoment(weights, { green: 50, of: 200 }, 1);
			expect(bound).toBeGreaterThanOrEqual(exact);
			expect(bound).toBeCloseTo(independent, 9);
		}
	});
	test('mixed signs: neither independence is a bound, nor V/(V − 1) times it', () => {
		const exact = exactMoment([1, -0.5, -0.5], 1, 3, 1);
		const independent = [1, -0.5, -0.5].reduce((sum, w) => sum + Math.log((2 + Math.exp(w)) / 3), 0);
		expect(exact).toBeCloseTo(0.2704, 4);
		expect(1.5 * independent).toBeCloseTo(0.2575, 4);
		// The variance is at most V/(V − 1) times that of independent scores; here it is just that.
		const small = exactMoment([1, -0.5, -0.5], 1, 3, 1e-3);
		const smallIndependent = [1, -0.5, -0.5].reduce(
			(sum, w) => sum + Math.log1p(Math.expm1(1e-3 * w) / 3),
			0,
		);
		expect(small / smallIndependent).toBeCloseTo(1.5, 2);
	});
	test('the largest ratio to independent colours, against all counts', () => {
		for (let of = 2; of <= 12; of++)
			for (let green = 1; green < of; green++)
				for (let k = 1; k <= of; k++) {
					const ratios = hypergeometric(of, green, k).map(
						(p, hits) => p / (choose(k, hits) * (green / of) ** hits * (1 - green / of) ** (k - hits)),
					);
					expect(logListExcess(k, { green, of })).toBeCloseTo(Math.log(Math.max(...ratios)), 11);
				}
		expect(logListExcess(100, { green: 12_500, of: 50_000 })).toBeCloseTo(99 / 100_000, 4);
	});
	test('the peak of a count: e^−S·I₀(S) from above', () => {
		for (const [S, want] of [
			[3, 0.2430003541618254],
			[10, 0.12783333716342862],
			[100, 0.03994437929909669],
		] as const) {
			expect(Math.exp(logPeakBound(S))).toBeGreaterThan(want);
			expect(Math.exp(logPeakBound(S)) / want).toBeLessThan(S < 5 ? 1.2 : 1 + 0.2 / (S * S));
		}
		expect(logPeakBound(0)).toBe(0);
	});
});
