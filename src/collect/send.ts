/**
 * One request: an answer, a failure that may pass, or an error that will not.
 *
 * @module
 */
import { createParser } from 'eventsource-parser';
import { z } from 'zod';
import { TouchmarkError } from '../errors.js';
import { parseJson } from '../input.js';
import type { Answer, Protocol } from './protocol.js';

/** Longest response, characters; its line in the journal must be readable again. */
const MAX_RESPONSE = 16 * 2 ** 20;

/** A failure that another attempt may not have. */
export class TransientFailure extends Error {
	override readonly name = 'TransientFailure';
	/** `http-429`, `http-503`, …, `network`, `timeout`, `truncated`, `malformed`. */
	readonly reason: string;
	/** Milliseconds that the endpoint asked to be left alone. */
	readonly retryAfter: number;

	constructor(reason: string, message: string, retryAfter = 0) {
		super(message);
		this.reason = reason;
		this.retryAfter = retryAfter;
	}
}

/** A failure that every attempt would have: the run must stop. */
export class PermanentFailure extends TouchmarkError {
	/** `http-401`, …, `no-log-probabilities`, `no-echo`. */
	readonly reason: string;

	constructor(reason: string, message: string) {
		super('failed', message);
		this.reason = reason;
	}
}

/** Where requests go and how. */
export interface Endpoint {
	readonly protocol: Protocol;
	/** Base address, without the protocol's path. */
	readonly url: string;
	/** The API key. It leaves this object in a header and in no other way. */
	readonly key?: string;
	/** Milliseconds until a request is given up. */
	readonly timeout: number;
}

/**
 * Sends a request.
 *
 * @param body as JSON; `stream: true` in it says that events are expected
 * @throws TransientFailure, PermanentFailure
 */
export async function send(endpoint: Endpoint, body: Record<string, unknown>): Promise<Answer> {
	const { protocol, url, key, timeout } = endpoint;
	let response: Response | undefined;
	let text: string;
	try {
		response = await fetch(`${url}${protocol.path}`, {
			method: 'POST',
			// A request on a connection that the endpoint has just closed fails, and a failed request may be billed.
			headers: { 'content-type': 'application/json', connection: 'close', ...protocol.headers(key) },
			body: JSON.stringify(body),
			// A redirect would carry the key to another place.
			redirect: 'manual',
			signal: AbortSignal.timeout(timeout),
		});
		text = await textOf(response);
	} catch (error) {
		if (error instanceof TransientFailure) throw error;
		if (error instanceof Error && error.name === 'TimeoutError')
			throw new TransientFailure('timeout', `no whole answer within ${timeout / 1000} s`);
		throw response === undefined
			? new TransientFailure('network', `the endpoint cannot be reached${codeOf(error)}`)
			: new TransientFailure('truncated', 'the answer broke off');
	}
	// An endpoint that repeats the key must not make us write it.
	if (key !== undefined) text = text.replaceAll(key, '[key]');
	if (!response.ok) return declined(response, text);
	return readAnswer(protocol, body, text);
}

async function textOf(response: Response): Promise<string> {
	const decoder = new TextDecoder();
	let text = '';
	for await (const bytes of (response.body ?? []) as unknown as AsyncIterable<Uint8Array>) {
		text += decoder.decode(bytes, { stream: true });
		if (text.length > MAX_RESPONSE)
			throw new TransientFailure('malformed', `the answer is longer than ${MAX_RESPONSE} characters`);
	}
	return text + decoder.decode();
}

function codeOf(error: unknown): string {
	const cause = error instanceof Error ? error.cause : undefined;
	return cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : '';
}

function readAnswer(protocol: Protocol, body: Record<string, unknown>, text: string): Answer {
	let answer: Answer;
	try {
		const whole = body.stream === true ? protocol.assemble(eventsOf(text)) : parseJson(text, 'answer');
		if (whole === undefined)
			throw new TransientFailure('truncated', 'the stream ended before its last event');
		answer = protocol.read(whole);
	} catch (error) {
		if (!TouchmarkError.isInstance(error)) throw error;
		throw new TransientFailure('malformed', error.message);
	}
	// Some endpoints pass over what they do not have; every request would be spent in vain.
	if (body.echo === true && answer.refusal === null && !answer.text.includes(String(body.prompt)))
		throw new PermanentFailure(
			'no-echo',
			'the endpoint does not give the prompt back: it has no echo; with --given-by prefixes a text is asked token by token',
		);
	const wanted = ['logprobs', 'echo', 'prompt_logprobs'].some(
		(field) => body[field] !== undefined && body[field] !== false,
	);
	if (!wanted || answer.tokens !== null || answer.refusal !== null) return answer;
	if (answer.text === '') return { ...answer, tokens: [] };
	throw new PermanentFailure(
		'no-log-probabilities',
		'the endpoint answers without log-probabilities; it does not give them for this model or protocol',
	);
}

function eventsOf(text: string): string[] {
	const events: string[] = [];
	const parser = createParser({ onEvent: ({ data }) => events.push(data) });
	parser.feed(text);
	return events;
}

/** What endpoints say in a response that is an error; all of it optional. */
const ErrorBody = z.looseObject({
	error: z.looseObject({
		message: z.string().optional(),
		type: z.unknown().optional(),
		code: z.unknown().optional(),
	}),
});

/** @returns an answer only where the error is a refusal of this very prompt */
function declined(response: Response, text: string): Answer {
	const { status } = response;
	const { message = '', type, code } = errorOf(text);
	const said = message === '' ? '' : `: ${message.replace(/\s+/g, ' ').slice(0, 200)}`;
	const reason = `http-${status}`;
	if (status === 400 && code === 'content_filter')
		return {
			text: '',
			finishReason: 'content_filter',
			refusal: 'content_filter',
			...{ model: null, usage: null, tokens: null },
		};
	if (status === 429 && code !== 'insufficient_quota' && type !== 'insufficient_quota')
		throw new TransientFailure(reason, `too many requests${said}`, retryAfter(response.headers));
	if (status >= 500 || status === 408 || status === 409 || status === 425)
		throw new TransientFailure(reason, `the endpoint fails${said}`, retryAfter(response.headers));
	// What is said about a key may hold a part of it.
	if (status === 401 || status === 403)
		throw new PermanentFailure(
			reason,
			`the endpoint refuses the request (${status}): give the key that it wants in an environment variable (--api-key-env)`,
		);
	if (status >= 300 && status < 400)
		throw new PermanentFailure(reason, `the endpoint redirects (${status}); give its final address`);
	throw new PermanentFailure(reason, `the endpoint refuses the request (${status})${said}`);
}

function errorOf(text: string): { message?: string | undefined; type?: unknown; code?: unknown } {
	try {
		return ErrorBody.parse(JSON.parse(text)).error;
	} catch {
		return {};
	}
}

/** Longest pause that an endpoint may ask for, milliseconds. */
const LONGEST_PAUSE = 10 * 60_000;

/** Milliseconds in a `Retry-After` header (RFC 9110 §10.2.3: seconds, or a date). */
export function retryAfter(headers: Headers, now = Date.now()): number {
	const value = headers.get('retry-after')?.trim() ?? '';
	const wanted = /^\d+(\.\d+)?$/.test(value) ? 1000 * Number(value) : Date.parse(value) - now;
	return Math.min(LONGEST_PAUSE, Math.max(0, wanted || 0));
}
