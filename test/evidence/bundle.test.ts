/** Bundles of evidence: what a stranger can check, and what happens to one that was changed. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { hexToBytes } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type CheckCode, CheckName } from '../../src/evidence/checks.js';
import { type Envelope, payloadOf, signEnvelope } from '../../src/evidence/dsse.js';
import { digestFile, type InputDigest } from '../../src/evidence/inputs.js';
import { logText } from '../../src/evidence/number-text.js';
import { evidenceSchema, PAYLOAD_TYPE } from '../../src/evidence/statement.js';
import { bundleText, type VerifyOptions, verifyBundle } from '../../src/evidence/verify.js';
import { deriveKey } from '../../src/keys/derive.js';
import { canonicalBytes } from '../../src/marks/mark-spec.js';
import { CHROMIUM, launchChromium } from '../chromium.js';
import { runBuilt } from '../cli/built-cli.js';
import { newFolder, runCli } from '../cli/run-cli.js';
import { hasOpenssl } from '../ledger/authority.js';
import { randomSource } from '../stats/random.js';
import { type Example, exampleBundle, signerOf } from './bundles.js';

let example: Example;
const verify = async (...flags: string[]) => {
	const args = ['evidence', 'verify', example.path('bundle.json'), '--json', ...flags];
	const { code, out, err } = await (flags.includes('--corpus')
		? // It runs the tests again, as processes of the built command line.
			runBuilt(args, { folder: example.corpus })
		: runCli(args));
	expect(err).toBe('');
	const found = JSON.parse(out) as {
		valid: boolean;
		checks: { name: string; status: string; code: string; detail: string }[];
		findings: { suspect: string; command: string; verdict: string }[];
	};
	expect(code).toBe(found.valid ? 0 : 1);
	return found;
};
const codesOf = (checks: readonly { name: string; status: string; code: string }[], status: string) =>
	Object.fromEntries(checks.filter((one) => one.status === status).map(({ name, code }) => [name, code]));

beforeAll(async () => {
	example = await exampleBundle();
}, 120_000);

describe('a bundle', () => {
	it('says of each suspect what its tests found', async () => {
		const { findings } = await verify();
		expect(findings.map(({ suspect, command, verdict }) => [suspect, command, verdict])).toEqual([
			['rival', 'radioactivity', 'marked'],
			['other', 'radioactivity', expect.stringMatching(/no-evidence|too-little-data/)],
			['rival', 'radioactivity', 'marked'],
			['rival', 'detect', 'marked'],
			['rival', 'exposure', 'exposed'],
			['rival', 'scan', 'marked'],
		]);
	});

	it('is checked without anything else, as far as that goes, and what cannot be checked is said', async () => {
		const { valid, checks } = await verify();
		expect(valid).toBe(true);
		expect(checks.map(({ name }) => name)).toEqual(CheckName.options);
		expect(codesOf(checks, 'failed')).toEqual({});
		expect(codesOf(checks, 'not-checkable')).toEqual({
			signers: 'no-trust-given',
			log: 'no-trust-given',
			timestamps: hasOpenssl ? 'no-trust-given' : 'no-timestamp',
			order: hasOpenssl ? 'no-trust-given' : 'no-timestamp',
			record: 'no-record-given',
			files: 'no-files-given',
			keys: 'no-keys-given',
			recomputation: 'no-files-given',
			policy: 'no-policy-given',
		});
	});

	it('with files, opened keys and trust, every number is computed again', async () => {
		const { valid, checks } = await verify('--corpus', '.', '--key', example.keys, '--trust', example.trust);
		expect(checks.filter(({ status }) => status !== 'passed').map(({ name }) => name)).toEqual(
			hasOpenssl ? ['record', 'policy'] : ['timestamps', 'order', 'record', 'policy'],
		);
		expect(valid).toBe(true);
	});

	it('holds no key', () => {
		const keys = JSON.parse(readFileSync(example.keys, 'utf8')) as { key: string; salt: string }[];
		const text = Buffer.from(payloadOf(JSON.parse(String(example.bundle())) as Envelope)).toString('utf8');
		for (const { key, salt } of keys)
			for (const secret of [key, salt])
				for (const form of ['hex', 'base64', 'base64url', 'latin1'] as const)
					expect(text).not.toContain(Buffer.from(secret, 'hex').toString(form));
	});

	it('follows its published schema', () => {
		const published = JSON.parse(readFileSync('docs/schemas/evidence-v1.json', 'utf8'));
		expect(JSON.parse(JSON.stringify(evidenceSchema()))).toEqual(published);
	});

	it('can be signed by several; each must be right', async () => {
		await example.run(
			...['evidence', 'sign', example.path('bundle.json'), '--keyring', example.path('lab.json')],
			...['--out', example.path('two.json'), '--quiet'],
		);
		const bytes = readFileSync(example.path('two.json'));
		expect((await verifyBundle(bytes)).signers).toHaveLength(2);
		const two = JSON.parse(String(bytes)) as Envelope;
		const [first, second] = two.signatures;
		const swapped = { ...two, signatures: [first, { ...second, sig: first.sig }] };
		const { checks } = await verifyBundle(Buffer.from(bundleText(swapped)));
		expect(codesOf(checks, 'failed')).toEqual({ signatures: 'signature-invalid' });
	});

	it('shows single records without the rest of their file', async () => {
		const lines = readFileSync(example.path('rival.jsonl'), 'utf8').trimEnd().split('\n');
		const shown = await example.run(
			...['evidence', 'show', 'rival.jsonl', '--corpus', example.corpus, '--record', '7'],
		);
		expect(JSON.parse(shown)).toMatchObject({ input: 'rival.jsonl', record: 7, text: lines[7] });
		writeFileSync(example.path('record.json'), shown);
		const passed = await verify('--record', example.path('record.json'));
		expect(passed.checks.find(({ name }) => name === 'record')?.status).toBe('passed');
		writeFileSync(example.path('record.json'), shown.replace('"record":7', '"record":6'));
		const { valid, checks } = await verify('--record', example.path('record.json'));
		expect([valid, codesOf(checks, 'failed')]).toEqual([false, { record: 'record-not-in-file' }]);
	});

	it('meets a policy, or the policy says what is missing', async () => {
		const { sha256 } = await digestFile(example.path('other.jsonl'));
		const { signers, predicate } = await verifyBundle(example.bundle());
		const policy = {
			...{ format: 'touchmark-policy', version: 1, subjects: [sha256] },
			signers: { keys: signers, least: 1 },
			tests: [{ command: 'radioactivity', marks: predicate?.marks.map(({ id }) => id) }],
			verdicts: ['no-evidence', 'too-little-data', 'marked', 'exposed'],
		};
		const check = async (changed: object) => {
			writeFileSync(example.path('policy.json'), JSON.stringify({ ...policy, ...changed }));
			const { checks } = await verify('--policy', example.path('policy.json'));
			const found = checks.find(({ name }) => name === 'policy');
			return [found?.status, found?.detail];
		};
		expect(await check({})).toEqual(['passed', expect.any(String)]);
		expect(await check({ verdicts: ['no-evidence'] })).toEqual([
			'failed',
			expect.stringMatching(/says "marked"/),
		]);
		expect(await check({ subjects: ['00'.repeat(32)] })).toEqual([
			'failed',
			expect.stringMatching(/was run on 00/),
		]);
		expect(await check({ tests: [{ command: 'scan' }] })).toEqual([
			'failed',
			expect.stringMatching(/was run on/),
		]);
		expect(await check({ signers: { keys: ['11'.repeat(32)], least: 1 } })).toEqual([
			'failed',
			'0 of 1 required signers signed',
		]);
		expect(await check({ notBefore: '2099-01-01T00:00:00Z' })).toEqual([
			'failed',
			expect.stringMatching(/before 2099/),
		]);
	});
});

describe('evidence that is not what it seems', () => {
	/** The statement, changed and signed again by the same signer: what a dishonest investigator can do. */
	async function resigned(change: (text: string) => string, options: VerifyOptions = {}) {
		const { secret } = JSON.parse(readFileSync(example.path('ring.json'), 'utf8'));
		const signer = signerOf(deriveKey(hexToBytes(secret.unsealed), 'sign', {}));
		const { payload } = JSON.parse(String(example.bundle())) as Envelope;
		const text = change(Buffer.from(payload, 'base64').toString('utf8'));
		const envelope = signEnvelope(PAYLOAD_TYPE, Buffer.from(text, 'utf8'), signer);
		return verifyBundle(Buffer.from(bundleText(envelope)), options);
	}
	type Path = readonly (string | number)[];
	/** Puts something else at one place of the predicate. */
	function put(value: unknown, [at, ...rest]: Path, make: (old: unknown) => unknown): unknown {
		if (at === undefined) return make(value);
		const next = (old: unknown) => put(old, rest, make);
		if (Array.isArray(value)) return value.map((old, i) => (i === at ? next(old) : old));
		const record = value as Record<string, unknown>;
		return { ...record, [at]: next(record[at]) };
	}
	const changed = (path: Path, make: (old: unknown) => unknown) => (text: string) => {
		const statement = put(JSON.parse(text), ['predicate', ...path], make) as {
			subject: object;
			predicate: { inputs: { name: string; sha256: string }[] };
		};
		const subject = statement.predicate.inputs.map(({ name, sha256 }) => ({ name, digest: { sha256 } }));
		return Buffer.from(canonicalBytes({ ...statement, subject })).toString('utf8');
	};
	const as = (value: unknown) => () => value;
	const withMore =
		(...more: unknown[]) =>
		(old: unknown) => [...(old as unknown[]), ...more];
	/** The row of a suspect in a table of several. */
	const other = ['tests', 1, 'result', 0, 'suspects', 0];
	const cases: [string, Path, (old: unknown) => unknown, CheckCode][] = [
		['a better p-value', [...other, 'tests', 0, 'log10P'], as(-60), 'results-contradict'],
		[
			'a verdict that the p-value does not bear',
			[...other, 'verdict'],
			as('trained-on-marked'),
			'results-contradict',
		],
		['no log, and no price for the search of a key', ['log'], as(null), 'results-contradict'],
		['the spec of another mark', ['marks', 0, 'spec', 'epoch'], as(7), 'mark-id-wrong'],
		[
			'commitments in the wrong order',
			['log', 'commitments'],
			(old) => [...(old as unknown[])].reverse(),
			'commitment-of-other-mark',
		],
		[
			'a command that writes files',
			['tests', 4, 'args'],
			withMore('--out', 'somewhere'),
			'command-not-allowed',
		],
		[
			'a command that runs a program',
			['tests', 0, 'args'],
			withMore('--passphrase-command', 'touch pwned'),
			'command-not-allowed',
		],
		[
			'a flag before the name of a file',
			['tests', 2, 'args'],
			withMore({ input: 0, prefix: '--passphrase-command=touch pwned #' }),
			'command-not-allowed',
		],
		[
			'a flag for the name of a suspect',
			['tests', 1, 'args', 1, 'prefix'],
			as('--out='),
			'command-not-allowed',
		],
		[
			'a folder for the name of a suspect',
			['tests', 1, 'args', 1, 'prefix'],
			as('../'),
			'command-not-allowed',
		],
		[
			'a word behind a flag that takes one, which is read as a file',
			['tests', 2, 'args'],
			withMore('--level', '1e-6', 'other.jsonl'),
			'command-not-allowed',
		],
		['a flag twice', ['tests', 3, 'args'], withMore('--control-account', 'ada'), 'command-not-allowed'],
		['a file outside the folder', ['inputs', 0, 'name'], as('../secret'), 'malformed-statement'],
		['a test of somebody else', ['tests', 0, 'suspect'], as('nobody'), 'results-contradict'],
	];
	it.each(cases)('%s', async (_, path, make, code) => {
		const { valid, checks } = await resigned(changed(path, make));
		expect(valid).toBe(false);
		expect(Object.values(codesOf(checks, 'failed'))).toContain(code);
	});

	it.skipIf(!hasOpenssl)('keys that were committed after the suspect was released', async () => {
		const late = changed(['suspects', 0, 'released'], as('2020-01-01T00:00:00Z'));
		const { checks } = await resigned(late);
		expect(codesOf(checks, 'failed')).toEqual({ order: 'committed-after-release' });
	});

	it('a result that the command does not print', async () => {
		const more = changed([...other, 'scored'], (old) => (old as number) + 1);
		const { checks } = await resigned(more, {
			keys: JSON.parse(readFileSync(example.keys, 'utf8')),
			digestOf: (name) => digestFile(example.path(name)),
			rerun: async ({ suspect, command }, { tests }) => {
				// The true results, as the command printed them for the bundle.
				const { predicate } = await verifyBundle(example.bundle());
				const index = tests.findIndex((test) => test.suspect === suspect && test.command === command);
				return predicate?.tests[index].result ?? [];
			},
		});
		expect(codesOf(checks, 'failed')).toEqual({ recomputation: 'result-differs' });
	});

	it('a key that does not open its commitment', async () => {
		const keys = JSON.parse(readFileSync(example.keys, 'utf8')) as { key: string }[];
		const wrong = keys.map((one, i) => (i === 0 ? { ...one, key: '00'.repeat(one.key.length / 2) } : one));
		writeFileSync(example.path('wrong.json'), JSON.stringify(wrong));
		const { checks } = await verify('--key', example.path('wrong.json'));
		expect(codesOf(checks, 'failed')).toEqual({ keys: 'key-wrong' });
	});

	it('a plan whose commands are no tests, or whose files lie elsewhere, is refused', async () => {
		const build = async (args: unknown[]) => {
			writeFileSync(
				example.path('bad-plan.json'),
				JSON.stringify({ ...example.plan, tests: [{ suspect: 'rival', command: 'detect', args }] }),
			);
			const files = { keyring: 'ring.json', key: 'keys.json', log: 'log', out: 'never.json' };
			const flags = Object.entries(files).flatMap(([flag, name]) => [`--${flag}`, example.path(name)]);
			return runCli(['evidence', 'build', example.path('bad-plan.json'), ...flags]);
		};
		expect(await build(['--keyring', { file: 'ring.json' }])).toMatchObject({
			code: 2,
			err: expect.stringMatching(/test 1: "--keyring" has no place in a test of detect/),
		});
		expect(await build([{ file: 'missing.jsonl' }])).toMatchObject({
			code: 2,
			err: expect.stringMatching(/missing.jsonl is not there/),
		});
	});

	it('one bit of a log’s proof, signed again: the log, a commitment or a time is found wrong', async () => {
		const uniform = randomSource(3);
		const seen = new Set<string>();
		for (let i = 0; i < 250; i++) {
			const { valid, checks } = await resigned((text) => {
				const bytes = Buffer.from(text, 'utf8');
				const from = bytes.indexOf('"log":{') + 7;
				const to = bytes.indexOf('"marks":[', from);
				bytes[from + Math.floor(uniform() * (to - from))] ^= 1 << Math.floor(uniform() * 7);
				return bytes.toString('utf8');
			});
			expect(valid).toBe(false);
			const wrong = checks.filter(({ status }) => status === 'failed');
			for (const { name, code } of wrong) {
				expect(['statement', 'commitments', 'log', 'timestamps', 'order'], code).toContain(name);
				seen.add(name);
			}
		}
		expect(seen.size).toBeGreaterThanOrEqual(2);
	});
});

