/** The sequential test under optional stopping: fresh keys over the shipped unmarked student, and the marked one. */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { band } from '../../bench/calibration.js';
import { freshKey, freshMark, specOf } from '../../bench/fresh-marks.js';
import { sequentialRates, studentAnswers } from '../../bench/sequential-nulls.js';
import { randomStream } from '../../src/embed/random.js';
import { openKeyring } from '../../src/keys/keyring.js';
import { bindMark, type Mark } from '../../src/marks/mark.js';
import { SCORE_UNIT } from '../../src/schemes/fixed-log.js';
import { logPValue } from '../../src/verify/null-law.js';
import { newPairSet } from '../../src/verify/pairs.js';
import { newSequentialTest, SequentialResult } from '../../src/verify/sequential.js';
import { tallyPairs } from '../../src/verify/tally.js';

const KEYS = 1_000;
const chacha = { prf: 'chacha8-v1', contextWidth: 1 } as const;
const kgw = specOf({ scheme: { name: 'kgw', gamma: 0.25, delta: 2 }, ...chacha });
const lists = specOf({
	scheme: { name: 'kgw', gamma: 0.25, delta: 2, vocabSize: 16 },
	prf: 'transformers-kgw-v1',
	contextWidth: 1,
});
/** Every second answer with a reference's probabilities. */
const unmarked = studentAnswers('student-unmarked', 12, 48).map(({ prompt, answer }, i) =>
	i % 2 === 0 ? { prompt, answer } : { prompt, answer, expected: answer.map((id) => (id % 97) / 97) },
);
const few = unmarked.map(({ prompt, answer, expected }) => ({
	prompt: prompt.map((id) => id % 16),
	answer: answer.map((id) => id % 16),
	...(expected === undefined ? {} : { expected }),
}));
let marks: Mark[];

beforeAll(async () => {
	const ring = await openKeyring(JSON.parse(readFileSync('models/keys/keyring.json', 'utf8')), () => '');
	marks = ring.marks.map((spec) => ring.bind(spec, 'embed'));
});

describe('under the null', () => {
	it.each([
		{ name: 'kgw', spec: kgw, answers: unmarked },
		{ name: 'kgw with lists of exact size', spec: lists, answers: few.map(withoutPrompt) },
		{
			name: 'synthid',
			spec: specOf({ scheme: { name: 'synthid', depth: 4 }, channel: 'shape', ...chacha }),
			answers: unmarked,
		},
		{ name: 'gumbel', spec: specOf({ scheme: { name: 'gumbel' }, ...chacha }), answers: unmarked },
	])('stopping at the first crossing rejects within the level: $name', ({ name, spec, answers }) => {
		for (const { level, rate } of sequentialRates(answers, spec, KEYS, name).rates)
			expect(rate).toBeLessThanOrEqual(band(KEYS, level, 1e-4)[1]);
	});

	it('where stopping at the first low p-value would not', () => {
		const random = randomStream('sequential/peeking');
		let rejected = 0;
		for (let i = 0; i < KEYS; i++) {
			const mark = bindMark(kgw, freshKey(kgw, random));
			const pairs = newPairSet(kgw);
			rejected += Number(
				unmarked.some(({ prompt, answer }) => {
					pairs.add(answer, prompt);
					return logPValue(tallyPairs(pairs, mark), mark.scheme.null) <= Math.log(0.05);
				}),
			);
		}
		expect(rejected / KEYS).toBeGreaterThan(band(KEYS, 0.05, 1e-4)[1]);
	});
});

