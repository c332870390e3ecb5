/**
 * OpenAI-compatible chat completions.
 *
 * @module
 */
import { z } from 'zod';
import { badInput } from '../errors.js';
import { checked, parseJson } from '../input.js';
import { Positions, tokensOfPositions } from './openai-logs.js';
import { Usage, usageOf, VENDOR } from './openai-vendor.js';
import type { Protocol } from './protocol.js';

const Body = z.looseObject({
	model: z.string().nullish(),
	choices: z
		.array(
			z.looseObject({
				message: z.looseObject({ content: z.string().nullish(), refusal: z.string().nullish() }),
				finish_reason: z.string().nullish(),
				logprobs: Positions.nullish(),
			}),
		)
		.min(1),
	usage: Usage.nullish(),
});

const Chunk = z.looseObject({
	model: z.string().nullish(),
	choices: z.array(
		z.looseObject({
			delta: z.looseObject({ content: z.string().nullish(), refusal: z.string().nullish() }),
			finish_reason: z.string().nullish(),
			logprobs: z.unknown().optional(),
		}),
	),
	usage: Usage.nullish(),
});

/** `POST {endpoint}/chat/completions`. */
export const openaiChat: Protocol = {
	path: '/chat/completions',
	...VENDOR,
	parameters: ({ model, maxTokens, temperature, topLogProbs, echo, stream }) => {
		if (echo) throw badInput('chat endpoints say nothing of given text; use completions');
		return {
			model,
			max_tokens: maxTokens,
			...(temperature === undefined ? {} : { temperature }),
			...(topLogProbs > 0 ? { logprobs: true, top_logprobs: topLogProbs } : {}),
			...(stream ? { stream: true, stream_options: { include_usage: true } } : {}),
		};
	},
	question: ({ prompt, seed }) => ({
		messages: [{ role: 'user', content: prompt }],
		...(seed === undefined ? {} : { seed }),
	}),
	read(body) {
		const { model, choices, usage } = checked(Body, body, 'answer');
		const { message, finish_reason, logprobs } = choices[0];
		const filtered = finish_reason === 'content_filter' ? finish_reason : null;
		return {
			text: message.content ?? '',
			finishReason: finish_reason ?? null,
			refusal: message.refusal ?? filtered,
			model: model ?? null,
			usage: usageOf(usage),
			tokens: logprobs ? tokensOfPositions(logprobs) : null,
		};
	},
	assemble(events) {
		if (events.at(-1) !== '[DONE]') return undefined;
		const chunks = events.slice(0, -1).map((data) => checked(Chunk, parseJson(data, 'event'), 'event'));
		const choices = chunks.flatMap((chunk) => chunk.choices.slice(0, 1));
		const joined = (field: 'content' | 'refusal') =>
			choices.some(({ delta }) => delta[field])
				? choices.map(({ delta }) => delta[field] ?? '').join('')
				: null;
		const logs = choices.flatMap(({ logprobs }) => {
			const parsed = Positions.safeParse(logprobs);
			return parsed.success ? parsed.data.content : [];
		});
		return {
			model: chunks.find((chunk) => chunk.model)?.model,
			choices: [
				{
					message: { content: joined('content'), refusal: joined('refusal') },
					finish_reason: choices.findLast((choice) => choice.finish_reason)?.finish_reason,
					logprobs: logs.length > 0 ? { content: logs } : null,
				},
			],
			usage: chunks.findLast((chunk) => chunk.usage)?.usage,
		};
	},
};
