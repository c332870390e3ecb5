/** The commands as a script uses them. */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { jsonLines as lines, newFolder, runCli } from './run-cli.js';

const folder = newFolder();
const path = (name: string) => join(folder, name);

beforeAll(async () => {
	const ring = path('ring.json');
	expect((await runCli(['keys', 'create', '--unsealed', '--keyring', ring])).code).toBe(0);
	expect((await runCli(['keys', 'commit', '--keyring', ring, '--log', path('keys.log')])).code).toBe(0);
	const marked = await runCli(['generate', '--count', '4', '--keyring', ring, '--seed', 'cli']);
	writeFileSync(path('marked.jsonl'), marked.out);
	writeFileSync(path('plain.jsonl'), (await runCli(['generate', '--count', '4', '--seed', 'cli'])).out);
});

describe('the command line', () => {
	it('reproduces every upstream case of detect --tokens --vllm-config', async () => {
		const { cases } = JSON.parse(readFileSync('test/vectors/vllm-gumbel.json', 'utf8'));
		for (const one of cases) {
			writeFileSync(path('ids.jsonl'), `${JSON.stringify(one.tokens)}\n`);
			const args = [
				'detect',
				'--tokens',
				path('ids.jsonl'),
				'--vllm-config',
				JSON.stringify(one.vllm),
				'--json',
			];
			const { code, out } = await runCli(args);
			const [result] = lines(out);
			expect(code).toBe(0);
			expect(result.upstream.scored).toBe(one.expect.scored);
			expect(Math.abs(result.upstream.score / one.expect.score - 1)).toBeLessThan(1e-9);
			expect(Math.abs(result.upstream.log10P / one.expect.log10P - 1)).toBeLessThan(1e-9);
		}
	});

	it('keeps key rings to their owner, and lists what was committed', async () => {
		expect(statSync(path('ring.json')).mode & 0o777).toBe(0o600);
		const { out } = await runCli(['keys', 'list', '--keyring', path('ring.json'), '--json']);
		expect(lines(out).map((row) => [row.spec.channel, row.logged.index])).toEqual([
			['shape', 0],
			['choice', 1],
		]);
	});

	it('detects what it generated, from text and from tokens, and nothing else', async () => {
		const ring = ['--keyring', path('ring.json'), '--json', '--fail-on-detect'];
		const marked = await runCli(['detect', path('marked.jsonl'), ...ring]);
		expect(marked.code).toBe(3);
		for (const result of lines(marked.out))
			expect(result).toMatchObject({ verdict: 'marked', hypotheses: 2, searchBits: 0 });
		const ids = lines(readFileSync(path('marked.jsonl'), 'utf8')).map((sample) =>
			JSON.stringify(sample.tokens),
		);
		writeFileSync(path('marked-ids.jsonl'), `${ids.join('\n')}\n`);
		expect((await runCli(['detect', '--tokens', path('marked-ids.jsonl'), ...ring])).code).toBe(3);
		const plain = await runCli(['detect', path('plain.jsonl'), ...ring]);
		expect(plain.code).toBe(0);
		for (const result of lines(plain.out)) expect(result.verdict).not.toBe('marked');
	});

	it('tests a suspect for inheritance', async () => {
		const args = [
			'radioactivity',
			'--suspect',
			path('marked.jsonl'),
			'--keyring',
			path('ring.json'),
			'--json',
		];
		const { code, out } = await runCli([...args, '--held-out-keys', '19']);
		const [result] = lines(out);
		expect(code).toBe(0);
		// These are the marked texts themselves: not a student, the model.
		expect(result).toMatchObject({
			mode: 'closed',
			verdict: 'marked',
			heldOut: { count: 19 },
			hypotheses: 2,
		});
		expect(result.effect.ci95).toHaveLength(2);
	});

	it('takes the passphrase from a command, and never prints it', async () => {
		const sealed = ['--keyring', path('sealed.json'), '--passphrase-command', 'echo hunter2-planted'];
		const created = await runCli(['keys', 'create', ...sealed]);
		const listed = await runCli(['keys', 'list', ...sealed]);
		expect([created.code, listed.code]).toEqual([0, 0]);
		expect(
			created.out + created.err + listed.out + listed.err + readFileSync(path('sealed.json'), 'utf8'),
		).not.toContain('hunter2');
	});
});
