import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { newFolder, runCli } from './run-cli.js';

const folder = newFolder();
const path = (name: string) => join(folder, name);
const VLLM = '{"algorithm":"gumbel","key":"42","context_width":4}';

beforeAll(async () => {
	writeFileSync(path('ids.jsonl'), `${JSON.stringify(Array.from({ length: 50 }, (_, i) => i))}\n`);
	writeFileSync(path('text.jsonl'), `${JSON.stringify({ id: 'a', text: 'It was a dark night.' })}\n`);
	expect((await runCli(['keys', 'create', '--unsealed', '--keyring', path('ring.json')])).code).toBe(0);
	const sealed = await runCli(['keys', 'create', '--keyring', path('sealed.json')], {
		TOUCHMARK_PASSPHRASE: 'correct',
	});
	expect(sealed.code).toBe(0);
	const ring = JSON.parse(readFileSync(path('ring.json'), 'utf8'));
	writeFileSync(path('ring-extra.json'), JSON.stringify({ ...ring, colour: 'blue' }));
	writeFileSync(path('ring-type.json'), JSON.stringify({ ...ring, marks: 'none' }));
	writeFileSync(path('empty.jsonl'), '');
	writeFileSync(path('empty.txt'), '\n\n');
	writeFileSync(path('number.jsonl'), '{"text":"fine"}\n{"text":7}\n');
	writeFileSync(path('missing.jsonl'), '{"content":"x"}\n');
	writeFileSync(path('torn.txt'), Buffer.from('na\u00efve').subarray(0, 3));
	writeFileSync(
		path('torn.jsonl'),
		Buffer.concat([Buffer.from('{"text":"a"}\n{"text":"'), Buffer.from([0xe4, 0xb8])]),
	);
	writeFileSync(path('nested.jsonl'), `${'['.repeat(200_000)}${']'.repeat(200_000)}\n`);
	writeFileSync(path('unclosed.jsonl'), `${'['.repeat(200_000)}\n`);
	writeFileSync(path('negative.jsonl'), '[1,2,3]\n[4,-5]\n');
	writeFileSync(path('large-id.jsonl'), '[1,2,999999999]\n');
	writeFileSync(path('outside.jsonl'), '[1,2,2048]\n');
	writeFileSync(path('fraction.jsonl'), '[1,2.5]\n');
});

