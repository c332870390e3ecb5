import { describe, expect, it } from 'vitest';
import { between } from '../../bench/distillation/hard-suspects.js';
import { embeddedModel } from '../../src/generate/embedded.js';

const base = embeddedModel('base');

describe('a neutralised suspect', () => {
	it('lies between its two models', () => {
		const student = embeddedModel('student-marked');
		const ids = Int32Array.of(17);
		const logits = (share: number) => [...between(student, base, share).newBatch(1).step(ids)];
		expect(logits(0)).toEqual([...student.newBatch(1).step(ids)]);
		expect(logits(1)).toEqual([...base.newBatch(1).step(ids)]);
		const half = logits(0.5);
		expect(half[40]).toBeCloseTo((logits(0)[40] + logits(1)[40]) / 2, 4);
	});
});
