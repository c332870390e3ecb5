/**
 * Anthropic-compatible messages. No log-probabilities and no seed: answers only.
 *
 * @module
 */
import { z } from 'zod';
import { badInput } from '../errors.js';
import { checked, parseJson } from '../input.js';
import type { Protocol } from './protocol.js';

const Usage = z.looseObject({ input_tokens: z.int().min(0), output_tokens: z.int().min(0).default(0) });
const Body = z.looseObject({
	model: z.string().nullish(),
	content: z.array(z.looseObject({ type: z.string(), text: z.string().optional() })),
	stop_reason: z.string().nullish(),
	usage: Usage.nullish(),
});

/** Other events and fields come and go with versions; an error may end a stream. */
const Event = z.looseObject({
	type: z.string().refine((type) => type !== 'error', 'is an error'),
	message: z.looseObject({ model: z.string().nullish(), usage: Usage.nullish() }).optional(),
	delta: z.looseObject({ text: z.string().optional(), stop_reason: z.string().nullish() }).optional(),
	usage: z.looseObject({ output_tokens: z.int().min(0) }).nullish(),
});

/** `POST {endpoint}/messages`. */
export const anthropicMessages: Protocol = {
	path: '/messages',
	vendor: { host: 'api.anthropic.com', keyVariable: 'ANTHROPIC_API_KEY' },
	headers: (key) => ({
		'anthropic-version': '2023-06-01',
		...(key === undefined ? {} : { 'x-api-key': key }),
	}),
	parameters: ({ model, maxTokens, temperature, topLogProbs, echo, stream }) => {
		if (topLogProbs > 0 || echo)
			throw badInput('messages endpoints have no log-probabilities; use chat or completions');
		return {
			model,
			max_tokens: maxTokens,
			...(temperature === undefined ? {} : { temperature }),
			...(stream ? { stream } : {}),
		};
	},
	question: ({ prompt }) => ({ messages: [{ role: 'user', content: prompt }] }),
	read(body) {
		const { model, content, stop_reason, usage } = checked(Body, body, 'answer');
		return {
			text: content.map((block) => (block.type === 'text' ? (block.text ?? '') : '')).join(''),
			finishReason: stop_reason ?? null,
			refusal: stop_reason === 'refusal' ? stop_reason : null,
			model: model ?? null,
			usage: usage ? { input: usage.input_tokens, output: usage.output_tokens } : null,
			tokens: null,
		};
	},
	assemble(data) {
		const events = data.map((one) => checked(Event, parseJson(one, 'event'), 'event'));
		if (events.at(-1)?.type !== 'message_stop') return undefined;
		const start = events.find(({ type }) => type === 'message_start')?.message;
		const end = events.findLast(({ type }) => type === 'message_delta');
		const text = events.map(({ type, delta }) => (type === 'content_block_delta' ? (delta?.text ?? '') : ''));
		return {
			model: start?.model,
			content: [{ type: 'text', text: text.join('') }],
			stop_reason: end?.delta?.stop_reason,
			usage: start?.usage && {
				input_tokens: start.usage.input_tokens,
				output_tokens: end?.usage?.output_tokens ?? start.usage.output_tokens,
			},
		};
	},
};
