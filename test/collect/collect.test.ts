/** Asking a suspect that fails in one way at a time. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type SuspectOptions, startSuspect } from '../../bench/suspect-server.js';
import { type Collection, collect } from '../../src/collect/collect.js';
import { askPrompts } from '../../src/collect/inquiry.js';
import { digestOf } from '../../src/collect/plan.js';
import { PROTOCOLS } from '../../src/collect/protocols.js';
import { retryAfter } from '../../src/collect/send.js';
import { embeddedPrompts } from '../../src/generate/embedded.js';

const { questions } = askPrompts(
	embeddedPrompts()
		.slice(0, 12)
		.map((prompt, i) => ({ id: `q${i}`, prompt })),
);
const journal = async () => join(await mkdtemp(join(tmpdir(), 'touchmark-collect-')), 'journal.jsonl');

type Changes = Partial<Collection> & { timeout?: number };
/** A collection of four-token answers over chat. */
async function collectionOf(
	url: string,
	{ timeout = 120_000, ...changes }: Changes = {},
): Promise<Collection> {
	const protocol = PROTOCOLS.chat;
	const parameters = { model: 'm', max_tokens: 4 };
	return {
		endpoint: { protocol, url, timeout },
		plan: {
			...{ kind: 'answers', protocol: 'chat', endpoint: url, parameters, tokenizer: null },
			questions: digestOf(questions),
		},
		questions,
		journal: await journal(),
		pace: { concurrency: 4, attempts: 8, backOff: 1 },
		budget: {},
		...changes,
	};
}

