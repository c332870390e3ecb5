/** The first look: it lets through what may have evidence, and little else. */
import { describe, expect, test } from 'vitest';
import { freshMark, specOf } from '../../bench/fresh-marks.js';
import { bindMark, type Mark } from '../../src/marks/mark.js';
import type { BoundGroup } from '../../src/scan/plan.js';
import { newShardScan } from '../../src/scan/shard-scan.js';
import { newJudge } from '../../src/scan/verdicts.js';
import { randomSource } from '../stats/random.js';

const V = 16;
const key = new Uint8Array(32).fill(11);
const draws = freshMark('gumbel', 4, key);

/** Records of so many pairs, a share of whose tokens the key drew; what of them is let through, and has evidence. */
function looked(mark: Mark, pairs: number, share: number, count: number, seed: number) {
	const uniform = randomSource(seed);
	const texts = Array.from({ length: count }, () => {
		const ids = Array.from({ length: 4 }, () => Math.floor(uniform() * V));
		while (ids.length < pairs + 4)
			ids.push(
				uniform() < share
					? (mark.scheme.draw?.(ids.slice(-4), new Float32Array(V), { next: uniform }) ?? 0)
					: Math.floor(uniform() * V),
			);
		return ids;
	});
	const judged = { mark, searchBits: 0, shape: 0 };
	const groups: BoundGroup[] = [
		{
			...{ number: 0, tokenizer: null, fingerprint: null, marks: [judged], judges: [judged] },
			shapes: [{ contextWidth: 4, start: 'skip', narrow: false }],
		},
	];
	const through = new Set<number>();
	const scan = newShardScan(groups, {
		candidate: ({ record }) => through.add(Number(record)),
		tooLarge: (message) => expect.unreachable(message),
		cells: () => undefined,
	});
	scan.add(texts.map((tokens, i) => ({ id: String(i), tokens })));
	scan.finish();
	const judge = newJudge(groups, () => false);
	const logE = texts.map((tokens) => judge.judge({ group: 0, first: 0, tokens, left: [] }).logE);
	return { through, logE };
}

describe('the first look', () => {
	test('lets through nearly all records that have much evidence', () => {
		for (const pairs of [64, 300, 2000]) {
			const { through, logE } = looked(draws, pairs, 2.8 / Math.sqrt(pairs), 400, pairs);
			const strong = logE.flatMap((one, i) => (one >= Math.log(1e5) ? [i] : []));
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
		const strong = logE.flatMap((one, i) => (one >= Math.log(1e5) ? [i] : []));
		expect(strong.length).toBeGreaterThan(20);
		expect(strong.filter((i) => !through.has(i))).toEqual([]);
		expect(looked(keyed, 300, 0, 1000, 6).through.size).toBeLessThan(20);
	});
});
