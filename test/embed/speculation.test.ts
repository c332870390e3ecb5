/** Marks with two keys under speculative decoding: the draft model proposes, the target model accepts or recovers. */
import { describe, expect, it } from 'vitest';
import { freshKey, specOf } from '../../bench/fresh-marks.js';
import { createMarker } from '../../src/embed/marker.js';
import { randomStream } from '../../src/embed/random.js';
import { bindMark } from '../../src/marks/mark.js';
import { detect } from '../../src/verify/detect.js';

const V = 200;
const random = randomStream('speculation');
const spec = specOf({ scheme: { name: 'dual_key_gumbel', alpha: 0.3 }, prf: 'chacha8-v1', contextWidth: 2 });
const mark = bindMark(spec, freshKey(spec, random));
const marker = createMarker({ marks: [mark], vocabSize: V, unkeyedShare: 0 });
const logits = () => Float32Array.from({ length: V }, () => 3 * random.next());

describe('speculative decoding', () => {
	it('draws proposals with key A and recovered tokens with key B, in one context', () => {
		const generation = marker.start({ seed: 's' });
		for (let i = 0; i < 2; i++) marker.step([generation], logits(), 'draft');
		const row = logits();
		const context = [...generation.tokens];
		const [proposed] = marker.step([generation], row, 'draft');
		expect(proposed).toBe(mark.scheme.drawDraft?.(context, row.slice()));
		generation.retract(1);
		expect(generation.tokens).toEqual(context);
		const [recovered] = marker.step([generation], row, 'target');
		expect(recovered).toBe(mark.scheme.drawTarget?.(context, row.slice()));
	});

	it('leaves receipts that count what stayed, and a text that is found', () => {
		const generation = marker.start({ seed: 't' });
		for (let round = 0; round < 60; round++) {
			const before = generation.tokens.length;
			for (let i = 0; i < 4; i++) marker.step([generation], logits(), 'draft');
			const accepted = Math.floor(5 * random.next());
			generation.retract(4 - accepted);
			marker.step([generation], logits(), 'target');
			expect(generation.tokens).toHaveLength(before + accepted + 1);
		}
		const tokens = [...generation.tokens];
		const receipt = generation.finish();
		expect(receipt.tokens).toBe(tokens.length);
		expect(receipt.segments).toHaveLength(1);
		expect(receipt.segments[0].tokens).toBe(tokens.length);
		expect(receipt.segments[0].keyed).toBeLessThanOrEqual(tokens.length);
		expect(detect('x', tokens, [mark]).verdict).toBe('marked');
	});

	it('takes back nothing from before the last boundary', () => {
		const generation = marker.start({ seed: 'u' });
		marker.step([generation], logits());
		generation.segment('tool-call', false);
		marker.step([generation], logits());
		expect(() => generation.retract(2)).toThrow(/2 tokens cannot be taken back; 1 were emitted/);
		generation.retract(1);
		generation.finish();
		expect(() => generation.retract(0)).toThrow(/has ended/);
	});
});
