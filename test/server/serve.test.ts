/** `touchmark serve` as its clients see it: the real server on loopback. */
import { createHmac } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CoarseAnswer, FullAnswer } from '../../src/server/answers.js';
import { AuditLine } from '../../src/server/audit-log.js';
import { PROBLEM_CODES, ProblemBody } from '../../src/server/problems.js';
import { runCli } from '../cli/run-cli.js';
import { formsOf } from '../cli/secrets.js';
import {
	type Reply,
	type Running,
	ringOf,
	seen,
	serverFolder,
	startServer,
	textsOf,
	tokenizer,
} from './running.js';

const MASTER = new Uint8Array(32).map((_, i) => (i * 37 + 11) & 0xff);
const ring = ringOf(MASTER);
const marked = textsOf(ring, 6, 'served').join('\n');
const plain = textsOf(null, 6, 'served').join('\n');
/** Words that no tokenizer has met: takes a thread long. */
const slowText = Array.from({ length: 8000 }, (_, i) => Math.imul(i + 1, 0x9e3779b1).toString(36)).join(' ');
const audits: string[] = [];

/** What every refusal looks like. */
function refused(reply: Reply, status: number, code: string): string {
	expect([reply.status, reply.text]).toEqual([status, expect.stringContaining(code)]);
	const { error } = ProblemBody.parse(reply.json);
	expect(error.code).toBe(code);
	expect(error.message).not.toContain('\n');
	return error.message;
}

/** The lines of an audit log, each as its schema says. */
function auditOf(path: string): AuditLine[] {
	const text = readFileSync(path, 'utf8');
	expect(text.endsWith('\n')).toBe(true);
	return text
		.trimEnd()
		.split('\n')
		.map((line) => AuditLine.parse(JSON.parse(line)));
}