describe('bad input: exit 2 and one sentence that names the place', () => {
	const detectIds = (file: string, config = VLLM) => [
		'detect',
		'--tokens',
		path(file),
		'--vllm-config',
		config,
	];
	const detectText = (file: string) => ['detect', path(file), '--keyring', path('ring.json')];
	const cases: [what: string, args: () => string[], named: RegExp[]][] = [
		[
			'unknown field in a configuration',
			() => detectIds('ids.jsonl', '{"algorithm":"gumbel","key":"1","colour":1}'),
			[/--vllm-config/, /colour/],
		],
		[
			'wrong type in a configuration',
			() => detectIds('ids.jsonl', '{"algorithm":"gumbel","key":"1","context_width":"four"}'),
			[/--vllm-config/, /context_width/],
		],
		[
			'configuration that is not JSON',
			() => detectIds('ids.jsonl', '{"algorithm":'),
			[/--vllm-config/, /JSON/],
		],
		[
			'64-bit key as a number',
			() => detectIds('ids.jsonl', '{"algorithm":"gumbel","key":18446744073709551615}'),
			[/--vllm-config/, /"key"/, /decimal string/],
		],
		[
			'key beyond 64 bits',
			() => detectIds('ids.jsonl', '{"algorithm":"gumbel","key":"18446744073709551616"}'),
			[/"key"/, /64 bits/],
		],
		[
			'unknown field in a key ring',
			() => ['detect', path('text.jsonl'), '--keyring', path('ring-extra.json')],
			[/ring-extra\.json/, /colour/],
		],
		[
			'wrong type in a key ring',
			() => ['detect', path('text.jsonl'), '--keyring', path('ring-type.json')],
			[/ring-type\.json/, /"marks"/],
		],
		['empty file', () => detectText('empty.jsonl'), [/empty\.jsonl/, /empty/]],
		['file of blank lines', () => detectText('empty.txt'), [/empty\.txt/]],
		['text of the wrong type', () => detectText('number.jsonl'), [/number\.jsonl:2/, /"text"/]],
		['text missing', () => detectText('missing.jsonl'), [/missing\.jsonl:1/, /"text"/]],
		['truncated UTF-8 in a text', () => detectText('torn.txt'), [/torn\.txt:1/, /UTF-8/]],
		['truncated UTF-8 in JSONL', () => detectText('torn.jsonl'), [/torn\.jsonl:2/, /UTF-8/]],
		['200,000 nested brackets', () => detectText('nested.jsonl'), [/nested\.jsonl:1/]],
		['200,000 nested brackets as tokens', () => detectIds('nested.jsonl'), [/nested\.jsonl:1/]],
		['200,000 open brackets', () => detectIds('unclosed.jsonl'), [/unclosed\.jsonl:1/]],
		['negative token id', () => detectIds('negative.jsonl'), [/negative\.jsonl:2/, /"1"/]],
		['token id beyond every vocabulary', () => detectIds('large-id.jsonl'), [/large-id\.jsonl:1/, /"2"/]],
		[
			'token id outside the vocabulary',
			() => [...detectIds('outside.jsonl'), '--tokenizer', 'models/teacher'],
			[/outside\.jsonl:1/, /"2"/, /2048/],
		],
		['token id that is no integer', () => detectIds('fraction.jsonl'), [/fraction\.jsonl:1/]],
		['file that is not there', () => detectText('nowhere.txt'), [/nowhere\.txt/]],
		['no mark', () => ['detect', path('text.jsonl')], [/--keyring/]],
		['level out of range', () => [...detectText('text.jsonl'), '--level', '2'], [/--level/]],
		['unknown option', () => ['detect', '--colour'], [/--colour/]],
		['unknown command', () => ['detct'], [/detct/]],
		['no command', () => [], [/--help/]],
		['count that is no number', () => ['generate', '--count', 'many'], [/--count/]],
		[
			'sealed ring without a passphrase',
			() => ['keys', 'list', '--keyring', path('sealed.json')],
			[/TOUCHMARK_PASSPHRASE/],
		],
		[
			'ring that exists',
			() => ['keys', 'create', '--unsealed', '--keyring', path('ring.json')],
			[/ring\.json/, /exists/],
		],
		['uncommitted key for embedding', () => ['generate', '--keyring', path('ring.json')], [/keys commit/]],
	];

	it.each(cases)('%s', async (_what, args, named) => {
		const { code, err } = await runCli(args());
		expect(code).toBe(2);
		const sentences = err
			.trimEnd()
			.split('\n')
			.filter((line) => !line.startsWith('warning:'));
		expect(sentences).toHaveLength(1);
		for (const pattern of named) expect(sentences[0]).toMatch(pattern);
		expect(err).not.toMatch(/\n\s+at /);
	});

	it('wrong passphrase', async () => {
		const args = ['keys', 'list', '--keyring', path('sealed.json')];
		const { code, err } = await runCli(args, { TOUCHMARK_PASSPHRASE: 'wrong-secret' });
		expect(code).toBe(2);
		expect(err).toMatch(/passphrase/);
		expect(err).not.toMatch(/wrong-secret|correct/);
	});

	it('shows a stack only with --debug', async () => {
		const { err } = await runCli([...detectText('nowhere.txt'), '--debug']);
		expect(err).toMatch(/\n\s+at /);
	});
});

describe('the option parser', () => {
	it('answers a thousand random command lines with a result or one sentence', async () => {
		const word = fc.oneof(
			fc.constantFrom(
				...[
					'detect',
					'radioactivity',
					'keys',
					'create',
					'list',
					'commit',
					'generate',
					'--json',
					'--level',
					'--tokens',
				],
				...[
					'--keyring',
					'--vllm-config',
					'--suspect',
					'--mode',
					'--count',
					'--held-out-keys',
					'--help',
					'--',
					'-',
					'1e-3',
				],
				...[
					'{}',
					'{"algorithm":"gumbel"}',
					'99999999999999999999',
					'--no-json',
					'--json=1',
					path('ids.jsonl'),
					path('text.jsonl'),
				],
			),
			fc.string({ maxLength: 12 }),
			fc.string({ unit: 'binary', maxLength: 8 }).map((text) => text.replaceAll('\0', '')),
		);
		const usable = (args: string[]) =>
			!args.includes('demo') && !args.includes('create') && !args.includes('commit');
		await fc.assert(
			fc.asyncProperty(fc.array(word, { maxLength: 6 }).filter(usable), async (args) => {
				const { code, err } = await runCli(args);
				expect([0, 2]).toContain(code);
				const sentences = err.split('\n').filter((line) => line !== '' && !line.startsWith('warning:'));
				expect(sentences.length).toBe(code === 0 ? 0 : 1);
			}),
			{ numRuns: 1000, seed: 20261123 },
		);
	});
});
