/**
 * Upstream's numbers, bit for bit: known answers from independent implementations (`*-reference.json`), and
 * from runs of the upstream code itself (`bench/peers/make_vectors.py`).
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { specOf } from '../../bench/fresh-marks.js';
import { HfConfig, hfMark } from '../../src/marks/hf-config.js';
import { bindMark } from '../../src/marks/mark.js';
import { VllmConfig, vllmMark, vllmPrfs } from '../../src/marks/vllm-config.js';
import { logGammaUpperTail } from '../../src/stats/index.js';
import { newPairSet } from '../../src/verify/pairs.js';
import { tallyPairs } from '../../src/verify/tally.js';
import {
	type UpstreamKgw,
	type UpstreamSynthid,
	upstreamHf,
	upstreamVllm,
} from '../../src/verify/upstream.js';

const vectors = <T>(name: string): T[] =>
	(JSON.parse(readFileSync(`test/vectors/${name}.json`, 'utf8')) as { cases: T[] }).cases;

interface KgwCase {
	hf: object;
	tokens: number[];
	expect: UpstreamKgw;
}
interface SynthidCase {
	hf: object;
	tokens: number[];
	expect: Partial<UpstreamSynthid> & { gValues: string[] };
}
interface VllmCase {
	vllm: object;
	tokens: number[];
	expect: { scored: number; score: number; log10P?: number; log10PUpstreamApprox?: number };
}

/** Equal within 1e-9, relative. */
function expectClose(actual: number, expected: number): void {
	expect(Math.abs(actual - expected)).toBeLessThanOrEqual(1e-9 * Math.max(1e-3, Math.abs(expected)));
}

describe.each(['transformers-kgw-reference', 'transformers-kgw'])('%s', (name) => {
	it('green lists: counts and z', () => {
		const cases = vectors<KgwCase>(name);
		expect(cases.length).toBeGreaterThan(5);
		for (const { hf, tokens, expect: wanted } of cases) {
			const got = upstreamHf(tokens, HfConfig.parse(hf)) as UpstreamKgw;
			expect({ ...got, z: 0, zUnique: 0 }, JSON.stringify(hf)).toEqual({ ...wanted, z: 0, zUnique: 0 });
			expectClose(got.z, wanted.z);
			expectClose(got.zUnique, wanted.zUnique);
		}
	});
});

describe.each(['transformers-synthid-reference', 'transformers-synthid', 'deepmind-synthid'])(
	'%s',
	(name) => {
		it('tournament: g-values and means', () => {
			const cases = vectors<SynthidCase>(name);
			expect(cases.length).toBeGreaterThan(5);
			for (const { hf, tokens, expect: wanted } of cases) {
				const config = HfConfig.parse(hf);
				const { spec, scheme } = hfMark(config);
				const width = spec.contextWidth;
				const depth = spec.scheme.name === 'synthid' ? spec.scheme.depth : 0;
				const words = new Uint32Array(Math.ceil(depth / 32));
				wanted.gValues.forEach((row, i) => {
					scheme.layerBits?.(tokens.slice(i, i + width), Uint32Array.of(tokens[i + width]), words);
					const bits = Array.from({ length: depth }, (_, d) => (words[d >>> 5] >>> (d & 31)) & 1).join('');
					expect(bits).toBe(row);
				});
				const got = upstreamHf(tokens, config) as UpstreamSynthid;
				for (const [key, value] of Object.entries(wanted))
					if (typeof value === 'number') expectClose(got[key as keyof UpstreamSynthid], value);
			}
		});
	},
);

describe.each(['vllm-gumbel', 'vllm-dual', 'vllm-watermark', 'vllm-sbw', 'vllm-red-green'])('%s', (name) => {
	it('count, score, p-value', () => {
		const cases = vectors<VllmCase>(name);
		expect(cases.length).toBeGreaterThan(5);
		for (const { vllm, tokens, expect: wanted } of cases) {
			const got = upstreamVllm(tokens, VllmConfig.parse(vllm));
			expect(got.scored).toBe(wanted.scored);
			expectClose(got.score, wanted.score);
			const log10P = wanted.log10P ?? wanted.log10PUpstreamApprox ?? Number.NaN;
			// The p-value itself within 1e-9, relative, or its logarithm.
			expect(Math.abs(got.log10P - log10P)).toBeLessThanOrEqual(1e-9 * Math.max(0.43, Math.abs(log10P)));
		}
	});
});

