/** What a report shows beside its numbers, and what it says of what it cannot show: tests run as anybody runs them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bytesToHex } from '@noble/hashes/utils.js';
import { beforeAll, describe, expect, it } from 'vitest';
import { freshKey, specOf } from '../../bench/fresh-marks.js';
import { exhibitsOf } from '../../src/cli/evidence-exhibits.js';
import { randomStream } from '../../src/embed/random.js';
import type { Exhibits } from '../../src/evidence/exhibits.js';
import { findingsOf, headlinesOf } from '../../src/evidence/findings.js';
import type { EvidenceTest } from '../../src/evidence/statement.js';
import { embeddedTokenizer } from '../../src/generate/embedded.js';
import { createKeyring } from '../../src/keys/keyring.js';
import type { OpenedMark } from '../../src/keys/opened-mark.js';
import { defaultMarks } from '../../src/marks/defaults.js';
import type { MarkSpec } from '../../src/marks/mark-spec.js';
import { jsonLines, newFolder, runCli } from '../cli/run-cli.js';

const folder = newFolder();
const path = (name: string) => join(folder, name);
const put = (name: string, rows: readonly unknown[]) =>
	writeFileSync(path(name), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
const tokenizer = embeddedTokenizer();

async function printed(...args: string[]): Promise<string> {
	const { code, out, err } = await runCli(args);
	if (code !== 0) throw new Error(err);
	return out;
}

type Args = readonly (string | { file: string })[];
type Runs = readonly (readonly [command: EvidenceTest['command'], args: Args])[];

/** Runs tests as the evidence would, and shows what its report shows. @param change what a dishonest signer does to the results */
async function shownOf(
	keys: string,
	runs: Runs,
	opened: readonly OpenedMark[] = JSON.parse(readFileSync(path(keys), 'utf8')),
	change = (result: EvidenceTest['result']) => result,
): Promise<Exhibits> {
	const names = runs.flatMap(([, args]) =>
		args.flatMap((one) => (typeof one === 'string' ? [] : [one.file])),
	);
	const tests: EvidenceTest[] = [];
	for (const [command, args] of runs) {
		const typed = args.map((one) => (typeof one === 'string' ? one : path(one.file)));
		const spec = command === 'exposure' ? [] : ['--spec', path(keys)];
		const result = jsonLines(await printed(command, ...typed, ...spec, '--json', '--quiet'));
		const numbered = args.map((one) => (typeof one === 'string' ? one : { input: names.indexOf(one.file) }));
		tests.push({ suspect: 'rival', command, args: numbered, result: change(result) });
	}
	const inputs = names.map((name) => ({ name, bytes: 0, sha256: '', records: 0, root: '' }));
	const findings = findingsOf(headlinesOf(tests) ?? [], tests.length);
	return exhibitsOf({ predicate: { tests, inputs }, findings, corpus: folder, keys: opened });
}
const shown = (keys: string, command: EvidenceTest['command'], args: Args, opened?: readonly OpenedMark[]) =>
	shownOf(keys, [[command, args]], opened);