describe('a detection service', () => {
	let folder: Awaited<ReturnType<typeof serverFolder>>;
	let server: Running;
	let coarse: string;
	let full: string;
	let slow: string;
	let few: string;

	beforeAll(async () => {
		folder = await serverFolder(ring);
		const many = ['--per-second', '10000', '--burst', '10000'];
		coarse = await folder.newKey('coarse', ...many);
		full = await folder.newKey('full', '--detail', 'full', ...many);
		slow = await folder.newKey('slow', '--per-second', '0.01', '--burst', '2');
		few = await folder.newKey('few', '--per-day', '2');
		audits.push(folder.audit);
		server = await startServer(folder);
	});
	afterAll(async () => {
		await server?.stop();
	});

	describe('answers', () => {
		it('in bands, and with nothing else', async () => {
			const strong = { verdict: 'marked', confidence: 'strong' };
			expect((await server.detect(coarse, { text: marked })).json).toEqual(strong);
			expect((await server.detect(coarse, { tokens: tokenizer.encode(marked) })).json).toEqual(strong);
			expect((await server.detect(coarse, { text: plain })).json).toEqual({
				verdict: 'no-evidence',
				confidence: 'none',
			});
			expect((await server.detect(coarse, { text: 'It was a dark night.' })).json).toEqual({
				verdict: 'too-little-data',
				confidence: 'none',
			});
		});

		it('with scores to keys that have full detail', async () => {
			const { status, json } = await server.detect(full, { text: marked });
			expect(status).toBe(200);
			const answer = FullAnswer.parse(json);
			expect(answer).toMatchObject({ verdict: 'marked', confidence: 'strong', hypotheses: 2 });
			expect(answer.log10PCorrected).toBeLessThan(-12);
		});

		it('as `detect` does', async () => {
			const { json } = await server.detect(full, { text: plain });
			writeFileSync(`${folder.audit}.txt`, plain);
			const { out } = await runCli(['detect', `${folder.audit}.txt`, '--keyring', folder.ring, '--json']);
			const { scheme, scored, log10P, log10PCorrected, log10E, hypotheses } = JSON.parse(out);
			expect(json).toMatchObject({ scheme, scored, log10P, log10PCorrected, log10E, hypotheses });
		});

		it('without scoring what the author was given', async () => {
			const { json } = await server.detect(full, { text: marked, prompt: marked });
			expect(json).toMatchObject({ verdict: 'too-little-data', scored: 0 });
		});
	});

	describe('refuses', () => {
		it('whoever has no key that it knows', async () => {
			for (const key of [undefined, 'tmk_guess', coarse.slice(0, -1), `${coarse}x`, coarse.toUpperCase()]) {
				const reply = await server.detect(key, { text: marked });
				refused(reply, 401, 'unauthorized');
				expect(reply.headers.get('www-authenticate')).toMatch(/^Bearer/);
			}
			const basic = { Authorization: `Basic ${Buffer.from(coarse).toString('base64')}` };
			refused(await server.detect(undefined, { text: marked }, basic), 401, 'unauthorized');
		});

		it.each([
			['no JSON', '{"text": "a'],
			['an empty body', ''],
			['no object', '7'],
			['no text', '{}'],
			['an empty text', '{"text": ""}'],
			['a text that is a number', '{"text": 7}'],
			['both text and tokens', '{"text": "a", "tokens": [1]}'],
			['a field that is not known', '{"text": "a", "colour": "blue"}'],
			['no tokens', '{"tokens": []}'],
			['a token that is none', '{"tokens": [1, 2.5]}'],
			['a negative token', '{"tokens": [-1]}'],
			['a token outside of the vocabulary', '{"tokens": [1, 999999]}'],
			['deep nesting', '['.repeat(100_000)],
		])('%s', async (_, body) => {
			refused(await server.detect(coarse, body), 400, 'bad-request');
		});

		it('what is too large, however it comes', async () => {
			refused(await server.detect(coarse, { text: 'a '.repeat(32_769) }), 413, 'too-large');
			refused(await server.detect(coarse, { text: 'a', prompt: 'é'.repeat(32_768) }), 413, 'too-large');
			refused(await server.detect(coarse, { tokens: new Array(16_385).fill(1) }), 413, 'too-large');
			refused(await server.detect(coarse, { text: 'a'.repeat(2 ** 20) }), 413, 'too-large');
			const chunked = await server.raw(
				`POST /v1/detect HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${coarse}\r\nContent-Type: application/json\r\n` +
					`Transfer-Encoding: chunked\r\n\r\n${`1000\r\n${'a'.repeat(4096)}\r\n`.repeat(100)}0\r\n\r\n`,
			);
			expect(chunked).toMatch(/^HTTP\/1\.1 413 /);
			expect(chunked).toContain('"too-large"');
		});

		it('other media types, methods and places', async () => {
			const type = { 'Content-Type': 'text/plain' };
			refused(await server.detect(coarse, { text: 'a' }, type), 415, 'unsupported-media-type');
			const packed = { 'Content-Encoding': 'gzip' };
			refused(await server.detect(coarse, { text: 'a' }, packed), 415, 'unsupported-media-type');
			const get = await server.get('/v1/detect');
			refused(get, 405, 'method-not-allowed');
			expect(get.headers.get('allow')).toBe('POST');
			refused(await server.get('/../etc/passwd'), 404, 'not-found');
			refused(await server.get('/toString'), 404, 'not-found');
		});

		it('what is no HTTP, and headers without end', async () => {
			expect(await server.raw('\x16\x03\x01 hello\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 [\s\S]*"bad-request"/);
			expect(await server.raw(`GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(40_000)}`)).toMatch(
				/^HTTP\/1\.1 431 [\s\S]*"headers-too-large"/,
			);
		});

		it('who asks too fast, or too often', async () => {
			for (let i = 0; i < 2; i++) expect((await server.detect(slow, { text: 'a' })).status).toBe(200);
			const fast = await server.detect(slow, { text: 'a' });
			refused(fast, 429, 'rate-limited');
			expect(Number(fast.headers.get('retry-after'))).toBeGreaterThan(50);
			for (let i = 0; i < 2; i++) expect((await server.detect(few, { text: 'a' })).status).toBe(200);
			const often = await server.detect(few, { text: 'a' });
			refused(often, 429, 'quota-exceeded');
			expect(Number(often.headers.get('retry-after'))).toBeGreaterThan(0);
			// Others are not hurt.
			expect((await server.detect(coarse, { text: 'a' })).status).toBe(200);
		});
	});

	it('answers anything that is sent with an answer or a refusal of its set', async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.oneof(
					fc.json(),
					fc.string({ unit: 'binary' }),
					fc.record({ text: fc.string({ unit: 'binary' }) }).map((body) => JSON.stringify(body)),
					fc.record({ tokens: fc.array(fc.integer()) }).map((body) => JSON.stringify(body)),
				),
				async (body) => {
					const { status, json } = await server.detect(coarse, body);
					if (status === 200) CoarseAnswer.parse(json);
					else expect([400, 413]).toContain(status);
					if (status !== 200) ProblemBody.parse(json);
				},
			),
			{ numRuns: 200, seed: 20_261_126 },
		);
		expect(server.stderr()).toBe('');
	});

	it('shuts out who sends headers slowly, and answers others meanwhile', async () => {
		// From another address of this machine, more than one address may have.
		const slowly = Array.from({ length: 80 }, () =>
			server.raw('POST /v1/detect HTTP/1.1\r\nHost: x\r\nX-A: ', '127.0.0.2'),
		);
		const waits = server.raw(
			`POST /v1/detect HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${coarse}\r\nContent-Type: application/json\r\n` +
				'Content-Length: 100\r\n\r\n{"te',
			'127.0.0.2',
		);
		for (let i = 0; i < 20; i++) expect((await server.detect(coarse, { text: plain })).status).toBe(200);
		const ended = await Promise.all(slowly);
		expect(ended.filter((text) => text === '').length).toBeGreaterThanOrEqual(16);
		for (const text of ended) if (text !== '') expect(text).toMatch(/^HTTP\/1\.1 408 [\s\S]*"timeout"/);
		expect(await waits).toMatch(/^(HTTP\/1\.1 408 [\s\S]*"timeout"[\s\S]*)?$/);
	});

	it('says that it is healthy and ready, and counts', async () => {
		expect((await server.get('/healthz')).json).toEqual({ status: 'ok' });
		expect((await server.get('/readyz')).json).toEqual({ status: 'ready' });
		const { text, headers } = await server.get('/metrics');
		expect(headers.get('content-type')).toMatch(/^text\/plain; version=/);
		for (const line of text.trimEnd().split('\n'))
			expect(line).toMatch(/^(#.*|[a-z0-9_]+(\{[^{}]*\})? (-?[0-9.e+-]+|Nan|\+Inf))?$/);
		const count = (name: string) => Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1]);
		expect(count('touchmark_http_requests_total\\{route="/v1/detect",status="200"\\}')).toBeGreaterThan(10);
		expect(count('touchmark_refusals_total\\{code="unauthorized"\\}')).toBe(6);
		expect(count('touchmark_refusals_total\\{code="quota-exceeded"\\}')).toBe(1);
		expect(count('touchmark_connections_dropped_total')).toBeGreaterThanOrEqual(16);
		expect(count('touchmark_detections_waiting')).toBe(0);
		// What was found is nobody's business here.
		expect(text).not.toMatch(/marked|evidence/);
	});

	it('describes itself in a valid and true OpenAPI document', async () => {
		const { json } = await server.get('/openapi.json');
		const checked = await new Validator().validate(json as Record<string, unknown>);
		expect(checked.errors).toBeUndefined();
		expect(checked.valid).toBe(true);
		const document = json as {
			openapi: string;
			paths: Record<string, Record<string, { responses: Record<string, unknown> }>>;
			components: { schemas: Record<string, object> };
		};
		expect(document.openapi).toBe('3.1.0');
		const ajv = new Ajv2020({ strict: false });
		const valid = (name: string, value: unknown) => ajv.validate(document.components.schemas[name], value);
		const said = async (name: string, reply: Promise<Reply>, path: string, method = 'post') => {
			const { json: body, status } = await reply;
			expect(valid(name, body), `${name}: ${JSON.stringify(body)}`).toBe(true);
			expect(Object.keys(document.paths[path][method].responses)).toContain(String(status));
		};
		await said('CoarseAnswer', server.detect(coarse, { text: marked }), '/v1/detect');
		await said('FullAnswer', server.detect(full, { text: marked }), '/v1/detect');
		await said('Problem', server.detect(undefined, { text: marked }), '/v1/detect');
		await said('Problem', server.detect(coarse, {}), '/v1/detect');
		await said('Problem', server.detect(few, { text: 'a' }), '/v1/detect');
		await said('Health', server.get('/healthz'), '/healthz', 'get');
		await said('Health', server.get('/readyz'), '/readyz', 'get');
		expect(valid('CoarseAnswer', (await server.detect(full, { text: marked })).json)).toBe(false);
		for (const [body, good] of [
			[{ text: 'a' }, true],
			[{ text: 'a', prompt: 'b' }, true],
			[{ tokens: [1, 2], prompt: [3] }, true],
			[{ text: '' }, false],
			[{ text: 'a', tokens: [1] }, false],
			[{ tokens: [1.5] }, false],
			[{}, false],
		] as const) {
			expect(valid('DetectRequest', body), JSON.stringify(body)).toBe(good);
			expect((await server.detect(coarse, body)).status).toBe(good ? 200 : 400);
		}
		for (const [path, methods] of Object.entries(document.paths))
			for (const method of Object.keys(methods)) {
				const { status } = await server.get(path, { method: method.toUpperCase() });
				expect([404, 405], path).not.toContain(status);
			}
		expect(document.components.schemas.Problem).toMatchObject({
			properties: { error: { properties: { code: { enum: [...PROBLEM_CODES] } } } },
		});
	});

	it('serves a page that may load nothing, with the headers that say so', async () => {
		const { status, headers, text } = await server.get('/');
		expect(status).toBe(200);
		const policy = headers.get('content-security-policy') ?? '';
		expect(policy).toMatch(/^default-src 'none'; script-src 'sha256-/);
		expect(policy).toContain("frame-ancestors 'none'");
		expect(policy).not.toContain('unsafe');
		expect(headers.get('x-content-type-options')).toBe('nosniff');
		expect(text).not.toMatch(/(src|href)="(https?:)?\/\//);
		expect((await server.get('/', { method: 'HEAD' })).text).toBe('');
	});

	it('reads its API keys again at SIGHUP, and keeps them where the new file is bad', async () => {
		const late = await folder.newKey('late');
		refused(await server.detect(late, { text: 'a' }), 401, 'unauthorized');
		server.child.kill('SIGHUP');
		await expect.poll(async () => (await server.detect(late, { text: 'a' })).status).toBe(200);
		const { code } = await runCli(['api-keys', 'remove', 'late', '--api-keys', folder.apiKeys]);
		expect(code).toBe(0);
		server.child.kill('SIGHUP');
		await expect.poll(async () => (await server.detect(late, { text: 'a' })).status).toBe(401);
		const before = readFileSync(folder.apiKeys, 'utf8');
		writeFileSync(folder.apiKeys, '{');
		server.child.kill('SIGHUP');
		await expect.poll(() => server.stderr()).toMatch(/not valid JSON.*stay as they were/);
		expect((await server.detect(coarse, { text: 'a' })).status).toBe(200);
		writeFileSync(folder.apiKeys, before);
	});

	it('leaves an audit log of who asked what, but no text', async () => {
		const text = 'a text that must not be in any log';
		await server.detect(coarse, { text });
		expect(await server.stop()).toBe(0);
		const lines = auditOf(folder.audit);
		const salt = Buffer.from(readFileSync(`${folder.audit}.salt`, 'utf8').trim(), 'hex');
		const digest = createHmac('sha256', salt).update(text).digest('hex');
		expect(lines.filter((line) => line.digest === digest)).toEqual([
			{
				time: expect.any(String),
				key: 'coarse',
				digest,
				tokens: tokenizer.encode(text).length,
				answer: 'too-little-data/none',
				status: 200,
				code: null,
				count: 1,
			},
		]);
		const counted = (code: string) =>
			lines.filter((line) => line.code === code).reduce((sum, { count }) => sum + count, 0);
		expect(counted('unauthorized')).toBeGreaterThanOrEqual(7);
		expect(counted('rate-limited')).toBe(1);
		expect(counted('quota-exceeded')).toBe(2);
		expect(lines.filter(({ answer }) => answer === 'marked/strong').map(({ key }) => key)).toContain('full');
		expect(lines.every(({ answer, status }) => (answer === null) === (status !== 200))).toBe(true);
		const whole = readFileSync(folder.audit, 'utf8');
		expect(whole).not.toContain(text);
		expect(whole).not.toContain(coarse);
		for (const path of [folder.audit, `${folder.audit}.salt`, folder.apiKeys])
			expect(statSync(path).mode & 0o777, path).toBe(0o600);
	});
});

describe('a flood', () => {
	it('fills its own half of the queue; what is too much is refused, and other keys are answered', async () => {
		const folder = await serverFolder(ring);
		const many = ['--per-second', '10000', '--burst', '10000'];
		const keys: string[] = [];
		for (const name of ['first', 'second', 'third', 'calm']) keys.push(await folder.newKey(name, ...many));
		audits.push(folder.audit);
		const server = await startServer(
			folder,
			...['--queue', '2', '--workers', '1', '--max-connections-per-address', '256'],
		);
		const text = slowText;
		const flood = (key: string) =>
			Promise.all(Array.from({ length: 30 }, () => server.detect(key, { text })));
		// One that floods alone leaves room for another.
		const alone = flood(keys[0]);
		for (let i = 0; i < 5; i++) expect((await server.detect(keys[3], { text: marked })).status).toBe(200);
		const statuses = (await alone).map(({ status }) => status);
		expect(new Set(statuses)).toEqual(new Set([200, 429]));
		// Whoever has no key is refused before anything is read.
		const unknown = Promise.all(Array.from({ length: 150 }, () => server.detect('tmk_unknown', { text })));
		for (let i = 0; i < 5; i++) expect((await server.detect(keys[3], { text: marked })).status).toBe(200);
		expect(new Set((await unknown).map(({ status }) => status))).toEqual(new Set([401]));
		// Many that flood together are refused as a whole.
		const together = (await Promise.all(keys.slice(0, 3).map(flood))).flat();
		for (const reply of together) {
			expect([200, 429, 503]).toContain(reply.status);
			if (reply.status !== 200) expect(Number(reply.headers.get('retry-after'))).toBeGreaterThan(0);
		}
		expect(together.some(({ status }) => status === 503)).toBe(true);
		expect(together.some(({ status }) => status === 200)).toBe(true);
		expect((await server.detect(keys[3], { text: marked })).json).toMatchObject({ verdict: 'marked' });
		expect(await server.stop()).toBe(0);
	});
});

describe('the end', () => {
	it.each(['SIGTERM', 'SIGINT'] as const)(
		'%s: what runs is answered, and the log is whole',
		async (signal) => {
			const folder = await serverFolder(ring);
			const key = await folder.newKey('one', '--per-second', '10000', '--burst', '10000');
			audits.push(folder.audit);
			const server = await startServer(folder, '--workers', '1');
			const text = slowText;
			// A connection that has asked for nothing yet must not hold the end up.
			const idle = server.raw('');
			const running = Array.from({ length: 12 }, () => server.detect(key, { text }));
			await expect
				.poll(async () => (await server.get('/metrics')).text, { interval: 5 })
				.toMatch(/^touchmark_detections_waiting [1-9]/m);
			expect(await server.stop(signal)).toBe(0);
			const replies = (await Promise.allSettled(running)).flatMap((one) =>
				one.status === 'fulfilled' ? [one.value] : [],
			);
			const answered = replies.filter(({ status }) => status === 200).length;
			expect(answered).toBeGreaterThan(0);
			for (const reply of replies) if (reply.status !== 200) refused(reply, 503, 'shutting-down');
			expect(auditOf(folder.audit).filter(({ status }) => status === 200)).toHaveLength(answered);
			expect(await idle).toBe('');
			await expect(server.get('/healthz')).rejects.toThrow();
		},
	);
});

describe('the command line', () => {
	it('prints a key once, and keeps its hash', async () => {
		const folder = await serverFolder(ring);
		const added = await runCli(['api-keys', 'add', 'alice', '--api-keys', folder.apiKeys, '--per-day', '5']);
		expect(added.out).toMatch(/^tmk_[A-Za-z0-9_-]{43}\n$/);
		expect(readFileSync(folder.apiKeys, 'utf8')).not.toContain(added.out.trim());
		const listed = await runCli(['api-keys', 'list', '--api-keys', folder.apiKeys, '--json']);
		expect(JSON.parse(listed.out)).toMatchObject({ id: 'alice', perDay: 5, detail: 'coarse' });
		expect(listed.out).not.toMatch(/sha256|tmk_/);
		expect((await runCli(['api-keys', 'add', 'alice', '--api-keys', folder.apiKeys])).code).toBe(2);
		expect((await runCli(['api-keys', 'add', 'a b', '--api-keys', folder.apiKeys])).code).toBe(2);
		expect((await runCli(['api-keys', 'remove', 'bob', '--api-keys', folder.apiKeys])).code).toBe(2);
		expect((await runCli(['api-keys', 'remove', 'alice', '--api-keys', folder.apiKeys])).code).toBe(0);
	});

	it('refuses to start on bad input with one sentence', async () => {
		const folder = await serverFolder(ring);
		await folder.newKey('one');
		const serve = (...flags: string[]) => runCli(['serve', '--quiet', ...flags]);
		const own = ['--keyring', folder.ring, '--api-keys', folder.apiKeys];
		for (const flags of [
			[],
			['--keyring', folder.ring],
			['--keyring', folder.ring, '--api-keys', `${folder.apiKeys}.missing`],
			['--keyring', folder.ring, '--api-keys', folder.ring],
			['--api-keys', folder.apiKeys],
			[...own, '--port', '70000'],
			[...own, '--deadline', '0'],
			['--vllm-config', '{"algorithm":"gumbel","key":"42"}', '--api-keys', folder.apiKeys],
		]) {
			const { code, out, err } = await serve(...flags);
			expect([code, out, err.trimEnd().split('\n').length], flags.join(' ')).toEqual([2, '', 1]);
		}
	});
});

describe('secrets', () => {
	it('are in nothing that a server sent, printed or logged', () => {
		const secrets = [MASTER, ...ring.marks.flatMap((spec) => secretsOf(spec))];
		const forms = secrets.flatMap(formsOf);
		const said = [...seen, ...audits.map((path) => readFileSync(path, 'latin1'))];
		expect(said.length).toBeGreaterThan(300);
		expect(audits.length).toBeGreaterThanOrEqual(4);
		for (const form of forms) for (const text of said) expect(text.includes(form)).toBe(false);
		// The search finds what is there.
		expect(readFileSync(fileWithSecret(), 'utf8')).toContain(forms[0]);
	});

	function secretsOf(spec: (typeof ring.marks)[number]): Uint8Array[] {
		const { key, salt } = ring.open(spec);
		return [Buffer.from(key, 'hex'), ...(salt === null ? [] : [Buffer.from(salt, 'hex')])];
	}
	function fileWithSecret(): string {
		return audits[0].replace('audit.jsonl', 'ring.json');
	}
});
