/**
 * What the two OpenAI-compatible protocols share besides log-probabilities.
 *
 * @module
 */
import { z } from 'zod';
import type { Answer, Protocol } from './protocol.js';

/** Whose key, and how it is sent. */
export const VENDOR: Pick<Protocol, 'vendor' | 'headers'> = {
	vendor: { host: 'api.openai.com', keyVariable: 'OPENAI_API_KEY' },
	headers: (key) => (key === undefined ? {} : { authorization: `Bearer ${key}` }),
};

export const Usage = z.looseObject({
	prompt_tokens: z.int().min(0),
	completion_tokens: z.int().min(0).default(0),
});

export function usageOf(usage: z.infer<typeof Usage> | null | undefined): Answer['usage'] {
	return usage ? { input: usage.prompt_tokens, output: usage.completion_tokens } : null;
}
