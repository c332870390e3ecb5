/** `touchmark log` and `touchmark accounts`, from a session's receipt to an auditor who has the log alone. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { createMarker } from '../../src/embed/marker.js';
import { newFolder, runCli } from './run-cli.js';

const folder = newFolder();
const path = (name: string) => join(folder, name);
const write = (name: string, rows: readonly unknown[]) => {
	writeFileSync(path(name), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
	return path(name);
};
const ring = ['--keyring', path('ring.json')];
const log = ['--log', path('log')];
const accounts = ['--accounts', path('accounts.jsonl'), ...ring];
const run = async (...args: string[]) => {
	const { code, out, err } = await runCli(args);
	expect({ code, err }, args.join(' ')).toEqual({ code: 0, err: '' });
	return out;
};
const json = async (...args: string[]) => JSON.parse(await run(...args, '--json'));

beforeAll(async () => {
	await runCli(['keys', 'create', '--unsealed', ...ring]);
	await run('keys', 'commit', ...ring, ...log);
	expect(await json('accounts', 'add', 'ada', 'bob', ...accounts)).toEqual({ added: 2 });
	const marker = createMarker({ marks: [], vocabSize: 10 });
	const receipts = Array.from({ length: 6 }, (_, i) => {
		const generation = marker.start({ id: `r${i}` });
		for (let step = 0; step <= i; step++) marker.step([generation], new Float32Array(10));
		return { receipt: generation.finish(), account: i % 2 === 0 ? 'ada' : 'bob' };
	});
	const lines = write('receipts.jsonl', receipts);
	const { appended, receipts: count } = await json('log', 'append', lines, ...log, ...accounts);
	expect([appended, count]).toEqual([6, 6]);
	await run('log', 'append', write('bare.jsonl', [{ ...receipts[0].receipt, id: 'bare' }]), ...log, ...ring);
});

describe('the log', () => {
	it('is audited', async () => {
		const found = await json('log', 'audit', ...log);
		expect(found).toMatchObject({ consistent: true, receipts: 7, unacknowledged: 0, stamped: [] });
		expect(found.treeHead.size).toBe(found.entries);
		expect(await run('log', 'audit', ...log)).toMatch(
			/^consistent: 11 entries, 7 of them receipts\n {2}root /,
		);
	});
	it('proves a receipt, and that it was only continued; anybody checks it with the proof alone', async () => {
		const inclusion = JSON.parse(await run('log', 'prove', ...log, '--receipt', 'r3'));
		expect(inclusion).toMatchObject({
			entry: { type: 'receipt', id: 'r3', tag: expect.stringMatching(/^[0-9a-f]{32}$/) },
		});
		expect(JSON.parse(await run('log', 'prove', ...log, '--index', String(inclusion.index)))).toEqual(
			inclusion,
		);
		const checked = await json('log', 'check', write('inclusion.json', [inclusion]));
		expect(checked).toMatchObject({ valid: true, publicKey: inclusion.head.publicKey });

		const sizes = readFileSync(join(path('log'), 'heads.jsonl'), 'utf8')
			.trimEnd()
			.split('\n');
		const [older, newer] = [sizes[1], sizes.at(-1) ?? ''].map((line) => String(JSON.parse(line).size));
		const proof = JSON.parse(await run('log', 'prove', ...log, '--consistency', older, newer));
		expect(await run('log', 'check', write('consistency.json', [proof]))).toMatch(
			`the tree of ${newer} begins with that of ${older}`,
		);

		for (const forged of [
			{ ...inclusion, index: inclusion.index - 1 },
			{ ...inclusion, entry: { ...inclusion.entry, id: 'r4' } },
			{ ...inclusion, head: { ...inclusion.head, size: inclusion.head.size + 1 } },
			{ ...proof, older: proof.newer },
			{ ...proof, proof: proof.proof.slice(1) },
		]) {
			const { code, err } = await runCli(['log', 'check', write('forged.json', [forged])]);
			expect({ code, err }).toEqual({ code: 1, err: expect.stringMatching(/forged\.json: does not hold/) });
		}
	});
	it('that was changed fails the audit with exit code 1, and names file and line', async () => {
		cpSync(path('log'), path('changed'), { recursive: true });
		const entries = join(path('changed'), 'entries-000000.jsonl');
		writeFileSync(entries, readFileSync(entries, 'utf8').replace('"id":"r2"', '"id":"r9"'));
		const { code, out, err } = await runCli(['log', 'audit', '--log', path('changed'), '--json']);
		expect(code).toBe(1);
		expect(JSON.parse(out)).toEqual({
			consistent: false,
			problem: expect.stringContaining('entries-000000.jsonl:'),
		});
		expect(err).toMatch(/^error: .*entries-000000\.jsonl:\d+: .* was changed after it was signed/);
	});
	it.each<[string, string[], RegExp]>([
		['no log', ['audit', '--log', '/nowhere'], /\/nowhere: does not exist/],
		['a file', ['audit', '--log', path('ring.json')], /is a file; a log is a folder/],
		['nothing to prove', ['prove', ...log], /give one of --receipt/],
		['an unknown receipt', ['prove', ...log, '--receipt', 'r77'], /receipt "r77" is not in/],
		['an entry beyond the end', ['prove', ...log, '--index', '11'], /entry 11 is not in .*; it has 11/],
		['a size without a head', ['prove', ...log, '--consistency', '1', '11'], /no head has size 1/],
		[
			'an authority that is none',
			['timestamp', ...log, ...ring, '--authority', 'x'],
			/--authority: must be an address/,
		],
		[
			'an account that is not there',
			['append', path('zed.jsonl'), ...log, ...accounts],
			/zed\.jsonl:1: its account is not in/,
		],
		['accounts that are not given', ['append', path('zed.jsonl'), ...log, ...ring], /give --accounts/],
		['a line that is nothing', ['append', path('bad.jsonl'), ...log, ...ring], /bad\.jsonl:1: /],
	])('%s: one sentence, exit code 2', async (_what, args, sentence) => {
		const [line] = readFileSync(path('receipts.jsonl'), 'utf8').split('\n');
		write('zed.jsonl', [{ ...JSON.parse(line), account: 'zed' }]);
		write('bad.jsonl', [{ version: 1 }]);
		const { code, out, err } = await runCli(['log', ...args]);
		expect({ code, out }).toEqual({ code: 2, out: '' });
		expect(err).toMatch(sentence);
	});
});

describe('accounts', () => {
	it('are exported as pseudonyms, counted, and erased', async () => {
		const pseudonyms = (await run('accounts', 'export', ...accounts)).trimEnd().split('\n');
		expect(pseudonyms.map((line) => Object.keys(JSON.parse(line)))).toEqual([['account'], ['account']]);
		expect(await json('accounts', 'erase', 'ada', ...accounts)).toEqual({ erased: 1 });
		expect(await json('accounts', 'list', ...accounts)).toEqual({ accounts: 1, erased: 1 });
		expect((await run('accounts', 'export', ...accounts)).trimEnd()).toBe(pseudonyms[1]);
		expect((await runCli(['accounts', 'erase', 'ada', ...accounts])).err).toMatch(/account "ada" is not in/);
		expect(await json('log', 'audit', ...log)).toMatchObject({ consistent: true, receipts: 7 });
	});
});
