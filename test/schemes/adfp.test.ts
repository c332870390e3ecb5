/** Green lists weighted by what a proxy model would learn: the bias, its law over keys, what a host sees of it. */
import chiSquareCdf from '@stdlib/stats-base-dists-chisquare-cdf';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { freshKey, specOf } from '../../bench/fresh-marks.js';
import { createMarker } from '../../src/embed/marker.js';
import { randomStream } from '../../src/embed/random.js';
import { Receipt } from '../../src/embed/receipt.js';
import {
	embeddedModel,
	embeddedPrompts,
	embeddedTokenizer,
	PROMPT_TOKENS,
} from '../../src/generate/embedded.js';
import { bindMark, type Mark } from '../../src/marks/mark.js';
import { MarkSpec } from '../../src/marks/mark-spec.js';
import { type SchemeParams, scoreOfWindow } from '../../src/schemes/scheme.js';
import { detect } from '../../src/verify/detect.js';
import { refusal } from '../refusal.js';

const V = 32;
const random = randomStream('test/adfp');
const specFor = (scheme: SchemeParams, contextWidth = 1) =>
	specOf({ scheme, prf: 'chacha8-v1', contextWidth });
function fresh(scheme: SchemeParams, contextWidth = 1): Mark {
	const spec = specFor(scheme, contextWidth);
	return bindMark(spec, freshKey(spec, random));
}

function softmax(logits: ArrayLike<number>): number[] {
	const top = Math.max(...Array.from(logits));
	const weights = Array.from(logits, (logit) => Math.exp(logit - top));
	const total = weights.reduce((sum, weight) => sum + weight, 0);
	return weights.map((weight) => weight / total);
}
const sumOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);
const greenOf = ({ scheme }: Mark, context: number[], size: number) =>
	Array.from({ length: size }, (_, token) => (scoreOfWindow(scheme, context, token) > 0 ? 1 : 0));
/** Probability of green under a distribution. */
const greenShare = (shares: readonly number[], green: readonly number[]) =>
	sumOf(shares.map((share, token) => share * green[token]));
/** The bias alone. */
function biasOf(mark: Mark, context: number[], proxy: Float32Array): Float32Array {
	const bias = new Float32Array(proxy.length);
	mark.scheme.tilt?.(context, bias, proxy);
	return bias;
}

const Logits = fc.array(fc.oneof(fc.float({ min: -30, max: 30, noNaN: true }), fc.constant(-Infinity)), {
	minLength: 2,
	maxLength: 200,
});
const Case = fc.record({
	key: fc.uint8Array({ minLength: 32, maxLength: 32 }),
	context: fc.array(fc.nat(50_000), { minLength: 1, maxLength: 5 }),
	proxy: Logits.filter((values) => values.some(Number.isFinite)),
	gamma: fc.constantFrom(1 / 256, 0.25, 0.5),
	lambda: fc.constantFrom(0.5, 16, 1024),
});

