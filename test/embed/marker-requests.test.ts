/** What a host sees of single requests: limits, retries, candidates, receipts, faults. */
import { createHash } from 'node:crypto';
import chiSquareCdf from '@stdlib/stats-base-dists-chisquare-cdf';
import { describe, expect, it } from 'vitest';
import { freshMark } from '../../bench/fresh-marks.js';
import { createMarker, type Generation, type Marker } from '../../src/embed/marker.js';
import { randomStream } from '../../src/embed/random.js';
import { Receipt } from '../../src/embed/receipt.js';
import { bindMark, type Mark } from '../../src/marks/mark.js';
import { VllmConfig, vllmMark } from '../../src/marks/vllm-config.js';
import { SCORE_UNIT } from '../../src/schemes/fixed-log.js';
import { scoreOfWindow } from '../../src/schemes/scheme.js';
import { detect } from '../../src/verify/detect.js';
import { refusal } from '../refusal.js';

const V = 32;
const random = randomStream('test/marker-requests');
const freshKey = () => Uint8Array.from({ length: 32 }, () => Math.floor(256 * random.next()));
const flat = (rows = 1) => new Float32Array(rows * V);
/** Logits that leave only this token. */
const only = (token: number) => new Float32Array(V).fill(-Infinity, 0, V).fill(0, token, token + 1);
const shape = freshMark('kgw', 1, freshKey());
const choice = freshMark('gumbel', 2, freshKey());

/** Lets the model say exactly these ids. */
function say(marker: Marker, generation: Generation, tokens: readonly number[]): void {
	for (const token of tokens) expect(marker.step([generation], only(token))[0]).toBe(token);
}
/** p-value of Pearson's test. */
function chiSquareP(counts: readonly number[], expected: readonly number[]): number {
	const statistic = counts.reduce((sum, count, i) => sum + (count - expected[i]) ** 2 / expected[i], 0);
	return 1 - chiSquareCdf(statistic, counts.length - 1);
}

describe('what reaches a user over many keys', () => {
	const keyCount = 8_000;

	it.each([
		['alone', []],
		['after the shape channel', [shape]],
	])(
		'of the choice channel %s: the distribution as it was (chi-square, error 1e-3)',
		(_what, shapes: Mark[]) => {
			const logits = Float32Array.from({ length: V }, (_, i) => Math.sin(i) * 2);
			const context = [5, 9, 1, 30];
			const tilted = logits.slice();
			for (const mark of shapes) mark.scheme.tilt?.([30], tilted);
			const weights = Array.from(tilted, (logit) => Math.exp(logit / 0.8));
			if (shapes.length > 0) {
				// Temperature comes before the tilt: delta is in nats of the distribution that is drawn from.
				logits.forEach((logit, token) => {
					weights[token] = Math.exp(logit / 0.8 + (tilted[token] - logit));
				});
			}
			const total = weights.reduce((sum, weight) => sum + weight);
			const counts = new Array<number>(V).fill(0);
			for (let i = 0; i < keyCount; i++) {
				const marker = createMarker({
					marks: [...shapes, freshMark('gumbel', 4, freshKey())],
					vocabSize: V,
					unkeyedShare: 0,
				});
				const generation = marker.start({ sampling: { temperature: 0.8 }, seed: 'same for all' });
				for (const token of context) marker.step([generation], only(token));
				counts[marker.step([generation], logits)[0]]++;
				if (generation.finish().segments[0].keyed !== 1) expect.unreachable('the last step is keyed');
			}
			const expected = (sharper: number) => {
				const powers = weights.map((weight) => (weight / total) ** sharper);
				const sum = powers.reduce((a, b) => a + b);
				return powers.map((power) => (keyCount * power) / sum);
			};
			expect(chiSquareP(counts, expected(1))).toBeGreaterThan(1e-3);
			expect(chiSquareP(counts, expected(1.1))).toBeLessThan(1e-3);
		},
	);

	it.each([0.5, 2])(
		'of the shape channel on even logits: P(green) = γe^δ/(1 + γ(e^δ − 1)), delta %d',
		(delta) => {
			// Enough tokens that a list's share of them is γ on average and the formula's curvature does not show.
			const size = 1024;
			const gamma = 0.25;
			const target = (gamma * Math.exp(delta)) / (1 + gamma * (Math.exp(delta) - 1));
			let green = 0;
			const total = 4000;
			for (let i = 0; i < total / 20; i++) {
				const mark = bindMark({ ...shape.spec, scheme: { name: 'kgw', gamma, delta } }, freshKey());
				const marker = createMarker({ marks: [mark], vocabSize: size });
				const generation = marker.start({ seed: `${delta}/${i}` });
				for (let step = 0; step < 21; step++) marker.step([generation], new Float32Array(size));
				for (let at = 1; at < 21; at++)
					green +=
						scoreOfWindow(mark.scheme, [generation.tokens[at - 1]], generation.tokens[at]) / SCORE_UNIT;
			}
			expect(chiSquareP([green, total - green], [total * target, total * (1 - target)])).toBeGreaterThan(
				1e-3,
			);
			expect(chiSquareP([green, total - green], [total * gamma, total * (1 - gamma)])).toBeLessThan(1e-6);
		},
	);
});

