import chiSquareCdf from '@stdlib/stats-base-dists-chisquare-cdf';
import { describe, expect, test } from 'vitest';
import { freshLayers, freshMark } from '../../bench/fresh-marks.js';
import { createMarker, type StartOptions } from '../../src/embed/marker.js';
import { randomStream } from '../../src/embed/random.js';
import type { Mark } from '../../src/marks/mark.js';
import { SCORE_UNIT } from '../../src/schemes/fixed-log.js';
import { scoreOfWindow } from '../../src/schemes/scheme.js';
import { refusal } from '../refusal.js';

const V = 64;
const random = randomStream('test/layers');
const key = () => Uint8Array.from({ length: 32 }, () => Math.floor(256 * random.next()));
const marks = freshLayers(random, ['farms', 'resellers']);
const [shape, choice, account, farms] = marks;
const marker = createMarker({ marks, vocabSize: V, unkeyedShare: 0 });
const flat = new Float32Array(V);

function write(steps: number, request: StartOptions, logits = flat) {
	const generation = marker.start({ seed: 'layers', ...request });
	for (let step = 0; step < steps; step++) marker.step([generation], logits);
	return { tokens: generation.tokens, receipt: generation.finish() };
}

/** Each context of a text, once, with its token. */
function windows(tokens: readonly number[], width: number): [number[], number][] {
	const found = new Map(
		tokens.slice(width).map((token, i) => {
			const context = tokens.slice(i, i + width);
			return [context.join(), [context, token] as [number[], number]];
		}),
	);
	return [...found.values()];
}
/** Mean score of the text's pairs in contexts that pass. */
function meanScore(mark: Mark, tokens: readonly number[], holds: (context: number[]) => boolean) {
	const pairs = windows(tokens, mark.spec.contextWidth).filter(([context]) => holds(context));
	const scores = pairs.map(([context, token]) => scoreOfWindow(mark.scheme, context, token) / SCORE_UNIT);
	return { pairs: pairs.length, mean: scores.reduce((sum, score) => sum + score, 0) / scores.length };
}

