/**
 * Green lists of exact size (transformers, permutations of the vocabulary): under one context the tokens of the
 * list are drawn without replacement, so the number of green ones among k distinct tokens is hypergeometric. The
 * sum over contexts is tested against the binomial tail. By exact enumeration: that is an upper bound for every
 * count of at least the mean + 1, and not below.
 */
import { describe, expect, test } from 'vitest';
import { logBinomialUpperTail } from '../../src/stats/tails.js';

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
