/**
 * Three things to ask a suspect for, each with the line of the transcript that its answer becomes: answers to prompts,
 * log-probabilities of given texts, next tokens after given prefixes.
 *
 * @module
 */
import { textOfIds } from '../corpus/token-strings.js';
import type { Tokenizer } from '../corpus/tokenizer.js';
import type { Plan } from './plan.js';
import type { Answer, Question, TokenLogs } from './protocol.js';

/** Questions, and what becomes of their answers. */
export interface Inquiry {
	readonly kind: Plan['kind'];
	/** Fingerprint of the tokenizer that made questions out of ids or texts; null where none did. */
	readonly tokenizer: string | null;
	readonly questions: readonly Question[];
	/** What could not be asked, and why. */
	readonly unasked: readonly LeftOut[];
	/**
	 * The line of the transcript, or why the answer gives none; null where it is a part of the line of a later question.
	 *
	 * @param answers all that there are, by question
	 */
	record(
		question: number,
		answer: Answer,
		answers: ReadonlyMap<string, Answer>,
	): Record<string, unknown> | string | null;
}

/** Something that is in no record. */
export interface LeftOut {
	readonly id: string;
	readonly reason: string;
}

/** A prompt. */
export interface Prompt {
	readonly id: string;
	readonly prompt: string;
}

/**
 * Answers to prompts: `{id, prompt, text, finishReason, model}` a line, with `refusal` and `tokens` where there are any.
 *
 * @param samples answers to each prompt; above 1 their ids are `prompt/1`, `prompt/2`, …
 * @param seed of the first answer to a prompt; the next ones have the next seeds
 */
export function askPrompts(prompts: readonly Prompt[], samples = 1, seed?: number): Inquiry {
	const questions = prompts.flatMap(({ id, prompt }) =>
		Array.from({ length: samples }, (_, i) => ({
			id: samples === 1 ? id : `${id}/${i + 1}`,
			prompt,
			...(seed === undefined ? {} : { seed: seed + i }),
		})),
	);
	return {
		kind: 'answers',
		tokenizer: null,
		questions,
		unasked: [],
		record(index, { text, finishReason, model, refusal, tokens }) {
			const { id, prompt } = questions[index];
			return {
				...{ id, prompt, text, finishReason, model },
				...(refusal === null ? {} : { refusal }),
				...(tokens === null ? {} : { tokens }),
			};
		},
	};
}

/** A text whose log-probabilities are wanted, after its prompt. */
export interface Given extends Prompt {
	readonly text: string;
}

/** Log-probabilities of given texts: `{id, prompt, text, logProbs, model}` a line, as `exposure --access grey` reads them. */
export function askGiven(texts: readonly Given[]): Inquiry {
	return {
		kind: 'given',
		tokenizer: null,
		questions: texts.map(({ id, prompt, text }) => ({ id, prompt: prompt + text })),
		unasked: [],
		record(index, { refusal, tokens, model }) {
			if (refusal !== null) return `refused: ${refusal}`;
			const { id, prompt, text } = texts[index];
			const logProbs = logProbsOf(tokens ?? [], prompt, text);
			return typeof logProbs === 'string' ? logProbs : { id, prompt, text, logProbs, model };
		},
	};
}

/**
 * Log-probabilities of the tokens that begin within the text. The endpoint may put a beginning of text before the prompt and
 * go on after the text.
 *
 * @returns a reason when the endpoint's tokens do not spell the text
 */
function logProbsOf(tokens: readonly TokenLogs[], prompt: string, text: string): number[] | string {
	const at = tokens
		.map(({ token }) => token)
		.join('')
		.indexOf(prompt + text);
	if (at < 0) return "the endpoint's tokens do not spell the text";
	const from = at + prompt.length;
	let start = 0;
	const found = tokens.flatMap(({ token, logProb }) => {
		const within = start >= from && start < from + text.length;
		start += token.length;
		return within && logProb !== null ? [logProb] : [];
	});
	return found.length === 0 ? 'no token of the text has a log-probability' : found;
}

/** Token ids to go on from. */
export interface Prefix {
	readonly id: string;
	readonly prefix: readonly number[];
}

/**
 * Next tokens after prefixes: `{id, prefix, top}` a line, both in text as the endpoint has them, as `radioactivity --mode grey`
 * reads them. Prefixes that do not survive decoding and encoding are not asked.
 */
export function askNextTokens(prefixes: readonly Prefix[], tokenizer: Tokenizer): Inquiry {
	const texts = prefixes.map(({ id, prefix }) => ({ id, prompt: textOfIds(tokenizer, prefix) }));
	const questions = texts.flatMap(({ id, prompt }) => (prompt ? [{ id, prompt }] : []));
	return {
		kind: 'readings',
		tokenizer: tokenizer.fingerprint,
		questions,
		unasked: texts.flatMap(({ id, prompt }) =>
			prompt ? [] : [{ id, reason: 'its text encodes to other ids' }],
		),
		record(index, { refusal, tokens }) {
			if (refusal !== null) return `refused: ${refusal}`;
			const { id, prompt: prefix } = questions[index];
			const top = tokens?.[0]?.top ?? [];
			return top.length === 0 ? 'nothing was listed' : { id, prefix, top };
		},
	};
}