describe('contexts', () => {
	/** Steps that were keyed. */
	const keyed = (generation: Generation) =>
		generation.finish().segments.reduce((sum, segment) => sum + segment.keyed, 0);
	const marker = createMarker({ marks: [choice], vocabSize: V, unkeyedShare: 0 });

	it('of the prompt are left alone wherever they stood, others are drawn from', () => {
		const generation = marker.start({ prompt: [1, 2, 3, 4], seed: 'a' });
		// Contexts before each step: –, –, (1,2)*, (2,3)*, (3,5), (5,1), (1,2)*, of which * stood in the prompt.
		say(marker, generation, [1, 2, 3, 5, 1, 2, 9]);
		expect(keyed(generation)).toBe(2);
	});
	it('across prompt and answer are none: the first steps have no context', () => {
		const generation = marker.start({ prompt: [1, 2, 3, 4], seed: 'b' });
		say(marker, generation, [7, 8]);
		expect(keyed(generation)).toBe(0);
	});
	it('are drawn from once, also through retries and candidates of candidates', () => {
		const first = marker.start({ seed: 'c' });
		const second = first.fork();
		const third = second.fork();
		for (const generation of [first, second, third]) say(marker, generation, [1, 2, 3]);
		expect([first, second, third].map(keyed)).toEqual([1, 0, 0]);
		expect(new Set([first, second, third].map(({ id }) => id)).size).toBe(3);
		expect(keyed(second.fork())).toBe(0);
	});
	it('of separate requests are not shared', () => {
		const generations = [marker.start({ seed: 'd' }), marker.start({ seed: 'd' })];
		for (const generation of generations) say(marker, generation, [1, 2, 3]);
		expect(generations.map(keyed)).toEqual([1, 1]);
	});
	it('that repeat are drawn from by chance: the second visit does not repeat the first', () => {
		// The context (1, 1) comes back at every step; the keyed draw would give the same token each time.
		const narrow = createMarker({
			marks: [freshMark('gumbel', 1, freshKey())],
			vocabSize: V,
			unkeyedShare: 0,
		});
		const draws = new Set<number>();
		const generation = narrow.start({ seed: 'e' });
		for (let i = 0; i < 30; i++) {
			say(narrow, generation, [1]);
			draws.add(narrow.step([generation], flat())[0]);
		}
		expect(draws.size).toBeGreaterThan(10);
	});
	it('a mark with a keyed selector acts on what it covers only', () => {
		const half = bindMark({ ...choice.spec, selector: 'keyed', share: 128 }, freshKey());
		const session = createMarker({ marks: [half], vocabSize: V, unkeyedShare: 0 });
		const generation = session.start({ seed: 'f' });
		const contexts = new Set<string>();
		for (let i = 0; i < 200; i++) {
			const context = generation.tokens.slice(-2);
			if (context.length === 2 && half.covers(context)) contexts.add(context.join());
			session.step([generation], flat());
		}
		expect(contexts.size).toBeGreaterThan(50);
		expect(contexts.size).toBeLessThan(150);
		expect(keyed(generation)).toBe(contexts.size);
	});
	it('of a padding mark begin before the answer, as vLLM does', () => {
		const mark = vllmMark(VllmConfig.parse({ algorithm: 'gumbel', key: '42' }));
		const padded = createMarker({ marks: [mark], vocabSize: V, unkeyedShare: 0 });
		const generation = padded.start({ seed: 'g' });
		const [token] = padded.step([generation], flat());
		const before = [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff];
		const scores = Array.from({ length: V }, (_, candidate) => scoreOfWindow(mark.scheme, before, candidate));
		expect(token).toBe(scores.indexOf(Math.max(...scores)));
		expect(keyed(generation)).toBe(1);
	});
});

