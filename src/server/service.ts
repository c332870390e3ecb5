/**
 * The detection service: HTTP in front of threads. Every limit on size, time and number is here or in what it calls.
 *
 * @module
 */
import {
	createServer,
	type IncomingMessage,
	type OutgoingHttpHeaders,
	type ServerResponse,
	STATUS_CODES,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TouchmarkError } from '../errors.js';
import { checked, parseJson } from '../input.js';
import { newAllowances } from './allowances.js';
import { coarseAnswer, DetectRequest, fullAnswer } from './answers.js';
import { type ApiKey, newAuthentication } from './api-keys.js';
import { type AuditLog, bandOf } from './audit-log.js';
import { openDetectionPool } from './detection-pool.js';
import { bodyBytes, type Limits, mostTokens } from './limits.js';
import { newMetrics } from './metrics.js';
import { openApiDocument } from './openapi.js';
import { renderServePage } from './page.js';
import { Refusal } from './problems.js';
import { readBody } from './read-body.js';
import type { WorkerSetup } from './worker.js';

/** What a service is made of. */
export interface ServiceOptions {
	readonly setup: WorkerSetup;
	readonly threads: number;
	readonly limits: Limits;
	readonly keys: readonly ApiKey[];
	readonly audit: AuditLog;
	readonly host: string;
	/** 0: one that is free. */
	readonly port: number;
	/** Is told of faults of the server. */
	fault?(error: unknown): void;
}

/** A running service. */
export interface Service {
	/** Where it listens. */
	readonly url: string;
	/** Takes other API keys from now on. What the old ones spent stays spent. */
	useKeys(keys: readonly ApiKey[]): void;
	/** Accepts nothing more, finishes what runs, writes the log to its end. */
	close(): Promise<void>;
}

/** An answer, whole. */
interface Reply {
	readonly status: number;
	readonly headers: OutgoingHttpHeaders;
	readonly body: string;
}

type Handler = (request: IncomingMessage) => Reply | Promise<Reply>;

/** Goes out with every answer. */
const COMMON_HEADERS = {
	'Cache-Control': 'no-store',
	'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
	'Referrer-Policy': 'no-referrer',
	'X-Content-Type-Options': 'nosniff',
} as const;

/** Times the largest body: so much of what is too large is read and forgotten, so that its sender reads the refusal. */
const FORGOTTEN = 16;

