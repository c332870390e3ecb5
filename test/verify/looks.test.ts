/** Looks: the level over all of them under fresh keys, the price of each, and a marked student that is found early. */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { band } from '../../bench/calibration.js';
import { freshKey, specOf } from '../../bench/fresh-marks.js';
import { studentAnswers } from '../../bench/sequential-nulls.js';
import { randomStream } from '../../src/embed/random.js';
import { type EmbeddedModel, embeddedModel } from '../../src/generate/embedded.js';
import { openKeyring } from '../../src/keys/keyring.js';
import { bindMark, type Mark } from '../../src/marks/mark.js';
import { predictAlong } from '../../src/model/predict.js';
import { type Look, type LooksOptions, lookSize, newLooks, nextLookSize } from '../../src/verify/looks.js';
import type { Observations } from '../../src/verify/radioactivity.js';
import {
	listedPrediction,
	newResiduals,
	type PairWeights,
	type Prediction,
} from '../../src/verify/residuals.js';
import { refusal } from '../refusal.js';

const LEVEL = 0.05;
const KEYS = 400;
const LOOKS = 6;
const TOP = 5;
const spec = specOf({
	scheme: { name: 'kgw', gamma: 0.5, delta: 1 },
	prf: 'chacha8-v1',
	contextWidth: 1,
});

function shownByApi({ tokens, of }: Prediction): Prediction {
	const top = Array.from(tokens)
		.sort((a, b) => of(b) - of(a))
		.slice(0, TOP);
	return listedPrediction(top, top.map(of));
}

/** Weights of a student at each look; a reading a place of the teacher's unmarked texts. */
function weightsAtLooks(student: EmbeddedModel): PairWeights[] {
	const texts = studentAnswers('teacher', 8, 64).map(({ prompt, answer }) => [...prompt, ...answer]);
	const residuals = newResiduals('readings', 1, 1);
	const weights: PairWeights[] = [];
	let readings = 0;
	predictAlong(
		[embeddedModel(student), embeddedModel('teacher')],
		texts,
		0.01,
		(text, at, [own, teacher]) => {
			if (weights.length === LOOKS) return;
			residuals.addReading(texts[text].slice(0, at), shownByApi(own), [teacher]);
			if (++readings === lookSize(weights.length + 1)) weights.push(residuals.weights());
		},
	);
	return weights;
}
const observed = (weights: PairWeights): Observations => ({
	...{ mode: 'grey', digest: 'ab'.repeat(32), given: [] },
	weights: () => weights,
});

/** Looks at growing weights for one mark. */
function lookAt(weights: readonly PairWeights[], mark: Mark, options: LooksOptions): Look[] {
	const looks = newLooks([mark], { heldOutKeys: 1, ...options });
	return weights.map((one) => looks.look(observed(one)));
}

let unmarked: PairWeights[];
beforeAll(() => {
	unmarked = weightsAtLooks('student-unmarked');
});

describe('under fresh keys', () => {
	let taken: Look[][];
	beforeAll(() => {
		const random = randomStream('looks');
		taken = Array.from({ length: KEYS }, () =>
			lookAt(unmarked, bindMark(spec, freshKey(spec, random)), { level: LEVEL }),
		);
	});
	const share = (found: (look: Look) => boolean) => taken.filter((looks) => looks.some(found)).length / KEYS;

	it('an innocent student is stopped for within the level, over all looks', () => {
		expect(share(({ reached }) => reached)).toBeLessThanOrEqual(band(KEYS, LEVEL, 1e-4)[1]);
	});

	it('where looking without a price would not keep it', () => {
		expect(share(({ result }) => result.log10P <= Math.log10(LEVEL))).toBeGreaterThan(
			band(KEYS, LEVEL, 1e-4)[1],
		);
	});
});

it('a p-value is at most one over the e-value of the same look', () => {
	const mark = bindMark(spec, new Uint8Array(32).fill(1));
	const marked = weightsAtLooks('student-marked');
	for (const { result } of [...lookAt(unmarked, mark, {}), ...lookAt(marked, mark, {})])
		expect(result.log10P).toBeLessThanOrEqual(1e-9 - result.log10E);
});

describe('a student of marked text', () => {
	let looks: Look[];
	beforeAll(async () => {
		const ring = await openKeyring(JSON.parse(readFileSync('models/keys/keyring.json', 'utf8')), () => '');
		const shape = ring.marks.find(({ channel }) => channel === 'shape') ?? expect.unreachable();
		looks = lookAt(weightsAtLooks('student-marked'), ring.bind(shape, 'embed'), {});
	});

	it('is found before the last look, at 1e-6 over all looks', () => {
		const stop = looks.findIndex(({ reached }) => reached);
		expect(stop).toBeGreaterThanOrEqual(0);
		expect(stop).toBeLessThan(LOOKS - 1);
		expect(looks[stop].result).toMatchObject({ verdict: 'trained-on-marked', alternatives: ['relay'] });
	});

	it('pays for the k-th look k(k + 1) times', () => {
		for (const { look, result } of looks) {
			expect(result.hypotheses).toBe(look * (look + 1));
			expect(result.log10PCorrected).toBeCloseTo(
				Math.min(0, result.log10P + Math.log10(look * (look + 1))),
				9,
			);
		}
	});
});

it('the worked example in docs/statistics.md', () => {
	const mark = bindMark(spec, new Uint8Array(32).fill(3));
	const rows: number[] = [];
	const score = new Float64Array(1);
	for (let token = 0; rows.length < 40; token++) {
		mark.scheme.scores(Uint32Array.of(7, token), 1, score);
		if (score[0] > 0) rows.push(7, token);
	}
	const twenty: PairWeights = {
		...unmarked[0],
		rows: Uint32Array.from(rows),
		weights: new Float64Array(20).fill(1),
	};
	const looks = lookAt([twenty, twenty, twenty], mark, { level: 1e-5 });
	expect(looks.map(({ reached }) => reached)).toEqual([true, true, false]);
	for (const [i, price] of [2, 6, 12].entries())
		expect(looks[i].result.log10PCorrected).toBeCloseTo(Math.log10(price * 2 ** -20), 6);
	expect(10 ** looks[0].result.log10E).toBeCloseTo(365_161, 0);
});

describe('the schedule', () => {
	const mark = bindMark(spec, new Uint8Array(32));

	it('is 100 queries, then a quarter more from look to look', () => {
		expect([1, 2, 3, 10].map(lookSize)).toEqual([100, 125, 157, 746]);
		expect([0, 99, 100, 124, 130].map(nextLookSize)).toEqual([100, 100, 125, 125, 157]);
	});

	it('goes on where it was left: looks taken before are paid for', () => {
		const [third] = lookAt([unmarked[2]], mark, { taken: 2 });
		expect(third).toEqual(lookAt(unmarked, mark, {})[2]);
	});

	it('is not moved by a look that failed', () => {
		const looks = newLooks([mark]);
		const wrong = { ...unmarked[0], contextWidth: 2 };
		expect(refusal(() => looks.look(observed(wrong)))).toMatch(/contexts of 2 ids/);
		expect(looks.look(observed(unmarked[0])).look).toBe(1);
	});
});
