/**
 * A suspect behind an API on the loopback: a shipped model that speaks OpenAI's and Anthropic's protocols, and fails as
 * APIs fail, by a seeded plan. It counts what it gets, so that a client's word need not be taken.
 *
 * @module
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { EmbeddedModel } from '../src/generate/embedded.js';
import { DIALECTS, newReplies } from './suspect-replies.js';

/** Ways to fail. */
export const FAULTS = [
	'rate-limit',
	'server-error',
	'dropped',
	'truncated',
	'garbage',
	'other-json',
	'slow',
] as const;
export type Fault = (typeof FAULTS)[number];

/** What a server does. */
export interface SuspectOptions {
	readonly model?: EmbeddedModel;
	/** Wanted of every request. */
	readonly apiKey?: string;
	/**
	 * A share of requests fails, none more than three times in a row. Whether and how depends on seed, request, and how often
	 * it was made; not on timing.
	 */
	readonly faults?: { readonly seed: string; readonly share: number; readonly kinds?: readonly Fault[] };
	/** Seconds in `Retry-After`. */
	readonly retryAfter?: number;
	/** Called with the number of each request as it comes in. */
	readonly onRequest?: (count: number) => void;
}

/** What a server saw. */
export interface Seen {
	requests: number;
	/** Tokens of every answer that was computed, whatever became of it. */
	readonly billed: { input: number; output: number };
	readonly faults: Record<string, number>;
	/** Requests that came before the pause asked for was over. */
	early: number;
	/** Bodies of the requests. */
	readonly bodies: Record<string, unknown>[];
}

/** A running server. */
export interface SuspectServer {
	/** Base address. */
	readonly url: string;
	readonly seen: Seen;
	close(): Promise<void>;
}

/** Starts a server. */
export async function startSuspect(options: SuspectOptions = {}): Promise<SuspectServer> {
	const { model = 'student-unmarked', apiKey, faults, retryAfter = 0, onRequest } = options;
	const replies = newReplies(model);
	const seen: Seen = { requests: 0, billed: { input: 0, output: 0 }, faults: {}, early: 0, bodies: [] };
	const occurrences = new Map<string, number>();
	let quietUntil = 0;

	/** The fault of this request, if it has one. */
	function faultOf(content: string): Fault | undefined {
		if (faults === undefined) return undefined;
		const occurrence = occurrences.get(content) ?? 0;
		occurrences.set(content, occurrence + 1);
		if (occurrence % 4 === 3) return undefined;
		const hash = createHash('sha256').update(`${faults.seed}/${occurrence}/${content}`).digest();
		if (hash.readUInt32LE(0) / 2 ** 32 >= faults.share) return undefined;
		const kinds = faults.kinds ?? FAULTS;
		return kinds[hash.readUInt32LE(4) % kinds.length];
	}

	async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
		seen.requests++;
		onRequest?.(seen.requests);
		if (Date.now() < quietUntil) seen.early++;
		const send = (status: number, body: unknown, headers: Record<string, string> = {}) => {
			response.writeHead(status, { 'content-type': 'application/json', ...headers });
			response.end(typeof body === 'string' ? body : JSON.stringify(body));
		};
		const dialect = DIALECTS[request.url ?? ''];
		if (dialect === undefined) return send(404, { error: { message: 'no such path' } });
		const key = dialect.keyOf((name) => request.headers[name]?.toString());
		// Some endpoints are careless with the keys that they are given.
		if (apiKey !== undefined && key !== apiKey)
			return send(401, { error: { message: `the key ${key} is not known` } });
		let content = '';
		for await (const chunk of request) content += String(chunk);
		const body = JSON.parse(content) as Record<string, unknown>;
		seen.bodies.push(body);
		const fault = faultOf(content);
		if (fault !== undefined) seen.faults[fault] = (seen.faults[fault] ?? 0) + 1;
		if (fault === 'rate-limit') {
			quietUntil = Date.now() + 1000 * retryAfter;
			return send(429, { error: { message: 'slow down' } }, { 'retry-after': String(retryAfter) });
		}
		if (fault === 'server-error') return send(503, { error: { message: `overloaded, ${key}` } });
		const reply = replies(dialect.ask(body));
		seen.billed.input += reply.usage.input;
		seen.billed.output += reply.usage.output;
		if (fault === 'dropped') {
			request.socket.destroy();
			return;
		}
		if (fault === 'garbage') return send(200, '<html>welcome to the proxy</html>');
		if (fault === 'other-json') return send(200, { status: 'ok' });
		if (fault === 'slow') {
			// Until the client gives up.
			await once(response, 'close');
			return;
		}
		if (body.stream !== true) {
			const whole = JSON.stringify(dialect.body(reply, model));
			if (fault !== 'truncated') return send(200, whole);
			response.writeHead(200, { 'content-length': String(Buffer.byteLength(whole)) });
			response.write(whole.slice(0, whole.length >> 1), () => request.socket.destroy());
			return;
		}
		const events = dialect.events(reply, model);
		// A cut stream ends as cleanly as a whole one: only its last events are missing.
		const sent = fault === 'truncated' ? events.slice(0, events.length >> 1) : events;
		response.writeHead(200, { 'content-type': 'text/event-stream' });
		for (const { event, data } of sent)
			response.write(`${event === undefined ? '' : `event: ${event}\n`}data: ${data}\n\n`);
		response.end();
	}

	const server = createServer((request, response) => {
		answer(request, response).catch(() => request.socket.destroy());
	});
	server.listen(0, '127.0.0.1');
	await once(server, 'listening');
	return {
		url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
		seen,
		async close() {
			server.closeAllConnections();
			server.close();
			await once(server, 'close');
		},
	};
}