beforeAll(async () => {
	// Its draws come from a generator of another system, which is not hardened.
	const ring = createKeyring({ unsealed: true }, new Uint8Array(32).fill(5));
	const [shape, choice] = defaultMarks('example', tokenizer.fingerprint);
	ring.add(shape);
	ring.add({ ...choice, prf: 'philox4x32-10-v1' });
	writeFileSync(path('ring.json'), JSON.stringify(ring.toFile()));
	await printed('keys', 'commit', '--keyring', path('ring.json'), '--log', path('log'));
	await printed('keys', 'open', '--keyring', path('ring.json'), '--epoch', '0', '--out', path('keys.json'));
	const generate = ['generate', '--keyring', path('ring.json'), '--count', '8', '--json'];
	const texts = jsonLines(await printed(...generate)) as { prompt: string; text: string }[];
	put(
		'answers.jsonl',
		texts.map(({ prompt, text }) => ({ prompt, text })),
	);
	const plain = jsonLines(await printed('generate', '--count', '5', '--json')) as {
		prompt: string;
		text: string;
	}[];
	put(
		'plain.jsonl',
		plain.map(({ prompt, text }) => ({ prompt, text })),
	);
	put(
		'ids.jsonl',
		texts.map(({ text }) => tokenizer.encode(text)),
	);
	const spec: MarkSpec = specOf({
		scheme: { name: 'synthid', depth: 30, tableSize: 65_536, tableSeed: 0 },
		...{ prf: 'transformers-synthid-v1', contextWidth: 4, tokenizer: tokenizer.fingerprint },
	});
	const key = bytesToHex(freshKey(spec, randomStream('exhibits')));
	const file = { format: 'touchmark-opened-mark', version: 1, spec, key, salt: null, logged: null };
	writeFileSync(path('other.json'), JSON.stringify([file]));
}, 60_000);

describe('answers', () => {
	it('are shown under hardened generators only, and the page says so', async () => {
		const { passages, curves, missing } = await shown('keys.json', 'detect', [{ file: 'answers.jsonl' }]);
		// The first that are found after correction for all eight.
		expect(passages.map(({ from }) => from)).toEqual(['answers.jsonl, record 3']);
		for (const { tokens } of passages) {
			expect(tokens.some(({ green }) => green !== null)).toBe(true);
			expect(tokens.every(({ nats }) => nats === null)).toBe(true);
		}
		expect(curves).toEqual([]);
		expect(missing).toEqual([
			expect.stringMatching(
				/^rival, detect: nothing is shown under the choice mark \(gumbel, philox4x32-10-v1\): its generator is not hardened/,
			),
		]);
	});

	it('have a curve for each channel whose generator is hardened', async () => {
		const args = ['--suspect', { file: 'answers.jsonl' }, '--held-out-keys', '19'];
		const { curves } = await shown('keys.json', 'radioactivity', args);
		expect(curves.map(({ suspect, of, points }) => [suspect, of, points.length])).toEqual([
			['rival', 'shape', 9],
		]);
		const other = await shown('other.json', 'radioactivity', args);
		expect(other).toEqual({
			...{ curves: [], passages: [], pairs: [] },
			missing: [
				expect.stringMatching(
					/^rival, radioactivity: nothing is shown under the choice mark \(synthid, transformers-synthid-v1\): its generator is not hardened/,
				),
			],
		});
	});

	it('are not shown without their keys, or where there is no text', async () => {
		const file = { file: 'answers.jsonl' };
		expect(await shown('keys.json', 'detect', [file], [])).toMatchObject({
			passages: [],
			missing: ['rival, detect: the keys of the marks that it tests are not among those given.'],
		});
		expect(await shown('keys.json', 'detect', [{ file: 'ids.jsonl' }, '--tokens'])).toMatchObject({
			passages: [],
			missing: ['rival, detect: its files hold token ids, and no text to show.'],
		});
	});

	it('of a test that finds nothing are not shown as those of one that finds', async () => {
		const runs = ['answers.jsonl', 'plain.jsonl'].map(
			(file) => ['radioactivity', ['--suspect', { file }, '--held-out-keys', '19']] as const,
		);
		const { passages } = await shownOf('keys.json', runs);
		expect(passages).toHaveLength(3);
		for (const { from } of passages) expect(from).toMatch(/^answers\.jsonl/);
		// A document that is found alone, but not among so many.
		const weakly = (result: EvidenceTest['result']) =>
			result.map((one) => ({ ...one, verdict: 'marked', log10PCorrected: -6.5 }));
		const detected = await shownOf('keys.json', [['detect', [{ file: 'answers.jsonl' }]]], undefined, weakly);
		expect(detected.passages).toEqual([]);
	});
});

