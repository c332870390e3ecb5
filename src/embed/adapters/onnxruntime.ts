/**
 * A decoding loop for onnxruntime (onnxruntime-node, onnxruntime-web): a decoder as Optimum and transformers.js
 * export it, with a cache (`past_key_values.*` in, `present.*` out) or without, logits in float32.
 *
 * @example
 * import * as ort from 'onnxruntime-node';
 * const session = await ort.InferenceSession.create('model.onnx');
 * const marker = createMarker({ marks, vocabSize: 2048, specialTokens: [0] });
 * const { tokens, receipt } = await onnxruntimeGenerate(ort, session, marker, {
 *   prompt: tokenizer.encode('It was a'),
 *   maxTokens: 100,
 *   endTokens: [0],
 * });
 *
 * @module
 */
import { badInput } from '../../errors.js';
import type { Marker } from '../marker.js';
import { type Decoded, type DecodeOptions, decodeLoop } from './decode-loop.js';

/** The part of a tensor that is used. */
export interface OrtTensor {
	readonly dims: readonly number[];
	readonly data: unknown;
	dispose?(): void;
}

/** The part of the `onnxruntime-*` module that is used. */
export interface OrtModule<T extends OrtTensor> {
	readonly Tensor: {
		new (type: 'int64', data: BigInt64Array, dims: readonly number[]): T;
		new (type: 'float32', data: Float32Array, dims: readonly number[]): T;
		new (type: 'float16', data: Uint16Array, dims: readonly number[]): T;
	};
}

/** What a session says about one of its inputs. */
export interface OrtInput {
	readonly name: string;
	readonly isTensor: boolean;
	readonly type?: string;
	readonly shape?: readonly (number | string)[];
}

/** The part of an `InferenceSession` that is used. */
export interface OrtSession<T extends OrtTensor> {
	readonly inputMetadata: readonly OrtInput[];
	readonly outputNames: readonly string[];
	run(feeds: Record<string, T>): Promise<Readonly<Record<string, OrtTensor>>>;
}

const PAST = 'past_key_values.';

/**
 * Generates one answer.
 *
 * @param ort the module that made the session
 * @throws TouchmarkError `bad-input` when the model has inputs that a decoder does not, or other logits
 */
export async function onnxruntimeGenerate<T extends OrtTensor>(
	ort: OrtModule<T>,
	session: OrtSession<T>,
	marker: Marker,
	options: DecodeOptions,
): Promise<Decoded> {
	const int64 = (values: readonly number[]) =>
		new ort.Tensor('int64', BigInt64Array.from(values, BigInt), [1, values.length]);
	const cached = session.inputMetadata.some(({ name }) => name.startsWith(PAST));
	const seen: number[] = [];
	let past = new Map<string, T>();

	/** An empty cache entry of the shape that the model declares: fixed dimensions stay, one row, nothing seen. */
	function empty({ name, type, shape = [] }: OrtInput): T {
		const dims = shape.map((size, i) => (typeof size === 'number' ? size : i === 0 ? 1 : 0));
		if (type === 'float32') return new ort.Tensor(type, new Float32Array(0), dims);
		if (type === 'float16') return new ort.Tensor(type, new Uint16Array(0), dims);
		throw badInput(`the model's input "${name}" is ${type}; float32 or float16 is needed`);
	}

	function feed(input: OrtInput, ids: readonly number[]): T {
		if (input.name === 'input_ids') return int64(ids);
		if (input.name === 'attention_mask') return int64(new Array<number>(seen.length).fill(1));
		if (input.name === 'position_ids') return int64(ids.map((_, i) => seen.length - ids.length + i));
		if (input.name.startsWith(PAST)) return past.get(input.name) ?? empty(input);
		throw badInput(`the model has an input "${input.name}", which this loop does not know`);
	}

	return decodeLoop(marker, options, async (added) => {
		seen.push(...added);
		const ids = cached ? added : seen;
		const feeds = Object.fromEntries(session.inputMetadata.map((input) => [input.name, feed(input, ids)]));
		const outputs = await session.run(feeds);
		const { data, dims } = outputs.logits ?? { data: undefined, dims: [] };
		const [rows, length, vocabulary] = dims;
		if (!(data instanceof Float32Array) || dims.length !== 3 || rows !== 1)
			throw badInput(`the model gave logits of shape [${dims}]; float32 [1, length, vocabulary] is needed`);
		past = new Map(
			session.outputNames
				.filter((name) => name.startsWith('present.'))
				.map((name) => [name.replace('present.', PAST), outputs[name] as T]),
		);
		return data.subarray((length - 1) * vocabulary, length * vocabulary);
	});
}