/** Starts a service. Resolves when it answers. @throws TouchmarkError `bad-input`, `failed` */
export async function startService(options: ServiceOptions): Promise<Service> {
	const { setup, threads, limits, audit, host, port, fault } = options;
	const pool = await openDetectionPool(setup, threads, limits);
	const allowances = newAllowances();
	let authentication = newAuthentication(options.keys);
	const sockets = new Set<Socket>();
	const perAddress = new Map<string, number>();
	/** The answer that each connection waits for. */
	const answering = new Map<Duplex, ServerResponse>();
	let closing = false;
	const metrics = newMetrics({ connections: () => sockets.size, waiting: () => pool.waiting });
	const page = renderServePage(limits.textBytes);
	const openApi = JSON.stringify(openApiDocument(limits));
	const mostBytes = bodyBytes(limits);

	const routes = new Map<string, { readonly method: 'GET' | 'POST'; readonly handler: Handler }>([
		['/', { method: 'GET', handler: () => ({ status: 200, headers: { ...page.headers }, body: page.html }) }],
		['/v1/detect', { method: 'POST', handler: detectRoute }],
		['/healthz', { method: 'GET', handler: () => jsonReply(200, { status: 'ok' }) }],
		['/readyz', { method: 'GET', handler: readyRoute }],
		['/metrics', { method: 'GET', handler: metricsRoute }],
		['/openapi.json', { method: 'GET', handler: () => jsonReply(200, openApi) }],
	]);

	function readyRoute(): Reply {
		if (closing) throw new Refusal('shutting-down', 'the server is being stopped');
		mustRecord();
		return jsonReply(200, { status: 'ready' });
	}
	async function metricsRoute(): Promise<Reply> {
		return { status: 200, headers: { 'Content-Type': metrics.contentType }, body: await metrics.text() };
	}
	/** A service that cannot record must not answer. */
	function mustRecord(): void {
		if (!audit.healthy) throw new Refusal('internal', 'the audit log cannot be written');
	}
	async function detectRoute(request: IncomingMessage): Promise<Reply> {
		mustRecord();
		let key: ApiKey | undefined;
		let asked: DetectRequest | undefined;
		const digest = () => (asked === undefined ? null : audit.digestOf(asked));
		try {
			key = authentication.keyOf(request.headers.authorization);
			if (key === undefined)
				throw new Refusal(
					'unauthorized',
					'give an API key that this server knows, as "Authorization: Bearer KEY"',
				);
			if (closing) throw new Refusal('shutting-down', 'the server is being stopped', 5);
			allowances.take(key, Date.now());
			asked = requestOf(await readBody(request, mostBytes), limits);
			const { result, tokens, seconds } = await pool.detect(asked, key.id);
			metrics.detected(seconds, tokens);
			const coarse = coarseAnswer(result);
			audit.append({
				key: key.id,
				digest: digest(),
				tokens,
				answer: bandOf(coarse),
				status: 200,
				code: null,
			});
			return jsonReply(200, key.detail === 'full' ? fullAnswer(result) : coarse);
		} catch (error) {
			const { status, code } = refusalOf(error, () => undefined);
			audit.append({ key: key?.id ?? null, digest: digest(), tokens: null, answer: null, status, code });
			throw error;
		}
	}

	async function replyTo(request: IncomingMessage, path: string): Promise<Reply> {
		try {
			const route = routes.get(path);
			if (route === undefined)
				throw new Refusal('not-found', `there is nothing here; ${[...routes.keys()].join(', ')}`);
			const { method, handler } = route;
			if (request.method !== method && !(request.method === 'HEAD' && method === 'GET'))
				throw new Refusal('method-not-allowed', `use ${method}`);
			return await handler(request);
		} catch (error) {
			const refusal = refusalOf(error, fault);
			metrics.refused(refusal.code);
			return refusalReply(refusal, routes.get(path)?.method);
		}
	}

	function send(request: IncomingMessage, response: ServerResponse, { status, headers, body }: Reply): void {
		const { 'content-length': length, 'transfer-encoding': coding } = request.headers;
		// A body of a size that is allowed is read to its end in any case.
		const unbounded = !request.complete && (coding !== undefined || Number(length ?? 0) > mostBytes);
		response.writeHead(status, {
			...COMMON_HEADERS,
			...headers,
			'Content-Length': Buffer.byteLength(body),
			...(closing || unbounded ? { Connection: 'close' } : {}),
		});
		if (unbounded) {
			response.write(body);
			forgetRest(request, response, FORGOTTEN * mostBytes);
		} else response.end(body);
	}

	const server = createServer(
		{
			headersTimeout: limits.headersMs,
			requestTimeout: limits.requestMs,
			keepAliveTimeout: limits.keepAliveMs,
			connectionsCheckingInterval: Math.min(1000, limits.headersMs),
			maxHeaderSize: 16_384,
		},
		(request, response) => {
			const begun = performance.now();
			const path = (request.url ?? '').split('?', 1)[0];
			const { socket } = request;
			answering.set(socket, response);
			request.on('error', () => undefined);
			response.on('error', () => undefined);
			response.once('close', () => {
				if (answering.get(socket) === response) answering.delete(socket);
				if (closing) socket.destroySoon();
			});
			replyTo(request, path)
				.then((reply) => {
					metrics.answered(
						routes.has(path) ? path : 'other',
						reply.status,
						(performance.now() - begun) / 1000,
					);
					if (!socket.destroyed) send(request, response, reply);
				})
				.catch((error: unknown) => {
					fault?.(error);
					socket.destroy();
				});
		},
	);
	server.maxConnections = limits.connections;
	server.timeout = limits.requestMs + limits.answerMs + limits.keepAliveMs;
	server.on('drop', () => metrics.dropped());
	server.on('connection', (socket: Socket) => {
		const address = socket.remoteAddress ?? '';
		const count = (perAddress.get(address) ?? 0) + 1;
		if (count > limits.connectionsPerAddress) {
			metrics.dropped();
			socket.destroy();
			return;
		}
		perAddress.set(address, count);
		sockets.add(socket);
		socket.once('close', () => {
			sockets.delete(socket);
			const left = (perAddress.get(address) ?? 1) - 1;
			if (left > 0) perAddress.set(address, left);
			else perAddress.delete(address);
		});
	});
	server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
		const begun = answering.get(socket);
		if (error.code === 'ECONNRESET' || !socket.writable || begun?.headersSent) {
			socket.destroy();
			return;
		}
		const refusal = clientRefusal(error.code);
		metrics.refused(refusal.code);
		const { status, headers, body } = refusalReply(refusal, undefined);
		const lines = Object.entries({ ...COMMON_HEADERS, ...headers }).map(
			([name, value]) => `${name}: ${value}\r\n`,
		);
		socket.end(
			`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
			() => socket.destroy(),
		);
	});

	try {
		await new Promise<void>((resolve, reject) => {
			server.once('error', reject);
			server.listen(port, host, resolve);
		});
	} catch (error) {
		await pool.close();
		const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason';
		throw new TouchmarkError('failed', `cannot listen on ${host}, port ${port} (${code})`, { cause: error });
	}
	const { address, family, port: chosen } = server.address() as AddressInfo;
	return {
		url: `http://${family === 'IPv6' ? `[${address}]` : address}:${chosen}`,
		useKeys(keys) {
			authentication = newAuthentication(keys);
		},
		async close() {
			closing = true;
			await new Promise<void>((resolve) => {
				const force = setTimeout(() => server.closeAllConnections(), limits.graceMs);
				server.close(() => {
					clearTimeout(force);
					resolve();
				});
				// Those that ask for nothing; Node itself keeps connections that have not asked yet.
				for (const socket of sockets) if (!answering.has(socket)) socket.destroy();
			});
			await pool.close();
			await audit.close();
		},
	};
}