const closing: (() => unknown)[] = [];
afterEach(async () => {
	for (const close of closing.splice(0)) await close();
});
async function suspect(options: SuspectOptions) {
	const server = await startSuspect(options);
	closing.push(server.close);
	return server;
}
/** A server that answers as told. */
async function serve(listener: RequestListener): Promise<string> {
	const server = createServer(listener).listen(0, '127.0.0.1');
	closing.push(
		() => server.closeAllConnections(),
		() => server.close(),
	);
	await once(server, 'listening');
	return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('pace', () => {
	it('leaves an endpoint alone for as long as it asks', async () => {
		const faults = { seed: 'pause', share: 0.15, kinds: ['rate-limit' as const] };
		const { url, seen } = await suspect({ faults, retryAfter: 1 });
		// One at a time: what was sent before the endpoint asked cannot be taken back.
		const pace = { concurrency: 1, attempts: 8, backOff: 1 };
		const { account } = await collect(await collectionOf(url, { pace }));
		expect(account.failures['http-429']).toBeGreaterThan(0);
		expect(account.answers.size).toBe(questions.length);
		expect(seen.early).toBe(0);
	});
	it('reads Retry-After as seconds and as a date', () => {
		const now = Date.parse('2026-11-25T12:00:00Z');
		const pauseOf = (value: string) => retryAfter(new Headers({ 'retry-after': value }), now);
		expect(pauseOf('2')).toBe(2000);
		expect(pauseOf('Wed, 25 Nov 2026 12:00:30 GMT')).toBe(30_000);
		expect(pauseOf('Wed, 25 Nov 2026 11:00:00 GMT')).toBe(0);
		expect(pauseOf('soon')).toBe(0);
		expect(pauseOf('999999999')).toBe(600_000);
		expect(retryAfter(new Headers(), now)).toBe(0);
	});
	it('sends no request before its turn', async () => {
		const { url } = await suspect({});
		const pace = { concurrency: 4, attempts: 8, backOff: 1, requestsPerMinute: 600 };
		const collection = await collectionOf(url, { pace });
		const begun = Date.now();
		await collect(collection);
		const sent = entriesOf(collection.journal).filter(({ type }) => type === 'sent');
		// A timer may be a millisecond early.
		sent.forEach(({ time }, i) => {
			expect(Date.parse(time)).toBeGreaterThanOrEqual(begun + 100 * i - 2);
		});
	});
	it('gives up what does not come, and asks again', async () => {
		const faults = { seed: 'slow', share: 0.2, kinds: ['slow' as const] };
		const { url, seen } = await suspect({ faults });
		const pace = { concurrency: 4, attempts: 30, backOff: 1 };
		const { account } = await collect(await collectionOf(url, { pace, timeout: 1000 }));
		expect(seen.faults.slow).toBeGreaterThan(0);
		expect(account.failures.timeout).toBeGreaterThanOrEqual(seen.faults.slow);
		expect(account.answers.size).toBe(questions.length);
	});
});

const entriesOf = (path: string) =>
	readFileSync(path, 'utf8')
		.trimEnd()
		.split('\n')
		.map((line) => JSON.parse(line) as { type: string; time: string });

describe('order', () => {
	it('answers come in the order of the questions, whatever came first; enough is enough', async () => {
		const { url, seen } = await suspect({ faults: { seed: 'order', share: 0.3, kinds: ['server-error'] } });
		const heard: string[] = [];
		const inOrder = ({ id }: { id: string }) => {
			heard.push(id);
			return heard.length === 6;
		};
		const collection = await collectionOf(url, { inOrder });
		const { stopped, account } = await collect(collection);
		expect(stopped).toBe('enough');
		expect(heard).toEqual(questions.slice(0, 6).map(({ id }) => id));
		expect(account.open).toBe(0);
		// Another run hears the same answers and asks nothing.
		const before = seen.requests;
		heard.length = 0;
		expect((await collect(collection)).stopped).toBe('enough');
		expect(heard).toHaveLength(6);
		expect(seen.requests).toBe(before);
	});
});

describe('a budget', () => {
	it('of requests is kept to the last one, whatever fails', async () => {
		for (const requests of [1, 5, 11]) {
			const { url, seen } = await suspect({ faults: { seed: 'few', share: 0.4, kinds: ['server-error'] } });
			const { stopped, account } = await collect(await collectionOf(url, { budget: { requests } }));
			expect(stopped).toBe('budget');
			expect([seen.requests, account.requests]).toEqual([requests, requests]);
		}
	});
	it('of money waits for what is in flight before it says that it is spent', async () => {
		const { url, seen } = await suspect({});
		const prices = { input: 0, output: 1e6 };
		// Four tokens an answer: pays for all twelve, but with four in flight not for a thirteenth.
		const { stopped } = await collect(await collectionOf(url, { budget: { money: { limit: 48, prices } } }));
		expect(stopped).toBe('done');
		expect(seen.billed.output).toBeLessThanOrEqual(48);
	});
});

describe('what no attempt would change stops the run', () => {
	it.each<[string, RequestListener, RegExp]>([
		[
			'no quota left',
			(_, response) => {
				response.writeHead(429, { 'retry-after': '1' });
				response.end('{"error":{"message":"You exceeded your quota.","code":"insufficient_quota"}}');
			},
			/refuses the request \(429\): You exceeded your quota/,
		],
		[
			'a redirect, which would carry the key away',
			(_, response) => {
				response.writeHead(308, { location: 'http://127.0.0.1:1/' });
				response.end();
			},
			/redirects \(308\)/,
		],
		[
			'a request that it does not understand',
			(_, response) => response.writeHead(400).end(),
			/request \(400\)/,
		],
	])('%s', async (_what, listener, sentence) => {
		let requests = 0;
		const url = await serve((request, response) => {
			requests++;
			listener(request, response);
		});
		const pace = { concurrency: 1, attempts: 8, backOff: 1 };
		const run = collect(await collectionOf(url, { pace }));
		await expect(run).rejects.toThrow(sentence);
		await expect(run).rejects.toMatchObject({ code: 'failed' });
		expect(requests).toBe(1);
	});
	it('log-probabilities that never come', async () => {
		const url = await serve((_, response) => response.end('{"choices":[{"message":{"content":"x"}}]}'));
		const collection = await collectionOf(url);
		const parameters = { ...collection.plan.parameters, logprobs: true };
		const run = collect({ ...collection, plan: { ...collection.plan, parameters } });
		await expect(run).rejects.toThrow(/without log-probabilities/);
	});
	it('but a filter that refuses one prompt is its answer', async () => {
		const url = await serve((_, response) => {
			response.writeHead(400);
			response.end('{"error":{"message":"filtered","code":"content_filter"}}');
		});
		const { account } = await collect(await collectionOf(url));
		expect(account.answers.get('q0')).toMatchObject({ text: '', refusal: 'content_filter' });
		expect(account.requests).toBe(questions.length);
	});
});
