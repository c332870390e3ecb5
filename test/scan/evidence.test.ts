/**
 * The evidence of one record: an e-value over random keys, whatever the text; spans found in long records.
 */
import { describe, expect, test } from 'vitest';
import { freshMark } from '../../bench/fresh-marks.js';
import { shareAtLeast } from '../../src/scan/corpus-result.js';
import { cellOf, countMemory, newCounts } from '../../src/scan/counting/counts.js';
import { newWaitingCells } from '../../src/scan/counting/waiting-cells.js';
import { CONSPICUOUS, isAbove, momentsOf, recordEvidence, someMember } from '../../src/scan/evidence.js';
import { negLnScore, SCORE_UNIT } from '../../src/schemes/fixed-log.js';
import { word32 } from '../../src/schemes/gumbel.js';
import { randomSource } from '../stats/random.js';

const gumbel = freshMark('gumbel', 4, new Uint8Array(32)).scheme.null;
const list = freshMark('kgw', 1, new Uint8Array(32)).scheme.null;

/** Scores of unmarked text, the mean of those from `from` to `to` raised to that of marked text. */
function scores(length: number, uniform: () => number, from = 0, to = 0, mean = 2): Float64Array {
	return Float64Array.from({ length }, (_, i) => {
		const score = negLnScore(word32.complement(Math.floor(uniform() * 2 ** 32)));
		return Math.floor(i >= from && i < to ? score * mean : score);
	});
}

const tableOf = (cells: number) => newCounts(countMemory(cells), cells);
function ordered(cells: Uint32Array, of: number) {
	const waiting = newWaitingCells(of, cells.length);
	waiting.add(cells);
	return waiting.take();
}

describe('the evidence of a record', () => {
	test('has expectation at most 1 under the null, for every length', () => {
		const uniform = randomSource(3);
		for (const length of [20, 100, 300, 1000]) {
			let mean = 0;
			const trials = 6000;
			for (let i = 0; i < trials; i++)
				mean += Math.exp(recordEvidence(scores(length, uniform), gumbel).logE) / trials;
			// Heavy-tailed: the mean of so many stays below 1 unless the weights were wrong by far.
			expect(mean).toBeLessThan(1);
		}
	});
	test('reaches 1/α with probability at most α', () => {
		const uniform = randomSource(4);
		let reached = 0;
		for (let i = 0; i < 20_000; i++)
			if (recordEvidence(scores(300, uniform), gumbel).logE >= Math.log(100)) reached++;
		// 200 would be expected at most; the binomial's 1e-4 quantile above it is 254.
		expect(reached).toBeLessThan(254);
	});
	test('finds 200 marked pairs in 20,000 and says where', () => {
		const uniform = randomSource(5);
		const text = scores(20_000, uniform, 9000, 9200);
		const { logE, span } = recordEvidence(text, gumbel);
		expect(logE).toBeGreaterThan(Math.log(1e6));
		expect(span?.from).toBeGreaterThan(8800);
		expect(span?.to).toBeLessThan(9400);
	});
	test('is nothing exactly where no span is conspicuous', () => {
		const uniform = randomSource(6);
		let conspicuous = 0;
		for (let i = 0; i < 2000; i++) {
			const text = scores(300, uniform, 0, i % 4 === 0 ? 40 : 0);
			const sums = new Float64Array(text.length + 1);
			text.forEach((score, at) => {
				sums[at + 1] = sums[at] + score;
			});
			const some = someMember(text.length, (from, to) =>
				isAbove(CONSPICUOUS, to - from, sums[to] - sums[from], momentsOf(gumbel)),
			);
			if (some) conspicuous++;
			expect(recordEvidence(text, gumbel).logE > -Infinity).toBe(some);
		}
		expect(conspicuous).toBeGreaterThan(20);
		expect(conspicuous).toBeLessThan(1000);
	});
	test('an empty record has none', () => {
		expect(recordEvidence(new Float64Array(0), gumbel)).toEqual({ logE: -Infinity, span: null });
	});
});

