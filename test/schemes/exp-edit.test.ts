/**
 * The alignment of exp-edit against its definition: every stretch of the key tried, cell by cell.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { freshKey, specOf } from '../../bench/fresh-marks.js';
import { randomStream } from '../../src/embed/random.js';
import { bindMark } from '../../src/marks/mark.js';
import { chacha8 } from '../../src/prf/chacha8.js';
import { negLnScore, SCORE_UNIT } from '../../src/schemes/fixed-log.js';

/** −ln(1 − u) of a token at a position. */
function earned(key: Uint8Array, position: number, token: number): number {
	const word = chacha8(key).field([position], token, 32);
	return negLnScore((2 ** 32 - word) / 2 ** 32) / SCORE_UNIT;
}

/** Best alignment of all tokens with `reach` positions from `start` on, going round; skipping is free. */
function alignedFrom(start: number, tokens: readonly number[], keyLength: number, key: Uint8Array): number {
	const reach = Math.min(tokens.length, keyLength);
	let row = new Array<number>(reach + 1).fill(0);
	for (const token of tokens) {
		const next = [0];
		for (let j = 1; j <= reach; j++) {
			const matched = row[j - 1] + earned(key, (start + j - 1) % keyLength, token);
			next.push(Math.max(row[j], next[j - 1], matched));
		}
		row = next;
	}
	return row[reach];
}

const random = randomStream('test/exp-edit');
const text = fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 24 });

describe('alignment', () => {
	it('is the best of all stretches, to the bit, also of a second text', () => {
		fc.assert(
			fc.property(fc.integer({ min: 2, max: 17 }), text, text, (keyLength, first, second) => {
				const spec = specOf({
					scheme: { name: 'exp-edit', keyLength },
					prf: 'chacha8-v1',
					contextWidth: 0,
				});
				const key = freshKey(spec, random);
				const { scheme } = bindMark(spec, key);
				for (const tokens of [first, second]) {
					const starts = Array.from({ length: keyLength }, (_, start) => start);
					const best = Math.max(...starts.map((start) => alignedFrom(start, tokens, keyLength, key)));
					expect(scheme.align?.(tokens)).toBe(best);
					expect(scheme.align?.(tokens, best)).toBe(best);
					expect(scheme.align?.(tokens, best + 1e-9)).toBeLessThan(best + 1e-9);
				}
			}),
			{ numRuns: 60 },
		);
	});

	it('is the same after texts of more tokens than are remembered', () => {
		const spec = specOf({
			scheme: { name: 'exp-edit', keyLength: 4096 },
			prf: 'chacha8-v1',
			contextWidth: 0,
		});
		const key = freshKey(spec, random);
		const used = bindMark(spec, key).scheme;
		for (const from of [0, 300]) {
			const many = Array.from({ length: 600 }, (_, i) => from + i);
			expect(used.align?.(many, Infinity)).toBeLessThan(Infinity);
		}
		const tokens = [0, 899, 300, 599, 0, 450];
		expect(used.align?.(tokens)).toBe(bindMark(spec, key).scheme.align?.(tokens));
	});
});
