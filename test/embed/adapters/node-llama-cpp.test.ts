/**
 * The adapter in the real host, on a real chat model where there is one, and its side of the contract everywhere.
 *
 * The host is not a dependency of this repository. To run against it: `npm run setup:linux-x64` in
 * examples/node-llama-cpp, and the path of a GGUF file in TOUCHMARK_TEST_GGUF.
 */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshMark } from '../../../bench/fresh-marks.js';
import {
	type LlamaNext,
	type LlamaSequence,
	nodeLlamaCppGenerate,
} from '../../../src/embed/adapters/node-llama-cpp.js';
import { createMarker } from '../../../src/embed/marker.js';
import { detect } from '../../../src/verify/detect.js';

const HOST = 'examples/node-llama-cpp/node_modules/node-llama-cpp/dist/index.js';
const GGUF = process.env.TOUCHMARK_TEST_GGUF;
const missing = [
	...(existsSync(HOST) ? [] : ['run `npm run setup:linux-x64` in examples/node-llama-cpp']),
	...(GGUF === undefined ? ['name a GGUF file in TOUCHMARK_TEST_GGUF'] : []),
];

/** What the tests use of the host. */
interface Sequence extends LlamaSequence<number> {
	clearHistory(): Promise<void>;
	evaluate(tokens: number[], options: { temperature: number }): AsyncIterable<number>;
}
interface Model {
	readonly tokens: { readonly eos: number };
	iterateAllTokens(): Iterable<number>;
	tokenize(text: string): number[];
	createContext(options: object): Promise<{ getSequence(): Sequence }>;
}
interface Llama {
	loadModel(options: object): Promise<Model>;
	dispose(): Promise<void>;
}

const key = (byte: number) => new Uint8Array(32).fill(byte);
const marks = [freshMark('kgw', 1, key(1)), freshMark('gumbel', 4, key(2))] as const;

describe.skipIf(missing.length > 0)(`node-llama-cpp (to enable: ${missing.join('; ') || 'nothing'})`, () => {
	let llama: Llama;
	let model: Model;
	let sequence: Sequence;
	let vocabSize = 0;

	beforeAll(async () => {
		const host = (await import(pathToFileURL(resolve(HOST)).href)) as {
			getLlama(options: object): Promise<Llama>;
		};
		llama = await host.getLlama({ gpu: false, build: 'never' });
		model = await llama.loadModel({ modelPath: GGUF });
		sequence = (await model.createContext({ contextSize: 512, threads: 1 })).getSequence();
		vocabSize = [...model.iterateAllTokens()].length;
	});
	afterAll(() => llama?.dispose());

	it('emits what the session chose, and the text is marked', async () => {
		const specialTokens = [model.tokens.eos];
		const marker = createMarker({ marks, vocabSize, specialTokens });
		const prompt = model.tokenize('It was a dark night, and');
		const options = { prompt, vocabSize, maxTokens: 120, seed: 'host', id: 'host' };
		const { tokens, receipt } = await nodeLlamaCppGenerate(sequence, marker, options);
		expect(receipt).toMatchObject({ id: 'host', status: 'finished', tokens: 120 });
		expect(sequence.contextTokens).toEqual([...prompt, ...tokens.slice(0, -1)]);
		const result = detect('x', [...tokens], [...marks], { given: prompt });
		expect(result.verdict).toBe('marked');
		expect(result.tests[1].log10P).toBeLessThan(-15);
	});

	it.each([undefined, 64])('without marks, greedily, is the host itself (top %s)', async (top) => {
		const prompt = model.tokenize('The capital of France is');
		const plain = createMarker({ marks: [], vocabSize });
		await sequence.clearHistory();
		const { tokens } = await nodeLlamaCppGenerate(sequence, plain, {
			prompt,
			vocabSize,
			maxTokens: 16,
			sampling: { temperature: 0 },
			...(top === undefined ? {} : { top }),
		});
		await sequence.clearHistory();
		const theirs: number[] = [];
		for await (const token of sequence.evaluate(prompt, { temperature: 0 })) {
			theirs.push(token);
			if (theirs.length === 16) break;
		}
		expect(tokens).toEqual(theirs);
	});
});

describe('what the adapter asks of a sequence', () => {
	type Input = Parameters<LlamaSequence<number>['controlledEvaluate']>[0];
	/** Answers as version 3.22.1 does: nothing for tokens that no logits were asked for. */
	function recorder(history: number[], logits: Map<number, number> | undefined) {
		const inputs: Input[] = [];
		const sequence: LlamaSequence<number> = {
			contextTokens: history,
			async controlledEvaluate(input) {
				inputs.push(input);
				return input.map((item) =>
					typeof item === 'number' ? undefined : { next: logits === undefined ? {} : { logits } },
				);
			},
		};
		return { inputs, sequence };
	}
	const next = (logits: LlamaNext['generateNext']['logits']): LlamaNext => ({
		generateNext: { logits, options: { temperature: 1, topK: 0, topP: 1, minP: 0 } },
	});
	const plain = createMarker({ marks: [], vocabSize: 8 });

	it('raw logits after the last token only, then one token at a time; absent tokens are excluded', async () => {
		const { inputs, sequence } = recorder([], new Map([[5, -3]]));
		const options = { prompt: [1, 2, 3], vocabSize: 8, maxTokens: 3 };
		const { tokens } = await nodeLlamaCppGenerate(sequence, plain, options);
		expect(tokens).toEqual([5, 5, 5]);
		expect(inputs).toEqual([[1, 2, [3, next(true)]], [[5, next(true)]], [[5, next(true)]]]);
	});
	it('the likeliest alone when told to', async () => {
		const { inputs, sequence } = recorder([], new Map([[5, 0]]));
		await nodeLlamaCppGenerate(sequence, plain, { prompt: [1], vocabSize: 8, maxTokens: 1, top: 2 });
		expect(inputs).toEqual([[[1, next({ filter: { tokens: [], includeTop: 2 } })]]]);
	});
	it('what the sequence has seen counts as given: no context of it is drawn from', async () => {
		const choice = freshMark('gumbel', 1, key(3));
		const marker = createMarker({ marks: [choice], vocabSize: 8, unkeyedShare: 0 });
		const run = async (history: number[]) => {
			const { sequence } = recorder(history, new Map([[5, 0]]));
			const options = { prompt: [1], vocabSize: 8, maxTokens: 4 };
			return (await nodeLlamaCppGenerate(sequence, marker, options)).receipt.segments[0].keyed;
		};
		expect(await run([])).toBe(1);
		expect(await run([5])).toBe(0);
	});
	it.each([
		['no logits', undefined, /gave no logits; version 3.22/],
		['a token outside the vocabulary', new Map([[8, 0]]), /token 8, outside the vocabulary of 8/],
	])('refuses %s in one sentence', async (_what, logits, sentence) => {
		const { sequence } = recorder([], logits);
		const run = nodeLlamaCppGenerate(sequence, plain, { prompt: [1], vocabSize: 8, maxTokens: 1 });
		await expect(run).rejects.toThrow(sentence);
	});
});