describe('what enters', () => {
	const mark = freshMark('kgw', 1, new Uint8Array(32).fill(7));

	it('is each pair once: a repeated answer adds nothing', () => {
		const test = newSequentialTest(mark);
		const first = test.add(unmarked[1]);
		expect(first.scored).toBeGreaterThan(20);
		expect(test.add(unmarked[1])).toEqual({ ...first, answers: 2 });
		expect(test.add({ prompt: [], answer: [...unmarked[1].answer].slice(5, 20) })).toMatchObject({
			scored: first.scored,
			log10E: first.log10E,
		});
	});

	it('does not depend on the order without a reference, and does with one', () => {
		const evidence = (answers: typeof unmarked) => {
			const test = newSequentialTest(mark);
			for (const answer of answers) test.add(answer);
			return test.result().log10E;
		};
		const plain = unmarked.map(({ answer }) => ({ prompt: [], answer }));
		expect(evidence([...plain].reverse())).toBe(evidence(plain));
		expect(evidence([...unmarked].reverse())).not.toBe(evidence(unmarked));
	});

	it('leaves out what the prompt holds', () => {
		const [{ answer }] = studentAnswers('student-marked', 1, 96);
		const [shape] = marks;
		expect(newSequentialTest(shape).add({ prompt: answer, answer }).scored).toBe(0);
		expect(newSequentialTest(shape).add({ prompt: [], answer }).scored).toBeGreaterThan(60);
		const [hashed] = [bindMark(lists, freshKey(lists, randomStream('prompt')))];
		expect(newSequentialTest(hashed).add({ prompt: few[0].answer, answer: few[0].answer }).scored).toBe(0);
	});

	it('carries a weight of 0 where the reference was certain', () => {
		const { answer } = unmarked[0];
		const result = newSequentialTest(mark).add({ prompt: [], answer, expected: answer.map(() => 1) });
		expect(result.log10E).toBeCloseTo(0, 6);
	});
});

it('reaches 1e6 on the marked student within sixteen answers, and stays there', () => {
	const shape = marks.find(({ spec }) => spec.channel === 'shape') as Mark;
	const test = newSequentialTest(shape, { level: 1e-6 });
	const results = studentAnswers('student-marked', 20, 112).map((answer) => test.add(answer));
	expect(results[0].reached).toBe(false);
	expect(results.slice(15).every(({ reached }) => reached)).toBe(true);
	expect(SequentialResult.parse(results[19])).toEqual(results[19]);
	const corrected = newSequentialTest(shape, { level: 1e-6, hypotheses: 10 }).add(unmarked[0]);
	expect(corrected.log10PCorrected).toBeCloseTo(Math.min(0, corrected.log10P + 1), 12);
});

it('agrees with the worked example of docs/statistics.md', () => {
	const half = bindMark(
		specOf({ scheme: { name: 'kgw', gamma: 0.5, delta: 2 }, ...chacha }),
		new Uint8Array(32),
	);
	const green: Mark = {
		...half,
		scheme: { ...half.scheme, scores: (_rows, count, out) => void out.fill(SCORE_UNIT, 0, count) },
	};
	const test = newSequentialTest(green, { level: 0.05 });
	const e = (answer: number[], expected?: number[]) => {
		const { log10E, reached } = test.add({ prompt: [], answer, ...(expected && { expected }) });
		return [(10 ** log10E).toFixed(2), reached];
	};
	expect(e([1, 2, 3, 4, 5, 6])).toEqual(['7.65', false]);
	expect(e([1, 2, 3, 4, 5, 6])).toEqual(['7.65', false]);
	expect(e([6, 7, 8, 9], [0.5, 0.5, 0.5, 0.5])).toEqual(['36.34', true]);
});

describe('refusals', () => {
	const mark = freshMark('gumbel', 1, new Uint8Array(32));
	it('are one sentence', () => {
		const add = (answer: object) => () => newSequentialTest(mark).add(answer as never);
		expect(add({ prompt: [], answer: [1, 2], expected: [0.5] })).toThrow(/one probability for each token/);
		expect(add({ prompt: [], answer: [1, -2] })).toThrow(/answer/);
		expect(add({ prompt: [], answer: [1, 2], expected: [0.5, 1.5] })).toThrow(/expected/);
		expect(() => newSequentialTest(mark, { level: 0 })).toThrow(/level/);
	});

	it.each([
		specOf({
			scheme: { name: 'synthid', depth: 30, tableSize: 65_536, tableSeed: 0 },
			prf: 'transformers-synthid-v1',
			contextWidth: 4,
		}),
		specOf({ scheme: { name: 'synthid', depth: 30 }, prf: 'deepmind-synthid-v1', contextWidth: 4 }),
		specOf({ scheme: { name: 'exp-edit', keyLength: 48 }, prf: 'chacha8-v1', contextWidth: 0 }),
	])('meet marks without a law that holds one score after another: $prf $scheme.name', (spec) => {
		const unsuited = bindMark(spec, freshKey(spec, randomStream('unsuited')));
		expect(() => newSequentialTest(unsuited)).toThrow(/no proven bound|no law/);
	});
});

function withoutPrompt<T extends { prompt: number[] }>(answer: T): T {
	return { ...answer, prompt: [] };
}
