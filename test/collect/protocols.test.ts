/** Answers in the shapes that endpoints give them. */
import { describe, expect, it } from 'vitest';
import { DIALECTS, newReplies } from '../../bench/suspect-replies.js';
import { PROTOCOLS } from '../../src/collect/protocols.js';

const settings = { model: 'm', maxTokens: 9, topLogProbs: 0, echo: false, stream: false };

describe('a stream', () => {
	const replies = newReplies('student-unmarked');
	it.each([
		['chat', '/v1/chat/completions', 3],
		['completions', '/v1/completions', 3],
		['messages', '/v1/messages', 0],
	] as const)(
		'of %s says what the whole body says, and nothing when its end is missing',
		(name, path, top) => {
			const ask = { prompt: 'It was a', maxTokens: 20, temperature: 1, seed: 1, top, echo: false };
			const reply = replies(ask);
			const protocol = PROTOCOLS[name];
			const events = DIALECTS[path].events(reply, 'm').map(({ data }) => data);
			const whole = protocol.read(DIALECTS[path].body(reply, 'm'));
			expect(whole.text).toBe(reply.text);
			expect(whole.usage).toEqual({ input: expect.any(Number), output: reply.usage.output });
			expect(whole.tokens === null ? 0 : whole.tokens.length).toBe(reply.positions.length);
			expect(protocol.read(protocol.assemble(events))).toEqual(whole);
			for (let end = 0; end < events.length; end++)
				expect(protocol.assemble(events.slice(0, end))).toBeUndefined();
		},
	);
	it('that ends in an error is no answer', () => {
		const events = [
			'{"type":"message_start","message":{}}',
			'{"type":"error","error":{"type":"overloaded_error"}}',
		];
		expect(() => PROTOCOLS.messages.assemble(events)).toThrow(/is an error/);
	});
});

describe('log-probabilities', () => {
	const read = (choice: object) =>
		PROTOCOLS.completions.read({ choices: [{ text: 'ab', ...choice }] }).tokens;
	it('come as positions (llama.cpp), as arrays (OpenAI, vLLM), or of the prompt (vLLM)', () => {
		const listed = { token: 'a', logprob: -1, top_logprobs: [{ token: 'b', logprob: -0.5 }] };
		const position = { token: 'a', logProb: -1, top: [['b', -0.5]] };
		expect(read({ logprobs: { content: [listed] } })).toEqual([position]);
		const arrays = { tokens: ['a', 'b'], token_logprobs: [null, -1], top_logprobs: [null, { b: -1 }] };
		expect(read({ logprobs: arrays })).toEqual([
			{ token: 'a', logProb: null, top: [] },
			{ token: 'b', logProb: -1, top: [['b', -1]] },
		]);
		const prompt_logprobs = [null, { 77: { logprob: -2, decoded_token: 'b', rank: 3 } }];
		expect(read({ logprobs: null, prompt_logprobs })).toEqual([{ token: 'b', logProb: -2, top: [] }]);
		expect(read({})).toBeNull();
	});
});

describe('a refusal', () => {
	it.each([
		['chat', { choices: [{ message: { content: null, refusal: 'No.' }, finish_reason: 'stop' }] }, 'No.'],
		['chat', { choices: [{ message: { content: 'x' }, finish_reason: 'content_filter' }] }, 'content_filter'],
		['completions', { choices: [{ text: 'x', finish_reason: 'content_filter' }] }, 'content_filter'],
		['messages', { content: [], stop_reason: 'refusal' }, 'refusal'],
	] as const)('of %s is told from an answer', (name, body, refusal) => {
		expect(PROTOCOLS[name].read(body).refusal).toBe(refusal);
	});
	it('to ask for what a protocol does not have is one sentence', () => {
		expect(() => PROTOCOLS.chat.parameters({ ...settings, echo: true })).toThrow(/use completions/);
		expect(() => PROTOCOLS.messages.parameters({ ...settings, topLogProbs: 1 })).toThrow(
			/no log-probabilities/,
		);
	});
});
