import chisquareCdf from '@stdlib/stats-base-dists-chisquare-cdf';
import { describe, expect, it } from 'vitest';
import { freshMark } from '../../bench/fresh-marks.js';
import { createMarker, type Marker } from '../../src/embed/marker.js';
import { randomStream } from '../../src/embed/random.js';
import type { Mark } from '../../src/marks/mark.js';
import { SCORE_UNIT } from '../../src/schemes/fixed-log.js';
import { scoreOfWindow } from '../../src/schemes/scheme.js';
import { detect } from '../../src/verify/detect.js';

const V = 64;
const flat = new Float32Array(V);
const random = randomStream('test/marker');
const freshKey = () => Uint8Array.from({ length: 32 }, () => Math.floor(256 * random.next()));
const pair = (): [Mark, Mark] => [freshMark('kgw', 1, freshKey()), freshMark('gumbel', 4, freshKey())];

/** Runs a marker for some steps on one logits vector. */
function write(marker: Marker, steps: number, seed: string, logits = flat): number[] {
	const generation = marker.start({ seed });
	for (let step = 0; step < steps; step++) marker.step([generation], logits);
	return [...generation.tokens];
}

/** p-value of observed counts against expected shares. */
function chiSquareP(counts: readonly number[], shares: readonly number[]): number {
	const total = counts.reduce((sum, count) => sum + count, 0);
	const used = shares.map((share, i) => [counts[i], share * total]).filter(([, expected]) => expected > 0);
	const statistic = used.reduce((sum, [count, expected]) => sum + (count - expected) ** 2 / expected, 0);
	return 1 - chisquareCdf(statistic, used.length - 1);
}

describe('what the channels do to the distribution (chi-square, error 1e-4 each)', () => {
	const logits = Float32Array.from({ length: 12 }, (_, i) => -i / 4);
	const weights = Array.from(logits, Math.exp);
	const total = weights.reduce((sum, weight) => sum + weight, 0);
	const shares = weights.map((weight) => weight / total);

	it('the choice channel changes nothing over keys', () => {
		const counts = new Array<number>(12).fill(0);
		for (let i = 0; i < 20_000; i++) {
			const marker = createMarker({
				marks: [freshMark('gumbel', 1, freshKey())],
				vocabSize: 12,
				unkeyedShare: 0,
			});
			const generation = marker.start({ seed: `${i}` });
			for (let step = 0; step < 2; step++) marker.step([generation], logits);
			if (generation.finish().segments[0].keyed !== 1) throw new Error('the second step must be keyed');
			counts[generation.tokens[1]]++;
		}
		expect(chiSquareP(counts, shares)).toBeGreaterThan(1e-4);
	});

	it('the shape channel makes green as likely as delta says', () => {
		// Given the list, P(green) = e^δ·w(green) / (e^δ·w(green) + w(red)); its mean over keys is compared.
		const observed = [0, 0];
		let expected = 0;
		const tests = 20_000;
		for (let i = 0; i < tests; i++) {
			const mark = freshMark('kgw', 1, freshKey());
			const marker = createMarker({ marks: [mark], vocabSize: 12 });
			const generation = marker.start({ seed: `${i}` });
			for (let step = 0; step < 2; step++) marker.step([generation], logits);
			const [context, token] = generation.tokens;
			const green = shares.map((share, t) =>
				scoreOfWindow(mark.scheme, [context], t) === SCORE_UNIT ? share : 0,
			);
			const greenShare = green.reduce((sum, share) => sum + share, 0);
			const tilted = greenShare * Math.exp(2);
			expected += tilted / (tilted + 1 - greenShare) / tests;
			observed[green[token] > 0 ? 0 : 1]++;
		}
		expect(expected).toBeGreaterThan(0.4);
		expect(chiSquareP(observed, [expected, 1 - expected])).toBeGreaterThan(1e-4);
	});
});

describe('both channels in one text', () => {
	const marks = pair();
	const tokens = write(createMarker({ marks, vocabSize: V }), 600, 'both');

	it('are each found by their own test', () => {
		const { tests, verdict } = detect('x', tokens, marks);
		expect(verdict).toBe('marked');
		for (const test of tests) expect(test.log10P).toBeLessThan(-20);
	});

	it('are not found under other keys, nor when the other channel alone is embedded', () => {
		const others = pair();
		for (const test of detect('x', tokens, others).tests) expect(test.log10P).toBeGreaterThan(-6);
		const [shape, choice] = marks;
		const shapeOnly = detect('x', write(createMarker({ marks: [shape], vocabSize: V }), 600, 'shape'), marks);
		const choiceOnly = detect(
			'x',
			write(createMarker({ marks: [choice], vocabSize: V }), 600, 'choice'),
			marks,
		);
		expect(shapeOnly.tests[0].log10P).toBeLessThan(-20);
		expect(shapeOnly.tests[1].log10P).toBeGreaterThan(-6);
		expect(choiceOnly.tests[0].log10P).toBeGreaterThan(-6);
		expect(choiceOnly.tests[1].log10P).toBeLessThan(-20);
	});
});

