/** `touchmark exposure` from a key ring to a verdict, and what it refuses. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { createTrial } from '../../src/embed/trial.js';
import { openKeyring } from '../../src/keys/keyring.js';
import type { LogEntry } from '../../src/ledger/entry.js';
import { appendToLog } from '../../src/ledger/log.js';
import type { ExposurePair } from '../../src/verify/exposure-data.js';
import { newFolder, type Outcome, runCli } from './run-cli.js';

const folder = newFolder();
const path = (name: string) => join(folder, name);
const write = (name: string, rows: readonly object[]): string => {
	writeFileSync(path(name), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
	return path(name);
};
const read = (name: string) =>
	readFileSync(path(name), 'utf8')
		.trimEnd()
		.split('\n')
		.map((line) => JSON.parse(line));

const PAIRS = 80;
const ANSWER = 'The keeper looked at the harbour and said that answer number';
let pairs: ExposurePair[];
let served: Map<string, 'a' | 'b'>;

/** Runs the command with the trial's files. */
const exposure = (...args: string[]): Promise<Outcome> =>
	runCli(['exposure', '--pairs', path('pairs.jsonl'), '--json', '--quiet', ...args]);
const tested = (...args: string[]): Promise<Outcome> =>
	exposure('--coins', path('coins.jsonl'), '--records', path('trial.log'), ...args);
async function result(outcome: Promise<Outcome>) {
	const { code, out, err } = await outcome;
	expect(err).toBe('');
	expect(code).toBe(0);
	return JSON.parse(out);
}
async function refused(outcome: Promise<Outcome>): Promise<string> {
	const { code, out, err } = await outcome;
	expect({ code, out }).toEqual({ code: 2, out: '' });
	expect(err.trimEnd()).not.toContain('\n');
	return err;
}

beforeAll(async () => {
	const ring = path('ring.json');
	for (const args of [
		['keys', 'create', '--unsealed', '--keyring', ring],
		['keys', 'add', '--arm', '--deployment', 'test', '--keyring', ring],
		['keys', 'commit', '--keyring', ring, '--log', path('trial.log')],
	])
		expect((await runCli(args)).code).toBe(0);
	const keyring = await openKeyring(JSON.parse(readFileSync(ring, 'utf8')), () => '');
	const arm = keyring.bindArm(keyring.arms[0], 'embed');
	const trial = createTrial({ arm, share: 1 });
	pairs = [];
	const entries = Array.from({ length: PAIRS }, (_, i): LogEntry => {
		const id = `r${i}`;
		const account = i % 4 === 0 ? 'control' : 'suspected';
		const answers = [
			`${ANSWER} ${2 * i} is right.`,
			`Never before had anyone seen ${2 * i + 1} ships!`,
		] as const;
		const sealed = trial.enrol({ id, account })?.seal([...answers]) ?? expect.unreachable();
		const hash = arm.coin(id).hash;
		const [a, b] = hash(answers[0]) < hash(answers[1]) ? answers : [answers[1], answers[0]];
		pairs.push({ id, account, prompt: `prompt ${i}`, a, b });
		return { type: 'arm-record', version: 1, time: sealed.record.time, record: sealed.record };
	});
	await appendToLog(path('trial.log'), entries, keyring);
	write('pairs.jsonl', pairs);
	const opened = await runCli([
		...['keys', 'open-coins', '--keyring', ring, '--records', path('trial.log')],
		...['--out', path('coins.jsonl')],
	]);
	expect(opened).toMatchObject({ code: 0, out: `${PAIRS} coins opened\n` });
	served = new Map(read('coins.jsonl').map((coin) => [coin.id, coin.served]));
});

