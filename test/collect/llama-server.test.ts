/**
 * Collecting from llama.cpp's own server, on a real chat model.
 *
 * Neither is a dependency of this repository. To run against them: the path of `llama-server` in
 * TOUCHMARK_TEST_LLAMA_SERVER, of a GGUF file in TOUCHMARK_TEST_GGUF (docs/collecting.md says where to get both).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readReadings } from '../../src/corpus/readings.js';
import { embeddedPrompts, embeddedTokenizer } from '../../src/generate/embedded.js';
import { newFolder, runCli } from '../cli/run-cli.js';

const SERVER = process.env.TOUCHMARK_TEST_LLAMA_SERVER;
const GGUF = process.env.TOUCHMARK_TEST_GGUF;
const missing = [
	...(SERVER === undefined ? ['name llama-server in TOUCHMARK_TEST_LLAMA_SERVER'] : []),
	...(GGUF === undefined ? ['name a GGUF file in TOUCHMARK_TEST_GGUF'] : []),
];

async function freePort(): Promise<number> {
	const probe = createServer().listen(0, '127.0.0.1');
	await once(probe, 'listening');
	const { port } = probe.address() as { port: number };
	probe.close();
	await once(probe, 'close');
	return port;
}

describe.skipIf(missing.length > 0)(`llama-server (to enable: ${missing.join('; ') || 'nothing'})`, () => {
	const folder = newFolder();
	const path = (name: string) => join(folder, name);
	let server: ChildProcess;
	let url = '';

	beforeAll(async () => {
		const port = await freePort();
		const model = ['-m', String(GGUF), '--alias', 'suspect', '-c', '1024', '-np', '1', '-t', '1'];
		const place = ['--host', '127.0.0.1', '--port', String(port)];
		server = spawn(String(SERVER), [...model, ...place], { stdio: 'ignore' });
		url = `http://127.0.0.1:${port}`;
		const ready = () =>
			fetch(`${url}/health`).then(
				({ ok }) => ok,
				() => false,
			);
		while (!(await ready())) {
			if (server.exitCode !== null) throw new Error(`${SERVER} ended with ${server.exitCode}`);
			await delay(200);
		}
		writeFileSync(path('prompts.txt'), 'Name three colours.\nWhat is the capital of France?\n');
	});
	afterAll(() => server?.kill());

	const collect = (out: string, ...args: string[]) =>
		runCli([
			...[
				'collect',
				'--endpoint',
				`${url}/v1`,
				'--model',
				'suspect',
				'--out',
				path(out),
				'--json',
				'--quiet',
			],
			...['--concurrency', '1', ...args],
		]);
	const records = (out: string) =>
		readFileSync(path(join(out, 'records.jsonl')), 'utf8')
			.trimEnd()
			.split('\n')
			.map((line) => JSON.parse(line));
	const greedy = ['--max-tokens', '12', '--temperature', '0', '--seed', '1'];
	const spell = (tokens: { token: string }[]) => tokens.map(({ token }) => token).join('');

	it.each(['chat', 'completions'])(
		'%s: answers with log-probabilities, streamed or not',
		async (protocol) => {
			const args = [
				'--prompts',
				path('prompts.txt'),
				'--protocol',
				protocol,
				'--top-logprobs',
				'5',
				...greedy,
			];
			const whole = await collect(protocol, ...args);
			expect(whole).toMatchObject({ code: 0, err: '' });
			expect(JSON.parse(whole.out)).toMatchObject({
				records: 2,
				requests: { sent: 2, answered: 2, failed: {} },
				model: { asked: 'suspect', answered: ['suspect'] },
			});
			for (const { text, tokens } of records(protocol)) {
				expect(spell(tokens)).toBe(text);
				for (const { token, logProb, top } of tokens) {
					expect(top).toHaveLength(5);
					// Greedy: the first of the list, at the probability that the list says.
					expect(top[0]).toEqual([token, logProb]);
				}
			}
			expect((await collect(`${protocol}-stream`, ...args, '--stream')).code).toBe(0);
			expect(records(`${protocol}-stream`).map(({ text }) => text)).toEqual(
				records(protocol).map(({ text }) => text),
			);
		},
	);

	it('messages: answers', async () => {
		const args = ['--prompts', path('prompts.txt'), '--protocol', 'messages', '--max-tokens', '12'];
		expect((await collect('messages', ...args)).code).toBe(0);
		for (const { text } of records('messages')) expect(text).not.toBe('');
	});

	it('completions: readings after prefixes, in the tokens of a mark that has another tokenizer', async () => {
		const tokenizer = embeddedTokenizer();
		const prefixes = embeddedPrompts()
			.slice(0, 5)
			.map((prompt, i) => `${JSON.stringify({ id: `p${i}`, prefix: tokenizer.encode(prompt) })}\n`);
		writeFileSync(path('prefixes.jsonl'), prefixes.join(''));
		const args = ['--prefixes', path('prefixes.jsonl'), '--protocol', 'completions'];
		expect((await collect('next', ...args)).code).toBe(0);
		for (const { top } of records('next')) expect(top).toHaveLength(20);
		const readings = await readReadings(path('next/records.jsonl'), tokenizer);
		expect(readings).toHaveLength(5);
		for (const { tokens } of readings) expect(tokens.some((token) => token !== null)).toBe(true);
	});

	it('completions: log-probabilities of given texts, a token a request, as the model has them', async () => {
		const pair = { id: 'p', prompt: 'It was', a: ' a dark night, and the rain fell.', b: ' an old house.' };
		writeFileSync(path('pairs.jsonl'), `${JSON.stringify(pair)}\n`);
		const args = ['--given', path('pairs.jsonl'), '--given-by', 'prefixes', '--protocol', 'completions'];
		// Another vocabulary than the model's, which cuts these words as it does.
		const tokenizer = ['--tokenizer', 'tiktoken:cl100k_base', '--top-logprobs', '500'];
		expect((await collect('tokens', ...args, ...tokenizer)).code).toBe(0);
		const post = async (at: string, body: object) =>
			(await fetch(`${url}${at}`, { method: 'POST', body: JSON.stringify(body) })).json() as Promise<{
				tokens: number[];
				completion_probabilities: { top_logprobs: { id: number; logprob: number }[] }[];
			}>;
		const tokenize = async (content: string) => (await post('/tokenize', { content })).tokens;
		for (const { prompt, text, logProbs, unlisted } of records('tokens')) {
			const before = (await tokenize(prompt)).length;
			const ids = await tokenize(prompt + text);
			expect(logProbs).toHaveLength(ids.length - before);
			let differing = 0;
			for (let at = before; at < ids.length; at++) {
				const asked = { prompt: ids.slice(0, at), n_predict: 1, n_probs: 5000, temperature: 0 };
				const [{ top_logprobs }] = (await post('/completion', asked)).completion_probabilities;
				const own = top_logprobs.find(({ id }) => id === ids[at])?.logprob ?? -Infinity;
				if (Math.abs(own - logProbs[at - before]) > 0.01) differing++;
			}
			expect(differing).toBe(unlisted);
			expect(unlisted).toBeLessThan(logProbs.length / 2);
		}
		const suspects = ['--suspect', path('tokens/records.jsonl'), '--access', 'grey'];
		const scores = ['--save-scores', path('scores.jsonl'), '--quiet'];
		const exposed = await runCli(['exposure', '--pairs', path('pairs.jsonl'), ...suspects, ...scores]);
		expect(exposed.code).toBe(0);
	});

	it('completions: has no echo, which ends the run with the first request', async () => {
		writeFileSync(path('given.jsonl'), '{"prompt":"It was","text":" a dark night."}\n');
		const args = ['--given', path('given.jsonl'), '--protocol', 'completions', '--attempts', '1'];
		const { code, err } = await collect('given', ...args);
		expect(code).toBe(1);
		expect(err).toMatch(/has no echo; with --given-by prefixes/);
	});
});