it('vectors by upstream itself are there, 200 or more a scheme', () => {
	for (const name of [
		'transformers-kgw',
		'transformers-synthid',
		'deepmind-synthid',
		'vllm-watermark',
		'vllm-sbw',
		'vllm-red-green',
	]) {
		expect(existsSync(`test/vectors/${name}.json`), name).toBe(true);
		expect(vectors(name).length).toBeGreaterThanOrEqual(200);
	}
});

describe('what other systems do to logits', () => {
	const list = <T>(name: string, key: string): T[] =>
		(JSON.parse(readFileSync(`test/vectors/${name}.json`, 'utf8')) as Record<string, T[]>)[key];

	it('green lists: the same tokens get the bias', () => {
		const steps = list<{ hf: { vocab_size: number }; context: number[]; scores?: number[]; green: number[] }>(
			'transformers-kgw',
			'processor',
		);
		expect(steps.length).toBeGreaterThanOrEqual(60);
		for (const { hf, context, scores, green } of steps) {
			const { spec, scheme } = hfMark(HfConfig.parse(hf));
			const logits = scores === undefined ? new Float32Array(hf.vocab_size) : Float32Array.from(scores);
			const before = logits.slice();
			const window = spec.contextWidth === 0 ? [] : context.slice(-spec.contextWidth);
			scheme.tilt?.(window, logits);
			expect([...logits.keys()].filter((token) => logits[token] > before[token])).toEqual(green);
		}
	});

	// `processorStart`: the first n-grams of an answer, whose context transformers fills with zeros.
	it.each(
		['transformers-synthid', 'deepmind-synthid'].flatMap((name) =>
			['processor', 'processorStart', 'processorForbidden'].map((key) => [name, key] as const),
		),
	)('tournament of %s, %s: the same probabilities, to single precision', (name, key) => {
		type Row = (number | null)[];
		const steps = list<{ hf: object; context: number[]; logits: Row; expect: { logits: Row } }>(name, key);
		for (const { hf, context, logits, expect: wanted } of steps) {
			const { spec, scheme } = hfMark(HfConfig.parse(hf));
			const row = Float32Array.from(logits, (logit) => logit ?? -Infinity);
			const zeros = new Array<number>(spec.contextWidth).fill(0);
			// An id 0 at the beginning repeats the context of zeros, which upstream marks once.
			if (context.length > 0 && context.every((id) => id === 0)) continue;
			scheme.tilt?.([...zeros, ...context].slice(-spec.contextWidth), row);
			row.forEach((logit, token) => {
				const theirs = wanted.logits[token] ?? -Infinity;
				expect(Math.abs(Math.exp(logit) - Math.exp(theirs))).toBeLessThan(3e-6);
			});
		}
	});

	/** Positions before the text are −1 upstream. */
	const unsigned = (ids: number[]) => Uint32Array.from(ids, (id) => id >>> 0);

	it('gumbel of vLLM: the same words, and the same token', () => {
		for (const { key, context, tokens, word24 } of list<{
			key: string;
			context: number[];
			tokens: number[];
			word24: number[];
		}>('vllm-watermark', 'words')) {
			const config = { algorithm: 'gumbel', key, context_width: Math.min(16, Math.max(1, context.length)) };
			const [prf] = vllmPrfs(VllmConfig.parse(config));
			expect(tokens.map((token) => prf.field(unsigned(context), token, 32) >>> 8)).toEqual(word24);
		}
		for (const { vllm, context, logits, token, route } of list<{
			vllm: object;
			context: number[];
			logits: number[];
			token: number;
			route?: 'a' | 'b';
		}>('vllm-watermark', 'draw')) {
			const { scheme } = vllmMark(VllmConfig.parse(vllm));
			// With two keys the uniform says which one draws: 1 is above every share of key A.
			const next = () => (route === 'b' ? 0 : 1);
			expect(scheme.draw?.(unsigned(context), Float32Array.from(logits), { next })).toBe(token);
		}
	});

	it.each(['vllm-sbw', 'vllm-red-green'])(
		'%s: the same logits, bit for bit, and the same lists of a whole vocabulary',
		(name) => {
			interface Step {
				vllm: object;
				context: number[];
			}
			const tilted = ({ vllm, context }: Step, row: Float32Array) => {
				const { spec, scheme } = vllmMark(VllmConfig.parse(vllm));
				// The oldest id of sbw's context is read by nobody.
				scheme.tilt?.(unsigned(context.slice(context.length - spec.contextWidth)), row);
				return row;
			};
			type Logits = Step & { logits: number[]; expect: number[] };
			const steps = list<Logits>(name, 'processor');
			expect(steps.length).toBeGreaterThanOrEqual(60);
			// Adding 0 makes -0 into 0, as upstream's sum does.
			for (const step of steps)
				expect(Array.from(tilted(step, Float32Array.from(step.logits)), (logit) => logit + 0)).toEqual(
					step.expect.map(Math.fround),
				);
			type Wide = Step & { vocab_size: number; green: number; sha256: string };
			for (const step of list<Wide>(name, 'processorWide')) {
				const row = tilted(step, new Float32Array(step.vocab_size));
				const green = [...row.keys()].filter((token) => row[token] > 0);
				expect(green.length).toBe(step.green);
				expect(createHash('sha256').update(green.join()).digest('hex')).toBe(step.sha256);
			}
		},
	);

	it('both keys of vLLM', () => {
		for (const { key, a, b } of list<{ key: string; a: string; b: string }>('vllm-watermark', 'derived')) {
			const prfs = (config: object) => vllmPrfs(VllmConfig.parse(config));
			const pair = prfs({ algorithm: 'dual_key_gumbel', key });
			const alone = [a, b].map((one) => prfs({ algorithm: 'gumbel', key: one })[0]);
			for (const i of [0, 1])
				expect(pair[i].field([1, 2, 3, 4], 7, 32)).toBe(alone[i].field([1, 2, 3, 4], 7, 32));
		}
	});
});

