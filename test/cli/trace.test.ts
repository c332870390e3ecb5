/** `touchmark trace` as an investigator uses it, from a key ring with an account layer to the accounts of a dataset. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { newFolder, runCli } from './run-cli.js';

const folder = newFolder();
const path = (name: string) => join(folder, name);
const ring = ['--keyring', path('ring.json')];
const accounts = ['--accounts', path('accounts.txt')];

async function ok(...args: string[]): Promise<string> {
	const { code, out, err } = await runCli(args);
	expect(err).toBe('');
	expect(code).toBe(0);
	return out;
}

/** Keys are random: at the default rate one run in a hundred would find the innocent cohort. */
const fdr = ['--fdr', '0.000001'];

beforeAll(async () => {
	await ok('keys', 'create', ...ring, '--unsealed', '--quiet', '--account-layer');
	await ok('keys', 'add', ...ring, '--cohort', 'farms');
	await ok('keys', 'add', ...ring, '--cohort', 'resellers');
	await ok('keys', 'commit', ...ring, '--log', path('log'));
	writeFileSync(path('accounts.txt'), Array.from({ length: 500 }, (_, i) => `account-${i}\n`).join(''));
	writeFileSync(
		path('served.jsonl'),
		'{"account":"account-3"}\n\n{"account":"account-40","note":"other fields stay"}\n',
	);
	const served = ['--accounts', path('served.jsonl'), '--cohort', 'farms'];
	writeFileSync(path('marked.jsonl'), await ok('generate', '--count', '12', ...ring, ...served));
	writeFileSync(path('plain.jsonl'), await ok('generate', '--count', '12', '--quiet'));
});

test('names the accounts and the cohort of a dataset, and says so for each record', async () => {
	const records = ['--records', path('records.jsonl')];
	const files = [path('marked.jsonl'), path('plain.jsonl')];
	const out = await ok('trace', ...files, ...ring, ...accounts, ...records, ...fdr, '--json');
	const result = JSON.parse(out);
	expect(result).toMatchObject({ records: 24, hypotheses: 500, fdr: 1e-6, level: 1e-6 });
	expect(result.accounts.map((row: { account: string }) => row.account).sort()).toEqual([
		'account-3',
		'account-40',
	]);
	expect(result.cohorts.map((row: { cohort: string; found: boolean }) => [row.cohort, row.found])).toEqual([
		['farms', true],
		['resellers', false],
	]);
	const rows = readFileSync(path('records.jsonl'), 'utf8')
		.trimEnd()
		.split('\n')
		.map((line) => JSON.parse(line));
	expect(rows).toHaveLength(result.gated);
	for (const { named } of rows)
		for (const { account } of named) expect(['account-3', 'account-40']).toContain(account);
});
test('prints the same for people, and can exit with 3', async () => {
	const { code, out } = await runCli([
		'trace',
		path('marked.jsonl'),
		...ring,
		...accounts,
		...fdr,
		'--fail-on-detect',
	]);
	expect(code).toBe(3);
	expect(out).toMatch(/12 records, 12 passed the gate, \d+ name an account \(of 500 tried\)/);
	expect(out).toMatch(/2 accounts and 1 of 2 cohorts at a false discovery rate of 0.000001/);
	expect((await runCli(['trace', path('plain.jsonl'), ...ring, ...accounts, '--fail-on-detect'])).code).toBe(
		0,
	);
});
test('needs no key ring where an epoch was opened, and detect reads it too', async () => {
	await ok('keys', 'open', ...ring, '--epoch', '0', '--out', path('epoch-0.json'));
	const spec = ['--spec', path('epoch-0.json')];
	const [ours, theirs] = [
		await ok('trace', path('marked.jsonl'), ...ring, ...accounts, '--json'),
		await ok('trace', path('marked.jsonl'), ...spec, ...accounts, '--json'),
	];
	expect(theirs).toBe(ours);
	const detected = JSON.parse((await ok('detect', path('marked.jsonl'), ...spec, '--json')).split('\n')[0]);
	expect(detected).toMatchObject({ verdict: 'marked', hypotheses: 2 });
});
test('after a rotation new text is of the next epoch, and one trace knows both', async () => {
	await ok('keys', 'rotate', ...ring);
	await ok('keys', 'commit', ...ring, '--log', path('log'));
	writeFileSync(
		path('later.jsonl'),
		await ok('generate', '--count', '12', ...ring, '--accounts', path('served.jsonl')),
	);
	const out = await ok('trace', path('marked.jsonl'), path('later.jsonl'), ...ring, ...accounts, '--json');
	const result = JSON.parse(out);
	expect(result.hypotheses).toBe(1000);
	expect(result.accounts).toHaveLength(2);
	for (const { epochs } of result.accounts) expect(epochs).toEqual([0, 1]);
});
test('leaves out what cannot be read, counted and named, or ends with --strict', async () => {
	const [first, ...rest] = readFileSync(path('marked.jsonl'), 'utf8').trimEnd().split('\n');
	writeFileSync(path('torn.jsonl'), [first, '{"text": 5}', ...rest, '{"text": "a tor'].join('\n'));
	const trace = (...args: string[]) => runCli(['trace', ...args, ...ring, ...accounts]);
	const whole = JSON.parse((await trace(path('marked.jsonl'), '--json')).out);
	const { code, out, err } = await trace(path('torn.jsonl'), '--json');
	expect(code).toBe(0);
	expect(JSON.parse(out)).toEqual({ ...whole, skipped: 2 });
	expect(err).toMatch(/^warning: .*torn\.jsonl:2: field "text": must be a string; the record is left out$/m);
	expect(err).toMatch(/^warning: .*torn\.jsonl:14: .*; the record is left out$/m);
	expect((await trace(path('torn.jsonl'), '--quiet')).out).toMatch(/^12 records, 2 left out, 12 passed/);
	const strict = await trace(path('torn.jsonl'), '--strict');
	expect({ code: strict.code, out: strict.out }).toEqual({ code: 2, out: '' });
	expect(strict.err).toMatch(/torn\.jsonl:2: field "text"/);
	writeFileSync(path('ids.jsonl'), '[1, 2, 3]\n[1, "2"]\n[4, 5]\n');
	const ids = JSON.parse((await trace(path('ids.jsonl'), '--tokens', '--json', '--quiet')).out);
	expect(ids).toMatchObject({ records: 2, skipped: 1 });
});
test.each([
	['no accounts file', ['--accounts', path('none.txt')], /none.txt: cannot be read/],
	['an empty one', ['--accounts', path('empty.txt')], /empty.txt: holds no account/],
	['a line that is no account', ['--accounts', path('broken.txt')], /broken.txt:2: field "account"/],
	['a rate above 1', [...accounts, '--fdr', '2'], /--fdr: must be a number between 0 and 1/],
])('refuses %s', async (_what, args, sentence) => {
	writeFileSync(path('empty.txt'), '\n');
	writeFileSync(path('broken.txt'), 'a\n{"name":"b"}\n');
	const { code, err } = await runCli(['trace', path('marked.jsonl'), ...ring, ...args]);
	expect(code).toBe(2);
	expect(err).toMatch(sentence);
});