describe('a bundle that was changed on the way', () => {
	it('one bit of it: named by the part', async () => {
		const bytes = example.bundle();
		const text = bytes.toString('utf8');
		const uniform = randomSource(1);
		const codes = new Map<string, number>();
		for (let i = 0; i < 500; i++) {
			const flipped = Buffer.from(bytes);
			const at = Math.floor(uniform() * bytes.length);
			flipped[at] ^= 1 << Math.floor(uniform() * 8);
			const { valid, checks, findings } = await verifyBundle(flipped);
			expect([valid, findings.length]).toEqual([false, 0]);
			const [[name, code], ...others] = Object.entries(codesOf(checks, 'failed'));
			expect(others).toEqual([]);
			expect(['envelope', 'signatures']).toContain(name);
			if (name === 'signatures') expect(code).toBe('signature-invalid');
			else if (text.slice(0, at).lastIndexOf('"payloadType":') >= 0 && at < text.indexOf('"signatures"'))
				expect(['wrong-payload-type', 'malformed-envelope', 'envelope-not-canonical']).toContain(code);
			codes.set(code, (codes.get(code) ?? 0) + 1);
		}
		expect(codes.get('signature-invalid')).toBeGreaterThan(100);
	});

	it('one bit of a file that was tested: the file is named', async () => {
		const uniform = randomSource(2);
		const { predicate } = await verifyBundle(example.bundle());
		const names = predicate?.inputs.map(({ name }) => name) ?? [];
		const copies = newFolder();
		const digests = new Map<string, InputDigest>();
		for (const name of names) digests.set(name, await digestFile(example.path(name)));
		for (let i = 0; i < 250; i++) {
			const name = names[i % names.length];
			const bytes = readFileSync(example.path(name));
			bytes[Math.floor(uniform() * bytes.length)] ^= 1 << Math.floor(uniform() * 8);
			writeFileSync(join(copies, name), bytes);
			const { checks } = await verifyBundle(example.bundle(), {
				digestOf: async (wanted) =>
					wanted === name ? digestFile(join(copies, name)) : (digests.get(wanted) ?? null),
			});
			const wrong = checks.filter(({ status }) => status === 'failed');
			expect(wrong).toMatchObject([
				{ name: 'files', code: 'file-differs', detail: expect.stringContaining(name) },
			]);
		}
	});

	it('fuzzed: 10,000 of them are refused, none crashes or hangs', async () => {
		const envelope = JSON.parse(String(example.bundle())) as Envelope;
		const statement = JSON.parse(Buffer.from(payloadOf(envelope)).toString('utf8')) as object;
		const signer = signerOf(new Uint8Array(32).fill(8));
		const mutated = (value: unknown, path: readonly number[], put: unknown): unknown => {
			if (typeof value !== 'object' || value === null || path.length === 0) return put;
			const entries = Object.entries(value);
			if (entries.length === 0) return put;
			const which = path[0] % entries.length;
			const next = entries.flatMap(([key, inner], i) =>
				i !== which
					? [[key, inner]]
					: put === undefined && path.length === 1
						? []
						: [[key, mutated(inner, path.slice(1), put)]],
			);
			return Array.isArray(value) ? next.map(([, inner]) => inner) : Object.fromEntries(next);
		};
		const arbitrary = fc.record({
			path: fc.array(fc.nat(50), { minLength: 1, maxLength: 9 }),
			put: fc.oneof(
				fc.constant(undefined),
				fc.jsonValue({ maxDepth: 2 }),
				fc.constantFrom(-0, '\ud800', '__proto__'),
			),
			deep: fc.nat(9).map((n) => n === 0),
		});
		await fc.assert(
			fc.asyncProperty(arbitrary, async ({ path, put, deep }) => {
				const json = deep ? mutated(statement, path, put) : mutated(envelope, path, put);
				const text = JSON.stringify(json) ?? '';
				// Deep ones are sealed by a key that nobody trusts.
				const bytes = deep
					? Buffer.from(bundleText(signEnvelope(PAYLOAD_TYPE, Buffer.from(text), signer)))
					: Buffer.from(`${text}\n`);
				const trust = { format: 'touchmark-trust', version: 1, signers: [], logs: [] } as const;
				const { valid } = await verifyBundle(bytes, { trust: { ...trust, signers: [], logs: [] } });
				expect(valid).toBe(false);
			}),
			{ numRuns: 10_000, seed: 9 },
		);
	}, 300_000);
});

