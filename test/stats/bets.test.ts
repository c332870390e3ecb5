/** Bets on bounded numbers of mean 0: expectation, rates, growth. */
import { describe, expect, it } from 'vitest';
import { type Bet, listBet, logEBets } from '../../src/stats/index.js';
import { randomSource } from './random.js';
import { upperEdge } from './random-scores.js';

/** X is 1/q − 1 with probability q, otherwise −1, times a size: mean 0, heavy-tailed. */
const rareGain = (size: number, q: number): Bet => ({ bound: size, variance: size * size * (1 / q - 1) });

describe('rare gains', () => {
	const next = randomSource(20_261_220);
	const contexts = Array.from({ length: 200 }, () => ({
		size: 10 ** (2 * next() - 1),
		q: 0.02 + 0.4 * next(),
	}));
	const bets = contexts.map(({ size, q }) => rareGain(size, q));
	/** `lift` times as often as under the null. */
	const draw = (lift: number) =>
		contexts.map(({ size, q }) => (next() < lift * q ? size * (1 / q - 1) : -size));

	it('rates under the null', () => {
		const runs = 3000;
		let [twenty, hundred, total] = [0, 0, 0];
		for (let run = 0; run < runs; run++) {
			const e = Math.exp(logEBets(draw(1), bets));
			total += Math.min(100, e);
			if (e >= 20) twenty++;
			if (e >= 100) hundred++;
		}
		expect(twenty).toBeLessThanOrEqual(upperEdge(runs, 0.05));
		expect(hundred).toBeLessThanOrEqual(upperEdge(runs, 0.01));
		expect(total / runs).toBeLessThan(1 + (4 * 10) / Math.sqrt(runs));
		expect(total / runs).toBeGreaterThan(0.3);
	});
	it('grows when gains are oftener than they should be', () => {
		const logs = Array.from({ length: 20 }, () => logEBets(draw(2), bets)).sort((a, b) => a - b);
		expect(logs[5]).toBeGreaterThan(Math.log(20));
	});
	it('one context whose gains dwarf all others cannot ruin the rest', () => {
		const huge = [...bets, rareGain(1e6, 0.01)];
		expect(logEBets([...draw(1), -1e6], huge)).toBeGreaterThan(-1.5);
	});
});

describe('all outcomes', () => {
	it('mean 1', () => {
		const bets = [rareGain(1, 0.25), rareGain(0.3, 0.5), rareGain(2, 0.25)];
		const values = [
			[3, -1],
			[0.3, -0.3],
			[6, -2],
		];
		const chances = [0.25, 0.5, 0.25];
		let mean = 0;
		for (let set = 0; set < 8; set++) {
			const lost = [0, 1, 2].map((c) => (set >> c) & 1);
			const chance = lost.reduce((product, l, c) => product * (l ? 1 - chances[c] : chances[c]), 1);
			mean +=
				chance *
				Math.exp(
					logEBets(
						lost.map((l, c) => values[c][l]),
						bets,
					),
				);
		}
		expect(mean).toBeCloseTo(1, 12);
	});
	it('the worked example', () => {
		const weights = [2, 1.5, 1, 0.5, -0.5, -1];
		const bets = weights.map((w) => ({ bound: Math.abs(w) / 2, variance: (w * w) / 4 }));
		const values = weights.map((w, i) => w * ([1, 1, 1, 1, 1, 0][i] - 0.5));
		expect(Math.exp(logEBets(values, bets))).toBeCloseTo(3.7782, 4);
	});
});

describe('lists of exact size', () => {
	it('least value and variance of X, against all lists', () => {
		const next = randomSource(20_261_221);
		for (let of = 1; of <= 8; of++)
			for (let green = 0; green <= of; green++)
				for (let k = 0; k <= of; k++) {
					const weights = Array.from({ length: k }, () => 2 * next() - 1);
					let [least, mean, squares, count] = [Infinity, 0, 0, 0];
					for (let set = 0; set < 2 ** of; set++) {
						const members = Array.from({ length: of }, (_, t) => (set >> t) & 1);
						if (members.reduce((sum, member) => sum + member, 0) !== green) continue;
						const x = weights.reduce((sum, w, t) => sum + w * (members[t] - green / of), 0);
						least = Math.min(least, x);
						mean += x;
						squares += x * x;
						count++;
					}
					const bet = listBet(weights, { green, of });
					expect(mean / count).toBeCloseTo(0, 12);
					expect(bet.bound).toBeCloseTo(-least, 12);
					expect(bet.variance).toBeCloseTo(squares / count, 12);
				}
	});
});

describe('edges', () => {
	it('nothing to bet on', () => {
		expect(logEBets([], [])).toBe(0);
		expect(logEBets([0], [{ bound: 0, variance: 0 }])).toBe(0);
		expect(logEBets([0, 1], [{ bound: 0, variance: 0 }, rareGain(1, 0.5)])).toBeGreaterThan(0);
	});
	it.each([
		() => logEBets([-1.1], [rareGain(1, 0.5)]),
		() => logEBets([Number.NaN], [rareGain(1, 0.5)]),
		() => logEBets([1], []),
		() => logEBets([1], [{ bound: -1, variance: 1 }]),
		() => logEBets([1], [{ bound: 1, variance: Infinity }]),
		() => listBet([1, 2], { green: 1, of: 1 }),
		() => listBet([1], { green: 3, of: 2 }),
	])('refused: %s', (call) => {
		expect(call).toThrow(RangeError);
	});
});
