import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { describe, expect, it } from 'vitest';
import { randomStream } from '../../src/embed/random.js';
import { exp, expm1, ln, log1p, log10 } from '../../src/stats/portable.js';

const COUNT = 20_000;

/** Distance in units of the last place of the second. */
function ulps(a: number, b: number): number {
	if (Object.is(a, b)) return 0;
	if (!Number.isFinite(a) || !Number.isFinite(b)) return Infinity;
	const exponent = Math.max(-1022, Math.floor(Math.log2(Math.abs(b))));
	return Math.abs(a - b) / 2 ** (exponent - 52);
}

/** From -2^-4 to 2^-4, mostly far smaller. By basic operations only, as all arguments. */
const near0 = (u: number) => (u - 0.5) * u * u * u * u * u * u * u * u * 0.125;
const CASES = {
	exp: { ours: exp, engine: Math.exp, of: (u: number) => -745 + 1454 * u, digest: '0bbf9811a869016d' },
	expm1: { ours: expm1, engine: Math.expm1, of: (u: number) => -40 + 80 * u, digest: '699cf4955cc7b7aa' },
	'expm1 near 0': { ours: expm1, engine: Math.expm1, of: near0, digest: '23d8d7d5569b1155' },
	ln: { ours: ln, engine: Math.log, of: (u: number) => 10 * u, digest: '3f82842c9c93acce' },
	'ln near 1': { ours: ln, engine: Math.log, of: (u: number) => 1 + near0(u), digest: '3a9887848034aa12' },
	log1p: { ours: log1p, engine: Math.log1p, of: (u: number) => -1 + 3 * u, digest: 'd425ea4327f6b240' },
	'log1p near 0': { ours: log1p, engine: Math.log1p, of: near0, digest: 'b0a240478e3fdeab' },
	log10: { ours: log10, engine: Math.log10, of: (u: number) => 10 * u, digest: '2a466aa94e62c785' },
};

describe.each(Object.entries(CASES))('%s', (name, { ours, engine, of, digest }) => {
	const random = randomStream(`test/portable/${name}`);
	const points = Float64Array.from({ length: COUNT }, () => of(random.next()));

	it('lies within four units in the last place of what the engine says', () => {
		const worst = points.reduce((most, x) => Math.max(most, ulps(ours(x), engine(x))), 0);
		expect(worst).toBeLessThanOrEqual(4);
	});

	it('has the same bits everywhere', () => {
		const values = Float64Array.from(points, ours);
		expect(bytesToHex(sha256(new Uint8Array(values.buffer))).slice(0, 16)).toBe(digest);
	});
});

it('at the ends of their domains, the limits', () => {
	const ends = [0, -0, -1, 1, 5e-324, 709.78, 709.79, -745.1, -746, Infinity, -Infinity, Number.NaN];
	for (const x of ends) {
		for (const [ours, engine] of [
			[exp, Math.exp],
			[ln, Math.log],
			[log1p, Math.log1p],
			[expm1, Math.expm1],
		] as const)
			expect(ulps(ours(x), engine(x))).toBeLessThanOrEqual(4);
	}
});