describe('the bias', () => {
	it('is λ·q·(1[green] − L), and leaves excluded tokens excluded', () => {
		fc.assert(
			fc.property(Case, Logits, ({ key, context, proxy, gamma, lambda }, values) => {
				const mark = bindMark(specFor({ name: 'adfp', gamma, lambda }, context.length), key);
				const before = Float32Array.from(proxy, (_, i) => values[i] ?? 0);
				const after = before.slice();
				mark.scheme.tilt?.(context, after, Float32Array.from(proxy));
				const green = greenOf(mark, context, proxy.length);
				const q = softmax(proxy);
				const share = greenShare(q, green);
				for (const [token, logit] of before.entries()) {
					const wanted = logit + lambda * q[token] * (green[token] - share);
					if (logit === -Infinity) expect(after[token]).toBe(-Infinity);
					else expect(Math.abs(after[token] - wanted)).toBeLessThan(1e-6 * (1 + Math.abs(wanted)));
				}
			}),
			{ seed: 20_261_201, numRuns: 100 },
		);
	});
	it('is λ times the slope of the green probability in the proxy logits; sums to 0; is at most λ/4', () => {
		fc.assert(
			fc.property(Case, ({ key, context, proxy, gamma, lambda }) => {
				const mark = bindMark(specFor({ name: 'adfp', gamma, lambda }, context.length), key);
				const bias = biasOf(mark, context, Float32Array.from(proxy));
				const green = greenOf(mark, context, proxy.length);
				const step = 1e-5;
				for (let token = 0; token < Math.min(20, proxy.length); token++) {
					const moved = (by: number) =>
						greenShare(softmax(proxy.map((logit, t) => (t === token ? logit + by : logit))), green);
					const slope = (moved(step) - moved(-step)) / (2 * step);
					expect(Math.abs(bias[token] / lambda - slope)).toBeLessThan(1e-6);
				}
				expect(Math.abs(sumOf([...bias]))).toBeLessThan(1e-6 * lambda);
				for (const one of bias) expect(Math.abs(one)).toBeLessThan(0.25000001 * lambda);
			}),
			{ seed: 20_261_202, numRuns: 100 },
		);
	});
	it('is 0 on average over keys, for every token (4.5 standard deviations)', () => {
		const proxy = Float32Array.of(2, 1, 0.5, 0, -1, -3, 1.5, -Infinity);
		const keys = 4_000;
		const mean = new Array<number>(proxy.length).fill(0);
		const square = new Array<number>(proxy.length).fill(0);
		for (let i = 0; i < keys; i++)
			for (const [token, bias] of biasOf(
				fresh({ name: 'adfp', gamma: 0.25, lambda: 16 }),
				[3],
				proxy,
			).entries()) {
				mean[token] += bias / keys;
				square[token] += bias ** 2 / keys;
			}
		for (const [token, value] of mean.entries())
			expect(Math.abs(value)).toBeLessThanOrEqual(4.5 * Math.sqrt(square[token] / keys));
		expect(Math.sqrt(square[0])).toBeGreaterThan(1);
	});
	it('needs the logits of a proxy over the same vocabulary', () => {
		const { scheme } = fresh({ name: 'adfp', gamma: 0.25, lambda: 16 });
		const sentence = "adfp needs the logits of a proxy model, 8 as the model's";
		expect(refusal(() => scheme.tilt?.([1], new Float32Array(8)))).toBe(sentence);
		expect(refusal(() => scheme.tilt?.([1], new Float32Array(8), new Float32Array(7)))).toBe(sentence);
	});
});

describe('the mark', () => {
	const spec = specFor({ name: 'adfp', gamma: 0.25, lambda: 16 }, 2);
	it('has the same green tokens as kgw under the same key', () => {
		const key = freshKey(spec, random);
		const kgw = bindMark(specFor({ name: 'kgw', gamma: 0.25, delta: 2 }, 2), key);
		expect(greenOf(bindMark(spec, key), [7, 1], 500)).toEqual(greenOf(kgw, [7, 1], 500));
		expect(bindMark(spec, key).scheme.null).toEqual(kgw.scheme.null);
	});
	it.each<[Partial<MarkSpec>, RegExp]>([
		[{ channel: 'choice' }, /^must be "shape" for scheme adfp$/],
		[{ contextWidth: 0 }, /^must be 1 or more$/],
		[{ prf: 'philox4x32-10-v1' }, /does not serve scheme adfp/],
		[{ scheme: { name: 'adfp', gamma: 0.3, lambda: 16 } }, /multiple of 1\/256/],
		[{ scheme: { name: 'adfp', gamma: 0.25, lambda: 0 } }, /expected number to be >0/],
	])('%o is refused', (part, sentence) => {
		expect(MarkSpec.safeParse({ ...spec, ...part }).error?.issues[0].message).toMatch(sentence);
	});
});

