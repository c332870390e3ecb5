/** The tests against references on the transformer students that ship: closed, grey and open. */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { freshKey } from '../../bench/fresh-marks.js';
import { createMarker } from '../../src/embed/marker.js';
import { randomStream } from '../../src/embed/random.js';
import {
	type EmbeddedModel,
	embeddedModel,
	embeddedPrompts,
	embeddedTokenizer,
} from '../../src/generate/embedded.js';
import { sampleTexts } from '../../src/generate/sample.js';
import { openKeyring } from '../../src/keys/keyring.js';
import { bindMark, type Mark } from '../../src/marks/mark.js';
import { predictAlong, predictAnswers } from '../../src/model/predict.js';
import { logBinomialUpperTail } from '../../src/stats/index.js';
import {
	type Exchange,
	type Observations,
	RadioactivityResult,
	radioactivity,
} from '../../src/verify/radioactivity.js';
import {
	type ContextCounts,
	countContexts,
	listedPrediction,
	newResiduals,
	type PairWeights,
	type Prediction,
} from '../../src/verify/residuals.js';
import { newWeightedTest } from '../../src/verify/weighted.js';

const WAYS = ['closed', 'grey', 'open'] as const;
const STUDENTS = ['student-marked', 'student-unmarked', 'student-other-key', 'base'] as const;
const FRESH = 100;
/** What an API shows: this many of its likeliest tokens. */
const TOP = 5;
const LEAST_LISTED = 0.01;
const tokenizer = embeddedTokenizer();
const teacher = embeddedModel('teacher');

let marks: Mark[];
let shape: Mark;
let probes: number[][];
let exposure: ContextCounts;
const answers = new Map<string, Exchange[]>();
const weights = new Map<string, PairWeights>();

/** Unmarked answers of a model. */
function ask(model: EmbeddedModel, from: number, texts: number): Exchange[] {
	const transformer = embeddedModel(model);
	const { vocabSize } = transformer;
	const samples = sampleTexts({
		...{ model: transformer, tokenizer, maxTokens: 112, seed: 'references' },
		marker: createMarker({ marks: [], vocabSize, specialTokens: tokenizer.specialTokens }),
		prompts: embeddedPrompts().slice(from, from + texts),
	});
	return [...samples].map(({ prompt, text }) => ({
		prompt: tokenizer.encode(prompt),
		answer: tokenizer.encode(text),
	}));
}

function shownByApi({ tokens, of }: Prediction): Prediction {
	const top = Array.from(tokens)
		.sort((a, b) => of(b) - of(a))
		.slice(0, TOP);
	return listedPrediction(top, top.map(of));
}

beforeAll(async () => {
	const ring = await openKeyring(JSON.parse(readFileSync('models/keys/keyring.json', 'utf8')), () => '');
	marks = ring.marks.map((spec) => ring.bind(spec, 'embed'));
	shape = marks.find(({ spec }) => spec.channel === 'shape') ?? expect.unreachable();
	const { contextWidth } = shape.spec;
	probes = ask('teacher', 0, 3).map(({ prompt, answer }) => [...prompt, ...answer]);
	exposure = countContexts(
		ask('teacher', 24, 64).map(({ answer }) => answer),
		contextWidth,
	);
	for (const student of STUDENTS) {
		const model = embeddedModel(student);
		answers.set(student, ask(student, 200, 40));
		const start = (kind: 'readings' | 'text') => newResiduals(kind, contextWidth, 1, exposure);
		const [closed, grey, open] = [start('text'), start('readings'), start('readings')];
		predictAnswers([teacher], answers.get(student) ?? [], contextWidth, LEAST_LISTED, closed.addToken);
		predictAlong(
			[model, teacher],
			probes,
			LEAST_LISTED,
			(text, at, [own, ...others]) => {
				const prefix = probes[text].slice(0, at);
				open.addReading(prefix, own, others);
				grey.addReading(prefix, shownByApi(own), others);
			},
			(_, at) => at >= contextWidth,
		);
		for (const [way, residuals] of Object.entries({ closed, grey, open }))
			weights.set(`${student} ${way}`, residuals.weights());
	}
});

const weightsOf = (student: string, way: string) => weights.get(`${student} ${way}`) ?? expect.unreachable();
function observed(student: string, way: (typeof WAYS)[number]): Observations {
	const own = () => weightsOf(student, way);
	return way === 'closed'
		? { mode: way, exchanges: answers.get(student) ?? [], weights: own }
		: { mode: way, digest: 'ab'.repeat(32), given: probes, weights: own };
}