describe('counts', () => {
	test('are never below the truth, and common windows are common', () => {
		// 2^16 cells for 40,000 windows: many share a cell.
		const counts = tableOf(2 ** 16);
		const uniform = randomSource(7);
		const truth = new Map<number, number>();
		for (let round = 0; round < 8; round++) {
			const cells = Uint32Array.from({ length: 10_000 }, () => Math.floor(uniform() ** 3 * 40_000) * 107);
			counts.add(ordered(cells, 2 ** 16));
			for (const cell of cells) truth.set(cell, (truth.get(cell) ?? 0) + 1);
		}
		let rare = 0;
		for (const [cell, count] of truth) {
			if (count > 10) expect(counts.isCommon(cell)).toBe(true);
			else if (!counts.isCommon(cell)) rare++;
		}
		expect(rare).toBeGreaterThan(1000);
	});
	test('are exact below 11, in all parts of a table, however many cells are counted together', () => {
		// Four parts; 200,000 cells together are dense, 3,000 are not, and 2,500,000 are counted piece by piece.
		const of = 2 ** 22;
		const counts = tableOf(of);
		const uniform = randomSource(12);
		const truth = new Uint32Array(of);
		for (const together of [200_000, 3000, 2_500_000, 0, 500_000]) {
			const low = Uint32Array.from({ length: together }, () => Math.floor(uniform() ** 4 * 2 ** 32));
			counts.add(ordered(low, of));
			for (const one of low) truth[cellOf(one, of)]++;
		}
		let wrong = 0;
		for (let cell = 0; cell < of; cell++) if (counts.of(cell) !== Math.min(truth[cell], 11)) wrong++;
		expect(wrong).toBe(0);
		expect(truth.filter((count) => count > 11).length).toBeGreaterThan(100);
	});
	test('say how many windows are lost because the table is too small for them', () => {
		const uniform = randomSource(10);
		const counts = tableOf(2 ** 16);
		expect(counts.crowding()).toBe(0);
		for (const load of [4, 16]) {
			// Windows that occur once each.
			const more = load === 4 ? 4 : 12;
			counts.add(
				ordered(
					Uint32Array.from({ length: more * 2 ** 16 }, () => Math.floor(uniform() * 2 ** 32)),
					2 ** 16,
				),
			);
			let lost = 0;
			for (let i = 0; i < 20_000; i++) if (counts.isCommon(Math.floor(uniform() * 2 ** 32))) lost++;
			expect(Math.abs(counts.crowding() - lost / 20_000)).toBeLessThan(0.02);
			expect(counts.crowding() > 0.05).toBe(load === 16);
		}
	});
	test('do not depend on the order', () => {
		const [one, other] = [0, 1].map(() => tableOf(2 ** 13));
		const uniform = randomSource(8);
		const cells = Uint32Array.from({ length: 30_000 }, () => Math.floor(uniform() * 2 ** 32));
		one.add(ordered(cells, 2 ** 13));
		other.add(ordered(cells.slice(20_000), 2 ** 13));
		other.add(ordered(cells.slice(0, 20_000).reverse(), 2 ** 13));
		expect(other.table).toEqual(one.table);
	});
});

describe('the least share of marked windows', () => {
	test('is right in 95 of 100 samples, for either law', () => {
		const uniform = randomSource(9);
		for (const share of [0, 0.1, 0.5]) {
			let wrong = 0;
			let sum = 0;
			const trials = 400;
			for (let i = 0; i < trials; i++) {
				// Marked windows score as high as they can: what the bound must reckon with.
				const marked = Float64Array.from({ length: 2000 }, () =>
					uniform() < share ? 5 * SCORE_UNIT : negLnScore(word32.complement(Math.floor(uniform() * 2 ** 32))),
				);
				const greens = Float64Array.from({ length: 2000 }, () =>
					uniform() < share || uniform() < 0.25 ? SCORE_UNIT : 0,
				);
				const least = shareAtLeast(marked, gumbel, 0.05);
				sum += least / trials;
				if (least > share || shareAtLeast(greens, list, 0.05) > share) wrong++;
			}
			// Two bounds, each wrong in 5 of 100 at most; 1e-4 quantile of Binomial(400, 0.1).
			expect(wrong).toBeLessThan(64);
			expect(sum).toBeGreaterThan(share - 0.05);
		}
	});
});