describe('sampling options', () => {
	it('top-k of 1 is the tilted favourite, whatever the key draws', () => {
		const marker = createMarker({ marks: [shape, choice], vocabSize: V });
		const logits = Float32Array.from({ length: V }, (_, i) => Math.cos(3 * i));
		const one = marker.start({ sampling: { topK: 1 }, seed: 'a' });
		const greedy = marker.start({ sampling: { temperature: 0 }, seed: 'b' });
		for (let i = 0; i < 20; i++) marker.step([one, greedy], Float32Array.from([...logits, ...logits]));
		expect(one.tokens).toEqual(greedy.tokens);
		// Greedy decoding is still tilted: the shape channel chooses other tokens than the model would.
		const favourite = logits.indexOf(Math.max(...logits));
		expect(greedy.tokens.filter((token) => token !== favourite).length).toBeGreaterThan(0);
	});
	it('tokens that the host excludes are never chosen', () => {
		const marker = createMarker({ marks: [shape, choice], vocabSize: V });
		const logits = Float32Array.from({ length: V }, (_, i) => (i % 2 === 0 ? 0 : -Infinity));
		const generation = marker.start({ seed: 'c', sampling: { temperature: 1.5, topP: 0.95 } });
		for (let i = 0; i < 200; i++) marker.step([generation], logits);
		expect(generation.tokens.filter((token) => token % 2 === 1)).toEqual([]);
	});
	it.each([{ temperature: -1 }, { topK: 0 }, { topP: 2 }])(
		'%o is refused, naming request and field',
		(sampling) => {
			const marker = createMarker({ marks: [], vocabSize: V });
			const [field] = Object.keys(sampling);
			expect(refusal(() => marker.start({ id: 'q', sampling }))).toMatch(
				new RegExp(`^request "q": sampling: field "${field}"`),
			);
		},
	);
});

describe('receipts', () => {
	const marker = createMarker({
		marks: [shape, choice],
		vocabSize: V,
		specialTokens: [0],
		unkeyedShare: 0.2,
	});

	it('count every token once, in its segment, and commit to the ids with a salt', () => {
		const generation = marker.start({ seed: 'a', sampling: { temperature: 0.7 } });
		const lengths = [17, 9, 25];
		for (let i = 0; i < lengths[0]; i++) marker.step([generation], flat());
		generation.segment('tool-call', false);
		for (let i = 0; i < lengths[1]; i++) marker.step([generation], flat());
		generation.segment('dropped, since nothing was said in it', true);
		generation.segment('answer', true);
		for (let i = 0; i < lengths[2]; i++) marker.step([generation], flat());
		const receipt = generation.finish();
		expect(Receipt.parse(JSON.parse(JSON.stringify(receipt)))).toEqual(receipt);
		expect(receipt).toMatchObject({ status: 'finished', temperature: 0.7, unkeyedShare: 0.2, tokens: 51 });
		expect(receipt.marks).toEqual([shape.id, choice.id]);
		expect(receipt.segments.map(({ reason, marked, tokens }) => [reason, marked, tokens])).toEqual([
			['answer', true, 17],
			['tool-call', false, 9],
			['answer', true, 25],
		]);
		for (const segment of receipt.segments) {
			expect(segment.tilted).toBeLessThanOrEqual(segment.tokens);
			expect(segment.keyed).toBeLessThanOrEqual(segment.tokens);
			if (!segment.marked) expect([segment.tilted, segment.keyed]).toEqual([0, 0]);
		}
		const ids = Buffer.alloc(4 * 51);
		generation.tokens.forEach((token, i) => {
			ids.writeUInt32LE(token, 4 * i);
		});
		const hash = createHash('sha256').update(Buffer.from(receipt.salt, 'hex')).update(ids).digest('hex');
		expect(receipt.outputHash).toBe(hash);
	});
	it('of the same text differ by their salt', () => {
		const receipts = [0, 1].map(() => {
			const generation = marker.start({ id: 'x', seed: 'b' });
			marker.step([generation], flat());
			return generation.finish();
		});
		expect(receipts[0].salt).not.toBe(receipts[1].salt);
		expect(receipts[0].outputHash).not.toBe(receipts[1].outputHash);
	});
	it('stay what they were once given', () => {
		const generation = marker.start({ id: 'late', seed: 'c' });
		marker.step([generation], flat());
		const receipt = generation.finish();
		const before = JSON.stringify(receipt);
		for (const attempt of [
			() => generation.segment('more', true),
			() => generation.abort(),
			() => generation.finish(),
			() => marker.step([generation], flat()),
		])
			expect(refusal(attempt)).toBe('request "late" has ended already');
		expect(JSON.stringify(receipt)).toBe(before);
	});
	it('without a seed or id are of fresh ids, and answers differ', () => {
		const generations = [marker.start(), marker.start()];
		for (let i = 0; i < 30; i++) marker.step(generations, flat(2));
		expect(generations[0].tokens).not.toEqual(generations[1].tokens);
		expect(generations[0].id).not.toBe(generations[1].id);
	});
});

