/** Per-token exposure: fair under the null, whatever the suspect's function, and powerful for a student. */
import { describe, expect, it } from 'vitest';
import { newTokenBets } from '../../src/verify/exposure-tokens.js';
import { refusal } from '../refusal.js';
import { randomSource } from '../stats/random.js';

const random = randomSource(3);
const CANDIDATES = 6;

function draw(probabilities: readonly number[]): number {
	let left = random();
	for (const [i, p] of probabilities.entries()) {
		left -= p;
		if (left < 0) return i;
	}
	return 0;
}

/** A distribution, and the residuals of a suspect that saw what was drawn with probability `seen`. */
function token(seen: number) {
	const weights = Array.from({ length: CANDIDATES }, () => random() ** 3 + 0.01);
	const total = weights.reduce((sum, weight) => sum + weight, 0);
	const probabilities = weights.map((weight) => weight / total);
	const drawn = draw(probabilities);
	const exposed = random() < seen;
	const values = probabilities.map((_, i) => 4 * (random() - 0.5) + (exposed && i === drawn ? 0.5 : 0));
	return { visit: null, probabilities, values, drawn };
}

describe('bets on served tokens', () => {
	it('have expectation 1 exactly: one step, enumerated', () => {
		const { probabilities, values } = token(0);
		const mean = probabilities.reduce((sum, p, drawn) => {
			const bets = newTokenBets();
			bets.add({ visit: null, probabilities, values, drawn });
			return sum + p * 10 ** bets.log10E;
		}, 0);
		expect(mean).toBeCloseTo(1, 12);
	});

	it('reach 20 for at most one innocent of twenty, and e = 1e6 for a student', () => {
		let reached = 0;
		for (let run = 0; run < 400; run++) {
			const bets = newTokenBets();
			for (let i = 0; i < 100 && bets.log10E < Math.log10(20); i++) bets.add(token(0));
			if (bets.log10E >= Math.log10(20)) reached++;
		}
		expect(reached).toBeLessThanOrEqual(37); // 5 % and four standard deviations
		const bets = newTokenBets();
		for (let i = 0; i < 4000; i++) bets.add(token(0.5));
		expect(bets.log10E).toBeGreaterThan(6);
	});

	it('count the first visit to a keyed context only', () => {
		const bets = newTokenBets();
		for (let i = 0; i < 50; i++) bets.add({ ...token(1), visit: `key 17 ${i % 10}` });
		expect(bets).toMatchObject({ scored: 10, repeated: 40 });
	});

	it('refuse distributions that are none', () => {
		const bets = newTokenBets();
		const good = { visit: null, probabilities: [0.5, 0.5], values: [1, 0], drawn: 0 };
		expect(refusal(() => bets.add({ ...good, probabilities: [0.5, 0.4] }))).toMatch(/add up to/);
		expect(refusal(() => bets.add({ ...good, values: [1] }))).toMatch(/one value/);
		expect(refusal(() => bets.add({ ...good, values: [1, Number.NaN] }))).toMatch(/not finite/);
		expect(refusal(() => bets.add({ ...good, drawn: 2 }))).toMatch(/not among/);
		expect(refusal(() => newTokenBets(0))).toMatch(/above 0/);
	});
});
