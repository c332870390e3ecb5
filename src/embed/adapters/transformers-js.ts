/**
 * Adapter for transformers.js: a logits processor that decides each token.
 *
 * The host applies its own processors and temperature first; every token but the chosen one is then set to
 * −Infinity, so that greedy and sampling decoders both emit it. Beam search is not supported: beams would all
 * be given one continuation each, chosen at random.
 *
 * @example
 * const marker = createMarker({ marks, vocabSize: model.config.vocab_size, specialTokens: [tokenizer.eos_token_id] });
 * const processor = transformersJsProcessor(marker, { endTokens: [tokenizer.eos_token_id] });
 * const output = await model.generate({ ...inputs, max_new_tokens: 100, do_sample: true, logits_processor: [processor] });
 * const receipts = processor.finish();
 *
 * @module
 */
import { badInput } from '../../errors.js';
import type { Generation, Marker, StartOptions } from '../marker.js';
import type { Receipt } from '../receipt.js';

/** The part of a transformers.js tensor that is used: float32 logits [rows, vocabulary]. */
export interface LogitsTensor {
	readonly dims: readonly number[];
	readonly data: unknown;
}

/** A logits processor in the sense of transformers.js: called with the ids so far and the logits. */
export interface TransformersJsProcessor {
	<T extends LogitsTensor>(inputIds: bigint[][], logits: T): T;
	/** Ends all rows and returns their receipts. */
	finish(): Receipt[];
}

/** What one call of `generate` brings, for every row; the prompt is read from the host. */
export interface ProcessorOptions extends Omit<StartOptions, 'prompt' | 'sampling'> {
	/**
	 * Ids that end an answer. The host goes on with a row that has ended for as long as another one runs: it is
	 * then given the same id again, and the receipt stops at the first.
	 */
	readonly endTokens?: Iterable<number>;
}

/**
 * @param options for every row
 * @returns a processor for one call of `generate`
 */
export function transformersJsProcessor(
	marker: Marker,
	options: ProcessorOptions = {},
): TransformersJsProcessor {
	const { endTokens, ...request } = options;
	const ends = new Set(endTokens);
	let rows: { generation: Generation; promptLength: number }[] | undefined;

	const process = <T extends LogitsTensor>(inputIds: bigint[][], logits: T): T => {
		const { data, dims } = logits;
		if (!(data instanceof Float32Array) || dims.length !== 2 || dims[0] !== inputIds.length)
			throw badInput(`transformers.js gave logits of shape [${dims}]; float32 [rows, vocabulary] is needed`);
		rows ??= inputIds.map((ids, i) => ({
			generation: marker.start({
				...request,
				...(request.id === undefined ? {} : { id: `${request.id}/${i}` }),
				...(request.seed === undefined ? {} : { seed: `${request.seed}/${i}` }),
				prompt: ids.map(Number),
				sampling: { temperature: 1 },
			}),
			promptLength: ids.length,
		}));
		const width = dims[1];
		rows.forEach(({ generation, promptLength }, i) => {
			const row = data.subarray(i * width, (i + 1) * width);
			const last = generation.tokens.at(-1);
			const ended = last !== undefined && ends.has(last);
			// A row that the host went on with by itself has left our hands.
			const emitted = inputIds[i].length - promptLength;
			if (
				!ended &&
				(emitted !== generation.tokens.length || (emitted > 0 && inputIds[i].at(-1) !== BigInt(last ?? -1)))
			)
				return;
			const token = ended ? last : marker.step([generation], row)[0];
			row.fill(-Infinity);
			row[token] = 0;
		});
		return logits;
	};
	return Object.assign(process, { finish: () => (rows ?? []).map(({ generation }) => generation.finish()) });
}
