/**
 * What a protocol is: how a question becomes the body of a request, and how the body of a response becomes an answer.
 *
 * @module
 */
import { z } from 'zod';

/** One question to the suspect. */
export interface Question {
	readonly id: string;
	/** All that the suspect is given. */
	readonly prompt: string;
	/** Sent along where the protocol has a seed, so that one prompt asked again gets another answer. */
	readonly seed?: number;
}

/** What is asked of every answer. */
export interface Settings {
	readonly model: string;
	/** Most tokens of an answer. */
	readonly maxTokens: number;
	/** The endpoint's own unless given. */
	readonly temperature?: number;
	/** Likeliest tokens to list at each position; 0: no log-probabilities. */
	readonly topLogProbs: number;
	/** Log-probabilities of the prompt itself are wanted. */
	readonly echo: boolean;
	/** Server-sent events instead of one body. */
	readonly stream: boolean;
}

/** A token as the endpoint names it, and what it says of that position; natural logarithms. */
export const TokenLogs = z.strictObject({
	token: z.string(),
	/** Null where nothing precedes the token. */
	logProb: z.number().nullable(),
	top: z.array(z.tuple([z.string(), z.number()])),
});
export type TokenLogs = z.infer<typeof TokenLogs>;

/** What the suspect answered. */
export const Answer = z.strictObject({
	text: z.string(),
	finishReason: z.string().nullable(),
	/** Why it declined, in the endpoint's words; null when it did not. */
	refusal: z.string().nullable(),
	/** The model that says it answered. */
	model: z.string().nullable(),
	/** Tokens that were billed. */
	usage: z.strictObject({ input: z.int().min(0), output: z.int().min(0) }).nullable(),
	tokens: z.array(TokenLogs).nullable(),
});
export type Answer = z.infer<typeof Answer>;

/** A way of asking. */
export interface Protocol {
	/** After the base address of the endpoint. */
	readonly path: string;
	/** The vendor's own host, and the variable that its tools take the key from. */
	readonly vendor: { readonly host: string; readonly keyVariable: string };
	headers(key: string | undefined): Record<string, string>;
	/** Fields of the request that are the same for every question. @throws TouchmarkError for what it does not have */
	parameters(settings: Settings): Record<string, unknown>;
	/** Fields that hold the question. */
	question(question: Question): Record<string, unknown>;
	/** @throws TouchmarkError `bad-input` when the body is not an answer of this protocol */
	read(body: unknown): Answer;
	/** The body as it would have been without streaming; undefined when the stream ended before its last event. */
	assemble(events: readonly string[]): unknown;
}
