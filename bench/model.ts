/**
 * Tokens a second of the forward pass on one core, against ONNX Runtime Web (WebAssembly, one thread).
 *
 * Both read models/teacher and decode with a cache, one token a row a step, from an empty context to a full
 * one. ONNX Runtime hands the cache to JavaScript and back at each step, as it does under transformers.js.
 *
 *     npx tsx bench/model.ts
 *
 * @module
 */

import { fileURLToPath } from 'node:url';
import * as ort from 'onnxruntime-web';
import { loadTransformer } from '../src/model/transformer.js';
import { type Bench, median, type Row } from './rows.js';

const FOLDER = fileURLToPath(new URL('../models/teacher/', import.meta.url));
const BATCHES = [1, 16, 64];
const LAYERS = 3;
const HEADS = 4;
const HEAD_WIDTH = 32;

/** Decodes `length` tokens in each of `size` rows. */
type Decode = (size: number, length: number) => Promise<void> | void;

/** The id that every row reads at a step; which ids does not matter to the time. */
function idAt(step: number): number {
	return (step * 37) % 2048;
}

function ours(): Decode {
	const transformer = loadTransformer(FOLDER);
	const batches = new Map(BATCHES.map((size) => [size, transformer.newBatch(size)]));
	return (size, length) => {
		const batch = batches.get(size)!;
		batch.reset();
		for (let step = 0; step < length; step++) batch.step(new Int32Array(size).fill(idAt(step)));
	};
}

async function peer(): Promise<Decode> {
	ort.env.wasm.numThreads = 1;
	const session = await ort.InferenceSession.create(`${FOLDER}onnx/model.onnx`, {
		executionProviders: ['wasm'],
		graphOptimizationLevel: 'all',
	});
	const entries = Array.from({ length: LAYERS }, (_, i) => [`${i}.key`, `${i}.value`]).flat();
	return async (size, length) => {
		const empty = new ort.Tensor('float32', new Float32Array(0), [size, HEADS, 0, HEAD_WIDTH]);
		let past: Record<string, ort.Tensor> = Object.fromEntries(
			entries.map((entry) => [`past_key_values.${entry}`, empty]),
		);
		for (let step = 0; step < length; step++) {
			const column = (value: number, width = 1) =>
				new ort.Tensor('int64', new BigInt64Array(size * width).fill(BigInt(value)), [size, width]);
			const output = await session.run({
				input_ids: column(idAt(step)),
				attention_mask: column(1, step + 1),
				position_ids: column(step),
				...past,
			});
			past = Object.fromEntries(
				entries.map((entry) => [`past_key_values.${entry}`, output[`present.${entry}`]!]),
			);
		}
	};
}

async function seconds(decode: Decode, size: number, length: number): Promise<number> {
	const begun = performance.now();
	await decode(size, length);
	return (performance.now() - begun) / 1000;
}

/**
 * Measures every batch size, ours and the peer in turn.
 *
 * @param options `quick` stops at a quarter of the context and repeats 3 times instead of 5
 * @returns a row for each batch size
 */
export async function run(options: { quick: boolean }): Promise<Row[]> {
	const [length, repeats] = options.quick ? [32, 3] : [128, 5];
	const contenders = [ours(), await peer()] as const;
	const rows: Row[] = [];
	for (const size of BATCHES) {
		for (const decode of contenders) await decode(size, 32); // warm up
		const times: [number[], number[]] = [[], []];
		for (let repeat = 0; repeat < repeats; repeat++) {
			for (const [i, decode] of contenders.entries()) times[i]!.push(await seconds(decode, size, length));
		}
		const [mine, theirs] = times.map((t) => (size * length) / median(t)) as [number, number];
		rows.push({
			case: `forward pass, batch ${size}, context to ${length}`,
			ours: Math.round(mine),
			peer: Math.round(theirs),
			peerName: 'onnxruntime-web',
			unit: 'tokens/s',
			ratio: Math.round((mine / theirs) * 100) / 100,
		});
	}
	return rows;
}

/** For the runner. */
export const bench: Bench = {
	about:
		'The forward pass of the bundled teacher on one core, decoding one token a row a step with a cache, from an ' +
		'empty context to a full one; median of 5 interleaved runs. ONNX Runtime Web runs its WebAssembly build with one thread.',
	run: async (options) => ({
		rows: await run(options),
		notes: [
			'ONNX Runtime Web concatenates the cache and hands it to JavaScript and back at each step, as it does under ' +
				'transformers.js, so its time a step grows with the context much faster than ours.',
		],
	}),
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	console.table(await run({ quick: process.argv.includes('--quick') }));
}
