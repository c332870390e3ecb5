/**
 * Log-probabilities in the two shapes that OpenAI-compatible endpoints give: a list of positions (chat; llama.cpp for
 * completions too), and parallel arrays (completions). vLLM's `prompt_logprobs` beside them.
 *
 * @module
 */
import { z } from 'zod';
import type { TokenLogs } from './protocol.js';

/** Endpoints write -9999 or null for "impossible"; JSON has no infinity. */
const LogProb = z.number();

const Listed = z.looseObject({ token: z.string(), logprob: LogProb });

/** Positions, as in `choices[0].logprobs.content`. */
export const Positions = z.looseObject({
	content: z.array(Listed.extend({ top_logprobs: z.array(Listed).nullish() })),
});

/** Parallel arrays, as in `choices[0].logprobs` of completions. */
export const Arrays = z.looseObject({
	tokens: z.array(z.string()),
	token_logprobs: z.array(LogProb.nullable()),
	top_logprobs: z.array(z.record(z.string(), LogProb).nullable()).nullish(),
});

/** vLLM: for each token of the prompt what was listed there, by id; the first position has nothing. */
export const PromptLogProbs = z.array(
	z.record(z.string(), z.looseObject({ logprob: LogProb, decoded_token: z.string().nullish() })).nullable(),
);

export function tokensOfPositions({ content }: z.infer<typeof Positions>): TokenLogs[] {
	return content.map(({ token, logprob, top_logprobs }) => ({
		token,
		logProb: logprob,
		top: (top_logprobs ?? []).map((one) => [one.token, one.logprob]),
	}));
}

export function tokensOfArrays(logs: z.infer<typeof Arrays>): TokenLogs[] {
	return logs.tokens.map((token, i) => ({
		token,
		logProb: logs.token_logprobs[i] ?? null,
		top: Object.entries(logs.top_logprobs?.[i] ?? {}),
	}));
}

/** Tokens of the prompt, where `prompt_logprobs` was 0 and so lists the prompt's own token only. */
export function tokensOfPrompt(positions: z.infer<typeof PromptLogProbs>): TokenLogs[] {
	return positions.flatMap((position) =>
		Object.values(position ?? {})
			.slice(0, 1)
			.map(({ logprob, decoded_token }) => ({ token: decoded_token ?? '', logProb: logprob, top: [] })),
	);
}
