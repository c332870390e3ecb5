/**
 * OpenAI-compatible completions: text goes on where the prompt ends. With `echo` the prompt comes back with its
 * log-probabilities (OpenAI's older models, vLLM); vLLM has `prompt_logprobs` too.
 *
 * @module
 */
import { z } from 'zod';
import { checked, parseJson } from '../input.js';
import {
	Arrays,
	Positions,
	PromptLogProbs,
	tokensOfArrays,
	tokensOfPositions,
	tokensOfPrompt,
} from './openai-logs.js';
import { Usage, usageOf, VENDOR } from './openai-vendor.js';
import type { Protocol } from './protocol.js';

const Choice = z.looseObject({
	text: z.string(),
	finish_reason: z.string().nullish(),
	logprobs: z.union([Arrays, Positions]).nullish(),
	prompt_logprobs: PromptLogProbs.nullish(),
});
const Body = z.looseObject({
	model: z.string().nullish(),
	choices: z.array(Choice).min(1),
	usage: Usage.nullish(),
});
const Chunk = Body.extend({ choices: z.array(Choice) });

function tokensOf({ logprobs, prompt_logprobs }: z.infer<typeof Choice>) {
	if (prompt_logprobs) return tokensOfPrompt(prompt_logprobs);
	if (!logprobs) return null;
	return 'content' in logprobs
		? tokensOfPositions(logprobs as z.infer<typeof Positions>)
		: tokensOfArrays(logprobs as z.infer<typeof Arrays>);
}

/** `POST {endpoint}/completions`. */
export const openaiCompletions: Protocol = {
	path: '/completions',
	...VENDOR,
	parameters: ({ model, maxTokens, temperature, topLogProbs, echo, stream }) => ({
		model,
		max_tokens: maxTokens,
		...(temperature === undefined ? {} : { temperature }),
		...(topLogProbs > 0 || echo ? { logprobs: Math.max(1, topLogProbs) } : {}),
		...(echo ? { echo } : {}),
		...(stream ? { stream: true, stream_options: { include_usage: true } } : {}),
	}),
	question: ({ prompt, seed }) => ({ prompt, ...(seed === undefined ? {} : { seed }) }),
	read(body) {
		const { model, choices, usage } = checked(Body, body, 'answer');
		const [choice] = choices;
		return {
			text: choice.text,
			finishReason: choice.finish_reason ?? null,
			refusal: choice.finish_reason === 'content_filter' ? choice.finish_reason : null,
			model: model ?? null,
			usage: usageOf(usage),
			tokens: tokensOf(choice),
		};
	},
	assemble(events) {
		if (events.at(-1) !== '[DONE]') return undefined;
		const chunks = events.slice(0, -1).map((data) => checked(Chunk, parseJson(data, 'event'), 'event'));
		const choices = chunks.flatMap((chunk) => chunk.choices.slice(0, 1));
		const tokens = choices.flatMap((choice) => tokensOf(choice) ?? []);
		return {
			model: chunks.find((chunk) => chunk.model)?.model,
			choices: [
				{
					text: choices.map((choice) => choice.text).join(''),
					finish_reason: choices.findLast((choice) => choice.finish_reason)?.finish_reason,
					logprobs:
						tokens.length === 0
							? null
							: {
									tokens: tokens.map(({ token }) => token),
									token_logprobs: tokens.map(({ logProb }) => logProb),
									top_logprobs: tokens.map(({ top }) => Object.fromEntries(top)),
								},
				},
			],
			usage: chunks.findLast((chunk) => chunk.usage)?.usage,
		};
	},
};