describe.skipIf(CHROMIUM === undefined)('the report in a browser', () => {
	beforeAll(async () => {
		await example.run(
			...['evidence', 'report', example.path('bundle.json'), '--trust', example.trust],
			...['--corpus', example.corpus, '--key', example.keys, '--out', example.path('report.html'), '--quiet'],
		);
	});
	it('shows how evidence grew, passages and pairs when it has the files and the keys, and says so when it has not', async () => {
		const page = readFileSync(example.path('report.html'), 'utf8');
		// Of both suspects and marks, and of the trial; the rival's evidence reaches the level under its draw and in the trial.
		const curves = [
			...page.matchAll(
				/<strong><bdi>(\w+), (\w+)<\/bdi><\/strong>After ([\d,]+ \w+) log₁₀ e is ([^;]*); ([^<]*)<.*?>level: ([\d.]+)</gs,
			),
		].map(([, suspect, of, after, logE, said, level]) => ({
			name: `${suspect} ${of}`,
			after,
			logE,
			said,
			level,
		}));
		const REACHED = expect.stringMatching('^the level is reached after');
		const NOT = expect.stringMatching('^the level is not reached');
		// One over the level is 10^6; times marks, declared hypotheses or suspects, and the six rows of the bundle.
		expect(curves).toMatchObject([
			{ name: 'rival shape', after: '16 answers', level: '10.1' },
			{ name: 'rival choice', after: '16 answers', said: REACHED, level: '10.1' },
			{ name: 'other shape', after: '6 answers', said: NOT, level: '7.38' },
			{ name: 'other choice', after: '6 answers', said: NOT, level: '7.38' },
			{ name: 'rival trial', after: '60 pairs', said: REACHED, level: '6.78' },
		]);
		// The table's own e-value is where the trial ends.
		const { predicate } = await verifyBundle(example.bundle());
		expect(curves[4].logE).toBe(logText(Number(predicate?.tests[3].result[0].log10E)));
		expect(
			[...page.matchAll(/<bdi>rival: rival\.jsonl, record (\d+)</g)].map(([, record]) => record),
		).toEqual(['1', '2', '3']);
		expect(page).not.toContain('<bdi>other: other.jsonl');
		expect([...page.matchAll(/<strong>Pair <bdi>(p\d)</g)].map(([, id]) => id)).toEqual(['p0', 'p1', 'p2']);
		expect(page).toMatch(
			/<h2[^>]*>What is not shown<\/h2>\s*<ul>\s*<li>rival, scan: [^<]*--flagged[^<]*<\/li>\s*<\/ul>/,
		);
		await example.run('evidence', 'report', example.path('bundle.json'), '--out', example.path('plain.html'));
		expect(readFileSync(example.path('plain.html'), 'utf8')).toContain(
			'when this page is made with the files',
		);
	});
	it('is not made from files that are not those of the bundle', async () => {
		const elsewhere = newFolder();
		const { code, out } = await runCli([
			...['evidence', 'report', example.path('bundle.json'), '--corpus', elsewhere, '--key', example.keys],
			...['--out', join(elsewhere, 'report.html')],
		]);
		expect(code).toBe(1);
		expect(out).toMatch(/file-missing/);
	});
	it.each([1280, 390])('at a width of %i: nothing overflows, is loaded or runs', async (width) => {
		const browser = await launchChromium();
		try {
			const page = await browser.newPage({ viewport: { width, height: 900 } });
			const asked: string[] = [];
			page.on('request', (request) => asked.push(request.url()));
			await page.goto(pathToFileURL(example.path('report.html')).href);
			expect(asked.filter((url) => !url.startsWith('data:'))).toHaveLength(1);
			expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
			// Screenshots stay when EVIDENCE_SCREENSHOTS names a folder.
			const path = join(process.env.EVIDENCE_SCREENSHOTS ?? newFolder(), `evidence-${width}.png`);
			await page.screenshot({ path, fullPage: true });
			expect(readFileSync(path).subarray(1, 4).toString()).toBe('PNG');
			const rows = await page.getByRole('row', { name: 'rival' }).allInnerTexts();
			expect(rows.some((row) => row.includes('trained on served answers'))).toBe(true);
			expect(await page.getByRole('row', { name: /^ada account/ }).count()).toBe(1);
			expect(await page.locator('svg[role=img]').count()).toBe(11);
			expect(await page.locator('script').count()).toBe(0);
			// What the page says first is what a reader needs first.
			expect(await page.locator('main section h2').first().textContent()).toBe('What was found');
		} finally {
			await browser.close();
		}
	});
});