describe('three_bricks', () => {
	interface Case {
		scheme: 'gumbel' | 'kgw';
		h: number;
		seed: string;
		vocab_size: number;
		gamma?: number;
		tokens: number[];
		payload: number;
	}
	/** Counts and sums as upstream has them: positions from h + 1 on, distinct windows. */
	function scoresOf({ scheme, h, seed, vocab_size, gamma = 0.5, tokens, payload }: Case) {
		const key = new Uint8Array(8);
		new DataView(key.buffer).setBigUint64(0, BigInt(seed), true);
		const spec = specOf({
			scheme:
				scheme === 'gumbel'
					? { name: 'gumbel', vocabSize: vocab_size, payload }
					: { name: 'kgw', gamma, delta: 1, vocabSize: vocab_size, payload },
			prf: 'meta-mt19937-v1',
			contextWidth: h,
		});
		const mark = bindMark(spec, key);
		const pairs = newPairSet(spec);
		pairs.add(tokens.slice(1));
		return { windows: pairs.size, ...tallyPairs(pairs, mark) };
	}

	it('scores, payloads included', () => {
		const cases = vectors<Case & { expect: { v2: { scored: number; mean: number } } }>('three-bricks');
		expect(cases.length).toBeGreaterThanOrEqual(200);
		let compared = 0;
		for (const one of cases) {
			const { windows, scored, sum } = scoresOf(one);
			expect(windows).toBe(one.expect.v2.scored);
			// Windows that share a seed, or whose seed is zero, are counted once or not at all by us.
			if (scored < windows) continue;
			compared++;
			const mean = Number(sum) / 2 ** 32 / scored;
			// Single precision upstream.
			expect(Math.abs(mean - one.expect.v2.mean)).toBeLessThan(1e-6);
		}
		expect(compared).toBeGreaterThan(180);
	});

	// The authors' own ten texts are not free to redistribute; where a file of cases is at hand, it is checked.
	const own = process.env.TOUCHMARK_THREE_BRICKS;
	it.skipIf(own === undefined)(
		"the authors' ten texts (TOUCHMARK_THREE_BRICKS names a file of cases)",
		() => {
			const { cases } = JSON.parse(readFileSync(own ?? '', 'utf8')) as {
				cases: {
					tokens: number[];
					expect: { scored: number; meanScore: number; pValuesPerMessage: number[] };
				}[];
			};
			expect(cases.length).toBe(10);
			for (const { tokens, expect: wanted } of cases)
				wanted.pValuesPerMessage.forEach((pValue, payload) => {
					const { scored, sum } = scoresOf({
						scheme: 'gumbel',
						h: 2,
						seed: '0',
						vocab_size: 32_000,
						tokens,
						payload,
					});
					expect(scored).toBe(wanted.scored);
					const score = Number(sum) / 2 ** 32;
					if (payload === 0) expect(Math.abs(score / scored / wanted.meanScore - 1)).toBeLessThan(1e-6);
					expect(Math.abs(Math.exp(logGammaUpperTail(scored, score)) / pValue - 1)).toBeLessThan(1e-3);
				});
		},
	);
});
