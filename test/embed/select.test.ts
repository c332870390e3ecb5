/** Selection by mark score: what is picked, what the receipt says, and that the pick is what a verifier counts. */
import { describe, expect, it } from 'vitest';
import { freshMark, specOf } from '../../bench/fresh-marks.js';
import { randomStream } from '../../src/embed/random.js';
import { Receipt } from '../../src/embed/receipt.js';
import { selectCandidate, selectionReceipt } from '../../src/embed/select.js';
import { bindMark, type Mark } from '../../src/marks/mark.js';
import { detect } from '../../src/verify/detect.js';
import { newPairSet } from '../../src/verify/pairs.js';
import { scoreOf, tallyPairs } from '../../src/verify/tally.js';

const key = new Uint8Array(32).fill(5);
const chacha = { prf: 'chacha8-v1', contextWidth: 2 } as const;
const marks: readonly Mark[] = [
	freshMark('kgw', 1, key),
	freshMark('gumbel', 4, key),
	bindMark(specOf({ ...chacha, scheme: { name: 'kgw', gamma: 0.25, delta: 2, seeding: 'min' } }), key),
	bindMark(specOf({ ...chacha, scheme: { name: 'synthid', depth: 30 } }), key),
	bindMark(specOf({ ...chacha, scheme: { name: 'synthid', depth: 8, weights: 'linear' } }), key),
	bindMark(specOf({ ...chacha, scheme: { name: 'unigram', gamma: 0.25, delta: 2 }, contextWidth: 0 }), key),
	bindMark(specOf({ ...chacha, scheme: { name: 'gumbel' }, start: 'pad' }), key),
	bindMark(specOf({ ...chacha, scheme: { name: 'gumbel' }, selector: 'keyed', share: 100 }), key),
];

/** Texts with repeats, so that distinct pairs are fewer than pairs. */
function texts(count: number, length: number, seed: string): number[][] {
	const random = randomStream(seed);
	return Array.from({ length: count }, () =>
		Array.from({ length }, () => Math.floor(40 * random.next() ** 2)),
	);
}
const nameOf = ({ spec }: Mark) => `${spec.scheme.name} ${spec.contextWidth} ${spec.start} ${spec.selector}`;

describe('selectCandidate', () => {
	it.each(marks.map((mark) => [nameOf(mark), mark] as const))(
		'scores what a verifier scores, and picks the best (%s)',
		(_name, mark) => {
			const given = texts(1, 30, 'given')[0];
			const candidates = texts(16, 90, 'equal');
			const tallies = candidates.map((tokens) => {
				const pairs = newPairSet(mark.spec);
				pairs.add(tokens, given);
				return tallyPairs(pairs, mark);
			});
			const { index, score, pairs, selection } = selectCandidate(candidates, mark, { given });
			expect(selection).toEqual({ candidates: 16, mark: mark.id });
			expect(pairs).toBe(tallies[index].scored);
			expect(score).toBeCloseTo(scoreOf(tallies[index]) / pairs, 12);
			// The order of evidence: no other candidate has a markedly smaller p-value.
			const log10Ps = candidates.map((tokens) => detect('x', tokens, [mark], { given }).log10P);
			expect(log10Ps[index]).toBeLessThan(Math.min(...log10Ps) + 0.15);
		},
	);

	it('favours no length: unmarked candidates of 30 and 120 tokens win equally often (error 1e-3)', () => {
		const trials = 1000;
		const short = texts(trials, 30, 'short');
		const long = texts(trials, 120, 'long');
		const mark = marks[1];
		const wins = short.filter((tokens, i) => selectCandidate([tokens, long[i]], mark).index === 0).length;
		// Three and a third standard deviations, and as much again for the skew of short sums.
		expect(Math.abs(wins / trials - 0.5)).toBeLessThan(0.1);
	});

	it('ties, and texts without a scored pair, go to the earlier candidate', () => {
		const [mark] = marks;
		const [a, b] = texts(2, 50, 'ties');
		expect(selectCandidate([a, a], mark).index).toBe(0);
		const better = selectCandidate([a, b], mark).index;
		expect(selectCandidate([b, a], mark).index).toBe(1 - better);
		expect(selectCandidate([[], [3]], mark)).toMatchObject({ index: 0, score: 0, pairs: 0 });
		expect(selectCandidate([[], a], mark).index).toBe(1);
	});

	it('refuses an empty list', () => {
		expect(() => selectCandidate([], marks[0])).toThrow(/at least one candidate/);
	});
});

describe('the receipt of a selected text', () => {
	it('is a receipt, and says out of how many it was picked under which mark', () => {
		const candidates = texts(4, 60, 'receipt');
		const { index, selection } = selectCandidate(candidates, marks[0]);
		const receipt = Receipt.parse(
			selectionReceipt(candidates[index], selection, { id: 'a', temperature: 0.7 }),
		);
		expect(receipt).toMatchObject({
			id: 'a',
			temperature: 0.7,
			tokens: 60,
			marks: [marks[0].id],
			segments: [{ tokens: 60, tilted: 0, keyed: 0 }],
			selection: { candidates: 4, mark: marks[0].id },
		});
		const { selection: _, ...before } = receipt;
		expect(Receipt.parse(before)).toEqual(before);
	});
});
