/**
 * The forward pass against two independent ones: torch (golden values) and transformers.js (live, ONNX).
 *
 * @module
 */

import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AutoModelForCausalLM, env, Tensor } from '@huggingface/transformers';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { readSafetensors, type Tensor as Weights } from '../../src/model/safetensors.js';
import { loadTransformer, transformerFromParts } from '../../src/model/transformer.js';

const MODELS = fileURLToPath(new URL('../../models/', import.meta.url));
const TEACHER = join(MODELS, 'teacher');
const GOLDEN = new URL('../vectors/teacher-logits.json', import.meta.url);

/** Logits are of size 10; single-precision sums in another order differ by 1e-6 to 1e-5. */
const TOLERANCE = 1e-4;

const Golden = z.object({
	stride: z.number(),
	cases: z.array(
		z.object({
			ids: z.array(z.number()),
			positions: z.array(
				z.object({ position: z.number(), logits: z.array(z.number()), logSumExp: z.number() }),
			),
		}),
	),
});

const transformer = loadTransformer(TEACHER);
const { vocabSize, maxLength } = transformer;
const golden = Golden.parse(JSON.parse(readFileSync(GOLDEN, 'utf8')));
const sequences = golden.cases.map(({ ids }) => ids);

/** Logits of every position and row: [positions, rows, vocabSize]. */
function allLogits(rows: readonly (readonly number[])[], length: number): Float32Array[][] {
	const batch = transformer.newBatch(rows.length);
	return Array.from({ length }, (_, position) => {
		const logits = batch.step(Int32Array.from(rows, (ids) => ids[position]!));
		return rows.map((_, row) => logits.slice(row * vocabSize, (row + 1) * vocabSize));
	});
}

function worstDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
	expect(a.length).toBe(b.length);
	return Array.from(a).reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i]!)), 0);
}

describe('logits', () => {
	it('equal those of torch', () => {
		const ours = allLogits(sequences, maxLength);
		for (const [row, { positions }] of golden.cases.entries()) {
			for (const { position, logits, logSumExp } of positions) {
				const mine = ours[position]![row]!;
				const kept = mine.filter((_, id) => id % golden.stride === 0);
				expect(worstDifference(kept, logits)).toBeLessThan(TOLERANCE);
				const sum = mine.reduce((total, logit) => total + Math.exp(logit), 0);
				expect(Math.abs(Math.log(sum) - logSumExp)).toBeLessThan(TOLERANCE);
			}
		}
	});

	it('equal those of transformers.js, and so does greedy text', async () => {
		env.allowRemoteModels = false;
		env.localModelPath = MODELS;
		const model = await AutoModelForCausalLM.from_pretrained('teacher', { dtype: 'fp32' });
		const [rows, length, extra] = [sequences.slice(0, 2), 40, 24];
		const int64 = (values: number[]) =>
			new Tensor('int64', BigInt64Array.from(values, BigInt), [rows.length, values.length / rows.length]);
		const inputs = {
			input_ids: int64(rows.flatMap((ids) => ids.slice(0, length))),
			attention_mask: int64(new Array(rows.length * length).fill(1)),
		};
		const { logits } = z
			.object({ logits: z.object({ dims: z.array(z.number()), data: z.instanceof(Float32Array) }) })
			.parse(await model(inputs));
		expect(logits.dims).toEqual([rows.length, length, vocabSize]);
		const ours = allLogits(rows, length);
		for (let position = 0; position < length; position++) {
			for (const row of rows.keys()) {
				const at = (row * length + position) * vocabSize;
				const theirs = logits.data.subarray(at, at + vocabSize);
				expect(worstDifference(ours[position]![row]!, theirs)).toBeLessThan(TOLERANCE);
			}
		}

		const texts = z
			.instanceof(Tensor)
			.parse(
				await model.generate({ ...inputs, max_new_tokens: extra, min_new_tokens: extra, do_sample: false }),
			)
			.tolist()
			.map((text: bigint[]) => text.map(Number));
		const greedy = allLogits(texts, length + extra - 1).slice(length - 1);
		for (const [row, text] of texts.entries()) {
			// min_new_tokens forbids the end of text, id 0.
			const best = greedy.map((step) =>
				step[row]!.reduce((top, x, id, all) => (id > 0 && x > all[top]! ? id : top), 1),
			);
			expect(best).toEqual(text.slice(length));
		}
	});

	it('of a row do not depend on its batch, to the bit, nor on what the batch held before', () => {
		const ids = sequences[0]!.slice(0, 20);
		const [alone, batch] = [transformer.newBatch(1), transformer.newBatch(5)];
		for (const id of sequences[1]!) batch.step(new Int32Array(5).fill(id));
		batch.reset();
		for (const [position, id] of ids.entries()) {
			const single = alone.step(Int32Array.of(id));
			const many = batch.step(Int32Array.from({ length: 5 }, (_, row) => (row % 2 === 0 ? id : position)));
			for (const row of [0, 2, 4]) {
				expect(many.slice(row * vocabSize, (row + 1) * vocabSize)).toEqual(single);
			}
		}
	});
});