describe('a marker', () => {
	const mark = fresh({ name: 'adfp', gamma: 0.25, lambda: 16 });
	const proxyRow = Float32Array.from({ length: V }, (_, token) => 2 * Math.sin(token));

	it('tilts after the temperature, by the proxy of the row (chi-square, error 1e-3)', () => {
		const logits = Float32Array.from({ length: V }, (_, token) => Math.cos(3 * token));
		const counts = new Array<number>(V).fill(0);
		const expected = new Array<number>(V).fill(0);
		const marker = createMarker({ marks: [mark], vocabSize: V });
		const flat = new Float32Array(V);
		for (let i = 0; i < 4_000; i++) {
			const batch = [1, 2].map((row) =>
				marker.start({ seed: `${i}/${row}`, sampling: { temperature: 0.7 } }),
			);
			const rows = Float32Array.from([...flat, ...logits]);
			const proxies = Float32Array.from([...flat, ...proxyRow]);
			for (let step = 0; step < 2; step++) marker.step(batch, rows, undefined, proxies);
			const [context, token] = batch[1].tokens;
			counts[token]++;
			const bias = biasOf(mark, [context], proxyRow);
			for (const [t, share] of softmax(logits.map((logit, at) => logit / 0.7 + bias[at])).entries())
				expected[t] += share;
		}
		const statistic = sumOf(counts.map((count, token) => (count - expected[token]) ** 2 / expected[token]));
		expect(1 - chiSquareCdf(statistic, V - 1)).toBeGreaterThan(1e-3);
	});
	it('writes a text that is found, with entropies too, and says so in the receipt', () => {
		const shape = fresh({ name: 'adfp', gamma: 0.25, lambda: 64 }, 2);
		const marks = [shape, fresh({ name: 'gumbel' }, 4)];
		const marker = createMarker({ marks, vocabSize: V });
		const generation = marker.start({ seed: 'found' });
		for (let step = 0; step < 400; step++)
			marker.step([generation], new Float32Array(V), undefined, proxyRow);
		const receipt = Receipt.parse(generation.finish());
		expect(receipt.marks).toEqual(marks.map(({ id }) => id));
		expect(receipt.segments[0]).toMatchObject({ tokens: 400, tilted: 398 });
		const values = new Array<number>(400).fill(3);
		const { verdict, tests } = detect('found', generation.tokens, [shape], {
			entropies: { values, weighting: { kind: 'sweet', threshold: 1 } },
		});
		expect(verdict).toBe('marked');
		expect(tests.map(({ statistic }) => statistic)).toContain('entropy-weighted');
		for (const { log10P, scored } of tests) {
			expect(scored).toBeGreaterThan(200);
			expect(log10P).toBeLessThan(-8);
		}
		expect(detect('other', generation.tokens, [mark]).verdict).not.toBe('marked');
	});
	it('looks at proxy logits only when a mark needs them', () => {
		const marker = createMarker({ marks: [fresh({ name: 'kgw', gamma: 0.25, delta: 2 })], vocabSize: V });
		const [one, other] = [marker.start({ seed: 'x' }), marker.start({ seed: 'x' })];
		for (let step = 0; step < 20; step++) {
			marker.step([one], new Float32Array(V));
			marker.step([other], new Float32Array(V), undefined, Float32Array.of(Number.NaN));
		}
		expect(other.tokens).toEqual(one.tokens);
	});
	it.each<[string, (proxy: Float32Array) => Float32Array | undefined, string]>([
		[
			'no proxy logits',
			() => undefined,
			`mark ${mark.id.slice(0, 16)} (adfp) needs the logits of a proxy model at every step`,
		],
		[
			'proxy logits of another size',
			(proxy) => proxy.subarray(V),
			'proxy logits have 32 values; 2 requests × 32 tokens need 64',
		],
		[
			'NaN',
			(proxy) => proxy.fill(Number.NaN, V + 3, V + 4),
			'proxy logits of request "two" hold NaN at token 3; they must be numbers or -Infinity',
		],
		[
			'+Infinity',
			(proxy) => proxy.fill(Infinity, V, V + 1),
			'proxy logits of request "two" hold Infinity at token 0; they must be numbers or -Infinity',
		],
		['no token', (proxy) => proxy.fill(-Infinity, V), 'proxy logits of request "two" exclude every token'],
	])('with %s: refuses, and no request has advanced', (_what, spoil, sentence) => {
		const marker = createMarker({ marks: [mark], vocabSize: V });
		const batch = ['one', 'two'].map((id) => marker.start({ id, seed: id }));
		const logits = new Float32Array(2 * V);
		expect(refusal(() => marker.step(batch, logits, undefined, spoil(Float32Array.from(logits))))).toBe(
			sentence,
		);
		expect(batch.map(({ tokens }) => tokens.length)).toEqual([0, 0]);
		marker.step(batch, logits, undefined, Float32Array.from(logits));
		expect(batch.map(({ tokens }) => tokens.length)).toEqual([1, 1]);
	});
});

