/**
 * What a suspect behind an API says: a shipped model, and its answers in the words of three protocols. An answer depends on
 * nothing but the request, so that runs can be compared.
 *
 * @module
 */
import { createMarker } from '../src/embed/marker.js';
import { type EmbeddedModel, embeddedModel, embeddedTokenizer } from '../src/generate/embedded.js';

/** What is asked, in no protocol's words. */
export interface Ask {
	readonly prompt: string;
	readonly maxTokens: number;
	readonly temperature: number;
	readonly seed: number | null;
	/** Likeliest tokens to list at each position. */
	readonly top: number;
	readonly echo: boolean;
}

/** A position of the answer, with `echo` of the prompt too. */
export interface Position {
	readonly token: string;
	readonly logProb: number | null;
	readonly top: readonly (readonly [token: string, logProb: number])[];
}

export interface Reply {
	readonly text: string;
	readonly finish: 'stop' | 'length' | 'refusal';
	readonly positions: readonly Position[];
	readonly usage: { readonly input: number; readonly output: number };
}

/** Prompts that hold this are declined. */
export const DECLINED = 'REFUSE';

/** Answers of a shipped model, each computed once. */
export function newReplies(name: EmbeddedModel): (ask: Ask) => Reply {
	const model = embeddedModel(name);
	const tokenizer = embeddedTokenizer();
	const marker = createMarker({ marks: [], vocabSize: model.vocabSize });
	const ends = new Set(tokenizer.specialTokens);
	const batch = model.newBatch(1);
	const known = new Map<string, Reply>();

	function positionOf(before: readonly number[], token: number, logits: Float32Array, top: number): Position {
		const text = tokenizer.decode(before);
		const stringOf = (id: number) => tokenizer.decode([...before, id]).slice(text.length);
		const total = logSumExp(logits);
		const likeliest = [...logits.keys()].sort((one, other) => logits[other] - logits[one]).slice(0, top);
		return {
			token: stringOf(token),
			logProb: logits[token] - total,
			top: likeliest.map((id) => [stringOf(id), logits[id] - total]),
		};
	}

	function compute(ask: Ask): Reply {
		const { prompt, temperature, top, echo } = ask;
		const ids = tokenizer.encode(prompt);
		if (prompt.includes(DECLINED))
			return { text: '', finish: 'refusal', positions: [], usage: { input: ids.length, output: 0 } };
		batch.reset();
		const positions: Position[] = [];
		let logits: Float32Array = new Float32Array(0);
		for (const [i, id] of ids.entries()) {
			if (echo)
				positions.push(
					i === 0
						? { token: tokenizer.decode([id]), logProb: null, top: [] }
						: positionOf(ids.slice(0, i), id, logits, top),
				);
			logits = batch.step(Int32Array.of(id));
		}
		const generation = marker.start({ prompt: ids, sampling: { temperature }, seed: JSON.stringify(ask) });
		const longest = Math.min(ask.maxTokens, model.maxLength - ids.length);
		let finish: Reply['finish'] = 'length';
		const said: number[] = [];
		while (said.length < longest) {
			const [token] = marker.step([generation], logits);
			if (ends.has(token)) {
				finish = 'stop';
				break;
			}
			if (top > 0) positions.push(positionOf([...ids, ...said], token, logits, top));
			said.push(token);
			if (said.length < longest) logits = batch.step(Int32Array.of(token));
		}
		const text = tokenizer.decode(said);
		return {
			text: echo ? prompt + text : text,
			finish,
			positions,
			usage: { input: ids.length, output: said.length },
		};
	}

	return (ask) => {
		const name = JSON.stringify(ask);
		const reply = known.get(name) ?? compute(ask);
		known.set(name, reply);
		return reply;
	};
}

function logSumExp(logits: Float32Array): number {
	const largest = logits.reduce((one, other) => Math.max(one, other));
	return largest + Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - largest), 0));
}

/** A protocol as a server speaks it. */
export interface Dialect {
	readonly keyOf: (header: (name: string) => string | undefined) => string | undefined;
	readonly ask: (body: Record<string, unknown>) => Ask;
	readonly body: (reply: Reply, model: string) => object;
	/** Server-sent events, the last one included. */
	readonly events: (reply: Reply, model: string) => { readonly event?: string; readonly data: string }[];
}

const numberOf = (value: unknown, otherwise: number) => (typeof value === 'number' ? value : otherwise);
const seedOf = ({ seed }: Record<string, unknown>) => (typeof seed === 'number' ? seed : null);
const lastMessage = ({ messages }: Record<string, unknown>) =>
	String((messages as { content: unknown }[]).at(-1)?.content);
