/** `touchmark scan --served`: from served answers to a dataset that holds copies of them, through a log that holds no text. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { createMarker } from '../../src/embed/marker.js';
import { newFolder, runCli } from './run-cli.js';

const folder = newFolder();
const path = (name: string) => join(folder, name);
const write = (name: string, rows: readonly unknown[]) => {
	const text = rows.map((row) => (typeof row === 'string' ? row : JSON.stringify(row)));
	writeFileSync(path(name), `${text.join('\n')}\n`);
	return path(name);
};
const ring = ['--keyring', path('ring.json')];
const log = ['--log', path('log')];
const served = ['--served', path('log')];
const json = async (...args: string[]) => {
	const { code, out, err } = await runCli([...args, '--json']);
	expect({ code, err }, args.join(' ')).toEqual({ code: 0, err: '' });
	return JSON.parse(out);
};

/** Answers with words of their own, and one planted phrase each. */
const words = (answer: number) => Array.from({ length: 100 }, (_, i) => `w${answer}x${i * i}`);
const phraseOf = (answer: number) => `the heron of number ${answer} stands in shallow water`;
const answers = Array.from({ length: 20 }, (_, i) => {
	const own = words(i);
	return [...own.slice(0, 50), phraseOf(i), ...own.slice(50)].join(' ');
});
const matchesIn = (out: string) =>
	readFileSync(join(out, 'matches.jsonl'), 'utf8')
		.trimEnd()
		.split('\n')
		.map((line) => JSON.parse(line));

beforeAll(async () => {
	await runCli(['keys', 'create', '--unsealed', ...ring]);
	await runCli(['keys', 'commit', ...ring, ...log]);
	await json('accounts', 'add', 'ada', 'bob', '--accounts', path('accounts.jsonl'), ...ring);
	const marker = createMarker({ marks: [], vocabSize: 10 });
	const lines = answers.map((text, i) => {
		const generation = marker.start({ id: `answer-${i}` });
		marker.step([generation], new Float32Array(10));
		const account = i % 2 === 0 ? 'ada' : 'bob';
		return { receipt: generation.finish(), account, text, prompt: 'Tell me about herons.' };
	});
	const file = write('receipts.jsonl', lines);
	const accounts = ['--accounts', path('accounts.jsonl')];
	const refused = await runCli(['log', 'append', file, ...log, ...ring, ...accounts]);
	expect(refused).toMatchObject({ code: 2, err: expect.stringMatching(/holds a text; give --fingerprints/) });
	await json('log', 'append', file, ...log, ...ring, ...accounts, '--fingerprints');
	write(
		'texts.jsonl',
		answers.map((text, i) => ({ id: `answer-${i}`, text })),
	);
	write('suspect.jsonl', [
		{ id: 'innocent', text: words(77).join(' ') },
		'{"id": "torn", "te',
		{ id: 'copy', text: `IMPORTED: ${answers[3].toUpperCase().replaceAll(' ', ', ')}` },
		{ id: 'no-text' },
		{
			id: 'edited',
			text: answers[8]
				.split(' ')
				.map((word, i) => (i % 10 === 5 ? 'edit' : word))
				.join(' '),
		},
	]);
});

