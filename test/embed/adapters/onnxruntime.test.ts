/** The loop in the real host, on the embedded teacher. */
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { freshMark } from '../../../bench/fresh-marks.js';
import { type OrtSession, onnxruntimeGenerate } from '../../../src/embed/adapters/onnxruntime.js';
import { createMarker } from '../../../src/embed/marker.js';
import { embeddedModel, embeddedTokenizer } from '../../../src/generate/embedded.js';
import { detect } from '../../../src/verify/detect.js';

const key = (byte: number) => new Uint8Array(32).fill(byte);
const marks = [freshMark('kgw', 1, key(1)), freshMark('gumbel', 4, key(2))] as const;
const marker = createMarker({ marks, vocabSize: 2048, specialTokens: [0] });
const tokenizer = embeddedTokenizer();
const prompt = tokenizer.encode('It was a');
const session = await ort.InferenceSession.create('models/teacher/onnx/model.onnx', { intraOpNumThreads: 1 });

describe('onnxruntime', () => {
	it('emits what the session chose, with a cache, and the text is marked', async () => {
		const streamed: number[] = [];
		const { tokens, receipt } = await onnxruntimeGenerate(ort, session, marker, {
			prompt,
			maxTokens: 100,
			id: 'host',
			seed: 'host',
			onToken: (token) => streamed.push(token),
		});
		expect(tokens).toHaveLength(100);
		expect(streamed).toEqual(tokens);
		expect(receipt).toMatchObject({ id: 'host', status: 'finished', tokens: 100 });
		const result = detect('x', [...tokens], [...marks], { given: prompt });
		expect(result.verdict).toBe('marked');
		expect(result.tests[1].log10P).toBeLessThan(-20);
	});

	it('gives greedily what the embedded model gives', async () => {
		const plain = createMarker({ marks: [], vocabSize: 2048 });
		const options = { prompt, maxTokens: 40, sampling: { temperature: 0 } };
		const { tokens } = await onnxruntimeGenerate(ort, session, plain, options);
		const batch = embeddedModel('teacher').newBatch(1);
		const generation = plain.start({ prompt, sampling: { temperature: 0 } });
		let logits = new Float32Array(0);
		for (const id of prompt) logits = batch.step(Int32Array.of(id)).slice();
		for (let i = 0; i < 40; i++) {
			const [token] = plain.step([generation], logits);
			logits = batch.step(Int32Array.of(token)).slice();
		}
		expect(tokens).toEqual(generation.tokens);
	});

	it('ends at an end token and at the signal, and the receipts say which', async () => {
		const run = (options: {
			endTokens?: number[];
			signal?: AbortSignal;
			onToken?: (token: number) => void;
		}) => onnxruntimeGenerate(ort, session, marker, { prompt, maxTokens: 60, seed: 'end', ...options });
		const whole = await run({});
		const end = whole.tokens[9];
		const ended = await run({ endTokens: [end] });
		expect(ended.tokens).toEqual(whole.tokens.slice(0, whole.tokens.indexOf(end) + 1));
		expect(ended.receipt.status).toBe('finished');
		const control = new AbortController();
		let count = 0;
		const aborted = await run({
			signal: control.signal,
			onToken: () => {
				if (++count === 5) control.abort();
			},
		});
		expect(aborted.tokens).toEqual(whole.tokens.slice(0, 5));
		expect(aborted.receipt).toMatchObject({ status: 'aborted', tokens: 5 });
	});

	it('drives a model without a cache: it is then given everything each time', async () => {
		const lengths: number[] = [];
		const model: OrtSession<ort.Tensor> = {
			inputMetadata: [{ name: 'input_ids', isTensor: true, type: 'int64', shape: ['batch', 'length'] }],
			outputNames: ['logits'],
			async run({ input_ids }) {
				const length = input_ids.dims[1];
				lengths.push(length);
				const data = new Float32Array(length * 4);
				// The next token is the last one plus one.
				data[(length - 1) * 4 + ((Number(input_ids.data[length - 1]) + 1) % 4)] = 50;
				return { logits: new ort.Tensor('float32', data, [1, length, 4]) };
			},
		};
		const small = createMarker({ marks: [], vocabSize: 4 });
		const { tokens } = await onnxruntimeGenerate(ort, model, small, { prompt: [2], maxTokens: 5 });
		expect(tokens).toEqual([3, 0, 1, 2, 3]);
		expect(lengths).toEqual([1, 2, 3, 4, 5]);
	});

	it.each([
		[
			'another input',
			'encoder_hidden_states',
			'float32',
			/an input "encoder_hidden_states", which this loop/,
		],
		['a cache of another type', 'past_key_values.0.key', 'int8', /"past_key_values.0.key" is int8/],
	])('refuses a model with %s in one sentence', async (_what, name, type, sentence) => {
		const model: OrtSession<ort.Tensor> = {
			inputMetadata: [{ name, isTensor: true, type, shape: [] }],
			outputNames: [],
			run: async () => ({}),
		};
		const small = createMarker({ marks: [], vocabSize: 4 });
		await expect(onnxruntimeGenerate(ort, model, small, { prompt: [2], maxTokens: 5 })).rejects.toThrow(
			sentence,
		);
	});

	it.each([
		['no prompt', { prompt: [], maxTokens: 5 }, /prompt needs at least one token/],
		['no tokens', { prompt: [1], maxTokens: 0 }, /maxTokens must be/],
	])('refuses %s', async (_what, options, sentence) => {
		await expect(onnxruntimeGenerate(ort, session, marker, options)).rejects.toThrow(sentence);
	});
});
