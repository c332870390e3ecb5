/**
 * The protocols by name.
 *
 * @module
 */
import { anthropicMessages } from './anthropic-messages.js';
import { openaiChat } from './openai-chat.js';
import { openaiCompletions } from './openai-completions.js';
import type { Protocol } from './protocol.js';

export const PROTOCOLS = {
	chat: openaiChat,
	completions: openaiCompletions,
	messages: anthropicMessages,
} satisfies Record<string, Protocol>;
export type ProtocolName = keyof typeof PROTOCOLS;