describe('boundaries', () => {
	const [shape, choice] = pair();
	const sharp = Float32Array.from({ length: V }, (_, i) => (i === 7 ? 50 : 0));

	it('no context reaches before the answer, across a special token or into another segment', () => {
		const marker = createMarker({ marks: [choice], vocabSize: V, specialTokens: [7], unkeyedShare: 0 });
		const generation = marker.start({ prompt: [1, 2, 3, 4, 5], seed: 'a' });
		const noEnd = Float32Array.from({ length: V }, (_, i) => (i === 7 ? -Infinity : 0));
		for (let i = 0; i < 6; i++) marker.step([generation], noEnd);
		marker.step([generation], sharp);
		for (let i = 0; i < 6; i++) marker.step([generation], noEnd);
		generation.segment('tool-call', true);
		for (let i = 0; i < 5; i++) marker.step([generation], noEnd);
		const { segments, tokens } = generation.finish();
		// Steps with four visible ids before them: 2 + the special token itself, 2, 1.
		expect(segments.map(({ keyed }) => keyed)).toEqual([5, 1]);
		expect(tokens).toBe(18);
	});

	it('draws by the key once from each context, and never from one of the prompt', () => {
		const marker = createMarker({ marks: [choice], vocabSize: V, unkeyedShare: 0 });
		const repeating = marker.start({ seed: 'b' });
		const prompted = marker.start({ prompt: [7, 7, 7, 7], seed: 'b' });
		for (let i = 0; i < 20; i++) marker.step([repeating, prompted], Float32Array.from([...sharp, ...sharp]));
		expect(repeating.tokens.every((token) => token === 7)).toBe(true);
		expect(repeating.finish().segments[0].keyed).toBe(1);
		expect(prompted.finish().segments[0].keyed).toBe(0);
	});

	it('leaves unmarked segments and greedy choices alone', () => {
		const marker = createMarker({ marks: [shape, choice], vocabSize: V });
		const off = marker.start({ marked: false, seed: 'c' });
		const greedy = marker.start({ sampling: { temperature: 0 }, seed: 'c' });
		for (let i = 0; i < 10; i++) marker.step([off, greedy], new Float32Array(2 * V));
		expect(off.finish().segments[0]).toMatchObject({ marked: false, tilted: 0, keyed: 0, tokens: 10 });
		expect(greedy.finish().segments[0]).toMatchObject({ keyed: 0, tilted: 9 });
	});

	it('keeps the unkeyed share', () => {
		const marker = createMarker({ marks: [choice], vocabSize: V, unkeyedShare: 0.25 });
		const generation = marker.start({ seed: 'd' });
		for (let i = 0; i < 4000; i++) marker.step([generation], flat);
		const { keyed } = generation.finish().segments[0];
		expect(keyed / 3996).toBeGreaterThan(0.7);
		expect(keyed / 3996).toBeLessThan(0.8);
	});
});

describe('a session', () => {
	const marks = pair();
	const marker = createMarker({ marks, vocabSize: V });

	it('gives the same tokens batched and one by one, and from the same seed', () => {
		const together = ['a', 'b', 'c'].map((seed) => marker.start({ seed }));
		for (let i = 0; i < 30; i++) marker.step(together, new Float32Array(3 * V));
		expect(together.map((generation) => [...generation.tokens])).toEqual(
			['a', 'b', 'c'].map((seed) => write(marker, 30, seed)),
		);
	});

	it('forks candidates that differ and share the contexts that the key has drawn from', () => {
		const one = createMarker({ marks: [marks[1]], vocabSize: V, unkeyedShare: 0 });
		const first = one.start({ seed: 'n' });
		const second = first.fork();
		const sharp = Float32Array.from({ length: V }, (_, i) => (i === 7 ? 50 : 0));
		for (let i = 0; i < 10; i++) one.step([first, second], Float32Array.from([...sharp, ...sharp]));
		expect(first.finish().segments[0].keyed + second.finish().segments[0].keyed).toBe(1);
		const [a, b] = [marker.start({ seed: 'm' })].flatMap((generation) => [generation, generation.fork()]);
		for (let i = 0; i < 20; i++) marker.step([a, b], new Float32Array(2 * V));
		expect(a.tokens).not.toEqual(b.tokens);
		expect(a.id).not.toBe(b.id);
	});

	it("does not touch the caller's logits", () => {
		const logits = Float32Array.from({ length: V }, (_, i) => Math.sin(i));
		const before = logits.slice();
		write(marker, 10, 'logits', logits);
		expect(logits).toEqual(before);
	});

	it('says how an answer ended', () => {
		const generation = marker.start({ id: 'r1' });
		marker.step([generation], flat);
		expect(generation.abort()).toMatchObject({
			id: 'r1',
			status: 'aborted',
			tokens: 1,
			marks: marks.map((m) => m.id),
		});
		expect(() => generation.finish()).toThrow(/"r1" has ended/);
		expect(() => marker.step([generation], flat)).toThrow(/"r1" has ended/);
	});

	it.each([
		['NaN', (row: Float32Array) => row.fill(Number.NaN, 3, 4), /request "x" hold NaN at token 3/],
		['+Infinity', (row: Float32Array) => row.fill(Infinity, 5, 6), /request "x" hold Infinity at token 5/],
		['nothing allowed', (row: Float32Array) => row.fill(-Infinity), /request "x" exclude every token/],
	])('refuses logits with %s in one sentence', (_what, spoil, sentence) => {
		const row = spoil(new Float32Array(V));
		expect(() => marker.step([marker.start({ id: 'x' })], row)).toThrow(sentence);
	});

	it('refuses logits of another size, prompts outside the vocabulary, foreign requests, two choice marks', () => {
		expect(() => marker.step([marker.start()], new Float32Array(V + 1))).toThrow(/logits have 65 values/);
		expect(() => marker.start({ id: 'p', prompt: [1, V] })).toThrow(/"p": prompt token 64 at position 1/);
		const foreign = createMarker({ marks: [], vocabSize: V }).start({ id: 'f' });
		expect(() => marker.step([foreign], flat)).toThrow(/"f" was started by another marker/);
		expect(() => createMarker({ marks: [marks[1], marks[1]], vocabSize: V })).toThrow(
			/at most one choice mark/,
		);
	});
});
