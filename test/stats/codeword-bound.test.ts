import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CodeTable, codewordThreshold, logCodewordTail } from '../../src/stats/codeword-bound.js';

/** Tables of 4 symbols and up to 5 positions, small enough to go through every codeword. */
const tables = fc
	.array(fc.array(fc.double({ min: 0, max: 12, noNaN: true }), { minLength: 4, maxLength: 4 }), {
		minLength: 1,
		maxLength: 5,
	})
	.map((rows): CodeTable => ({ symbols: 4, scores: Float64Array.from(rows.flat()) }));

/** The score of every codeword. */
function allScores({ symbols, scores }: CodeTable): number[] {
	let sums = [0];
	for (let at = 0; at < scores.length; at += symbols)
		sums = sums.flatMap((sum) => [...scores.subarray(at, at + symbols)].map((score) => sum + score));
	return sums;
}

describe('the bound, against every codeword', () => {
	test('is never below the share of codewords that score as much', () => {
		fc.assert(
			fc.property(tables, fc.nat(), (table, pick) => {
				const scores = allScores(table);
				const score = scores[pick % scores.length];
				const share = scores.filter((other) => other >= score).length / scores.length;
				expect(logCodewordTail(table, score)).toBeGreaterThanOrEqual(Math.log(share) - 1e-9);
			}),
			{ seed: 6, numRuns: 2000 },
		);
	});
	test('falls as the score grows', () => {
		fc.assert(
			fc.property(tables, fc.double({ min: 0, max: 60, noNaN: true }), (table, score) => {
				expect(logCodewordTail(table, score + 1)).toBeLessThanOrEqual(logCodewordTail(table, score) + 1e-9);
			}),
			{ seed: 6, numRuns: 500 },
		);
	});
	test('at the threshold is the level, and above it is less', () => {
		fc.assert(
			fc.property(tables, fc.double({ min: -5, max: -0.1, noNaN: true }), (table, logLevel) => {
				const { score } = codewordThreshold(table, logLevel);
				if (score > Math.max(...allScores(table))) return;
				expect(logCodewordTail(table, score)).toBeLessThanOrEqual(logLevel + 1e-9);
			}),
			{ seed: 6, numRuns: 1000 },
		);
	});
	test('of the best codeword of many positions comes near q^−positions', () => {
		const rows = Array.from({ length: 40 }, () => [10, 0, 0, 0]).flat();
		const table = { symbols: 4, scores: Float64Array.from(rows) };
		const logP = logCodewordTail(table, 400);
		expect(logP).toBeGreaterThanOrEqual(-40 * Math.log(4));
		expect(logP).toBeLessThan(-39 * Math.log(4));
	});
	test('of a text without pairs is 1', () => {
		expect(logCodewordTail({ symbols: 16, scores: new Float64Array(0) }, 0)).toBe(0);
	});
	test('is that of the worked example of docs/attribution.md', () => {
		const rows = Array.from({ length: 10 }, () => [4, 1, 1, 1]).flat();
		const logP = logCodewordTail({ symbols: 4, scores: Float64Array.from(rows) }, 37);
		expect(Math.exp(logP)).toBeCloseTo(7.385e-5, 8);
		expect(logP).toBeCloseTo(-10 * (0.9 * Math.log(0.9 / 0.25) + 0.1 * Math.log(0.1 / 0.75)), 6);
	});
});
