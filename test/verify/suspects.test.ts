/** Several suspects in one run: correction for their number, controls, and what a control that is found does. */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { band } from '../../bench/calibration.js';
import { freshKey, specOf } from '../../bench/fresh-marks.js';
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
import { radioactivity } from '../../src/verify/radioactivity.js';
import { radioactivityOfSuspects, type Suspect, SuspectsResult } from '../../src/verify/suspects.js';
import { isFinding } from '../../src/verify/test-result.js';
import { refusal } from '../refusal.js';

const tokenizer = embeddedTokenizer();
let marks: Mark[];
const suspects = new Map<EmbeddedModel, Suspect>();
const few = { heldOutKeys: 1 } as const;

/** What a model answers, unmarked. */
function ask(model: EmbeddedModel, texts: number): Suspect {
	const transformer = embeddedModel(model);
	const { vocabSize } = transformer;
	const samples = sampleTexts({
		...{ model: transformer, tokenizer, maxTokens: 112, seed: `suspects/${model}` },
		marker: createMarker({ marks: [], vocabSize, specialTokens: tokenizer.specialTokens }),
		prompts: embeddedPrompts().slice(-texts),
	});
	const exchanges = [...samples].map(({ promptTokens, tokens }) => ({
		prompt: promptTokens,
		answer: tokens,
	}));
	return { name: model, observations: { mode: 'closed', exchanges } };
}
const named = (...names: EmbeddedModel[]): Suspect[] =>
	names.map((name) => suspects.get(name) ?? expect.unreachable());
/** The first answers only. */
const part = (name: EmbeddedModel, texts: number): Suspect => {
	const [{ observations }] = named(name);
	if (observations.mode !== 'closed') return expect.unreachable();
	return {
		name: `part of ${name}`,
		observations: { mode: 'closed', exchanges: observations.exchanges.slice(0, texts) },
	};
};

beforeAll(async () => {
	const ring = await openKeyring(JSON.parse(readFileSync('models/keys/keyring.json', 'utf8')), () => '');
	marks = ring.marks.map((spec) => ring.bind(spec, 'verify'));
	for (const model of ['student-marked', 'student-unmarked', 'base', 'teacher'] as const)
		suspects.set(model, ask(model, 48));
});

describe('suspects', () => {
	it('the marked student is found among others, each as a run of it alone would say', () => {
		const all = named('student-unmarked', 'student-marked', 'base');
		const result = radioactivityOfSuspects(all, named('teacher'), marks, few);
		expect(SuspectsResult.safeParse(result).success).toBe(true);
		expect(result.suspects.map(({ suspect, verdict }) => [suspect, isFinding(verdict)])).toEqual([
			['student-unmarked', false],
			['student-marked', true],
			['base', false],
		]);
		expect(result).toMatchObject({ hypotheses: 6, level: 1e-6, withheld: [] });
		result.suspects.forEach(({ suspect, nulls, ...row }, i) => {
			const alone = radioactivity(all[i].observations, marks, { ...few, hypotheses: 3 });
			expect(row).toEqual(alone.result);
			expect(nulls).toEqual(alone.nulls.map(({ log10Ps }) => log10Ps));
		});
	});
	it('hypotheses of other runs are multiplied', () => {
		const result = radioactivityOfSuspects(named('base', 'teacher'), [], marks, { ...few, hypotheses: 5 });
		expect(result.hypotheses).toBe(20);
	});
	it('refused: none at all, and one name for two', () => {
		expect(refusal(() => radioactivityOfSuspects([], named('base'), marks))).toMatch(/give a suspect/);
		expect(refusal(() => radioactivityOfSuspects(named('base'), named('base'), marks))).toMatch(/"base"/);
	});
});

describe('controls', () => {
	it('count in no correction of suspects, and are corrected for their own number', () => {
		const [without, beside] = [[], named('teacher', 'base')].map((controls) =>
			radioactivityOfSuspects(named('student-marked'), controls, marks, few),
		);
		expect(beside.suspects).toEqual(without.suspects);
		expect(beside.controls.map(({ suspect, found }) => [suspect, found])).toEqual([
			['teacher', false],
			['base', false],
		]);
		expect(beside.controls[0]).toMatchObject({ hypotheses: 4, level: 1e-3 });
	});
	it('one that is found withholds every finding, at a p-value that convicts nobody', () => {
		const alarming = part('student-marked', 3);
		const [{ log10P }] = radioactivityOfSuspects([alarming], [], marks, few).suspects;
		expect(log10P).toBeGreaterThan(-6);
		expect(log10P).toBeLessThan(-3.4);
		const result = radioactivityOfSuspects(named('student-marked', 'base'), [alarming], marks, few);
		expect(result.withheld).toEqual(['control-model-found']);
		expect(result.controls[0].found).toBe(true);
		expect(result.suspects[0]).toMatchObject({ verdict: 'too-little-data', alternatives: [] });
		expect(result.suspects[0].log10P).toBeLessThan(-6);
		expect(isFinding(result.suspects[1].verdict)).toBe(false);
	});
	it('a key that was not committed does not quiet the alarm', () => {
		const result = radioactivityOfSuspects(named('base'), named('student-marked'), marks, {
			...few,
			searchBits: 64,
		});
		expect(result.controls[0].found).toBe(true);
	});
});

describe('under fresh keys', () => {
	const KEYS = 200;
	const LEVEL = 0.1;
	const spec = specOf({ scheme: { name: 'kgw', gamma: 0.25, delta: 1 }, prf: 'chacha8-v1', contextWidth: 1 });
	it('any of several innocent suspects is found at most at the level, and any control rings as rarely', () => {
		const models = ['student-marked', 'student-unmarked', 'base', 'teacher'] as const;
		const innocents = models.map((name) => part(name, 8));
		const random = randomStream('suspects');
		let corrected = 0;
		let uncorrected = 0;
		let alarms = 0;
		for (let i = 0; i < KEYS; i++) {
			const mark = bindMark(spec, freshKey(spec, random));
			const { suspects: rows } = radioactivityOfSuspects(innocents, [], [mark], { ...few, level: LEVEL });
			corrected += Number(rows.some(({ verdict }) => isFinding(verdict)));
			uncorrected += Number(rows.some(({ pValue }) => pValue <= LEVEL));
			if (i % 4 === 0)
				alarms += radioactivityOfSuspects(innocents.slice(0, 1), innocents.slice(1), [mark], few).withheld
					.length;
		}
		const [low, high] = band(KEYS, LEVEL, 1e-4);
		expect(corrected / KEYS).toBeLessThanOrEqual(high);
		// Texts of related models err together, so less often than independent ones; but not never.
		expect(corrected / KEYS).toBeGreaterThan(low / 4);
		expect(uncorrected / KEYS).toBeGreaterThan(high);
		expect(alarms).toBeLessThanOrEqual(2);
	});
});