describe('scan --served', () => {
	it('finds copies, names their accounts, and shows the pair', async () => {
		const out = path('found');
		const flags = ['--texts', path('texts.jsonl'), '--accounts', path('accounts.jsonl'), '--out', out];
		const {
			code,
			out: printed,
			err,
		} = await runCli(['scan', path('suspect.jsonl'), ...served, ...ring, ...flags, '--json']);
		expect(code).toBe(0);
		expect(err).toMatch(
			/suspect\.jsonl:2: is not valid JSON.*; the record is left out\n.*suspect\.jsonl:4: field "text"/s,
		);
		expect(JSON.parse(printed)).toMatchObject({
			records: 3,
			skipped: 2,
			matched: 2,
			receipts: 2,
			served: { answers: 20, withoutFingerprints: 0 },
		});
		const [copy, edited] = matchesIn(out);
		expect(copy).toMatchObject({ record: 'copy', receipt: 'answer-3', exhibit: { edits: 0, similarity: 1 } });
		expect(edited).toMatchObject({ record: 'edited', receipt: 'answer-8' });
		expect(edited.exhibit.edits).toBeGreaterThan(5);
		expect(edited.exhibit.edits).toBeLessThan(15);
		const exported = await runCli(['accounts', 'export', '--accounts', path('accounts.jsonl'), ...ring]);
		const [ada, bob] = exported.out
			.trimEnd()
			.split('\n')
			.map((line) => JSON.parse(line).account);
		expect([copy.account, edited.account]).toEqual([bob, ada]);
	});
	it('finds nothing of what a background says too', async () => {
		const background = write('background.jsonl', [{ text: answers[3] }]);
		const scanned = await json(
			'scan',
			path('suspect.jsonl'),
			...served,
			...ring,
			'--background',
			background,
			'--quiet',
		);
		expect(scanned).toMatchObject({ matched: 1, receipts: 1 });
	});
	it('--strict and --fail-on-detect end as they say', async () => {
		const strict = await runCli(['scan', path('suspect.jsonl'), ...served, ...ring, '--strict']);
		expect(strict).toMatchObject({
			code: 2,
			err: expect.stringMatching(/suspect\.jsonl:2: is not valid JSON/),
		});
		const found = await runCli([
			'scan',
			path('suspect.jsonl'),
			...served,
			...ring,
			'--fail-on-detect',
			'--quiet',
		]);
		expect(found).toMatchObject({
			code: 3,
			out: expect.stringMatching(/2 records hold stretches of 2 served answers/),
		});
	});
});

describe('the log', () => {
	it('holds no text: neither a planted phrase, nor any word of it, nor a digest that needs no salt', () => {
		const bytes = readdirSync(path('log')).map((name) => join(path('log'), name));
		const all = bytes
			.filter((file) => statSync(file).isFile())
			.map((file) => readFileSync(file, 'latin1'))
			.join('\n');
		expect(all).toMatch(/"fingerprints":"[A-Za-z0-9+/]{80,}"/);
		for (const [i, answer] of answers.entries()) {
			expect(all).not.toContain(phraseOf(i));
			for (const word of ['heron', 'shallow', ...answer.split(' ').slice(0, 5)])
				expect(all).not.toContain(word);
		}
		expect(all).not.toContain('Tell me');
	});
	it("is audited as before, and a receipt's fingerprints are under its leaf", async () => {
		expect(await json('log', 'audit', ...log)).toMatchObject({ consistent: true, receipts: 20 });
		expect((await json('log', 'prove', ...log, '--receipt', 'answer-3')).entry.fingerprints).toMatch(
			/^[\w+/]+$/,
		);
	});
});

describe('a match', () => {
	it('can be confirmed by whoever has the salt, and by nobody else', async () => {
		const salt = path('salt.json');
		await json('keys', 'open-salt', ...ring, '--epoch', '0', '--out', salt);
		expect(statSync(salt).mode & 0o777).toBe(0o600);
		const scan = ['scan', path('suspect.jsonl'), ...served, '--quiet'];
		expect(await json(...scan, '--salt', salt)).toMatchObject({ matched: 2, receipts: 2 });

		await runCli(['keys', 'create', '--unsealed', '--keyring', path('other.json')]);
		for (const [flag, file] of [
			['--keyring', path('other.json')],
			['--salt', await saltOf(1)],
		]) {
			const { code, err } = await runCli([...scan, flag, file]);
			expect({ code, err }).toMatchObject({
				code: 2,
				err: expect.stringMatching(/none of its 20 receipts has fingerprints under the given salts/),
			});
		}
	});
	it('needs one source of the salt', async () => {
		const { code, err } = await runCli(['scan', path('suspect.jsonl'), ...served]);
		expect({ code, err }).toMatchObject({
			code: 2,
			err: expect.stringMatching(/give one of --keyring FILE, --salt FILE/),
		});
	});
});

async function saltOf(epoch: number): Promise<string> {
	const file = path(`salt-${epoch}.json`);
	await json('keys', 'open-salt', ...ring, '--epoch', String(epoch), '--out', file);
	return file;
}