describe('teacher marked, base as proxy, equal distance from the unmarked teacher', () => {
	const size = 16;
	const [teacher, base] = [embeddedModel('teacher').newBatch(size), embeddedModel('base').newBatch(size)];
	const { vocabSize } = embeddedModel('teacher');
	const tokenizer = embeddedTokenizer();
	const prompts = embeddedPrompts()
		.slice(0, size)
		.map((prompt) => tokenizer.encode(prompt));
	/** What both models say next, after texts by the unmarked teacher. */
	const places: { context: number; logits: Float32Array; proxy: Float32Array; key: Uint8Array }[] = [];
	const marker = createMarker({ marks: [], vocabSize });
	const texts = prompts.map((prompt, i) => marker.start({ prompt, seed: `adfp/${i}` }));
	let ids: Int32Array = Int32Array.from(prompts, (prompt) => prompt[0]);
	for (let at = 1; at < PROMPT_TOKENS + 12; at++) {
		const [logits, proxies] = [teacher.step(ids), base.step(ids)];
		if (at >= PROMPT_TOKENS)
			for (let i = 0; i < size; i++) {
				const row = (all: Float32Array) => all.slice(i * vocabSize, (i + 1) * vocabSize);
				const key = freshKey(specFor({ name: 'kgw', gamma: 0.25, delta: 2 }), random);
				places.push({ context: ids[i], logits: row(logits), proxy: row(proxies), key });
			}
		ids = at < PROMPT_TOKENS ? Int32Array.from(prompts, (prompt) => prompt[at]) : marker.step(texts, logits);
	}

	/**
	 * Means over the places: KL from the unmarked teacher, green share of what is said, and the gain in
	 * E[q·(1[green] − L)], the slope along which the proxy learns green.
	 */
	function means(scheme: SchemeParams) {
		let [distance, share, push] = [0, 0, 0];
		for (const { context, logits, proxy, key } of places) {
			const mark = bindMark(specFor(scheme), key);
			const tilted = logits.slice();
			mark.scheme.tilt?.([context], tilted, proxy);
			const slope = biasOf(
				bindMark(specFor({ name: 'adfp', gamma: 0.25, lambda: 1 }), key),
				[context],
				proxy,
			);
			const [before, after] = [softmax(logits), softmax(tilted)];
			for (const [token, now] of after.entries()) {
				if (now > 0) distance += now * Math.log(now / before[token]);
				push += (now - before[token]) * slope[token];
				// The slope of a green token is above 0, that of any other below.
				if (slope[token] > 0) share += now;
			}
		}
		const count = places.length;
		return {
			distance: distance / count,
			share: share / count,
			push: push / count,
		};
	}

	it('adfp pushes the proxy further, kgw makes the text greener', () => {
		const kgw = means({ name: 'kgw', gamma: 0.25, delta: 2 });
		let [low, high] = [1, 256];
		for (let i = 0; i < 12; i++) {
			const middle = Math.sqrt(low * high);
			if (means({ name: 'adfp', gamma: 0.25, lambda: middle }).distance < kgw.distance) low = middle;
			else high = middle;
		}
		const adfp = means({ name: 'adfp', gamma: 0.25, lambda: low });
		expect(adfp.distance / kgw.distance).toBeCloseTo(1, 2);
		expect(adfp.push).toBeGreaterThan(1.5 * kgw.push);
		expect(kgw.share).toBeGreaterThan(adfp.share + 0.05);
		expect(adfp.share).toBeGreaterThan(0.35);
	});
});