describe('faults', () => {
	const marker = createMarker({ marks: [shape, choice], vocabSize: V });

	it.each<[string, (row: Float32Array) => unknown, RegExp]>([
		['NaN', (row) => row.fill(Number.NaN, 6, 7), /request "two" hold NaN at token 6/],
		['+Infinity', (row) => row.fill(Infinity, 31, 32), /request "two" hold Infinity at token 31/],
		['no token allowed', (row) => row.fill(-Infinity), /request "two" exclude every token/],
	])(
		'a batch with %s in its second row: that request is named, and none has advanced',
		(_what, spoil, sentence) => {
			const batch = ['one', 'two', 'three'].map((id) => marker.start({ id, seed: id }));
			const reference = ['one', 'two', 'three'].map((id) => marker.start({ id, seed: id }));
			const bad = flat(3);
			spoil(bad.subarray(V, 2 * V));
			expect(refusal(() => marker.step(batch, bad))).toMatch(sentence);
			expect(batch.map(({ tokens }) => tokens.length)).toEqual([0, 0, 0]);
			for (let i = 0; i < 12; i++) {
				marker.step(batch, flat(3));
				marker.step(reference, flat(3));
			}
			expect(batch.map(({ tokens }) => tokens)).toEqual(reference.map(({ tokens }) => tokens));
		},
	);
	it('a batch with an ended or foreign request: none has advanced', () => {
		const [first, ended] = [marker.start({ id: 'first' }), marker.start({ id: 'ended' })];
		ended.abort();
		const foreign = createMarker({ marks: [], vocabSize: V }).start({ id: 'foreign' });
		expect(refusal(() => marker.step([first, ended], flat(2)))).toBe('request "ended" has ended already');
		expect(refusal(() => marker.step([first, foreign], flat(2)))).toMatch(
			/^request "foreign" was started by another/,
		);
		expect(first.tokens).toEqual([]);
	});
	it('logits of another size say how many there should be', () => {
		const generations = [marker.start(), marker.start()];
		expect(refusal(() => marker.step(generations, flat(3)))).toBe(
			`logits have 96 values; 2 requests × 32 tokens need 64`,
		);
		expect(refusal(() => marker.step(generations, new Float32Array(0)))).toMatch(/^logits have 0 values/);
	});
	it.each([V, -1, 1.5, Number.NaN])('prompt token %d is refused at its position', (token) => {
		expect(refusal(() => marker.start({ id: 'p', prompt: [3, 1, token] }))).toMatch(
			/^request "p": prompt token \S+ at position 2 is outside the vocabulary of 32$/,
		);
	});
	it.each([
		[{ marks: [choice, choice], vocabSize: V }, /at most one choice mark/],
		[{ marks: [], vocabSize: 1 }, /vocabSize/],
		[{ marks: [], vocabSize: 1.5 }, /vocabSize/],
		[{ marks: [], vocabSize: V, unkeyedShare: -0.1 }, /unkeyedShare/],
		[{ marks: [], vocabSize: V, unkeyedShare: Number.NaN }, /unkeyedShare/],
	])('a marker of %# cannot be made', (options, sentence) => {
		expect(refusal(() => createMarker(options))).toMatch(sentence);
	});
	it('an empty batch is no fault', () => {
		expect(marker.step([], new Float32Array(0))).toHaveLength(0);
	});
});

describe('a fleet', () => {
	it('with two shape keys and one choice key: three tests, each finds its own mark', () => {
		const marks = [shape, freshMark('kgw', 2, freshKey()), choice] as const;
		const marker = createMarker({ marks, vocabSize: 512 });
		const generation = marker.start({ seed: 'fleet' });
		for (let i = 0; i < 500; i++) marker.step([generation], new Float32Array(512));
		for (const test of detect('x', generation.tokens, marks).tests) expect(test.log10P).toBeLessThan(-15);
		const others = [
			freshMark('kgw', 1, freshKey()),
			freshMark('kgw', 2, freshKey()),
			freshMark('gumbel', 2, freshKey()),
		] as const;
		for (const test of detect('x', generation.tokens, others).tests) expect(test.log10P).toBeGreaterThan(-5);
	});
	it('with no marks samples as the model does, reproducibly', () => {
		const marker = createMarker({ marks: [], vocabSize: V });
		const [a, b] = [0, 1].map(() => marker.start({ seed: 'plain' }));
		for (let i = 0; i < 50; i++) marker.step([a, b], flat(2));
		expect(a.tokens).toEqual(b.tokens);
		expect(a.finish()).toMatchObject({ marks: [], segments: [{ tilted: 0, keyed: 0, tokens: 50 }] });
	});
});