const bearer: Dialect['keyOf'] = (header) => header('authorization')?.replace(/^Bearer /, '');
const openaiUsage = ({ input, output }: Reply['usage']) => ({
	prompt_tokens: input,
	completion_tokens: output,
	total_tokens: input + output,
});
/** An answer in pieces, for a stream. */
const piecesOf = (text: string) => text.match(/.{1,12}/gsu) ?? [];

const chat: Dialect = {
	keyOf: bearer,
	ask: (body) => ({
		prompt: lastMessage(body),
		maxTokens: numberOf(body.max_tokens, 16),
		temperature: numberOf(body.temperature, 1),
		seed: seedOf(body),
		top: body.logprobs === true ? numberOf(body.top_logprobs, 0) : 0,
		echo: false,
	}),
	body: (reply, model) => ({
		model,
		choices: [
			{
				message: { content: reply.text, ...(reply.finish === 'refusal' ? { refusal: 'I cannot.' } : {}) },
				finish_reason: reply.finish === 'refusal' ? 'stop' : reply.finish,
				...(reply.positions.length > 0 ? { logprobs: { content: chatLogs(reply) } } : {}),
			},
		],
		usage: openaiUsage(reply.usage),
	}),
	events: (reply, model) => [
		...piecesOf(reply.text).map((content) =>
			dataOf({ model, choices: [{ delta: { content }, finish_reason: null }] }),
		),
		...chatLogs(reply).map((log) =>
			dataOf({ model, choices: [{ delta: {}, finish_reason: null, logprobs: { content: [log] } }] }),
		),
		dataOf({ model, choices: [{ delta: {}, finish_reason: reply.finish }] }),
		dataOf({ model, choices: [], usage: openaiUsage(reply.usage) }),
		{ data: '[DONE]' },
	],
};

const dataOf = (value: object) => ({ data: JSON.stringify(value) });
const chatLogs = ({ positions }: Reply) =>
	positions.map(({ token, logProb, top }) => ({
		token,
		logprob: logProb,
		top_logprobs: top.map(([one, logprob]) => ({ token: one, logprob })),
	}));

const completions: Dialect = {
	keyOf: bearer,
	ask: (body) => ({
		prompt: String(body.prompt),
		maxTokens: numberOf(body.max_tokens, 16),
		temperature: numberOf(body.temperature, 1),
		seed: seedOf(body),
		top: numberOf(body.logprobs, 0),
		echo: body.echo === true,
	}),
	body: (reply, model) => ({
		model,
		choices: [
			{
				text: reply.text,
				finish_reason: reply.finish === 'refusal' ? 'content_filter' : reply.finish,
				logprobs: arraysOf(reply),
			},
		],
		usage: openaiUsage(reply.usage),
	}),
	events: (reply, model) => [
		...piecesOf(reply.text).map((text) => dataOf({ model, choices: [{ text, finish_reason: null }] })),
		dataOf({ model, choices: [{ text: '', finish_reason: reply.finish, logprobs: arraysOf(reply) }] }),
		dataOf({ model, choices: [], usage: openaiUsage(reply.usage) }),
		{ data: '[DONE]' },
	],
};

const arraysOf = ({ positions }: Reply) =>
	positions.length === 0
		? null
		: {
				tokens: positions.map(({ token }) => token),
				token_logprobs: positions.map(({ logProb }) => logProb),
				top_logprobs: positions.map(({ top }) => Object.fromEntries(top)),
			};

const STOPS = { stop: 'end_turn', length: 'max_tokens', refusal: 'refusal' } as const;
const messages: Dialect = {
	keyOf: (header) => header('x-api-key'),
	ask: (body) => ({
		prompt: lastMessage(body),
		maxTokens: numberOf(body.max_tokens, 16),
		temperature: numberOf(body.temperature, 1),
		...{ seed: null, top: 0, echo: false },
	}),
	body: ({ text, finish, usage }, model) => ({
		type: 'message',
		model,
		content: [{ type: 'text', text }],
		stop_reason: STOPS[finish],
		usage: { input_tokens: usage.input, output_tokens: usage.output },
	}),
	events: ({ text, finish, usage }, model) =>
		[
			{ type: 'message_start', message: { model, usage: { input_tokens: usage.input, output_tokens: 1 } } },
			{ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
			{ type: 'ping' },
			...piecesOf(text).map((piece) => ({
				type: 'content_block_delta',
				delta: { type: 'text_delta', text: piece },
			})),
			{ type: 'content_block_stop', index: 0 },
			{
				type: 'message_delta',
				delta: { stop_reason: STOPS[finish] },
				usage: { output_tokens: usage.output },
			},
			{ type: 'message_stop' },
		].map((event) => ({ event: event.type, data: JSON.stringify(event) })),
};

/** By path. */
export const DIALECTS: Readonly<Record<string, Dialect>> = {
	'/v1/chat/completions': chat,
	'/v1/completions': completions,
	'/v1/messages': messages,
};
