import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { randomStream } from '../../src/embed/random.js';
import { ln, negLnScore, SCORE_UNIT } from '../../src/schemes/fixed-log.js';

/** From 60-digit arithmetic (test/vectors/make_fixed_log.py). `score` is the exact floor; null where x > 1. */
const golden: { x: number; ln: number; score: number | null }[] = JSON.parse(
	readFileSync(new URL('../vectors/fixed-log.json', import.meta.url), 'utf8'),
);
/** Every x that a score is taken of under the hardened PRF: (2^32 − word) / 2^32. */
const complement = (word: number) => (2 ** 32 - word) / 2 ** 32;

describe('ln', () => {
	test('is within 1e-15 of the true logarithm', () => {
		for (const { x, ln: truth } of golden)
			if (truth === 0) expect(ln(x)).toBe(0);
			else expect(Math.abs(ln(x) / truth - 1), `ln ${x}`).toBeLessThan(1e-15);
	});
	test('agrees with Math.log over the whole range of doubles', () => {
		const random = randomStream('fixed-log');
		for (let i = 0; i < 100_000; i++) {
			const x = 2 ** ((random.next() - 0.5) * 2000) * (1 + random.next());
			if (Math.abs(ln(x) / Math.log(x) - 1) > 2e-15) expect.unreachable(`ln ${x} is ${ln(x)}`);
		}
	});
});

test('ln gives the same bits on every engine: digest of 2,000 values, computed in Python', () => {
	const bytes = Buffer.alloc(8 * 2000);
	for (let i = 0; i < 2000; i++) bytes.writeDoubleLE(ln((i + 1) / 1000), 8 * i);
	expect(createHash('sha256').update(bytes).digest('hex')).toBe(
		'c4f578f33281a84000208d7622cffe73f9a96ecfd192b0aaaca262cad851c9e0',
	);
});

describe('negLnScore', () => {
	const scored = golden.filter((row) => row.score !== null && row.x >= 2 ** -32);

	test('is never above the true value, and at most one unit below its floor', () => {
		expect(scored.length).toBeGreaterThan(150);
		for (const { x, score } of scored) {
			expect(negLnScore(x), `${x}`).toBeLessThanOrEqual(score as number);
			expect(negLnScore(x), `${x}`).toBeGreaterThanOrEqual((score as number) - 1);
		}
	});
	test('stays 2^-43 below the true value, more than any logarithm here can err', () => {
		const random = randomStream('margin');
		for (let i = 0; i < 100_000; i++) {
			const x = complement(Math.floor(2 ** 32 - 2 ** (32 * random.next())));
			const score = negLnScore(x) / SCORE_UNIT;
			if (score > 0 && score + 2 ** -43 > -Math.log(x)) expect.unreachable(`score of ${x} is ${score}`);
		}
	});
	test('is what it always was (pinned)', () => {
		expect(negLnScore(1)).toBe(0);
		expect(negLnScore(0.5)).toBe(2_977_044_471);
		expect(negLnScore(0.25)).toBe(5_954_088_943);
		expect(negLnScore(2 ** -32)).toBe(95_265_423_098);
	});
	test('is an integer ≥ 0 that rises as x falls, neighbour by neighbour and over the whole range', () => {
		for (const start of [0, 1_000_000, 2 ** 30, 2 ** 31 - 5000, 2 ** 32 - 10_000]) {
			let before = negLnScore(complement(start));
			for (let word = start + 1; word < start + 10_000; word++) {
				const score = negLnScore(complement(word));
				if (!(Number.isSafeInteger(score) && score >= before))
					expect.unreachable(`score of word ${word} is ${score}`);
				before = score;
			}
		}
		let before = 0;
		for (let word = 0; word < 2 ** 32; word += 65_521) {
			const score = negLnScore(complement(word));
			if (score < before) expect.unreachable(`score of word ${word} falls`);
			before = score;
		}
	});
});
