/** `touchmark scan-worker` and `scan-merge`: shards that are scanned one by one come to what `scan` says of all of them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { run } from '../../src/cli/run.js';
import { parseState } from '../../src/scan/state.js';
import { runBuilt } from './built-cli.js';
import { COPIED, corpusRecords, marked, SPEC } from './cluster-corpus.js';
import { newFolder, runCli } from './run-cli.js';

const folder = newFolder();
const path = (name: string) => join(folder, name);
const spec = ['--spec', SPEC];
const linesOf = (text: string) => text.trimEnd().split('\n');
const read = (name: string) => readFileSync(path(name), 'utf8');
const write = (name: string, lines: readonly unknown[]) => {
	const text = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line)));
	writeFileSync(path(name), `${text.join('\n')}\n`);
	return path(name);
};
const ok = async (args: string[], input = '', wanted: RegExp = /^$/) => {
	const { code, out, err } = await runCli(args, {}, input);
	expect(err, args.join(' ')).toMatch(wanted);
	expect(code).toBe(0);
	return out;
};
const refused = async (args: string[], input = '') => {
	const { code, err } = await runCli(args, {}, input);
	expect(code).toBe(2);
	expect(linesOf(err)).toHaveLength(1);
	return err;
};

/** A corpus in three files, scanned in both ways. */
function corpusIn(kind: 'text' | 'tokens') {
	const flags = kind === 'tokens' ? [...spec, '--tokens', '--count-memory', '512'] : spec;
	const files = [0, 1, 2].map((part) => path(`${kind}-${part}.jsonl`));
	const background = path(`${kind}-background.jsonl`);
	const prefix = (name: string) => path(`${kind}-${name}`);
	return {
		files,
		flags,
		scanned: files.map((_, i) => prefix(`${i}.scanned`)),
		counted: [...files, background].map((_, i) => prefix(`${i}.counted`)),
		out: prefix('local'),
		async write() {
			const records = corpusRecords(120).map(({ id, text, prompt, tokens }, i) => {
				if (kind === 'text') return { id, text, prompt };
				return i % 5 === 1 ? tokens : { id, tokens };
			});
			files.forEach((file, part) => {
				const own: unknown[] = records.filter((_, i) => i % 3 === part);
				if (part === 1) own.splice(20, 0, '', '{"id": "torn", "te', { id: 'neither text nor tokens' });
				if (part === 2 && kind === 'text') own.push(chat);
				write(basename(file), own);
			});
			// Common in the background alone.
			const known = new Array(11).fill(kind === 'text' ? { text: marked[1].text } : marked[1].tokens);
			write(basename(background), known);
			const scan = ['scan', ...files, ...flags, '--background', background, '--out', prefix('local')];
			expect(await runBuilt([...scan, '--quiet', '--workers', '1'])).toMatchObject({ code: 0 });
			for (const [i, file] of files.entries()) {
				const broken = i === 1 ? /^(warning: standard input:2[23]: .*\n){2}$/ : /^$/;
				const worker = ['scan-worker', ...flags, '--shard', file];
				writeFileSync(prefix(`${i}.scanned`), await ok(worker, readFileSync(file, 'utf8'), broken));
			}
			for (const [i, file] of [...files, background].entries()) {
				const worker = ['scan-worker', ...flags, '--shard', file, '--quiet'];
				const count = ['--count', ...this.scanned, ...(file === background ? ['--background'] : [])];
				writeFileSync(prefix(`${i}.counted`), await ok([...worker, ...count], readFileSync(file, 'utf8')));
			}
		},
	};
}

const chat = {
	id: 'chat',
	messages: [
		{ role: 'user', content: marked[5].prompt },
		{ role: 'assistant', content: marked[5].text },
	],
};