describe.each(WAYS)('%s', (way) => {
	it('finds the marked student, with the unmarked teacher as reference', () => {
		const { result, nulls } = radioactivity(observed('student-marked', way), marks);
		expect(RadioactivityResult.safeParse(result).success).toBe(true);
		expect(result).toMatchObject({
			...{ mode: way, mark: shape.id, statistic: 'weighted-sum', verdict: 'trained-on-marked' },
			heldOut: { count: 99, rank: 1, pValue: 0.01 },
		});
		expect(result.log10PCorrected).toBeLessThanOrEqual(-6);
		expect(result.log10E).toBeGreaterThan(5);
		expect(nulls[0].log10Ps).toHaveLength(99);
		// Whoever has the weights knows that no relay stands behind them.
		expect(result.alternatives).toEqual(way === 'open' ? [] : ['relay']);
		// A reading holds no text: only shape marks are tested.
		expect(result.tests.map(({ channel, statistic }) => [channel, statistic])).toEqual(
			way === 'closed'
				? marks.map(({ spec: { channel } }) => [channel, channel === 'shape' ? 'weighted-sum' : 'sum'])
				: [['shape', 'weighted-sum']],
		);
		expect(result.hypotheses).toBe(result.tests.length);
		expect(result.weights).toEqual([
			expect.objectContaining({
				contextWidth: shape.spec.contextWidth,
				digest: weightsOf('student-marked', way).digest,
			}),
		]);
	});

	it.each(STUDENTS.slice(1))('finds nothing in %s', (student) => {
		const { result } = radioactivity(observed(student, way), marks, { heldOutKeys: 9 });
		expect(['no-evidence', 'too-little-data']).toContain(result.verdict);
		expect(result.log10P).toBeGreaterThan(-4);
		expect(result.alternatives).toEqual([]);
	});

	it.each(STUDENTS.slice(0, 3))(
		'under fresh keys %s is found at most as often as the level allows',
		(student) => {
			const random = randomStream(`references/${student}/${way}`);
			const weighted = newWeightedTest(weightsOf(student, way), shape.spec);
			const rejected = [0, 0];
			for (let i = 0; i < FRESH; i++) {
				const mark = bindMark(shape.spec, freshKey(shape.spec, random));
				const { log10P, log10E } = weighted.test(mark, { level: 1e-2, hypotheses: 1, searchBits: 0 });
				if (log10P <= -2) rejected[0]++;
				if (log10E >= 2) rejected[1]++;
			}
			// Family-wise 99.9 % over both shares, all students and ways.
			const cells = 2 * 3 * WAYS.length;
			for (const count of rejected)
				expect(logBinomialUpperTail(count, FRESH, 0.01)).toBeGreaterThan(Math.log(1e-3 / cells));
		},
	);
});

it('several marks are corrected for, with weights too', () => {
	const random = randomStream('references/several');
	const others = Array.from({ length: 9 }, () => bindMark(shape.spec, freshKey(shape.spec, random)));
	const options = { heldOutKeys: 1 };
	const alone = radioactivity(observed('student-marked', 'open'), [shape], options).result;
	const among = radioactivity(observed('student-marked', 'open'), [...others, shape], options).result;
	expect(among).toMatchObject({ hypotheses: 10, mark: shape.id, log10P: alone.log10P });
	expect(among.log10PCorrected).toBeCloseTo(alone.log10PCorrected + 1, 9);
	expect(among.tests).toHaveLength(10);
	expect(among.weights).toEqual(alone.weights);
});

it('probes that carry the mark themselves are refused', () => {
	const marker = createMarker({
		...{ marks: [shape], vocabSize: teacher.vocabSize, specialTokens: tokenizer.specialTokens },
	});
	const samples = sampleTexts({
		...{ model: teacher, tokenizer, marker, prompts: embeddedPrompts().slice(0, 24) },
		...{ maxTokens: 112, seed: 'marked probes' },
	});
	const given = [...samples].map(({ text }) => tokenizer.encode(text));
	const observations = { ...observed('base', 'open'), given } as Observations;
	expect(() => radioactivity(observations, marks)).toThrow(/carries mark .* probe with text that no key/);
});