describe('the account layer', () => {
	const { tokens } = write(1000, { account: 'a' });
	test('keeps out of contexts that the deployment’s draw covers, and has all others', () => {
		// A keyed draw from 64 equally likely tokens scores the 64th harmonic number, 4.7 on average.
		const covered = meanScore(choice, tokens, (context) => choice.covers(context));
		const others = meanScore(choice, tokens, (context) => !choice.covers(context));
		expect(covered.mean).toBeGreaterThan(4.3);
		expect(others.mean).toBeLessThan(1.3);
		expect(covered.pairs / (covered.pairs + others.pairs)).toBeCloseTo(0.5, 1);
	});
	test('turns the draw by the account’s symbol at the context’s position, and by nothing else', () => {
		const { code, scheme } = account;
		if (code === undefined) throw new Error('no code');
		const scoreAs = (pseudonym: string) => {
			const word = code.codeword(pseudonym);
			const pairs = windows(tokens, 4).filter(([context]) => !choice.covers(context));
			const words = new Uint32Array(pairs.length);
			scheme.words?.(Uint32Array.from(pairs.flatMap(([context, token]) => [...context, token])), words);
			const turned = words.map((w, i) => w + code.turn(word[code.position(pairs[i][0])]));
			return turned.reduce((sum, w) => sum - Math.log(1 - w / 2 ** 32), 0) / turned.length;
		};
		expect(scoreAs('a')).toBeGreaterThan(4.3);
		expect(scoreAs('b')).toBeLessThan(1.3);
	});
	test('draws by the same word for all accounts: where symbols agree, so do tokens', () => {
		const code = account.code;
		if (code === undefined) throw new Error('no code');
		const [one, other] = [code.codeword('a'), code.codeword('b')];
		const prompts = Array.from({ length: 400 }, (_, i) => [i % 64, (i * 7) % 64, (i * 11 + 3) % 64, i >> 3]);
		let same = 0;
		let agreeing = 0;
		for (const context of prompts) {
			if (choice.covers(context)) continue;
			const next = (pseudonym: string) => {
				// The first four tokens are forced, so that the fifth is drawn after this context.
				const generation = marker.start({ seed: 'x', account: pseudonym });
				for (const token of context)
					marker.step(
						[generation],
						Float32Array.from(flat, (_, t) => (t === token ? 0 : -Infinity)),
					);
				return marker.step([generation], flat)[0];
			};
			const place = code.position(context);
			if (one[place] !== other[place]) continue;
			agreeing++;
			if (next('a') === next('b')) same++;
		}
		expect(agreeing).toBeGreaterThan(4);
		expect(same).toBe(agreeing);
	});
	test('changes nothing over keys, whatever the account (chi-square, error 1e-4)', () => {
		const logits = Float32Array.from({ length: 12 }, (_, i) => -i / 4);
		const weights = Array.from(logits, Math.exp);
		const total = weights.reduce((sum, weight) => sum + weight, 0);
		const counts = new Array<number>(12).fill(0);
		let drawn = 0;
		for (let i = 0; i < 8000; i++) {
			const layers = freshLayers(random).slice(1);
			const fresh = createMarker({ marks: layers, vocabSize: 12, unkeyedShare: 0 });
			const generation = fresh.start({ seed: `${i}`, account: 'somebody' });
			for (let step = 0; step < 5; step++) fresh.step([generation], logits);
			if (layers[0].covers(generation.tokens.slice(0, 4))) continue;
			expect(generation.finish().segments[0].keyed).toBe(1);
			counts[generation.tokens[4]]++;
			drawn++;
		}
		const statistic = weights.reduce((sum, weight, i) => {
			const expected = (drawn * weight) / total;
			return sum + (counts[i] - expected) ** 2 / expected;
		}, 0);
		expect(drawn).toBeGreaterThan(3500);
		expect(1 - chiSquareCdf(statistic, 11)).toBeGreaterThan(1e-4);
	});
	test('does nothing to requests without an account', () => {
		const { receipt } = write(300, {});
		expect(receipt.marks).toEqual([shape.id, choice.id]);
		expect(receipt.segments[0].keyed).toBeLessThan(200);
	});
});

describe('the cohort layer', () => {
	const { tokens, receipt } = write(1500, { cohort: 'farms', account: 'a' });
	test('takes the place of the deployment’s shape on the contexts of its own key', () => {
		const covers = (context: number[]) => farms.covers(context);
		const not = (context: number[]) => !farms.covers(context);
		// One layer of a tournament between equally likely tokens: three in four of the drawn score 1.
		expect(meanScore(farms, tokens, covers).mean).toBeGreaterThan(0.6);
		expect(meanScore(shape, tokens, covers).mean).toBeLessThan(0.65);
		expect(meanScore(shape, tokens, not).mean).toBeGreaterThan(0.6);
	});
	test('is in the receipt, and other cohorts are not', () => {
		expect(receipt.marks).toEqual([shape.id, farms.id, choice.id, account.id]);
	});
});

describe('what is refused', () => {
	test('a cohort that no mark has', () => {
		expect(refusal(() => marker.start({ id: 'r', cohort: 'unknown' }))).toBe(
			'request "r": no mark of this session is cohort "unknown"\'s',
		);
	});
	test('an account without an account layer', () => {
		const plain = createMarker({ marks: [freshMark('gumbel', 4, key())], vocabSize: V });
		expect(refusal(() => plain.start({ id: 'r', account: 'a' }))).toMatch(/no mark of the account layer/);
	});
	test('two account layers', () => {
		const two = [account, freshLayers(random)[2]];
		expect(refusal(() => createMarker({ marks: two, vocabSize: V }))).toMatch(
			/one choice mark of the account/,
		);
	});
});
