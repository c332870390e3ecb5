/** The adapter in the real host, on the embedded teacher. */
import type { LogitsProcessorList, Tensor } from '@huggingface/transformers';
import { describe, expect, it } from 'vitest';
import { freshMark } from '../../bench/fresh-marks.js';
import { transformersJsProcessor } from '../../src/embed/adapters/transformers-js.js';
import { createMarker } from '../../src/embed/marker.js';
import { detect } from '../../src/verify/detect.js';
import { model, tokenizer } from './teacher-host.js';

const key = (byte: number) => new Uint8Array(32).fill(byte);
const marks = [freshMark('kgw', 1, key(1)), freshMark('gumbel', 4, key(2))] as const;

describe('transformers.js', () => {
	it.each([true, false])(
		'emits what the session chose, and the text is marked (do_sample %s)',
		async (sample) => {
			const marker = createMarker({ marks, vocabSize: 2048, specialTokens: [0] });
			const processor = transformersJsProcessor(marker, { id: 'host', seed: 'host' });
			const inputs = tokenizer(['It was a', 'There is a']);
			const output = (await model.generate({
				...inputs,
				max_new_tokens: 100,
				do_sample: sample,
				// The host calls each processor as a function; its list type asks for instances of its own class.
				logits_processor: [processor] as unknown as LogitsProcessorList,
			})) as Tensor;
			const receipts = processor.finish();
			expect(receipts.map(({ id, status }) => [id, status])).toEqual([
				['host/0', 'finished'],
				['host/1', 'finished'],
			]);
			const rows = output.tolist() as bigint[][];
			const given = (inputs.input_ids as Tensor).dims[1];
			for (const [i, row] of rows.entries()) {
				const answer = row.slice(given, given + receipts[i].tokens).map(Number);
				const result = detect('x', answer, [...marks]);
				expect(result.verdict).toBe('marked');
				expect(result.tests[1].log10P).toBeLessThan(-20);
			}
		},
	);
});
