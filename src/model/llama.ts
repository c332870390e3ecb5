/**
 * The forward pass of a Llama-style transformer on one core, for sampling many texts side by side.
 *
 * RMS norm, rotary positions, SwiGLU, as Hugging Face's `LlamaForCausalLM` defines them; the arithmetic is
 * in `kernel/assembly.ts`. Nothing here needs Node, so that the same code runs in a browser.
 *
 * @module
 */

import { badInput } from '../errors.js';
import { type Config, readConfig } from './config.js';
import { BLOCK, type Kernel, newKernel, packedColumns, packMatrix } from './kernel.js';
import type { Tensor } from './safetensors.js';

const PAGE = 65536;

/** A language model ready to run. It is never changed, and any number of batches may share it. */
export interface Transformer {
	/** How many token ids there are: ids are 0 to `vocabSize` - 1. */
	readonly vocabSize: number;
	/** The most tokens that one row of a batch can hold, prompt included. */
	readonly maxLength: number;
	/**
	 * Begins `size` empty texts that advance together. A batch takes about 4 MB for the weights of our bundled
	 * model and 0.4 MB a row for its cache; use {@link Batch.reset} rather than many batches of one size.
	 *
	 * @throws `bad-input` if `size` is not a positive integer or the batch would not fit in 4 GiB
	 */
	newBatch(size: number): Batch;
}

/** Texts of equal length with the keys and values of their tokens. */
export interface Batch {
	/** Number of rows. */
	readonly size: number;
	/** Tokens that each row holds so far. */
	readonly length: number;
	/**
	 * Appends one token to every row.
	 *
	 * A row's logits do not depend, to the bit, on the other rows nor on how many there are.
	 *
	 * @param ids one token id a row: [size]
	 * @returns the logits of each row's next token, row-major: [size, vocabSize]. The array belongs to the
	 *   batch and the next `step` overwrites it; copy what you keep.
	 * @throws `bad-input` if there is not one id a row, an id is outside the vocabulary, or the rows are full;
	 *   the batch is then as it was
	 */
	step(ids: Int32Array): Float32Array;
	/** Empties every row, so that the batch can be used again. */
	reset(): void;
}

/** Byte addresses of one layer's weights. */
interface Layer {
	readonly inputNorm: number;
	readonly qkv: number;
	readonly output: number;
	readonly mlpNorm: number;
	readonly gateUp: number;
	readonly down: number;
}

/** Weights laid out as the kernel reads them; `image` goes to address 0 of each batch's memory. */
interface Weights {
	readonly image: Float32Array;
	readonly embedding: Float32Array;
	readonly layers: readonly Layer[];
	readonly norm: number;
	readonly head: number;
	readonly turns: number;
}

/**
 * Builds a transformer from what was read elsewhere, e.g. fetched by a page.
 *
 * @param config a parsed Llama `config.json`
 * @param tensors the weights under Hugging Face's names, from `readSafetensors`
 * @param name what to call the model in errors, e.g. its folder
 * @throws `bad-input` if the configuration cannot be used, or a tensor is missing or has another shape
 */
export function transformerFromParts(
	config: unknown,
	tensors: ReadonlyMap<string, Tensor>,
	name = 'The model',
): Transformer {
	const checked = readConfig(config, `config.json of ${name}`);
	const weights = packWeights(checked, tensors, name);
	return {
		vocabSize: checked.vocab_size,
		maxLength: checked.max_position_embeddings,
		newBatch: (size) => new LlamaBatch(checked, weights, size),
	};
}

function packWeights(config: Config, tensors: ReadonlyMap<string, Tensor>, name: string): Weights {
	const { hidden_size: width, intermediate_size: inner, vocab_size: vocabulary, head_dim: dim } = config;
	const heads = config.num_attention_heads * dim;
	const get = (key: string, ...shape: number[]): Float32Array => {
		const tensor = tensors.get(key);
		if (tensor === undefined) throw badInput(`${name} has no tensor ${key}.`);
		if (`${tensor.shape}` !== `${shape}`) {
			throw badInput(`${name} has ${key} of shape [${tensor.shape}] where its config.json says [${shape}].`);
		}
		return tensor.data;
	};
	const parts: Float32Array[] = [];
	let cursor = 0;
	const place = (...group: Float32Array[]): number => {
		const address = cursor;
		for (const part of group) {
			parts.push(part);
			cursor += part.byteLength;
		}
		return address;
	};
	const matrix = (key: string, columns: number, rows: number) =>
		packMatrix(get(key, columns, rows), columns, rows);

	const layers = Array.from({ length: config.num_hidden_layers }, (_, i): Layer => {
		const of = (key: string) => `model.layers.${i}.${key}.weight`;
		return {
			inputNorm: place(get(of('input_layernorm'), width)),
			qkv: place(...['q', 'k', 'v'].map((p) => matrix(of(`self_attn.${p}_proj`), heads, width))),
			output: place(matrix(of('self_attn.o_proj'), width, heads)),
			mlpNorm: place(get(of('post_attention_layernorm'), width)),
			gateUp: place(...['gate', 'up'].map((p) => matrix(of(`mlp.${p}_proj`), inner, width))),
			down: place(matrix(of('mlp.down_proj'), width, inner)),
		};
	});
	const embedding = get('model.embed_tokens.weight', vocabulary, width);
	const norm = place(get('model.norm.weight', width));
	const head = config.tie_word_embeddings ? embedding : get('lm_head.weight', vocabulary, width);
	const headAddress = place(packMatrix(head, vocabulary, width));
	const turns = place(rotaryTurns(config));

	const image = new Float32Array(cursor / 4);
	let offset = 0;
	for (const part of parts) {
		image.set(part, offset);
		offset += part.length;
	}
	return { image, embedding, layers, norm, head: headAddress, turns };
}

