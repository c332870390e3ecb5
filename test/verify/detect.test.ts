import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { freshMark, specOf } from '../../bench/fresh-marks.js';
import { bindMark } from '../../src/marks/mark.js';
import { VllmConfig, vllmMark } from '../../src/marks/vllm-config.js';
import { detect } from '../../src/verify/detect.js';
import { newPairSet } from '../../src/verify/pairs.js';
import { mergeTallies, scoreOf, tallyPairs } from '../../src/verify/tally.js';
import { TestResult } from '../../src/verify/test-result.js';
import { upstreamVllm } from '../../src/verify/upstream.js';

interface Case {
	readonly vllm: unknown;
	readonly tokens: number[];
	readonly expect: { readonly scored: number; readonly score: number; readonly log10P: number };
}
const { cases } = JSON.parse(readFileSync('test/vectors/vllm-gumbel.json', 'utf8')) as { cases: Case[] };
const key = (byte: number) => new Uint8Array(32).fill(byte);

describe("vLLM's gumbel", () => {
	it.each(cases.map((one, i) => [i, one] as const))("case %i: upstream's numbers to 1e-9", (_i, one) => {
		const upstream = upstreamVllm(one.tokens, VllmConfig.parse(one.vllm));
		expect(upstream.scored).toBe(one.expect.scored);
		expect(Math.abs(upstream.score / one.expect.score - 1)).toBeLessThan(1e-9);
		expect(Math.abs(upstream.log10P / one.expect.log10P - 1)).toBeLessThan(1e-9);
	});

	it('our own test scores distinct pairs and lies on the safe side of the plain gamma tail', () => {
		const config = VllmConfig.parse({ algorithm: 'gumbel', key: '7', context_width: 2 });
		const tokens = Array.from({ length: 300 }, (_, i) => (i * i * 31) % 997);
		const ours = detect('x', tokens, [vllmMark(config)]);
		const theirs = upstreamVllm(tokens, config);
		expect(ours.scored).toBeGreaterThanOrEqual(theirs.scored);
		if (ours.scored === theirs.scored) expect(ours.log10P).toBeGreaterThanOrEqual(theirs.log10P);
	});
});

describe('distinct pairs', () => {
	const mark = freshMark('kgw', 2, key(1));

	it('count a repeated text once', () => {
		const text = Array.from({ length: 200 }, (_, i) => (i * 37) % 101);
		const once = newPairSet(mark.spec);
		const often = newPairSet(mark.spec);
		once.add(text);
		for (let i = 0; i < 50; i++) often.add(text);
		expect(tallyPairs(often, mark)).toEqual(tallyPairs(once, mark));
	});

	it('leave out contexts that the prompt holds, whatever token follows', () => {
		const pairs = newPairSet(mark.spec);
		pairs.add([1, 2, 3, 1, 2, 4, 5, 6], [9, 1, 2, 9]);
		const seen: string[] = [];
		pairs.forEach((context, token) => {
			seen.push(`${context}>${token}`);
		});
		expect(seen).toEqual(['2,3>1', '3,1>2', '2,4>5', '4,5>6']);
	});

	it('of a marked prompt do not count, even where copying changed the window around the seed', () => {
		const spec = specOf({
			scheme: { name: 'kgw', gamma: 0.25, delta: 2, seeding: 'min' },
			prf: 'chacha8-v1',
			contextWidth: 4,
		});
		const min = bindMark(spec, key(6));
		const tokens = [1, 2, 3, 4];
		while (tokens.length < 400) {
			const logits = Float32Array.from(
				{ length: 300 },
				(_, t) => ((t * 7919 + tokens.length * 31) % 300) / 150,
			);
			min.scheme.tilt?.(tokens.slice(-4), logits);
			tokens.push(logits.indexOf(Math.max(...logits)));
		}
		expect(detect('x', tokens, [min]).log10P).toBeLessThan(-20);
		// Every fifth token of the prompt is replaced: no window is whole, most seeds and their tokens are.
		const copy = tokens.map((token, i) => (i % 5 === 0 ? 500 + i : token));
		expect(detect('x', copy, [min]).log10P).toBeLessThan(-6);
		expect(detect('x', copy, [min], { given: tokens }).log10P).toBeGreaterThan(-2);
	});

	it('need a whole context unless the mark pads', () => {
		const skip = newPairSet({ contextWidth: 4, start: 'skip' });
		const pad = newPairSet({ contextWidth: 4, start: 'pad' });
		skip.add([1, 2, 3, 4, 5]);
		pad.add([1, 2, 3, 4, 5]);
		expect([skip.size, pad.size]).toEqual([1, 5]);
	});

	it('give tallies that merge to the tally of the whole', () => {
		const gumbel = freshMark('gumbel', 1, key(2));
		const [left, right, whole] = [0, 1, 2].map(() => newPairSet(gumbel.spec));
		left.add([1, 2, 3, 4, 5, 6]);
		right.add([11, 12, 13, 14]);
		whole.add([1, 2, 3, 4, 5, 6]);
		whole.add([11, 12, 13, 14]);
		const merged = mergeTallies(tallyPairs(right, gumbel), tallyPairs(left, gumbel));
		expect(merged).toEqual(tallyPairs(whole, gumbel));
		expect(scoreOf(merged)).toBeGreaterThan(0);
	});
});

