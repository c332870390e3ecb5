/**
 * What a fleet in Python has marked is found and traced by the command line; its receipts go into the log. Always for a
 * recorded fleet; from the beginning where TOUCHMARK_PYTHON is an interpreter with torch and transformers.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { newFolder, runCli } from '../cli/run-cli.js';
import { RECORDED, SERVED_TO, serve } from './python-fleet.js';

const python = process.env.TOUCHMARK_PYTHON;
const work = newFolder();
const accounts = join(work, 'accounts.txt');
writeFileSync(accounts, Array.from({ length: 500 }, (_, i) => `pseudonym-${i}\n`).join(''));

async function ok(...args: string[]): Promise<string> {
	const { code, out, err } = await runCli(args);
	expect(err).toBe('');
	expect(code).toBe(0);
	return out;
}

describe.each([
	['recorded', async () => RECORDED],
	...(python === undefined ? [] : [['live', () => serve(python)] as const]),
] as const)('a %s fleet', (name, folderOf) => {
	let served = '';
	let spec: string[] = [];
	beforeAll(async () => {
		const folder = await folderOf();
		served = join(folder, 'served.jsonl');
		spec = ['--spec', join(folder, 'epoch.json')];
	});
	const lines = () =>
		readFileSync(served, 'utf8')
			.trimEnd()
			.split('\n')
			.map((line) => JSON.parse(line));

	test('each text is marked, by text and by ids', async () => {
		const ids = join(work, `${name}.ids`);
		writeFileSync(
			ids,
			lines()
				.map(({ tokens }) => `${JSON.stringify(tokens)}\n`)
				.join(''),
		);
		for (const args of [[served], [ids, '--tokens']]) {
			const out = await ok('detect', ...args, ...spec, '--json');
			const verdicts = out
				.trimEnd()
				.split('\n')
				.map((line) => JSON.parse(line).verdict);
			expect(verdicts).toEqual(new Array(32).fill('marked'));
		}
	});
	test('both channels and the cohort are found in what it wrote', async () => {
		const result = JSON.parse(await ok('radioactivity', '--suspect', served, ...spec, '--json'));
		// The deployment's, and a shape of each cohort.
		expect(result.tests.map(({ channel }: { channel: string }) => channel)).toEqual([
			...['shape', 'choice', 'shape', 'shape'],
		]);
		for (const { log10PCorrected } of result.tests.slice(0, 2)) expect(log10PCorrected).toBeLessThan(-20);
		expect(result.cohorts).toMatchObject([
			{ cohort: 'farms', found: true },
			{ cohort: 'resellers', found: false },
		]);
	});
	test('both accounts and the cohort are named, and nobody else of 500', async () => {
		const result = JSON.parse(await ok('trace', served, ...spec, '--accounts', accounts, '--json'));
		const named = result.accounts.map(({ account }: { account: string }) => account);
		expect(named.sort()).toEqual([...SERVED_TO].sort());
		expect(result.cohorts).toMatchObject([
			{ cohort: 'farms', found: true },
			{ cohort: 'resellers', found: false },
		]);
	});
	test('its receipts go into the log, tagged with their accounts', async () => {
		const path = (file: string) => join(work, `${name}-${file}`);
		const ring = ['--keyring', path('ring.json')];
		await ok('keys', 'create', ...ring, '--unsealed', '--quiet');
		await ok('accounts', 'add', ...SERVED_TO, '--accounts', path('accounts.jsonl'), ...ring, '--quiet');
		const receipts = lines().map(({ receipt, account }) => `${JSON.stringify({ receipt, account })}\n`);
		writeFileSync(path('receipts.jsonl'), receipts.join(''));
		const log = ['--log', path('log')];
		const files = [path('receipts.jsonl'), '--accounts', path('accounts.jsonl')];
		expect(JSON.parse(await ok('log', 'append', ...files, ...log, ...ring, '--json'))).toMatchObject({
			receipts: 32,
		});
		expect(JSON.parse(await ok('log', 'audit', ...log, '--json'))).toMatchObject({
			receipts: 32,
			consistent: true,
		});
		const entries = readFileSync(join(path('log'), 'entries-000000.jsonl'), 'utf8');
		expect(entries.match(/"tag":/g)).toHaveLength(32);
	});
});