describe('Batch', () => {
	it('counts its tokens, refuses bad ids unchanged, and refuses a token too many', () => {
		const batch = transformer.newBatch(2);
		expect(() => batch.step(Int32Array.of(1, vocabSize))).toThrow(
			`Token id ${vocabSize} in row 1 is outside the model's vocabulary of ${vocabSize}.`,
		);
		expect(() => batch.step(Int32Array.of(-1, 1))).toThrow('Token id -1 in row 0');
		expect(() => batch.step(Int32Array.of(1))).toThrow('A batch of 2 rows was given 1 token ids.');
		expect(batch.length).toBe(0);
		for (let i = 0; i < maxLength; i++) batch.step(Int32Array.of(1, 2));
		expect(batch.length).toBe(maxLength);
		expect(() => batch.step(Int32Array.of(1, 2))).toThrow('Every row already holds the 128 tokens');
	});

	it.each([0, -1, 1.5, Number.NaN, 20_000])('refuses a size of %d', (size) => {
		expect(() => transformer.newBatch(size)).toThrow(
			/^A batch (cannot have|of 20000 rows needs more than 4 GiB)/,
		);
	});

	it('has any vocabulary: one cut to 2,003 ids gives the logits of the whole one', () => {
		const cut = 2003;
		const tensors = readSafetensors(readFileSync(join(TEACHER, 'model.safetensors')), 'teacher');
		const smaller = [...tensors].map(([key, { shape, data }]): [string, Weights] =>
			shape[0] === vocabSize
				? [key, { shape: [cut, shape[1]], data: data.slice(0, cut * shape[1]) }]
				: [key, { shape, data }],
		);
		const config = JSON.parse(readFileSync(join(TEACHER, 'config.json'), 'utf8'));
		const odd = transformerFromParts({ ...config, vocab_size: cut }, new Map(smaller));
		const [whole, part] = [transformer.newBatch(3), odd.newBatch(3)];
		for (const ids of [Int32Array.of(1, 2, 3), Int32Array.of(2002, 7, 1000)]) {
			const all = whole.step(ids);
			const found = part.step(ids);
			expect(found).toHaveLength(3 * cut);
			for (let row = 0; row < 3; row++)
				expect(found.slice(row * cut, (row + 1) * cut)).toEqual(
					all.slice(row * vocabSize, row * vocabSize + cut),
				);
		}
	});

	it('does not exhaust address space when many are made', () => {
		for (let i = 0; i < 300; i++) transformer.newBatch(1);
	});
});

describe('loadTransformer', () => {
	const config = JSON.parse(readFileSync(join(TEACHER, 'config.json'), 'utf8'));
	const folder = (files: Record<string, string | Uint8Array>): string => {
		const path = mkdtempSync(join(tmpdir(), 'touchmark-model-'));
		for (const [name, content] of Object.entries(files)) writeFileSync(join(path, name), content);
		return path;
	};
	const weights = readFileSync(join(TEACHER, 'model.safetensors'));

	it.each([
		['no config', {}, /config\.json cannot be read: is it the folder of a model\?$/],
		['config not JSON', { 'config.json': '{' }, /config\.json is not JSON\.$/],
		[
			'config not an object',
			{ 'config.json': '3', 'model.safetensors': weights },
			/is not a usable model configuration: /,
		],
		['no weights', { 'config.json': JSON.stringify(config) }, /model\.safetensors cannot be read/],
		[
			'another architecture',
			{ 'config.json': JSON.stringify({ ...config, model_type: 'gpt2' }), 'model.safetensors': weights },
			/^config\.json of \S+ has an unusable model_type: .*\.$/,
		],
		[
			'missing field',
			{ 'config.json': JSON.stringify({ ...config, vocab_size: undefined }), 'model.safetensors': weights },
			/has an unusable vocab_size: .*\.$/,
		],
		[
			'grouped queries',
			{ 'config.json': JSON.stringify({ ...config, num_key_value_heads: 2 }), 'model.safetensors': weights },
			/has an unusable num_key_value_heads: Grouped-query attention is not supported\.$/,
		],
		[
			'scaled positions',
			{
				'config.json': JSON.stringify({ ...config, rope_scaling: { type: 'yarn' } }),
				'model.safetensors': weights,
			},
			/has an unusable rope_scaling: .*\.$/,
		],
		[
			'a layer too many',
			{ 'config.json': JSON.stringify({ ...config, num_hidden_layers: 4 }), 'model.safetensors': weights },
			/has no tensor model\.layers\.3\.input_layernorm\.weight\.$/,
		],
		[
			'another width',
			{ 'config.json': JSON.stringify({ ...config, intermediate_size: 256 }), 'model.safetensors': weights },
			/gate_proj\.weight of shape \[352,128\] where its config\.json says \[256,128\]\.$/,
		],
		[
			'cut weights',
			{ 'config.json': JSON.stringify(config), 'model.safetensors': weights.subarray(0, 100_000) },
			/is not a usable safetensors file: .* so the file is cut short\.$/,
		],
	])('says in one sentence what is wrong: %s', (_, files: Record<string, string | Uint8Array>, message) => {
		const path = folder(files);
		expect(() => loadTransformer(path)).toThrow(expect.objectContaining({ code: 'bad-input' }));
		expect(() => loadTransformer(path)).toThrow(message);
	});

	it('has a twin that needs no files', () => {
		expect(() => transformerFromParts(config, new Map())).toThrow(/^The model has no tensor /);
	});
});