describe('detect', () => {
	const mark = freshMark('gumbel', 1, key(3));
	/** The text that the key alone would write: the strongest mark there can be. */
	const written = (length: number) => {
		const tokens = [5];
		const flat = new Float32Array(500);
		while (tokens.length < length)
			tokens.push(mark.scheme.draw?.(tokens.slice(-1), flat, { next: () => 0 }) ?? 0);
		return tokens;
	};

	it('finds a marked text, and not under another key', () => {
		const tokens = written(40);
		expect(detect('x', tokens, [mark]).verdict).toBe('marked');
		expect(detect('x', tokens, [freshMark('gumbel', 1, key(4))]).verdict).not.toBe('marked');
	});

	it('pays for every mark, and for keys that were not committed', () => {
		const tokens = written(12);
		const alone = detect('x', tokens, [mark]);
		const two = detect('x', tokens, [mark, freshMark('kgw', 1, key(5))]);
		const searched = detect('x', tokens, [mark], { searchBits: 64 });
		expect(two.log10PCorrected).toBeCloseTo(alone.log10P + Math.log10(2), 10);
		expect(searched.log10PCorrected).toBeCloseTo(Math.min(0, alone.log10P + 64 * Math.log10(2)), 10);
		expect([two.hypotheses, searched.searchBits]).toEqual([2, 64]);
	});

	it('says when there is too little to tell', () => {
		expect(detect('x', [1, 2, 3], [mark]).verdict).toBe('too-little-data');
		expect(detect('x', [], [mark])).toMatchObject({
			verdict: 'too-little-data',
			scored: 0,
			pValue: 1,
			log10P: 0,
		});
		const long = Array.from({ length: 3000 }, (_, i) => (i * 7919) % 499);
		expect(detect('x', long, [mark]).verdict).toBe('no-evidence');
	});

	it('keeps log10 p exact where the p-value underflows', () => {
		const strong = {
			...mark,
			scheme: {
				...mark.scheme,
				scores: (_: Uint32Array, count: number, out: Float64Array) => out.fill(2 ** 32 * 8, 0, count),
			},
		};
		const long = Array.from({ length: 1800 }, (_, i) => i % 490);
		const pairs = [...long.keys()].map((i) => (i * i + i) % 483);
		const result = detect('x', pairs, [strong]);
		expect(result.pValue).toBe(0);
		expect(result.log10P).toBeLessThan(-400);
		expect(Number.isFinite(result.log10P)).toBe(true);
	});

	it('gives results that its own schema accepts', () => {
		const result = detect('x', written(30), [mark]);
		expect(TestResult.safeParse(result.tests[0]).success).toBe(true);
	});
});
