/** Records of any size: cut into parts, found where they are marked, and left out where a prompt is too long. */
import { describe, expect, test } from 'vitest';
import { freshMark } from '../../bench/fresh-marks.js';
import type { Tokenizer } from '../../src/corpus/tokenizer.js';
import { createMarker } from '../../src/embed/marker.js';
import type { BoundGroup } from '../../src/scan/plan.js';
import {
	type Candidate,
	newShardScan,
	PART,
	PIECE_CHARACTERS,
	PROMPT_CHARACTERS,
} from '../../src/scan/shard-scan.js';
import { newJudge } from '../../src/scan/verdicts.js';
import { randomSource } from '../stats/random.js';

const V = 1000;
const mark = freshMark('gumbel', 4, new Uint8Array(32).fill(3));
const other = freshMark('kgw', 1, new Uint8Array(32).fill(4));
const uniform = randomSource(31);
const unmarked = (length: number) => Array.from({ length }, () => Math.floor(uniform() * V));
function marked(length: number): number[] {
	const marker = createMarker({ marks: [mark], vocabSize: V });
	const generation = marker.start({ seed: 'long' });
	for (let i = 0; i < length; i++) marker.step([generation], new Float32Array(V));
	return [...generation.tokens];
}

/** A word of three figures and a space is a token. */
const words = {
	encode: (text: string) => Array.from(text.matchAll(/\d+/g), ([word]) => Number(word)),
} as Pick<Tokenizer, 'encode'> as Tokenizer;
const textOf = (tokens: readonly number[]) =>
	tokens.map((token) => `${String(token).padStart(3, '0')} `).join('');

const judgeOf = { mark, searchBits: 0, shape: 1 };
const groups: BoundGroup[] = [
	{
		number: 0,
		tokenizer: words,
		fingerprint: null,
		marks: [{ mark: other, searchBits: 0, shape: 0 }, judgeOf],
		judges: [judgeOf],
		shapes: [
			{ contextWidth: 1, start: 'skip', narrow: false },
			{ contextWidth: 4, start: 'skip', narrow: false },
		],
	},
];

function scanned(records: readonly { id: string; text: string; prompt?: string }[]) {
	const candidates: Candidate[] = [];
	const tooLarge: string[] = [];
	const scan = newShardScan(groups, {
		candidate: (candidate) => candidates.push(candidate),
		tooLarge: (message) => tooLarge.push(message),
		cells() {},
	});
	scan.add(records);
	const totals = scan.finish();
	return { totals, samples: scan.samples.map((sample) => sample.windows()), candidates, tooLarge };
}

describe('a scan of a shard', () => {
	test('cuts a long text into parts, loses no token, and says where in the record a marked passage is', () => {
		const at = 270_000;
		const passage = marked(200);
		const tokens = [...unmarked(at), ...passage, ...unmarked(20_000)];
		const text = textOf(tokens);
		expect(text.length).toBeGreaterThan(PIECE_CHARACTERS);
		const { totals, candidates } = scanned([{ id: 'long', text }]);
		expect(totals).toMatchObject({ records: 1, tokens: tokens.length });
		expect(totals.judged).toBeGreaterThanOrEqual(Math.ceil(tokens.length / PART));
		const judge = newJudge(groups, () => false);
		const best = candidates
			.map((candidate) => judge.judge(candidate))
			.reduce((most, one) => (one.logE > most.logE ? one : most));
		expect(best.logE).toBeGreaterThan(Math.log(1e6));
		const [first, last] = best.marks[0].tokens ?? [0, 0];
		expect(first).toBeGreaterThan(at - 200);
		expect(last).toBeLessThan(at + 400);
		expect(new Set(candidates.map(({ part }) => part)).size).toBe(candidates.length);
	});

	test('judges a record without the contexts that were given, and keeps no prompt', () => {
		const passage = marked(200);
		const judge = newJudge(groups, () => false);
		const given = { id: 'given', prompt: textOf(passage.slice(0, 100)), text: textOf(passage) };
		const [candidate] = scanned([given]).candidates;
		const [whole] = scanned([{ ...given, prompt: '' }]).candidates;
		expect(judge.judge(whole).marks[0].scored).toBe(196);
		// Contexts of four that lie in the first hundred: 97.
		expect(candidate.left[1]).toEqual(Array.from({ length: 97 }, (_, i) => i));
		expect(judge.judge(candidate).marks[0].scored).toBe(99);
	});

	test('leaves out a record whose prompt is too long to hold, by name', () => {
		const { totals, tooLarge } = scanned([
			{ id: 'huge', text: '1 2 3', prompt: 'x'.repeat(PROMPT_CHARACTERS + 1) },
			{ id: 'small', text: '1 2 3' },
		]);
		expect(totals.records).toBe(1);
		expect(tooLarge).toEqual([expect.stringMatching(/^record huge: has a prompt of more than 4194304 char/)]);
	});
});
