/**
 * Texts from a model, through the public embed API.
 *
 * @module
 */

import type { Tokenizer } from '../corpus/tokenizer.js';
import type { Generation, Marker, StartOptions } from '../embed/marker.js';
import type { Receipt } from '../embed/receipt.js';
import type { SamplingOptions } from '../embed/sampling.js';
import { badInput } from '../errors.js';
import type { Batch, Transformer } from '../model/transformer.js';

/** One generated text. */
export interface Sample {
	readonly id: string;
	readonly prompt: string;
	readonly promptTokens: readonly number[];
	readonly text: string;
	readonly tokens: readonly number[];
	readonly receipt: Receipt;
}

/** What to generate. */
export interface SampleOptions {
	readonly model: Transformer;
	readonly tokenizer: Tokenizer;
	readonly marker: Marker;
	/** One text a prompt, in this order; all prompts must have equally many tokens. */
	readonly prompts: readonly string[];
	/** Number of the first text, so that ids and seeds of several calls do not meet. */
	readonly firstIndex?: number;
	/** At most this many new tokens; fewer when the model ends the text. */
	readonly maxTokens: number;
	readonly seed: string;
	readonly sampling?: Partial<SamplingOptions>;
	/** One a prompt, where requests have options of their own (the answers of a trial); they go before all others. */
	readonly starts?: readonly StartOptions[];
}

/** Rows that advance together; more does not make the forward pass faster. */
const BATCH = 64;

/**
 * Generates one text a prompt, in batches. The same seed gives the same texts.
 *
 * @throws TouchmarkError `bad-input` when prompt and new tokens exceed what the model can attend to
 */
export function* sampleTexts(options: SampleOptions): Generator<Sample> {
	const { tokenizer, prompts } = options;
	const encoded = prompts.map((prompt) => tokenizer.encode(prompt));
	const length = encoded[0]?.length ?? 0;
	const odd = encoded.findIndex((ids) => ids.length !== length);
	if (odd >= 0) throw badInput(`prompt ${odd + 1} has ${encoded[odd].length} tokens; all need ${length}`);
	const longest = options.model.maxLength - length + 1;
	if (options.maxTokens > longest)
		throw badInput(
			`the model can add at most ${longest} tokens to prompts of ${length}, not ${options.maxTokens}`,
		);
	let batch: Batch | undefined;
	for (let at = 0; at < prompts.length; at += BATCH) {
		const ids = encoded.slice(at, at + BATCH);
		if (batch?.size === ids.length) batch.reset();
		else batch = options.model.newBatch(ids.length);
		const generations = sampleBatch(options, batch, ids, at);
		for (const [i, generation] of generations.entries())
			yield {
				id: generation.id,
				prompt: prompts[at + i],
				promptTokens: ids[i],
				text: tokenizer.decode(generation.tokens),
				tokens: generation.tokens,
				receipt: generation.finish(),
			};
	}
}

function sampleBatch(
	options: SampleOptions,
	batch: Batch,
	prompts: readonly number[][],
	at: number,
): Generation[] {
	const { model, marker, maxTokens, seed, sampling = {}, firstIndex = 0, starts } = options;
	const ends = new Set(options.tokenizer.specialTokens);
	const generations = prompts.map((prompt, i) => {
		const id = `${seed}-${firstIndex + at + i}`;
		return marker.start({ id, prompt, sampling, seed: id, ...starts?.[at + i] });
	});
	let logits: Float32Array = new Float32Array(0);
	for (let position = 0; position < prompts[0].length; position++)
		logits = batch.step(Int32Array.from(prompts, (ids) => ids[position]));

	const running = new Set(generations.keys());
	for (let count = 1; ; count++) {
		for (const i of running) {
			const row = logits.subarray(i * model.vocabSize, (i + 1) * model.vocabSize);
			const [token] = marker.step([generations[i]], row);
			if (ends.has(token)) running.delete(i);
		}
		if (count === maxTokens || running.size === 0) return generations;
		// Rows that have ended go on in the model, unread, so that all rows stay in step.
		logits = batch.step(Int32Array.from(generations, (generation) => generation.tokens.at(-1) as number));
	}
}
