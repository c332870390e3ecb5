/** Rows of one batch whose answers have different lengths, in the real host: it does not stop a row that ended. */
import type { LogitsProcessorList, Tensor } from '@huggingface/transformers';
import { describe, expect, it } from 'vitest';
import { freshMark } from '../../bench/fresh-marks.js';
import {
	type LogitsTensor,
	type TransformersJsProcessor,
	transformersJsProcessor,
} from '../../src/embed/adapters/transformers-js.js';
import { createMarker } from '../../src/embed/marker.js';
import { TouchmarkError } from '../../src/errors.js';
import { detect } from '../../src/verify/detect.js';
import { model, tokenizer } from './teacher-host.js';

const END = 0;
const choice = freshMark('gumbel', 4, new Uint8Array(32).fill(2));
const marker = createMarker({ marks: [choice], vocabSize: 2048, specialTokens: [END] });

type Processor = (ids: bigint[][], logits: LogitsTensor) => LogitsTensor;

/** Ends row 0 after 30 tokens and forbids the end elsewhere; stands before our processor, as the host's own do. */
const unequal: Processor = (ids, logits) => {
	const data = logits.data as Float32Array;
	ids.forEach((row, i) => {
		if (i === 0 && row.length === 3 + 30) data.fill(-Infinity, 0, 2048);
		data[i * 2048 + END] = i === 0 && row.length === 3 + 30 ? 0 : -Infinity;
	});
	return logits;
};

async function generate(processor: TransformersJsProcessor): Promise<number[][]> {
	const output = (await model.generate({
		...tokenizer(['It was a', 'There is a']),
		max_new_tokens: 90,
		do_sample: true,
		// The host calls each processor as a function; its list type asks for instances of its own class.
		logits_processor: [unequal, processor] as unknown as LogitsProcessorList,
	})) as Tensor;
	return (output.tolist() as bigint[][]).map((row) => row.slice(3).map(Number));
}

describe('a batch in which one answer ends early', () => {
	it('gives the ended row nothing but its end, and receipts of what was answered', async () => {
		const processor = transformersJsProcessor(marker, {
			seed: 'rows',
			endTokens: [tokenizer.eos_token_id as number],
		});
		const rows = await generate(processor);
		expect(rows[0].slice(30)).toEqual(new Array(60).fill(END));
		expect(rows[0].slice(0, 30)).not.toContain(END);
		const receipts = processor.finish();
		expect(receipts.map(({ tokens }) => tokens)).toEqual([31, 90]);
		// A tenth of the steps is left to chance; the first four have no context.
		expect(receipts[0].segments[0].keyed).toBeGreaterThan(18);
		for (const [i, row] of rows.entries()) {
			const result = detect('x', row.slice(0, i === 0 ? 30 : 90), [choice]);
			expect(result.log10P).toBeLessThan(i === 0 ? -3 : -10);
		}
	});
	it('without end tokens follows the host, which goes on, and the receipt says so', async () => {
		const processor = transformersJsProcessor(marker, { seed: 'rows' });
		const rows = await generate(processor);
		expect(rows[0][30]).toBe(END);
		expect(rows[0].slice(31)).not.toContain(END);
		expect(processor.finish().map(({ tokens }) => tokens)).toEqual([90, 90]);
	});
	it('of the same seed gives the same rows', async () => {
		const runs = [0, 1].map(() => transformersJsProcessor(marker, { seed: 'same', endTokens: [END] }));
		expect(await generate(runs[0])).toEqual(await generate(runs[1]));
	});
});

describe('calls that are not the host’s', () => {
	it.each<[string, LogitsTensor]>([
		['half precision', { dims: [1, 4], data: new Uint16Array(4) }],
		['three dimensions', { dims: [1, 1, 4], data: new Float32Array(4) }],
		['another number of rows', { dims: [2, 4], data: new Float32Array(8) }],
	])('%s: one sentence', (_what, logits) => {
		const processor = transformersJsProcessor(createMarker({ marks: [], vocabSize: 4 }));
		expect(() => processor([[1n]], logits)).toThrow(TouchmarkError);
		expect(() => processor([[1n]], logits)).toThrow(/^transformers\.js gave logits of shape \[[\d,]+\]/);
	});
	it('a row that the host continued with another token is left alone', () => {
		const small = createMarker({ marks: [], vocabSize: 4 });
		const processor = transformersJsProcessor(small, { seed: 'x' });
		const first = processor([[1n]], { dims: [1, 4], data: new Float32Array(4) });
		const chosen = (first.data as Float32Array).indexOf(0);
		const logits = { dims: [1, 4], data: new Float32Array(4).fill(0.5) };
		processor([[1n, BigInt((chosen + 1) % 4)]], logits);
		expect([...logits.data]).toEqual([0.5, 0.5, 0.5, 0.5]);
		expect(processor.finish()[0].tokens).toBe(1);
	});
});