/** A request from its body. @throws Refusal, TouchmarkError `bad-input` */
function requestOf(body: string, limits: Limits): DetectRequest {
	const request = checked(DetectRequest, parseJson(body, 'body'), 'body');
	const size =
		'text' in request
			? Buffer.byteLength(request.text) + Buffer.byteLength(request.prompt ?? '')
			: request.tokens.length + (request.prompt?.length ?? 0);
	const most = 'text' in request ? limits.textBytes : mostTokens(limits);
	if (size > most)
		throw new Refusal(
			'too-large',
			`body: more than ${most} ${'text' in request ? 'bytes of text' : 'token ids'}`,
		);
	return request;
}

/** What a client is told of an error. @param fault is told of errors that are none of the client's */
function refusalOf(error: unknown, fault: ServiceOptions['fault']): Refusal {
	if (error instanceof Refusal) return error;
	if (TouchmarkError.isInstance(error)) return new Refusal('bad-request', error.message);
	fault?.(error);
	return new Refusal('internal', 'the server failed; the text was not tested');
}

/** What is told to who does not speak HTTP, or too slowly. */
function clientRefusal(code: string | undefined): Refusal {
	if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
		return new Refusal('timeout', 'the request did not arrive in time');
	if (code === 'HPE_HEADER_OVERFLOW') return new Refusal('headers-too-large', 'the headers are too large');
	return new Refusal('bad-request', 'this is not a request of HTTP/1.1');
}

function refusalReply(refusal: Refusal, allow: string | undefined): Reply {
	const { status, headers, body } = jsonReply(refusal.status, refusal.body);
	return {
		status,
		body,
		headers: {
			...headers,
			...(refusal.retryAfter === undefined ? {} : { 'Retry-After': String(Math.max(1, refusal.retryAfter)) }),
			...(status === 401 ? { 'WWW-Authenticate': 'Bearer realm="touchmark"' } : {}),
			...(status === 405 && allow !== undefined ? { Allow: allow } : {}),
		},
	};
}

/** @param value what is sent; a string is JSON already */
function jsonReply(status: number, value: object | string): Reply {
	return {
		status,
		headers: { 'Content-Type': 'application/json' },
		body: typeof value === 'string' ? value : JSON.stringify(value),
	};
}

/** Reads what still comes and forgets it; then ends the answer, which was written already. */
function forgetRest(request: IncomingMessage, response: ServerResponse, mostBytes: number): void {
	let seen = 0;
	request.on('data', (chunk: Buffer) => {
		seen += chunk.length;
		if (seen > mostBytes) request.destroy();
	});
	request.once('end', () => response.end());
	request.resume();
}
