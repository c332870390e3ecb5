/**
 * The texts of the bench `robustness`, by the embedded teacher.
 *
 * @module
 */
import { createMarker, type Marker } from '../../src/embed/marker.js';
import { embeddedModel, embeddedPrompts, embeddedTokenizer } from '../../src/generate/embedded.js';
import { longTexts } from '../../src/generate/long-texts.js';
import type { Mark } from '../../src/marks/mark.js';

/** What a mark may need that weighs tokens by a proxy model: the base that students begin from, trained on other books. */
const PROXY = 'base';
/** Below 1, so that texts have less entropy than the small model's own, nearer to what is served. */
export const TEMPERATURE = 0.7;
/** Tokens of a text. */
export const TEXT_TOKENS = 400;

/** What to write. */
export interface Writing {
	readonly marks: readonly Mark[];
	readonly unkeyedShare: number;
	/** Number of the first prompt. */
	readonly from: number;
	readonly count: number;
	readonly seed: string;
}

/** Sees each row of logits before a mark does. */
export type Watch = (logits: Float32Array) => void;

/** Writes texts of {@link TEXT_TOKENS} ids; the model is shown the last 16 of them anew whenever its 128 positions are full. */
export function newWriter(): (writing: Writing, watch?: Watch) => number[][] {
	const model = embeddedModel('teacher');
	const { encode, specialTokens } = embeddedTokenizer();
	const prompts = embeddedPrompts();
	const proxy = embeddedModel(PROXY);
	return ({ marks, unkeyedShare, from, count, seed }, watch) => {
		const own = createMarker({ marks, unkeyedShare, vocabSize: model.vocabSize, specialTokens });
		const marker: Marker = {
			start: (options) => own.start({ ...options, sampling: { temperature: TEMPERATURE } }),
			step(generations, logits, ...rest) {
				watch?.(logits);
				return own.step(generations, logits, ...rest);
			},
		};
		const requests = prompts.slice(from, from + count).map((prompt, i) => ({
			id: `robustness/${seed}/${i}`,
			prompt: encode(prompt),
			length: TEXT_TOKENS,
		}));
		const proxied = marks.some(({ scheme }) => scheme.needsProxy);
		return longTexts(model, marker, requests, specialTokens, proxied ? proxy : undefined);
	};
}

/** Entropy of softmax(logits / temperature), nats. */
export function entropyOf(logits: Float32Array, temperature: number): number {
	const top = logits.reduce((most, logit) => Math.max(most, logit), -Infinity);
	let total = 0;
	let weighted = 0;
	for (const logit of logits) {
		if (logit === -Infinity) continue;
		const scaled = (logit - top) / temperature;
		const weight = Math.exp(scaled);
		total += weight;
		weighted += weight * scaled;
	}
	return Math.log(total) - weighted / total;
}
