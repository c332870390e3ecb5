/** Paired tests against enumeration and against fresh coins. */
import { describe, expect, it } from 'vitest';
import {
	logClippedSumTest,
	logESigns,
	logSignedRankTest,
	logSignTest,
	midranks,
	newSignBets,
	type SignedPair,
} from '../../src/stats/index.js';
import { randomSource } from './random.js';

const random = randomSource(11);
/** Heavy tails: a Cauchy variable. */
const heavy = () => Math.tan(Math.PI * (random() - 0.5));
const pairsOf = (differences: readonly number[]): SignedPair[] =>
	differences.map((d) => ({ positive: d > 0, magnitude: Math.abs(d) }));

describe('paired tests', () => {
	it('are exact: p of each outcome is what enumerating all signs gives', () => {
		const magnitudes = [0.3, 1, 1, 2.5, 7, 7, 7, 0.01];
		const ranks = midranks(magnitudes);
		expect(ranks).toEqual([2, 3.5, 3.5, 5, 7, 7, 7, 1]);
		const sumOf = (signs: number) =>
			ranks.reduce((sum, rank, i) => sum + (((signs >> i) & 1) === 1 ? rank : 0), 0);
		const sums = Array.from({ length: 256 }, (_, signs) => sumOf(signs));
		for (let signs = 0; signs < 256; signs += 5) {
			const pairs = magnitudes.map((magnitude, i) => ({ magnitude, positive: ((signs >> i) & 1) === 1 }));
			const p = sums.filter((sum) => sum >= sums[signs]).length / 256;
			expect(Math.exp(logSignedRankTest(pairs))).toBeCloseTo(p, 9);
		}
	});

	it('give what the worked example of docs/statistics.md says', () => {
		const pairs = Array.from({ length: 10 }, (_, i) => ({ magnitude: i + 1, positive: i !== 0 && i !== 2 }));
		expect(Math.exp(logSignedRankTest(pairs))).toBeCloseTo(7 / 1024, 9);
		expect(Math.exp(logSignTest(pairs))).toBeCloseTo(56 / 1024, 12);
		expect(Math.exp(logESigns(pairs))).toBeCloseTo(15.7, 1);
	});

	it('reject at most as often as they say, whatever the magnitudes', () => {
		const tests = [logSignTest, logSignedRankTest, (pairs: SignedPair[]) => logClippedSumTest(pairs, 2)];
		const rejected = tests.map(() => 0);
		const RUNS = 2000;
		for (let run = 0; run < RUNS; run++) {
			const pairs = pairsOf(Array.from({ length: 40 }, heavy));
			tests.forEach((test, i) => {
				if (test(pairs) <= Math.log(0.05)) rejected[i]++;
			});
		}
		// Upper edge: 5 % plus four standard deviations; exact ranks come close to 5 %.
		for (const count of rejected) expect(count).toBeLessThan(139);
		expect(rejected[1]).toBeGreaterThan(61);
	});

	it('weigh large differences: ranks need fewer pairs than signs under a shift', () => {
		const gauss = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
		const pairs = pairsOf(Array.from({ length: 200 }, () => 0.6 + gauss()));
		expect(logSignedRankTest(pairs)).toBeLessThan(logSignTest(pairs) - 4);
		expect(logESigns(pairs)).toBeGreaterThan(Math.log(1e6));
	});
});

describe('bets on signs', () => {
	it('have expectation 1 under fair coins, exactly', () => {
		const magnitudes = [0.2, 1, 3, 50, 0.7, 1.1];
		let mean = 0;
		for (let signs = 0; signs < 64; signs++) {
			const bets = newSignBets();
			magnitudes.forEach((magnitude, i) => {
				bets.add({ magnitude, positive: ((signs >> i) & 1) === 1 });
			});
			mean += Math.exp(bets.logE) / 64;
			expect(bets.count).toBe(6);
		}
		expect(mean).toBeCloseTo(1, 12);
	});

	it('ever reach 20 in at most one trial of twenty under optional stopping', () => {
		let reached = 0;
		for (let run = 0; run < 1000; run++) {
			const bets = newSignBets();
			for (let i = 0; i < 100 && bets.logE < Math.log(20); i++)
				bets.add({ positive: random() < 0.5, magnitude: Math.abs(heavy()) });
			if (bets.logE >= Math.log(20)) reached++;
		}
		expect(reached).toBeLessThanOrEqual(74);
	});

	it('are not defined for a magnitude of zero', () => {
		expect(() => newSignBets().add({ positive: true, magnitude: 0 })).toThrow(RangeError);
	});
});
