/** Collecting until the evidence is enough: shipped students behind an API, shipped keys. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type SuspectServer, startSuspect } from '../../bench/suspect-server.js';
import { embeddedPrompts, embeddedTokenizer, MODELS } from '../../src/generate/embedded.js';
import { newFolder, runCli } from './run-cli.js';

const folder = newFolder();
const path = (name: string) => join(folder, name);
const RING = join(MODELS, 'keys/keyring.json');
const PROMPTS = 40;
const PREFIXES = 160;

const servers: Record<string, SuspectServer> = {};
beforeAll(async () => {
	for (const model of ['student-marked', 'student-unmarked'] as const)
		servers[model] = await startSuspect({ model });
	writeFileSync(path('prompts.txt'), embeddedPrompts().slice(-PROMPTS).join('\n'));
	const tokenizer = embeddedTokenizer();
	const lines = embeddedPrompts()
		.slice(-PREFIXES)
		.map((prompt, i) => JSON.stringify({ prefix: tokenizer.encode(prompt).slice(0, 8 + (i % 8)) }));
	writeFileSync(path('prefixes.jsonl'), lines.join('\n'));
});
afterAll(async () => {
	for (const server of Object.values(servers)) await server.close();
});

const collect = (server: SuspectServer, out: string, ...args: string[]) =>
	runCli([
		'collect',
		...['--endpoint', server.url, '--model', 'suspect', '--out', path(out), '--json', '--back-off', '0.01'],
		...['--keyring', RING, '--concurrency', '1', ...args],
	]);
const ANSWERS = ['--prompts', path('prompts.txt'), '--max-tokens', '64', '--until', '1e-6'];
const READINGS = [
	...['--prefixes', path('prefixes.jsonl'), '--protocol', 'completions', '--until', '1e-6'],
	...['--reference', 'teacher', 'base'],
];

describe('answers, one by one', () => {
	it('are enough before all prompts are asked, of a student of marked text', async () => {
		const { code, out, err } = await collect(servers['student-marked'], 'marked', ...ANSWERS);
		expect(err).toBe('');
		expect(code).toBe(0);
		const { stopped, until, notReached, records } = JSON.parse(out);
		expect(stopped).toBe('enough');
		expect(until.reached).toBe(true);
		expect(until.looks).toBeNull();
		expect(
			Math.min(...until.tests.map((test: { log10PCorrected: number }) => test.log10PCorrected)),
		).toBeLessThanOrEqual(-6);
		expect(notReached).toBeGreaterThan(0);
		expect(records + notReached).toBe(PROMPTS);

		const before = servers['student-marked'].seen.requests;
		const again = await collect(servers['student-marked'], 'marked', ...ANSWERS, '--fail-on-detect');
		expect(again.code).toBe(3);
		expect(JSON.parse(again.out).until).toEqual(until);
		expect(servers['student-marked'].seen.requests).toBe(before);
	});

	it('are tested for a mark that another flag names; the ring signs', async () => {
		const { out: listed } = await runCli(['keys', 'list', '--keyring', RING, '--json']);
		const shape = listed
			.trimEnd()
			.split('\n')
			.map((line) => JSON.parse(line))
			.find(({ spec }) => spec.channel === 'shape');
		const opened = await runCli([
			...['keys', 'export', '--keyring', RING, '--spec', '--mark', shape.id, '--out', path('spec.json')],
		]);
		expect(opened.err).toBe('');
		const { code, out } = await collect(
			servers['student-marked'],
			'named',
			...ANSWERS,
			...['--spec', path('spec.json')],
		);
		expect(code).toBe(0);
		const { until, signed } = JSON.parse(out);
		expect(signed).toBe(true);
		expect(until.tests).toHaveLength(1);
	});

	it('are never enough of a student of unmarked text', async () => {
		const { out } = await collect(servers['student-unmarked'], 'unmarked', ...ANSWERS);
		const { stopped, until, records } = JSON.parse(out);
		expect(stopped).toBe('done');
		expect(until).toMatchObject({ reached: false, answers: PROMPTS });
		expect(records).toBe(PROMPTS);
	});
});

describe('next tokens, at looks', () => {
	it('find a student of marked text at the first look, and the record of looks says so', async () => {
		const args = [...READINGS, '--fail-on-detect'];
		const { code, out } = await collect(servers['student-marked'], 'read-marked', ...args);
		const { stopped, until, notReached } = JSON.parse(out);
		expect(code).toBe(3);
		expect(stopped).toBe('enough');
		expect(until).toMatchObject({ reached: true, answers: 100, looks: 1, verdict: 'trained-on-marked' });
		expect(notReached).toBe(PREFIXES - 100);
		const { taken } = JSON.parse(readFileSync(path('read-marked/looks.json'), 'utf8'));
		expect(taken).toEqual([{ answers: 100, standing: until }]);

		// What a look says, anyone can have from the records.
		const records = path('read-marked/records.jsonl');
		const { out: same } = await runCli([
			...['radioactivity', '--suspect', records, '--mode', 'grey', '--reference', 'teacher', 'base'],
			...['--keyring', RING, '--hypotheses', '2', '--json'],
		]);
		expect(JSON.parse(same).log10PCorrected).toBe(until.tests[0].log10PCorrected);
	});

	it('ask first after prefixes that tell most', async () => {
		for (const what of ['probe', 'traffic']) {
			const { out } = await runCli(['generate', '--count', '100', '--max-tokens', '64', '--seed', what]);
			writeFileSync(path(`${what}.jsonl`), out);
		}
		const { code, out } = await collect(
			servers['student-marked'],
			'chosen',
			...['--probe', path('probe.jsonl'), '--traffic', path('traffic.jsonl'), ...READINGS.slice(2)],
		);
		expect(code).toBe(0);
		expect(JSON.parse(out).until).toMatchObject({ reached: true, answers: 100, looks: 1 });
	});

	it('pay for every look, also for those of an earlier run', async () => {
		const server = servers['student-unmarked'];
		const first = JSON.parse((await collect(server, 'read', ...READINGS, '--max-requests', '110')).out);
		expect(first.stopped).toBe('budget');
		expect(first.until).toMatchObject({ reached: false, looks: 2, answers: 110 });
		const rest = JSON.parse((await collect(server, 'read', ...READINGS)).out);
		expect(rest.stopped).toBe('done');
		expect(rest.until).toMatchObject({ reached: false, looks: 5, answers: PREFIXES });
		const { taken } = JSON.parse(readFileSync(path('read/looks.json'), 'utf8'));
		expect(taken.map(({ answers }: { answers: number }) => answers)).toEqual([100, 110, 125, 157, PREFIXES]);

		const other = await collect(server, 'read', ...READINGS.map((arg) => (arg === '1e-6' ? '1e-3' : arg)));
		expect(other.code).toBe(2);
		expect(other.err).toMatch(/looks\.json: looks were taken for another level/);
	});
});

it.each([
	['--given', ['--given', path('prompts.txt'), '--protocol', 'completions', '--until', '1e-6'], /exposure/],
	['no references', READINGS.slice(0, -3), /--reference: is needed/],
	['no level', ['--prompts', path('prompts.txt'), '--reference', 'teacher'], /--until or --probe only/],
])('refuses %s', async (_, args, message) => {
	writeFileSync(path('given.jsonl'), '{"text":"a"}\n');
	const given = args.map((arg) =>
		args[0] === '--given' && arg === path('prompts.txt') ? path('given.jsonl') : arg,
	);
	const { code, err } = await collect(servers['student-unmarked'], 'refused', ...given);
	expect(code).toBe(2);
	expect(err).toMatch(message);
});