/** Cosines and sines of every position: [maxLength, 2, dim / 2]. */
function rotaryTurns(config: Config): Float32Array {
	const { head_dim: dim, rope_theta: theta, max_position_embeddings: positions } = config;
	const turns = new Float32Array(positions * dim);
	for (let position = 0; position < positions; position++) {
		for (let i = 0; i < dim / 2; i++) {
			const angle = position * theta ** ((-2 * i) / dim);
			turns[position * dim + i] = Math.cos(angle);
			turns[position * dim + dim / 2 + i] = Math.sin(angle);
		}
	}
	return turns;
}

/** One WebAssembly memory: weights, then cache, then activations, at addresses fixed at birth. */
class LlamaBatch implements Batch {
	length = 0;
	readonly size: number;
	readonly #config: Config;
	readonly #weights: Weights;
	readonly #kernel: Kernel;
	readonly #capacity: number;
	readonly #caches: readonly { keys: number; values: number }[];
	readonly #at: Readonly<Record<'x' | 'normed' | 'qkv' | 'attended' | 'gateUp' | 'gated' | 'scores', number>>;
	readonly #x: Float32Array;
	readonly #logits: { readonly address: number; readonly view: Float32Array };

	constructor(config: Config, weights: Weights, size: number) {
		if (!Number.isSafeInteger(size) || size < 1) throw badInput(`A batch cannot have ${size} rows.`);
		const { hidden_size: width, intermediate_size: inner, head_dim: dim, vocab_size: vocabulary } = config;
		const heads = config.num_attention_heads * dim;
		this.size = size;
		this.#config = config;
		this.#weights = weights;
		this.#capacity = Math.ceil(config.max_position_embeddings / BLOCK) * BLOCK;

		let cursor = weights.image.byteLength;
		const room = (numbers: number): number => {
			const address = cursor;
			cursor += numbers * 4;
			return address;
		};
		this.#caches = weights.layers.map(() => ({
			keys: room(size * this.#capacity * heads),
			values: room(size * this.#capacity * heads),
		}));
		this.#at = {
			x: room(size * width),
			normed: room(size * width),
			qkv: room(size * 3 * heads),
			attended: room(size * heads),
			gateUp: room(size * 2 * inner),
			gated: room(size * inner),
			scores: room(this.#capacity),
		};
		const logits = room(size * packedColumns(vocabulary));
		const pages = Math.ceil(cursor / PAGE);
		if (pages >= PAGE) throw badInput(`A batch of ${size} rows needs more than 4 GiB; use a smaller one.`);

		const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
		new Float32Array(memory.buffer).set(weights.image);
		this.#kernel = newKernel(memory);
		this.#x = new Float32Array(memory.buffer, this.#at.x, size * width);
		this.#logits = {
			address: logits,
			view: new Float32Array(memory.buffer, logits, size * packedColumns(vocabulary)),
		};
	}

	step(ids: Int32Array): Float32Array {
		const { size, length: position } = this;
		const {
			hidden_size: width,
			intermediate_size: inner,
			rms_norm_eps: epsilon,
			head_dim: dim,
		} = this.#config;
		const {
			vocab_size: vocabulary,
			num_attention_heads: headCount,
			max_position_embeddings: limit,
		} = this.#config;
		const { layers, norm, head, turns } = this.#weights;
		const { x, normed, qkv, attended, gateUp, gated, scores } = this.#at;
		const kernel = this.#kernel;
		const heads = headCount * dim;

		if (position >= limit)
			throw badInput(`Every row already holds the ${limit} tokens that the model can read.`);
		this.#embed(ids);
		for (const [i, layer] of layers.entries()) {
			const { keys, values } = this.#caches[i]!;
			kernel.norm(x, layer.inputNorm, normed, size, width, epsilon);
			kernel.matmul(normed, layer.qkv, qkv, size, width, 3 * heads, 0);
			const turn = turns + position * dim * 4;
			kernel.attend(
				qkv,
				attended,
				turn,
				keys,
				values,
				scores,
				size,
				headCount,
				dim,
				position,
				this.#capacity,
			);
			kernel.matmul(attended, layer.output, x, size, heads, width, 1);
			kernel.norm(x, layer.mlpNorm, normed, size, width, epsilon);
			kernel.matmul(normed, layer.gateUp, gateUp, size, width, 2 * inner, 0);
			kernel.gate(gateUp, gated, size, inner);
			kernel.matmul(gated, layer.down, x, size, inner, width, 1);
		}
		kernel.norm(x, norm, normed, size, width, epsilon);
		const { address, view } = this.#logits;
		const columns = packedColumns(vocabulary);
		kernel.matmul(normed, head, address, size, width, columns, 0);
		this.length++;
		if (columns !== vocabulary)
			for (let row = 1; row < size; row++)
				view.copyWithin(row * vocabulary, row * columns, row * columns + vocabulary);
		return view.subarray(0, size * vocabulary);
	}

	reset(): void {
		this.length = 0;
	}

	#embed(ids: Int32Array): void {
		const { hidden_size: width, vocab_size: vocabulary } = this.#config;
		if (ids.length !== this.size)
			throw badInput(`A batch of ${this.size} rows was given ${ids.length} token ids.`);
		for (const [row, id] of ids.entries()) {
			if (id < 0 || id >= vocabulary) {
				throw badInput(`Token id ${id} in row ${row} is outside the model's vocabulary of ${vocabulary}.`);
			}
		}
		for (const [row, id] of ids.entries()) {
			this.#x.set(this.#weights.embedding.subarray(id * width, (id + 1) * width), row * width);
		}
	}
}
