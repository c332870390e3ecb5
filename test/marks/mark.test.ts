import { describe, expect, test } from 'vitest';
import { randomStream } from '../../src/embed/random.js';
import { defaultMarks } from '../../src/marks/defaults.js';
import { bindMark } from '../../src/marks/mark.js';
import { type MarkSpec, markId } from '../../src/marks/mark-spec.js';
import { SCORE_UNIT } from '../../src/schemes/fixed-log.js';
import { scoreOfWindow } from '../../src/schemes/scheme.js';

const KEY = Uint8Array.from({ length: 32 }, (_, i) => i + 1);
const [usual, choice] = defaultMarks('acme', 'ab'.repeat(32)).map(
	(spec): MarkSpec => ({ ...spec, commitment: null }),
);
const shape: MarkSpec = { ...usual, scheme: { name: 'kgw', gamma: 0.25, delta: 2 } };

describe('a bound mark', () => {
	test('carries its spec and id, the law of its score, and one side of sampling', () => {
		const green = bindMark(shape, KEY);
		expect(green).toMatchObject({ spec: shape, id: markId(shape) });
		expect(green.scheme.null).toEqual({ kind: 'bernoulli', p: 0.25, trials: 1 });
		expect(green.scheme.tilt).toBeDefined();
		expect(green.scheme.draw).toBeUndefined();
		const draw = bindMark(choice, KEY);
		expect(draw.scheme.null).toEqual({ kind: 'exponential', shift: 0 });
		expect(draw.scheme.tilt).toBeUndefined();
		expect(draw.scheme.draw).toBeDefined();
	});
	test('takes the 24-bit grid of vLLM with vLLM’s generators', () => {
		const spec: MarkSpec = { ...choice, prf: 'philox4x32-10-v1' };
		expect(bindMark(spec, new Uint8Array(8)).scheme.null).toEqual({ kind: 'exponential', shift: 2 ** -24 });
	});
	test('does not show its key', () => {
		const key = new TextEncoder().encode('0123456789-this-is-the-mark-key!');
		const shown = JSON.stringify(bindMark({ ...shape, selector: 'keyed', share: 9 }, key));
		expect(shown).not.toContain(Buffer.from(key).toString('hex'));
		expect(shown).not.toContain([...key].join());
	});
	test('is refused for an invalid spec and for a key of another length', () => {
		expect(() => bindMark({ ...shape, channel: 'choice' }, KEY)).toThrow(/channel/);
		expect(() => bindMark(shape, KEY.subarray(1))).toThrow(RangeError);
	});
});

describe('selector', () => {
	const random = randomStream('selector');
	const contexts = Array.from({ length: 20_000 }, () => [Math.floor(50_000 * random.next())]);

	test('"all" covers every context', () => {
		expect(contexts.every(bindMark(shape, KEY).covers)).toBe(true);
	});
	test.each([1, 32, 128, 255])('a share of %i/256 covers about that many contexts', (share) => {
		const mark = bindMark({ ...shape, selector: 'keyed', share }, KEY);
		const covered = contexts.filter(mark.covers).length;
		const p = share / 256;
		// Five standard deviations: a correct source fails with probability 6e-7.
		expect(Math.abs(covered - p * contexts.length)).toBeLessThan(
			5 * Math.sqrt(contexts.length * p * (1 - p)),
		);
	});
	test('another key covers other contexts, and the answer is the same each time', () => {
		const spec: MarkSpec = { ...shape, selector: 'keyed', share: 128 };
		const [one, again, other] = [
			bindMark(spec, KEY),
			bindMark(spec, KEY),
			bindMark(
				spec,
				KEY.map((byte) => byte ^ 1),
			),
		];
		expect(contexts.every((context) => one.covers(context) === again.covers(context))).toBe(true);
		const agree = contexts.filter((context) => one.covers(context) === other.covers(context)).length;
		expect(Math.abs(agree / contexts.length - 0.5)).toBeLessThan(5 * Math.sqrt(0.25 / contexts.length));
	});
	test('knows nothing of the mark: where it covers, tokens are as often green as elsewhere', () => {
		// Token 0 matters most: the selector asks its own keystream for token 0.
		const mark = bindMark({ ...shape, selector: 'keyed', share: 64 }, KEY);
		const green = (context: number[], token: number) =>
			scoreOfWindow(mark.scheme, context, token) === SCORE_UNIT;
		for (const token of [0, 1, 777]) {
			const both = contexts.filter((context) => mark.covers(context) && green(context, token)).length;
			expect(Math.abs(both / contexts.length - 1 / 16)).toBeLessThan(
				5 * Math.sqrt(15 / 256 / contexts.length),
			);
		}
	});
});