describe('a trial', () => {
	beforeAll(() => {
		const ids = Array.from({ length: 40 }, (_, i) => `p${i}`);
		const served = (i: number) => (i % 3 === 0 ? 'a' : 'b');
		put(
			'pairs.jsonl',
			ids.map((id) => ({ id, account: 'ada', prompt: '', a: `one ${id}`, b: `two ${id}` })),
		);
		put(
			'one-sided.jsonl',
			ids.map((id) => ({ id, a: 2, b: 1 })),
		);
		put(
			'one-sided-coins.jsonl',
			ids.map((id) => ({ id, served: 'a' })),
		);
		// The first pair is a tie.
		put(
			'tied.jsonl',
			ids.map((id, i) => ({ id, a: 2, b: i === 0 ? 2 : served(i) === 'b' ? 3 : 1 })),
		);
		put(
			'scores.jsonl',
			ids.map((id, i) => ({ id, a: served(i) === 'a' ? 2 : 1, b: served(i) === 'b' ? 2 : 1 })),
		);
		put(
			'coins.jsonl',
			ids.map((id, i) => ({ id, served: served(i) })),
		);
		// Two more coins of which no pair is given: lost, whatever they show.
		put('more-coins.jsonl', [
			...ids.map((id, i) => ({ id, served: served(i) })),
			...['q0', 'q1'].map((id) => ({ id, served: 'a' })),
		]);
	});
	const pairs = ['--pairs', { file: 'pairs.jsonl' }];

	it('has pairs and a curve; without all of its pairs no curve, and where it measured the suspect neither', async () => {
		const scores = ['--scores', { file: 'scores.jsonl' }];
		const whole = await shown('keys.json', 'exposure', [
			...pairs,
			...scores,
			'--coins',
			{ file: 'coins.jsonl' },
		]);
		expect(whole.pairs.map(({ id }) => id)).toEqual(['p0', 'p1', 'p2']);
		expect(whole.pairs[0]).toMatchObject({ served: { text: 'one p0', score: 2 }, unserved: { score: 1 } });
		expect(whole.curves).toMatchObject([{ of: 'trial', threshold: expect.closeTo(6, 9) }]);
		expect(whole.curves[0].points).toHaveLength(41);
		const tied = await shown('keys.json', 'exposure', [
			...[...pairs, '--scores', { file: 'tied.jsonl' }, '--coins', { file: 'coins.jsonl' }],
		]);
		expect(tied.pairs.map(({ id }) => id)).toEqual(['p1', 'p2', 'p3']);
		expect(tied.curves[0].points).toHaveLength(40);
		const sided = await shown('keys.json', 'exposure', [
			...[...pairs, '--scores', { file: 'one-sided.jsonl' }, '--coins', { file: 'one-sided-coins.jsonl' }],
		]);
		expect(sided).toMatchObject({ curves: [], missing: [expect.stringContaining('order-tells-coin')] });
		const lie = await shownOf(
			'keys.json',
			[['exposure', [...pairs, ...scores, '--coins', { file: 'coins.jsonl' }]]],
			undefined,
			([one]) => [{ ...one, log10E: 99 }],
		);
		expect(lie).toMatchObject({ curves: [], missing: [expect.stringContaining('another e-value')] });
		const lost = await shown('keys.json', 'exposure', [
			...pairs,
			...scores,
			'--coins',
			{ file: 'more-coins.jsonl' },
		]);
		expect(lost).toMatchObject({
			curves: [],
			missing: ['rival, exposure: no curve: 2 requests have no pair, and are counted as lost all at once.'],
		});
		const measured = await shown('keys.json', 'exposure', [
			...[...pairs, '--coins', { file: 'coins.jsonl' }],
			...['--access', 'closed', '--suspect', { file: 'answers.jsonl' }],
		]);
		expect(measured).toMatchObject({
			pairs: [],
			curves: [],
			missing: [expect.stringContaining('--save-scores')],
		});
	});
});
