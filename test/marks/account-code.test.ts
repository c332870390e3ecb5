import chiSquareCdf from '@stdlib/stats-base-dists-chisquare-cdf';
import { describe, expect, test } from 'vitest';
import { ACCOUNT_CODE } from '../../src/marks/account-code.js';
import { defaultMarks } from '../../src/marks/defaults.js';
import { bindMark } from '../../src/marks/mark.js';

const [, choice] = defaultMarks('acme', 'ab'.repeat(32));
const spec = { ...choice, layer: 'account', code: ACCOUNT_CODE, commitment: null } as const;
const codeUnder = (byte: number) => {
	const { code } = bindMark(spec, new Uint8Array(32).fill(byte));
	if (code === undefined) throw new Error('no code');
	return code;
};

/** Probability of counts as uneven as these, were all equally likely. */
function unevenness(counts: Uint32Array, expected: number, freedom: number): number {
	const statistic = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
	return 1 - chiSquareCdf(statistic, freedom);
}

describe('codewords', () => {
	const code = codeUnder(7);
	test('are pinned: whoever has the key draws these', () => {
		expect(Buffer.from(code.codeword('a').subarray(0, 16)).toString('hex')).toBe(
			'070d0c0f0809040a020a0d0d0b020402',
		);
	});
	test('depend on key and pseudonym, and on nothing else', () => {
		expect(codeUnder(7).codeword('a')).toEqual(code.codeword('a'));
		const agree = (one: Uint8Array, other: Uint8Array) => one.filter((s, i) => s === other[i]).length;
		// 256 positions, one in 16 agrees by chance: more than 40 in one of 10^5 draws.
		expect(agree(code.codeword('a'), code.codeword('b'))).toBeLessThan(40);
		expect(agree(code.codeword('a'), codeUnder(8).codeword('a'))).toBeLessThan(40);
	});
	test('have uniform symbols at each position', () => {
		const counts = new Uint32Array(16 * 256);
		for (let i = 0; i < 2000; i++)
			code.codeword(`account ${i}`).forEach((symbol, position) => {
				counts[position * 16 + symbol]++;
			});
		expect(unevenness(counts, 2000 / 16, 15 * 256)).toBeGreaterThan(1e-4);
	});
});

describe('positions', () => {
	const code = codeUnder(7);
	const contexts = Array.from({ length: 5000 }, (_, i) => [i, i ^ 5, i * 3, 17]);
	const rows = Uint32Array.from(contexts.flatMap((context, i) => [...context, i]));
	test('are the same one by one and all at once, whatever the token', () => {
		const all = new Uint32Array(contexts.length);
		code.positionsOf(rows, 4, all);
		expect([...all]).toEqual(contexts.map(code.position));
	});
	test('are uniform', () => {
		const counts = new Uint32Array(256);
		for (const context of contexts) counts[code.position(context)]++;
		expect(unevenness(counts, contexts.length / 256, 255)).toBeGreaterThan(1e-4);
	});
});

test('the symbols of a code go once around', () => {
	const { turn } = codeUnder(7);
	expect(Array.from({ length: 16 }, (_, s) => turn(s))).toEqual(
		Array.from({ length: 16 }, (_, s) => s * 2 ** 28),
	);
});