describe.each(['text', 'tokens'] as const)('records that are %s', (kind) => {
	const corpus = corpusIn(kind);
	const { scanned, counted, out } = corpus;
	beforeAll(() => corpus.write());
	const merge = (candidates: readonly string[], counts: readonly string[], ...more: string[]) => [
		...['scan-merge', ...scanned, ...spec, '--candidates', ...candidates, '--counts', ...counts],
		...more,
	];

	test('come to the same state, to the byte', async () => {
		const local = readFileSync(join(out, 'state.json'), 'utf8');
		expect(await ok(['scan-merge', ...scanned])).toBe(local);
		expect(await ok(['scan-merge', ...[...scanned].reverse()])).toBe(local);
		const first = await ok(['scan-merge', scanned[0], scanned[2]]);
		expect(await ok(['scan-merge', '-', scanned[1]], first)).toBe(local);
		expect(parseState(JSON.parse(local), 'state.json').shards.map(({ skipped }) => skipped)).toEqual([
			0, 2, 0,
		]);
	});

	test('and to the same verdicts, in whatever order shards come', async () => {
		const local = JSON.parse(readFileSync(join(out, 'result.json'), 'utf8'));
		const flagged = readFileSync(join(out, 'flagged.jsonl'), 'utf8');
		const { digest: _, ...result } = local;
		expect(JSON.parse(await ok(merge(scanned, counted, '--flagged', path('flagged'))))).toEqual(result);
		expect(read('flagged')).toBe(flagged);
		const mixed = merge([...scanned].reverse(), [...counted].reverse(), '--flagged', path('flagged'));
		expect(JSON.parse(await ok(mixed))).toEqual(result);
		expect(linesOf(read('flagged')).sort()).toEqual(linesOf(flagged).sort());

		// Marked records, but for those that are common in all shards together, or in the background.
		const named = linesOf(flagged)
			.map((line) => JSON.parse(line).record as string)
			.filter((id) => /^(marked|copy)/.test(id));
		const common = [`marked ${COPIED.record}`, 'marked 1'];
		const lists = corpusRecords(120).flatMap(({ id }, i) => (kind === 'tokens' && i % 5 === 1 ? [id] : []));
		const expected = marked.map(({ id }) => id).filter((id) => ![...common, ...lists].includes(id));
		expect(named.sort()).toEqual(expected.sort());
		expect(expected.length).toBeGreaterThan(20);
		if (kind === 'text') expect(flagged).toContain('"record":"chat/2"');
	});

	test('without candidates there is a result of the corpus alone', async () => {
		const result = JSON.parse(await ok(['scan-merge', ...scanned, ...spec]));
		expect(result).toMatchObject({ flagged: null, markedAtLeast: null, hypotheses: 4, verdict: 'marked' });
	});

	if (kind === 'text')
		test('a process that reads a pipe prints the same', async () => {
			const worker = ['scan-worker', ...corpus.flags, '--shard', corpus.files[0]];
			const { out } = await runBuilt(worker, { input: readFileSync(corpus.files[0]) });
			expect(out).toBe(readFileSync(scanned[0], 'utf8'));
		});
});

