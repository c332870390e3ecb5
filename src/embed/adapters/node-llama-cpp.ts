/**
 * Adapter for node-llama-cpp (3.22 or later): its model, our choice of every token.
 *
 * The host is asked for raw logits and evaluates the token that the session chose; what its own sampler draws is unused.
 * Sampling options are those of the session. The host hands over the whole vocabulary as a sorted map, which for
 * small models costs more than the model itself: `top` reads only the likeliest tokens.
 *
 * @example
 * const model = await llama.loadModel({ modelPath });
 * const sequence = (await model.createContext()).getSequence();
 * const vocabSize = [...model.iterateAllTokens()].length;
 * const marker = createMarker({ marks, vocabSize, specialTokens: [model.tokens.eos] });
 * const { tokens, receipt } = await nodeLlamaCppGenerate(sequence, marker, {
 *   vocabSize,
 *   prompt: model.tokenize('Once upon a time'),
 *   maxTokens: 200,
 *   endTokens: [model.tokens.eos],
 *   sampling: { temperature: 0.8 },
 * });
 * const text = model.detokenize(tokens);
 *
 * @module
 */
import { badInput } from '../../errors.js';
import type { Marker } from '../marker.js';
import { type Decoded, type DecodeOptions, decodeLoop } from './decode-loop.js';

/** What is asked of the host for one token. */
export interface LlamaNext {
	readonly generateNext: {
		readonly logits: true | { readonly filter: { readonly tokens: []; readonly includeTop: number } };
		readonly options: {
			readonly temperature: number;
			readonly topK: number;
			readonly topP: number;
			readonly minP: number;
		};
	};
}

/** The part of a `LlamaContextSequence` that is used. */
export interface LlamaSequence<Token extends number> {
	/** Ids that the model has seen. */
	readonly contextTokens: readonly Token[];
	controlledEvaluate(
		input: (Token | [token: Token, options: LlamaNext])[],
	): Promise<readonly ({ readonly next: { readonly logits?: ReadonlyMap<Token, number> } } | undefined)[]>;
}

/** One answer on a sequence. */
export interface NodeLlamaCppOptions<Token extends number> extends DecodeOptions {
	readonly prompt: readonly Token[];
	/** Tokens of the model, as the marker was told. */
	readonly vocabSize: number;
	/** Read only this many of the likeliest tokens; no other can then be chosen, nor tilted up. Default: all. */
	readonly top?: number;
}

/** An answer in the host's own ids. */
export interface NodeLlamaCppDecoded<Token extends number> extends Decoded {
	readonly tokens: readonly Token[];
}

/** Options under which the host's logits are those of the model. */
const NEUTRAL = { temperature: 1, topK: 0, topP: 1, minP: 0 };

/**
 * Generates one answer.
 *
 * @param sequence what it has seen before counts as given to the model; the answer's last token is not yet in it,
 *   so the prompt of a next turn begins with that token
 * @throws TouchmarkError `bad-input` when the host gives no logits
 */
export async function nodeLlamaCppGenerate<Token extends number>(
	sequence: LlamaSequence<Token>,
	marker: Marker,
	options: NodeLlamaCppOptions<Token>,
): Promise<NodeLlamaCppDecoded<Token>> {
	const { vocabSize, top, ...decode } = options;
	const logits = top === undefined ? true : { filter: { tokens: [] as [], includeTop: top } };
	const next: LlamaNext = { generateNext: { logits, options: NEUTRAL } };
	const row = new Float32Array(vocabSize);
	const decoded = await decodeLoop(
		marker,
		decode,
		async (added) => {
			const ids = added as readonly Token[];
			const answers = await sequence.controlledEvaluate([...ids.slice(0, -1), [ids[ids.length - 1], next]]);
			const found = answers[ids.length - 1]?.next.logits;
			if (found === undefined)
				throw badInput('node-llama-cpp gave no logits; version 3.22 or later is needed');
			row.fill(-Infinity);
			for (const [token, logit] of found) {
				if (token >= vocabSize)
					throw badInput(
						`node-llama-cpp gave a logit for token ${token}, outside the vocabulary of ${vocabSize}`,
					);
				row[token] = logit;
			}
			return row;
		},
		sequence.contextTokens,
	);
	return { tokens: decoded.tokens as readonly Token[], receipt: decoded.receipt };
}
