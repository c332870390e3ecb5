/**
 * How likely a model finds given texts, token by token.
 *
 * @module
 */
import { badInput } from '../errors.js';
import type { Batch, Transformer } from './llama.js';

/** A text after what precedes it, as token ids. */
export interface GivenText {
	readonly prompt: readonly number[];
	readonly answer: readonly number[];
}

/** Rows that advance together. */
const BATCH = 64;

/**
 * Log-probabilities, nats, of each token of each answer after its prompt and the tokens before it.
 *
 * What does not fit the model's window is left out by the same rule for every text: of the prompt the last half window is
 * kept, of the answer as much from its beginning as fits. Without a prompt the first token has nothing before it and is
 * not scored.
 *
 * @param done called with the number of texts after each batch
 * @returns one list a text, in the order of the texts
 * @throws TouchmarkError `bad-input` for ids outside the vocabulary
 */
export function tokenLogProbabilities(
	model: Transformer,
	texts: readonly GivenText[],
	done?: (texts: number) => void,
): number[][] {
	const { vocabSize, maxLength } = model;
	const rows = texts.map(({ prompt, answer }, index) => {
		const kept = prompt.slice(-Math.max(1, maxLength >> 1));
		const ids = [...kept, ...answer].slice(0, maxLength + 1);
		const odd = ids.find((id) => !(Number.isInteger(id) && id >= 0 && id < vocabSize));
		if (odd !== undefined)
			throw badInput(`token id ${odd} is outside the model's vocabulary of ${vocabSize}`);
		return { index, ids, from: Math.max(1, kept.length) };
	});
	// Texts of similar length share a batch, since a batch runs as long as its longest row.
	rows.sort((one, other) => one.ids.length - other.ids.length || one.index - other.index);
	const found: number[][] = texts.map(() => []);
	let batch: Batch | undefined;
	for (let at = 0; at < rows.length; at += BATCH) {
		const some = rows.slice(at, at + BATCH);
		if (batch?.size === some.length) batch.reset();
		else batch = model.newBatch(some.length);
		const longest = some[some.length - 1].ids.length;
		for (let position = 1; position < longest; position++) {
			// Rows that have ended go on with token 0, unread.
			const logits = batch.step(Int32Array.from(some, ({ ids }) => ids[position - 1] ?? 0));
			some.forEach(({ index, ids, from }, row) => {
				if (position < from || position >= ids.length) return;
				const own = logits.subarray(row * vocabSize, (row + 1) * vocabSize);
				found[index].push(own[ids[position]] - logSumExp(own));
			});
		}
		done?.(some.length);
	}
	return found;
}

function logSumExp(logits: Float32Array): number {
	let largest = -Infinity;
	for (const logit of logits) if (logit > largest) largest = logit;
	let sum = 0;
	for (const logit of logits) sum += Math.exp(logit - largest);
	return largest + Math.log(sum);
}