describe('what does not belong together is refused', () => {
	const corpus = corpusIn('text');
	const { scanned, counted, files, flags } = corpus;
	const merge = (candidates: readonly string[], counts: readonly string[]) =>
		refused(['scan-merge', ...scanned, ...flags, '--candidates', ...candidates, '--counts', ...counts]);
	const without = (file: string, lines: number) => linesOf(readFileSync(file, 'utf8')).slice(0, -lines);

	test('candidates that are missing, or come twice', async () => {
		expect(await merge(scanned.slice(1), counted)).toMatch(
			/shard ".*text-0\.jsonl" has \d+ candidates, of which 0 were given/,
		);
		expect(await merge([...scanned, scanned[1]], counted)).toMatch(
			/candidate 0 of shard ".*text-1\.jsonl" does not belong here/,
		);
		const fewer = without(scanned[0], 2);
		expect(await merge([write('fewer', fewer), ...scanned.slice(1)], counted)).toMatch(/were given/);
		expect(await merge([write('gap', fewer.slice(1)), ...scanned.slice(1)], counted)).toMatch(
			/candidate 1 of shard/,
		);
	});

	test('counts that are missing, come twice, are torn, or of other candidates', async () => {
		expect(await merge(scanned, counted.slice(1))).toMatch(/shard ".*text-0\.jsonl" was not counted/);
		expect(await merge(scanned, [...counted, counted[0]])).toMatch(/is counted twice/);
		// The third has cells; without its last line nobody knows of how many records.
		const torn = write('torn', without(counted[2], 1));
		expect(await merge(scanned, [counted[0], counted[1], torn])).toMatch(/does not say what was counted/);
		const worker = ['scan-worker', ...flags, '--shard', files[0], '--count', scanned[0]];
		const other = write('other', linesOf(await ok(worker, readFileSync(files[0], 'utf8'))));
		expect(await merge(scanned, [other, ...counted.slice(1)])).toMatch(/counted for other candidates/);
	});

	test('counts of other records than were scanned', async () => {
		const less = without(files[0], 1).join('\n');
		const worker = ['scan-worker', ...flags, '--shard', files[0], '--count', ...scanned];
		const file = write('less', linesOf(await ok(worker, less)));
		expect(await merge(scanned, [file, ...counted.slice(1)])).toMatch(
			/with other records than its state has/,
		);
	});

	test('states of other marks, and keys of others', async () => {
		const other = path('other.json');
		writeFileSync(other, JSON.stringify(JSON.parse(readFileSync(SPEC, 'utf8')).slice(1)));
		const worker = ['scan-worker', '--spec', other, '--shard', 'x'];
		const file = write('one-mark', linesOf(await ok(worker, '{"text": "some words of no account"}\n')));
		expect(await refused(['scan-merge', scanned[0], file])).toMatch(/is of other marks, tokenizers/);
		expect(await refused(['scan-merge', scanned[0], '--spec', other])).toMatch(/whose key was not given/);
	});

	test('files without a state, flags without others', async () => {
		const torn = write('torn-scan', without(scanned[0], 1));
		expect(await refused(['scan-merge', torn])).toMatch(/holds no state; a worker that ends prints one last/);
		expect(await refused(['scan-merge', scanned[0], '--candidates', scanned[0]])).toMatch(/give the key/);
		expect(await refused(['scan-merge', scanned[0], ...spec, '--counts', counted[0]])).toMatch(
			/are for --candidates/,
		);
		expect(await refused(['scan-worker', ...spec, '--shard', 'a', '--background'])).toMatch(/is for --count/);
		expect(await refused(['scan-worker', ...spec, '--shard', 'a', '--strict'], 'no JSON\n')).toMatch(
			/^error: standard input:1: is not valid JSON/,
		);
		expect(await refused(['scan-worker', ...spec, '--shard', 'a', '--count-memory', '300'])).toMatch(
			/--count-memory: must be a power of two from 256 to 1024/,
		);
	});
});

test('a worker reads no more while nobody takes what it prints', async () => {
	let pulled = 0;
	async function* input() {
		for (; pulled < 200; pulled++) yield Buffer.from(`${JSON.stringify({ text: `words ${pulled}` })}\n`);
	}
	let take = () => {};
	const taken = new Promise<void>((resolve) => {
		take = resolve;
	});
	let waiting = () => {};
	const asked = new Promise<void>((resolve) => {
		waiting = resolve;
	});
	let out = '';
	const running = run(['scan-worker', ...spec, '--shard', 'slow'], {
		out: (text) => {
			out += text;
		},
		err: () => undefined,
		drained: () => {
			waiting();
			return taken;
		},
		input: input(),
		env: {},
		terminal: false,
	});
	await asked;
	await new Promise((resolve) => setTimeout(resolve, 20));
	expect(pulled).toBeLessThan(3);
	take();
	expect(await running).toBe(0);
	expect(JSON.parse(out).state.shards).toMatchObject([{ id: 'slow', records: 200 }]);
});

test('with a ring the merged state is signed by it', async () => {
	const ring = ['--keyring', path('ring.json')];
	await ok(['keys', 'create', '--unsealed', ...ring, '--quiet']);
	await ok(['keys', 'commit', ...ring, '--log', path('log'), '--quiet']);
	const worker = ['scan-worker', ...ring, '--quiet', '--shard'];
	const outs = ['a', 'b'].map((shard) => path(`ring-${shard}`));
	for (const out of outs)
		writeFileSync(out, await ok([...worker, out], '{"text": "nobody marked these few words"}\n'));
	const result = JSON.parse(
		await ok(['scan-merge', ...outs, ...ring, '--candidates', ...outs, '--out', path('state.json')]),
	);
	expect(result).toMatchObject({ records: 2, judged: 2, flagged: 0, verdict: 'too-little-data' });
	const state = parseState(JSON.parse(read('state.json')), 'state.json');
	expect(state.publicKey).toMatch(/^[0-9a-f]{64}$/);
	expect(state.shards.map(({ id }) => id)).toEqual(outs);
});
