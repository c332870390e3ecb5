/**
 * Texts of any length from a model that can attend to few tokens.
 *
 * @module
 */
import type { Marker } from '../embed/marker.js';
import type { Transformer } from '../model/transformer.js';
import { PROMPT_TOKENS } from './embedded.js';

/** One text to write. */
export interface LongText {
	/** Name of the request, and seed of its unkeyed randomness. */
	readonly id: string;
	/** Ids, at least {@link PROMPT_TOKENS}; the last of them are shown to the model. */
	readonly prompt: readonly number[];
	/** Tokens to draw. */
	readonly length: number;
}

/**
 * Writes texts longer than the model can attend to: every so often it is shown the last few ids alone, and the session goes on
 * as if nothing had happened. Special tokens are never drawn.
 *
 * @param requests advance together until the longest is done, so they should be of like length
 * @param proxy reads the same ids, for marks whose scheme needs its logits
 * @returns ids of each text, without its prompt
 */
export function longTexts(
	model: Transformer,
	marker: Marker,
	requests: readonly LongText[],
	specialTokens: readonly number[],
	proxy?: Transformer,
): number[][] {
	const generations = requests.map(({ id, prompt }) => marker.start({ id, prompt, seed: id }));
	const longest = Math.max(...requests.map(({ length }) => length));
	const batch = model.newBatch(requests.length);
	const beside = proxy?.newBatch(requests.length);
	let shown = requests.map(({ prompt }) => prompt.slice(-PROMPT_TOKENS));
	let logits: Float32Array = new Float32Array(0);
	let proxied: Float32Array | undefined;
	let position = 0;
	for (let drawn = 0; drawn < longest; drawn++) {
		if (position === model.maxLength) {
			shown = generations.map((generation) => generation.tokens.slice(-PROMPT_TOKENS));
			batch.reset();
			beside?.reset();
			position = 0;
		}
		const news = position === 0 ? PROMPT_TOKENS : 1;
		for (let i = 0; i < news; i++, position++) {
			const ids = Int32Array.from(generations, ({ tokens }, row) =>
				position < PROMPT_TOKENS ? shown[row][position] : (tokens.at(-1) as number),
			);
			logits = batch.step(ids);
			proxied = beside?.step(ids);
		}
		for (const [row, generation] of generations.entries()) {
			const [from, to] = [row * model.vocabSize, (row + 1) * model.vocabSize];
			const own = logits.subarray(from, to);
			for (const token of specialTokens) own[token] = -Infinity;
			marker.step([generation], own, undefined, proxied?.subarray(from, to));
		}
	}
	return generations.map(({ tokens }, i) => tokens.slice(0, requests[i].length));
}
