import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newAllowances } from '../../src/server/allowances.js';
import { BITS_PER_ANSWER, COARSE_ANSWERS, coarseAnswer } from '../../src/server/answers.js';
import { type ApiKey, newApiKey, newAuthentication } from '../../src/server/api-keys.js';
import type { Refusal } from '../../src/server/problems.js';
import type { DetectResult } from '../../src/verify/detect.js';

const LEVEL = 1e-6;
/** What a detector says of so much evidence. */
const resultOf = (log10PCorrected: number, powerful: boolean) =>
	({
		verdict: log10PCorrected <= -6 ? 'marked' : powerful ? 'no-evidence' : 'too-little-data',
		log10PCorrected,
		level: LEVEL,
	}) as DetectResult;

describe('coarse answers', () => {
	const evidence = fc.double({ min: -400, max: 0, noNaN: true });

	it('are monotone: more evidence never gives a lower band', () => {
		const rank = (log10P: number, powerful: boolean) => {
			const answer = coarseAnswer(resultOf(log10P, powerful));
			return COARSE_ANSWERS.findIndex((one) => JSON.stringify(one) === JSON.stringify(answer));
		};
		fc.assert(
			fc.property(evidence, evidence, fc.boolean(), (one, other, powerful) => {
				const [more, less] = one < other ? [one, other] : [other, one];
				expect(rank(more, powerful)).toBeGreaterThanOrEqual(0);
				expect(rank(more, powerful)).toBeLessThanOrEqual(rank(less, powerful));
			}),
		);
	});

	it('are four, two bits, and say nothing below the level', () => {
		expect(BITS_PER_ANSWER).toBe(2);
		fc.assert(
			fc.property(fc.double({ min: -5.99, max: 0, noNaN: true }), fc.boolean(), (log10P, powerful) => {
				expect(coarseAnswer(resultOf(log10P, powerful))).toEqual(coarseAnswer(resultOf(0, powerful)));
			}),
		);
	});
});

describe('allowances', () => {
	const key = { id: 'a', perDay: 5, perSecond: 2, burst: 3 } as ApiKey;
	const noon = Date.UTC(2026, 10, 26, 12);
	const attempt = (take: () => void): string => {
		try {
			take();
			return 'taken';
		} catch (error) {
			const { code, retryAfter } = error as Refusal;
			return `${code} ${retryAfter}`;
		}
	};

	it('give a burst, then a rate, then a day', () => {
		const allowances = newAllowances();
		const at = (ms: number) => attempt(() => allowances.take(key, noon + ms));
		expect([at(0), at(0), at(0), at(0)]).toEqual(['taken', 'taken', 'taken', 'rate-limited 1']);
		expect([at(400), at(500), at(500), at(1000)]).toEqual([
			'rate-limited 1',
			'taken',
			'rate-limited 1',
			'taken',
		]);
		expect(at(60_000)).toBe(`quota-exceeded ${12 * 3600 - 60}`);
		expect(attempt(() => allowances.take({ ...key, id: 'b' }, noon + 60_000))).toBe('taken');
		expect(at(12 * 3_600_000)).toBe('taken');
	});

	it('never give more than burst and rate together, and do not mind a clock that goes back', () => {
		fc.assert(
			fc.property(fc.array(fc.integer({ min: -1000, max: 3000 }), { maxLength: 200 }), (steps) => {
				const allowances = newAllowances();
				let now = noon;
				let taken = 0;
				let forward = 0;
				for (const step of steps) {
					now += step;
					forward += Math.max(0, step);
					if (attempt(() => allowances.take({ ...key, perDay: 1e9 }, now)) === 'taken') taken++;
				}
				expect(taken).toBeLessThanOrEqual(3 + (2 * forward) / 1000);
			}),
		);
	});
});

it('an API key opens with its whole secret only', () => {
	const allowance = { perDay: 1, perSecond: 1, burst: 1, detail: 'coarse' } as const;
	const [alice, bob] = ['alice', 'bob'].map((id) => newApiKey(id, allowance));
	const { keyOf } = newAuthentication([alice.key, bob.key]);
	expect(keyOf(`Bearer ${alice.secret}`)?.id).toBe('alice');
	expect(keyOf(`bearer  ${bob.secret}`)?.id).toBe('bob');
	for (const wrong of [
		undefined,
		'',
		'Bearer',
		`Bearer ${alice.key.sha256}`,
		`Bearer ${alice.secret} `,
		bob.secret,
	])
		expect(keyOf(wrong)).toBeUndefined();
});
