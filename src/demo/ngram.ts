/**
 * The student that the demo trains live: a count-based model of token pairs that backs off to single
 * tokens (Witten–Bell smoothing). It is no neural network; it learns in a second what a narrow mark does to
 * next-token statistics.
 *
 * @module
 */
import { randomStream } from '../embed/random.js';

/** A trained model. */
export interface NgramModel {
	/** Continues each prompt by `length` tokens. */
	sample(prompts: readonly (readonly number[])[], length: number, seed: string): number[][];
	/** ln P of each token of an answer after its prompt; of the first only if there is a prompt. */
	logProbabilities(prompt: readonly number[], answer: readonly number[]): number[];
}

/**
 * Trains on token sequences.
 *
 * P(t | c) = (n(c, t) + d(c)·P(t)) / (n(c) + d(c)), with d(c) the number of distinct tokens seen after c
 * and P(t) = (n(t) + 1) / (N + V).
 */
export function trainNgram(texts: readonly (readonly number[])[], vocabSize: number): NgramModel {
	const single = new Float64Array(vocabSize).fill(1);
	const after = new Map<number, Map<number, number>>();
	for (const text of texts)
		text.forEach((token, i) => {
			single[token]++;
			if (i === 0) return;
			const counts = after.get(text[i - 1]) ?? new Map<number, number>();
			counts.set(token, (counts.get(token) ?? 0) + 1);
			after.set(text[i - 1], counts);
		});
	const total = single.reduce((sum, count) => sum + count, 0);

	function draw(context: number, next: () => number): number {
		const counts = after.get(context) ?? new Map<number, number>();
		let seen = 0;
		for (const count of counts.values()) seen += count;
		let left = next() * (seen + counts.size);
		if (seen > 0)
			for (const [token, count] of counts) {
				if (left < count) return token;
				left -= count;
			}
		left = next() * total;
		for (let token = 0; token < vocabSize; token++) {
			if (left < single[token]) return token;
			left -= single[token];
		}
		return vocabSize - 1;
	}

	function probability(context: number, token: number): number {
		const counts = after.get(context) ?? new Map<number, number>();
		let seen = 0;
		for (const count of counts.values()) seen += count;
		const alone = single[token] / total;
		if (seen === 0) return alone;
		return ((counts.get(token) ?? 0) + counts.size * alone) / (seen + counts.size);
	}

	return {
		logProbabilities(prompt, answer) {
			const tokens = [...prompt, ...answer];
			return tokens
				.map((token, i) => (i === 0 ? 0 : Math.log(probability(tokens[i - 1], token))))
				.slice(Math.max(1, prompt.length));
		},
		sample: (prompts, length, seed) =>
			prompts.map((prompt, i) => {
				const random = randomStream(`${seed}-${i}`);
				const tokens = [...prompt];
				while (tokens.length < prompt.length + length)
					tokens.push(draw(tokens[tokens.length - 1], random.next));
				return tokens.slice(prompt.length);
			}),
	};
}
