/**
 * The embedded teacher behind an OpenAI-type endpoint on the loopback: chat completions, streamed or not, with
 * `logit_bias`. A stand-in for any endpoint that shows no logits; it marks nothing by itself.
 *
 * @example
 * node examples/teacher-server.mjs   # prints its base URL
 * curl -s $URL/chat/completions -d '{"messages":[{"role":"user","content":"It was a"}],"logit_bias":{"300":5}}'
 *
 * @module
 */
import { createServer } from 'node:http';
import { createMarker } from 'touchmark/embed';
import { embeddedModel, embeddedTokenizer } from 'touchmark/generate';

const model = embeddedModel('teacher');
const tokenizer = embeddedTokenizer();
const marker = createMarker({
	marks: [],
	vocabSize: model.vocabSize,
	specialTokens: tokenizer.specialTokens,
});
const BIAS_LIMIT = 1024;

/** Yields the ids of an answer. */
function* answer({ messages, max_tokens = 100, temperature = 1, top_p, seed, logit_bias = {} }) {
	const content = messages.at(-1).content;
	const text = typeof content === 'string' ? content : content.map((part) => part.text ?? '').join('');
	const prompt = tokenizer.encode(text);
	const generation = marker.start({
		prompt,
		sampling: { temperature, ...(top_p === undefined ? {} : { topP: top_p }) },
		...(seed === undefined ? {} : { seed: String(seed) }),
	});
	const batch = model.newBatch(1);
	let logits;
	for (const id of prompt) logits = batch.step(Int32Array.of(id));
	const longest = Math.min(max_tokens, model.maxLength - prompt.length);
	for (let count = 0; count < longest; count++) {
		const biased = logits.slice();
		for (const [id, bias] of Object.entries(logit_bias)) biased[id] += bias;
		const [token] = marker.step([generation], biased);
		if (tokenizer.specialTokens.includes(token)) return;
		yield token;
		logits = batch.step(Int32Array.of(token));
	}
}

function refusal({ messages, logit_bias = {} }) {
	const entries = Object.entries(logit_bias);
	if (!Array.isArray(messages) || messages.length === 0) return 'messages are missing';
	if (entries.length > BIAS_LIMIT) return `logit_bias holds more than ${BIAS_LIMIT} tokens`;
	if (entries.some(([id, bias]) => !(Number(id) < model.vocabSize && Math.abs(bias) <= 100)))
		return 'logit_bias maps token ids to numbers from -100 to 100';
	return undefined;
}

const server = createServer(async (request, response) => {
	const send = (status, body) => {
		response.writeHead(status, { 'content-type': 'application/json' });
		response.end(JSON.stringify(body));
	};
	try {
		if (!request.url.endsWith('/chat/completions')) return send(404, { error: { message: 'no such path' } });
		const chunks = [];
		for await (const chunk of request) chunks.push(chunk);
		const body = JSON.parse(Buffer.concat(chunks).toString('utf8'));
		const refused = refusal(body);
		if (refused !== undefined)
			return send(400, { error: { message: refused, type: 'invalid_request_error' } });

		const head = { id: 'chatcmpl-teacher', created: Math.floor(Date.now() / 1000), model: 'teacher' };
		const tokens = [];
		if (!body.stream) {
			tokens.push(...answer(body));
			const message = { role: 'assistant', content: tokenizer.decode(tokens) };
			const usage = { prompt_tokens: 0, completion_tokens: tokens.length, total_tokens: tokens.length };
			const choices = [{ index: 0, message, finish_reason: 'stop' }];
			return send(200, { ...head, object: 'chat.completion', choices, usage });
		}
		response.writeHead(200, { 'content-type': 'text/event-stream' });
		const event = (delta, finish_reason, usage) => {
			const choices = [{ index: 0, delta, finish_reason }];
			const chunk = { ...head, object: 'chat.completion.chunk', choices, ...(usage ? { usage } : {}) };
			response.write(`data: ${JSON.stringify(chunk)}\n\n`);
		};
		let sent = 0;
		for (const token of answer(body)) {
			if (response.destroyed) return;
			tokens.push(token);
			const text = tokenizer.decode(tokens);
			// A character may take several tokens.
			if (text.endsWith('\ufffd')) continue;
			event({ role: 'assistant', content: text.slice(sent) }, null);
			sent = text.length;
			await new Promise(setImmediate);
		}
		event({}, 'stop', { prompt_tokens: 0, completion_tokens: tokens.length, total_tokens: tokens.length });
		response.end('data: [DONE]\n\n');
	} catch (error) {
		if (response.headersSent) response.destroy();
		else send(400, { error: { message: error.message, type: 'invalid_request_error' } });
	}
});
server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
	process.stdout.write(`http://127.0.0.1:${server.address().port}/v1\n`);
});
