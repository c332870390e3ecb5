/**
 * Accounts and cohorts of texts by the embedded teacher, 24,000 accounts and 10 cohorts. Keys, seeds and texts are fixed.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import { freshLayers } from '../../bench/fresh-marks.js';
import { createMarker } from '../../src/embed/marker.js';
import { randomStream } from '../../src/embed/random.js';
import { embeddedModel, embeddedPrompts, embeddedTokenizer } from '../../src/generate/embedded.js';
import { type Sample, sampleTexts } from '../../src/generate/sample.js';
import type { Mark } from '../../src/marks/mark.js';
import { newTrace, type TraceOptions } from '../../src/verify/trace.js';
import { refusal } from '../refusal.js';

const random = randomStream('test/trace');
const cohorts = Array.from({ length: 10 }, (_, i) => `cohort-${i}`);
const tokenizer = embeddedTokenizer();
const marks = freshLayers(random, cohorts, tokenizer.fingerprint);
const accounts = Array.from({ length: 24_000 }, (_, i) => `account-${i}`);
/** Account of the i-th text. */
const accountOf = (i: number) => accounts[i * 101];
const TEXTS = 96;
let texts: Sample[];
let unmarked: Sample[];

beforeAll(() => {
	const model = embeddedModel('teacher');
	const sample = (some: readonly Mark[], from: number, starts?: object[]) => {
		const marker = createMarker({
			marks: some,
			vocabSize: model.vocabSize,
			specialTokens: tokenizer.specialTokens,
		});
		const prompts = embeddedPrompts().slice(from, from + TEXTS);
		const options = { model, tokenizer, marker, prompts, maxTokens: 112, seed: `trace-${from}` };
		return [...sampleTexts({ ...options, ...(starts && { starts }) })];
	};
	texts = sample(
		marks,
		0,
		Array.from({ length: TEXTS }, (_, i) => ({ account: accountOf(i), cohort: cohorts[i % 2] })),
	);
	unmarked = sample([], TEXTS);
}, 60_000);

function traceOf(
	records: readonly { id: string; tokens: readonly number[] }[],
	options: Partial<TraceOptions> = {},
) {
	const trace = newTrace({ marks, accounts, ...options });
	const rows = records.map((record) => trace.add(record));
	return { rows, result: trace.result() };
}

describe('records of 112 tokens', () => {
	test('name their account, and no other', () => {
		const { rows, result } = traceOf(texts);
		const right = rows.filter(({ named }, i) => named.some(({ account }) => account === accountOf(i)));
		expect(right.length).toBeGreaterThanOrEqual(0.95 * TEXTS);
		rows.forEach(({ named }, i) => {
			for (const { account } of named) expect(account).toBe(accountOf(i));
		});
		expect(result).toMatchObject({ records: TEXTS, gated: TEXTS, hypotheses: 24_000 });
		const owners = new Set(texts.map((_, i) => accountOf(i)));
		for (const { account } of result.accounts) expect(owners).toContain(account);
		expect(result.accounts.length).toBeGreaterThanOrEqual(right.length);
	});
	test('without a mark are stopped at the gate', () => {
		const { rows, result } = traceOf(unmarked);
		expect(result.gated).toBeLessThanOrEqual(4);
		expect(rows.flatMap(({ named }) => named)).toEqual([]);
		expect(result.accounts).toEqual([]);
		expect(result.cohorts.filter(({ found }) => found)).toEqual([]);
	});
	test('are held against codewords, not against the key: fresh accounts are not named, gate or none', () => {
		const others = accounts.map((account) => `not ${account}`);
		const { rows, result } = traceOf([...texts, ...unmarked], { accounts: others, gate: 1 });
		expect(rows.flatMap(({ named }) => named)).toEqual([]);
		expect(result.accounts).toEqual([]);
	});
	test('show their cohorts and no other', () => {
		const { result } = traceOf(texts);
		expect(result.cohorts).toHaveLength(10);
		expect(result.cohorts.filter(({ found }) => found).map(({ cohort }) => cohort)).toEqual(
			expect.arrayContaining(['cohort-0', 'cohort-1']),
		);
		for (const { cohort, found } of result.cohorts)
			if (found) expect(['cohort-0', 'cohort-1']).toContain(cohort);
	});
	test('of two accounts, halves joined, name those two at most', () => {
		const joined = texts.slice(0, 90).map(({ id, tokens }, i) => ({
			id,
			tokens: [...tokens.slice(0, 56), ...unmarked[i].tokens.slice(0, 40), ...texts[i + 1].tokens.slice(56)],
		}));
		const { rows, result } = traceOf(joined);
		rows.forEach(({ named }, i) => {
			for (const { account } of named) expect([accountOf(i), accountOf(i + 1)]).toContain(account);
		});
		const owners = new Set(texts.map((_, i) => accountOf(i)));
		for (const { account } of result.accounts) expect(owners).toContain(account);
	});
});

test('records too short to name anybody add up over an account', () => {
	// Ten accounts in 24 records each, of 32 tokens: of the 28 contexts half are the account layer's.
	const model = embeddedModel('teacher');
	const marker = createMarker({ marks, vocabSize: model.vocabSize, specialTokens: tokenizer.specialTokens });
	const starts = Array.from({ length: 240 }, (_, i) => ({ account: accountOf(i % 10) }));
	const prompts = embeddedPrompts().slice(300, 540);
	const options = { model, tokenizer, marker, prompts, maxTokens: 32, seed: 'short', starts };
	const all = [...sampleTexts(options)];
	const { rows } = traceOf(all);
	const silent = all.filter((_, i) => rows[i].named.length === 0);
	const { result } = traceOf(silent);
	expect(result.named).toBe(0);
	const owners = new Set(starts.map(({ account }) => account));
	for (const { account } of result.accounts) expect(owners).toContain(account);
	expect(result.accounts.length).toBeGreaterThanOrEqual(7);
});

test('an account is found in the epoch in which it was served', () => {
	const later = freshLayers(random, [], tokenizer.fingerprint).map((mark) => ({
		...mark,
		spec: { ...mark.spec, epoch: 1 },
	}));
	const { result } = traceOf(texts.slice(0, 20), { marks: [...marks, ...later] });
	expect(result.hypotheses).toBe(48_000);
	expect(result.accounts.length).toBeGreaterThanOrEqual(18);
	for (const { epochs } of result.accounts) expect(epochs).toEqual([0, 0]);
});

test('a key that nobody committed to names nobody: it could have been chosen so that it fits', () => {
	const { rows, result } = traceOf(texts, { searchBits: 256 });
	expect(rows.flatMap(({ named }) => named)).toEqual([]);
	expect(result.accounts).toEqual([]);
	expect(result.cohorts.filter(({ found }) => found)).toEqual([]);
});

describe('what is refused', () => {
	const [shape, choice, account] = marks;
	test.each<[string, Partial<TraceOptions>, RegExp]>([
		['no account layer', { marks: [shape, choice] }, /no mark of the account layer/],
		['an account layer alone', { marks: [account] }, /needs the deployment's choice mark/],
		['nobody to name', { accounts: [] }, /no account is given/],
		['an account twice', { accounts: ['a', 'b', 'a'] }, /1 accounts are given twice/],
	])('%s', (_what, options, sentence) => {
		expect(refusal(() => newTrace({ marks, accounts, ...options }))).toMatch(sentence);
	});
});