describe('a trial from key ring to verdict', () => {
	it('dataset: the served answers are in it', async () => {
		const texts = pairs.map((pair) => pair[served.get(pair.id) ?? 'a']);
		const suspect = write(
			'crawl.jsonl',
			texts.map((text) => ({ text: `… ${text} …` })),
		);
		const found = await result(
			tested('--suspect', suspect, '--access', 'dataset', '--control-account', 'control'),
		);
		expect(found).toMatchObject({
			access: 'dataset',
			pairs: 60,
			ties: 0,
			servedPreferred: 60,
			verdict: 'exposed',
			accounts: [{ account: 'suspected', pairs: 60, servedPreferred: 60 }],
			controls: { accounts: [{ account: 'control', pairs: 20 }], models: [] },
			assumptions: ['accounts-chosen-beforehand'],
			missing: 0,
		});
		// All signs alike: ranks and signs agree, 2^−60.
		expect(found.log10P).toBeCloseTo(-60 * Math.log10(2), 6);
		expect(found.alternatives).toEqual(['other-accounts']);
		const detected = await tested('--suspect', suspect, '--access', 'dataset', '--fail-on-detect');
		expect(detected.code).toBe(3);
	});

	it('closed: its own answers are near the served ones', async () => {
		const answers = pairs.map((pair) => ({
			prompt: pair.prompt,
			text: pair[served.get(pair.id) ?? 'a'].replace('e', 'i'),
		}));
		const suspect = write('answers.jsonl', answers);
		for (const kind of ['levenshtein', 'n-grams'])
			expect(
				await result(tested('--suspect', suspect, '--access', 'closed', '--similarity', kind)),
			).toMatchObject({ verdict: 'exposed', pairs: PAIRS });
	});

	it('grey: log-probabilities that an API gave', async () => {
		const logs = (bonus: number) =>
			pairs.flatMap((pair) =>
				(['a', 'b'] as const).map((side) => ({
					prompt: pair.prompt,
					text: pair[side],
					logProbs: [-3 - (pair[side].length % 3), -1 + (served.get(pair.id) === side ? bonus : 0)],
				})),
			);
		const suspect = write('grey.jsonl', logs(0.5));
		const reference = write('reference.jsonl', logs(0));
		const found = await result(tested('--suspect', suspect, '--access', 'grey', '--reference', reference));
		expect(found).toMatchObject({ verdict: 'exposed', access: 'grey' });
		write('short.jsonl', logs(0).slice(2));
		expect(await refused(tested('--suspect', path('short.jsonl'), '--access', 'grey'))).toMatch(
			/has no log-probabilities/,
		);
	});

	it('open: a shipped model that never saw them prefers nothing', async () => {
		const found = await result(
			tested('--suspect', 'student-marked', '--reference', 'teacher', 'base', '--control-model', 'base'),
		);
		expect(found.verdict).toBe('too-little-data');
		expect(found.log10P).toBeGreaterThan(-3);
		expect(found.controls.models[0]).toMatchObject({ model: 'base', pairs: PAIRS });
	});

	it('scores from elsewhere, recorded before the coins are opened', async () => {
		const scores = write(
			'scores.jsonl',
			pairs.map(({ id }, i) => ({
				id,
				a: served.get(id) === 'a' ? i : 0,
				b: served.get(id) === 'b' ? i : 0,
			})),
		);
		const saved = await result(exposure('--scores', scores, '--save-scores', path('saved.jsonl')));
		expect(saved.pairs).toBe(PAIRS);
		const found = await result(
			tested('--scores', path('saved.jsonl'), '--scores-digest', saved.scoresDigest),
		);
		expect(found).toMatchObject({
			verdict: 'exposed',
			ties: 1,
			scoresDigest: saved.scoresDigest,
			assumptions: ['scores-made-without-coins'],
		});
		expect(await refused(tested('--scores', scores, '--scores-digest', 'ab'.repeat(32)))).toMatch(
			/not the one that was recorded/,
		);
		// The same measure prefers the served answers for an older model too: it knew the coins.
		const cheating = await result(tested('--scores', scores, '--control-model', scores));
		expect(cheating).toMatchObject({ verdict: 'too-little-data', withheld: ['control-model-found'] });
	});

	it('says in words what it found, what was left out, and what is taken on trust', async () => {
		const scores = write(
			'flat.jsonl',
			pairs.map(({ id }) => ({ id, a: 1, b: 1 })),
		);
		const some = write('some.jsonl', pairs.slice(3));
		const elsewhere = write('elsewhere.jsonl', [{ text: pairs[5].a }]);
		const { code, out } = await runCli([
			...['exposure', '--pairs', some, '--coins', path('coins.jsonl'), '--scores', scores],
			...['--records', path('trial.log'), '--served-elsewhere', elsewhere],
		]);
		expect(code).toBe(0);
		expect(out).toMatch(/verdict: too-little-data at level 0.000001/);
		expect(out).toMatch(/3 pairs missing, counted as lost/);
		expect(out).toMatch(/1 pairs left out: a text was served elsewhere/);
		expect(out).toMatch(/taken on trust: scores-made-without-coins, served-elsewhere-without-coins/);
	});
});

describe('refused', () => {
	const scores = () => pairs.map(({ id }) => ({ id, a: 1, b: 0 }));

	it('files that carry more than they may: a measure must not see the coin', async () => {
		const telling = write(
			'telling.jsonl',
			scores().map((row) => ({ ...row, served: 'a' })),
		);
		expect(await refused(tested('--scores', telling))).toMatch(/telling.jsonl:1: .*served/);
		const pairsTelling = write(
			'pairs-telling.jsonl',
			pairs.map((pair) => ({ ...pair, served: 'a' })),
		);
		const args = ['exposure', '--pairs', pairsTelling, '--scores', telling, '--coins', path('coins.jsonl')];
		expect(await refused(runCli(args))).toMatch(/pairs-telling.jsonl:1: .*served/);
	});

	it('coins that do not open their commitments', async () => {
		const plain = write('plain.jsonl', scores());
		const coins = read('coins.jsonl');
		const flipped = write('flipped.jsonl', [
			{ ...coins[0], served: coins[0].served === 'a' ? 'b' : 'a' },
			...coins.slice(1),
		]);
		const args = ['--scores', plain, '--records', path('trial.log'), '--coins'];
		expect(await refused(exposure(...args, flipped))).toMatch(/"r0": gives the other answer/);
	});

	it('flags that say too much or too little', async () => {
		expect(await refused(tested())).toMatch(/give one of --suspect PATH, --scores FILE/);
		expect(await refused(exposure('--scores', path('x.jsonl')))).toMatch(/--coins FILE/);
		expect(await refused(tested('--suspect', 'https://api.example', '--reference', 'base'))).toMatch(
			/endpoints cannot be queried/,
		);
		expect(await refused(tested('--suspect', 'x', '--access', 'sideways'))).toMatch(/Allowed choices/);
		expect(await refused(tested('--suspect', path('missing')))).toMatch(/is it the folder of a model/);
		const ring = path('ring.json');
		expect(await refused(runCli(['keys', 'add', '--keyring', ring]))).toMatch(
			/one of --for, --cohort, --arm/,
		);
	});
});
