/** Cohorts in the test of inheritance: which are found of many, beside controls, and what the account layer says: nothing. */
import { beforeAll, describe, expect, it } from 'vitest';
import { band } from '../../bench/calibration.js';
import { freshLayers } from '../../bench/fresh-marks.js';
import { createMarker } from '../../src/embed/marker.js';
import { randomStream } from '../../src/embed/random.js';
import { embeddedModel, embeddedPrompts, embeddedTokenizer } from '../../src/generate/embedded.js';
import { sampleTexts } from '../../src/generate/sample.js';
import type { Mark } from '../../src/marks/mark.js';
import {
	type Observations,
	type RadioactivityOptions,
	RadioactivityResult,
	radioactivity,
} from '../../src/verify/radioactivity.js';
import { radioactivityOfSuspects, type Suspect } from '../../src/verify/suspects.js';
import { refusal } from '../refusal.js';

const names = Array.from({ length: 12 }, (_, i) => `cohort-${i}`);
const [shape, choice, account, ...cohorts] = freshLayers(randomStream('radioactivity/cohorts'), names);
const tokenizer = embeddedTokenizer();
let suspect: Observations;
let innocent: Observations;

/** What the teacher answers, in turn to the first three cohorts; shapes alone, as a student would have learned them. */
function answers(marks: readonly Mark[], texts: number): Observations {
	const model = embeddedModel('teacher');
	const { vocabSize } = model;
	const samples = sampleTexts({
		...{ model, tokenizer, maxTokens: 112, seed: 'cohorts' },
		marker: createMarker({ marks, vocabSize, specialTokens: tokenizer.specialTokens }),
		prompts: embeddedPrompts().slice(0, texts),
		...(marks.length === 0
			? {}
			: { starts: Array.from({ length: texts }, (_, i) => ({ cohort: names[i % 3] })) }),
	});
	const exchanges = [...samples].map(({ promptTokens, tokens }) => ({
		prompt: promptTokens,
		answer: tokens,
	}));
	return { mode: 'closed', exchanges };
}

beforeAll(() => {
	suspect = answers([shape, ...cohorts.slice(0, 3)], 192);
	innocent = answers([], 192);
});

function test(observations: Observations, options: RadioactivityOptions = {}): RadioactivityResult {
	const { result } = radioactivity(observations, [shape, choice, account, ...cohorts], {
		heldOutKeys: 1,
		...options,
	});
	return RadioactivityResult.parse(result);
}

describe('cohorts', () => {
	it('are found where the suspect knows their marks, corrected for all of them, and no others are', () => {
		const result = test(suspect);
		expect(result.cohorts).toHaveLength(12);
		const found = result.cohorts.filter((cohort) => cohort.found);
		expect(found.map(({ cohort }) => cohort).sort()).toEqual(names.slice(0, 3));
		expect(found.map(({ epoch }) => epoch)).toEqual([0, 0, 0]);
		const [{ log10P, log10PAdjusted }] = result.cohorts;
		expect(log10PAdjusted).toBeGreaterThanOrEqual(log10P);
		expect(log10PAdjusted).toBeLessThanOrEqual(log10P + Math.log10(12) + 1e-9);
		// One shape, one choice and twelve cohorts; a draw that no codeword turns back is not tested.
		expect(result.hypotheses).toBe(14);
		expect(result.tests.map(({ mark }) => mark)).not.toContain(account.id);
		expect(result).toMatchObject({ verdict: 'trained-on-marked', alternatives: ['relay'], fdr: 0.01 });
	});

	it('pay for hypotheses beside them, and for keys that nobody committed', () => {
		const adjusted = (options: RadioactivityOptions) => test(suspect, options).cohorts[0].log10PAdjusted;
		expect(adjusted({ hypotheses: 100 })).toBeCloseTo(adjusted({}) + 2, 9);
		expect(adjusted({ searchBits: 32 })).toBeCloseTo(adjusted({}) + 32 * Math.log10(2), 9);
	});

	it('that are not suspected are listed apart, and say so when they are found', () => {
		const clean = test(suspect, { controlCohorts: ['cohort-7', 'cohort-8'] });
		expect(clean.cohorts).toHaveLength(10);
		expect(clean.controls.cohorts.map(({ cohort }) => cohort).sort()).toEqual(['cohort-7', 'cohort-8']);
		expect(clean.alternatives).toEqual(['relay']);
		const spread = test(suspect, { controlCohorts: ['cohort-0', 'cohort-8'] });
		expect(spread.cohorts.filter(({ found }) => found)).toHaveLength(2);
		expect(spread.alternatives).toEqual(['relay', 'other-cohorts']);
	});

	it('are found in text without their marks as seldom as the rate says', () => {
		const RUNS = 100;
		const random = randomStream('radioactivity/cohorts/innocent');
		let wrong = 0;
		for (let run = 0; run < RUNS; run++) {
			const [, , , ...fresh] = freshLayers(random, names.slice(0, 5));
			const { result } = radioactivity(innocent, fresh, { heldOutKeys: 1, fdr: 0.1 });
			if (result.cohorts.some(({ found }) => found)) wrong++;
		}
		expect(wrong).toBeLessThanOrEqual(band(RUNS, 0.1, 1e-6)[1] * RUNS);
	});

	it('are not found while a control model looks marked', () => {
		const run = (controls: Suspect[]) =>
			radioactivityOfSuspects([{ name: 'suspect', observations: suspect }], controls, [shape, ...cohorts], {
				heldOutKeys: 1,
			});
		const [alone] = run([]).suspects;
		expect(alone.cohorts.filter(({ found }) => found)).toHaveLength(3);
		const beside = run([{ name: 'older', observations: suspect }]);
		expect(beside.withheld).toEqual(['control-model-found']);
		expect(beside.suspects[0].cohorts.filter(({ found }) => found)).toEqual([]);
	});

	it('of which no mark is given cannot be controls, and the account layer alone cannot be tested', () => {
		expect(refusal(() => test(suspect, { controlCohorts: ['cohort-99'] }))).toContain('"cohort-99"');
		expect(refusal(() => radioactivity(suspect, [account]))).toContain('account layer');
	});
});
