/** The first look: it lets through what may have evidence, and little else. */
import { describe, expect, test } from 'vitest';
import { lookedAt, MUCH, withEvidence } from '../../bench/first-look-trial.js';
import { freshMark, specOf } from '../../bench/fresh-marks.js';
import { bindMark, type Mark } from '../../src/marks/mark.js';
import { randomSource } from '../stats/random.js';

const key = new Uint8Array(32).fill(11);
const draws = freshMark('gumbel', 4, key);
const looked = (mark: Mark, pairs: number, share: number, count: number, seed: number) =>
	lookedAt(mark, pairs, share, count, randomSource(seed));

describe('the first look', () => {
	test('lets through nearly all records that have much evidence', () => {
		for (const pairs of [64, 300, 2000]) {
			const { through, logE } = looked(draws, pairs, 2.8 / Math.sqrt(pairs), 400, pairs);
			const strong = withEvidence(logE, MUCH);
			expect(strong.length).toBeGreaterThan(100);
			const missed = strong.filter((i) => !through.has(i)).length;
			expect(missed / strong.length).toBeLessThan(0.03);
		}
	});
	test('lets through every record of fewer than 64 pairs that has a conspicuous span, and only those', () => {
		const { through, logE } = looked(draws, 50, 0.3, 400, 7);
		const conspicuous = logE.flatMap((one, i) => (one > -Infinity ? [i] : []));
		expect(conspicuous.length).toBeGreaterThan(50);
		// Pairs that a record repeats count at the first look: in 50 of 16^5 there are hardly any.
		expect([...through]).toEqual(conspicuous);
	});
	test('lets through few unmarked records', () => {
		for (const pairs of [30, 300]) expect(looked(draws, pairs, 0, 2000, 3).through.size).toBeLessThan(40);
	});
	test('finds marks that cover a part of the pairs', () => {
		const keyed = bindMark(
			specOf({
				...{ scheme: { name: 'gumbel' }, prf: 'chacha8-v1', contextWidth: 4 },
				...{ selector: 'keyed', share: 64 },
			}),
			key,
		);
		const { through, logE } = looked(keyed, 600, 1, 50, 5);
		const strong = withEvidence(logE, MUCH);
		expect(strong.length).toBeGreaterThan(20);
		expect(strong.filter((i) => !through.has(i))).toEqual([]);
		expect(looked(keyed, 300, 0, 1000, 6).through.size).toBeLessThan(20);
	});
});
