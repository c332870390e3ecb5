/**
 * The loop that hosts without one of their own share: ask for logits, let the marker choose, until the end.
 *
 * @example
 * const { tokens, receipt } = await decodeLoop(marker, { prompt, maxTokens: 100, endTokens: [2] }, async (added) => {
 *   return await model.logitsAfter(added); // first the prompt, then one token at a time
 * });
 *
 * @module
 */
import { badInput } from '../../errors.js';
import type { Marker, StartOptions } from '../marker.js';
import type { Receipt } from '../receipt.js';

/** One answer: what it follows, and when it ends. */
export interface DecodeOptions extends StartOptions {
	readonly prompt: readonly number[];
	/** At most this many new tokens. */
	readonly maxTokens: number;
	/** Ids that end the answer; the one that ended it is its last token. */
	readonly endTokens?: Iterable<number>;
	/** Called with each token as soon as it is chosen. */
	readonly onToken?: (token: number) => void;
	/** Stops before the next token; the receipt then says `aborted`. */
	readonly signal?: AbortSignal;
}

/** An answer and its receipt. */
export interface Decoded {
	readonly tokens: readonly number[];
	readonly receipt: Receipt;
}

/**
 * Decodes one answer.
 *
 * @param logitsAfter appends ids to what the model has seen, and gives the logits of the next token; called with
 *   the prompt, then with each chosen token except the last
 * @param history ids that the model has seen before the prompt
 */
export async function decodeLoop(
	marker: Marker,
	options: DecodeOptions,
	logitsAfter: (added: readonly number[]) => Promise<Float32Array>,
	history: readonly number[] = [],
): Promise<Decoded> {
	const { prompt, maxTokens, endTokens, onToken, signal, ...request } = options;
	if (prompt.length === 0) throw badInput('a prompt needs at least one token');
	if (!(Number.isInteger(maxTokens) && maxTokens >= 1))
		throw badInput('maxTokens must be an integer of 1 or more');
	const ends = new Set(endTokens);
	const generation = marker.start({ ...request, prompt: [...history, ...prompt] });
	let added = prompt;
	while (generation.tokens.length < maxTokens) {
		if (signal?.aborted) return { tokens: generation.tokens, receipt: generation.abort() };
		const [token] = marker.step([generation], await logitsAfter(added));
		onToken?.(token);
		if (ends.has(token)) break;
		added = [token];
	}
	return { tokens: generation.tokens, receipt: generation.finish() };
}
