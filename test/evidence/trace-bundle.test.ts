/** A trace in a bundle: which accounts records came through, with what chance of a wrong name, computed again by a stranger. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { payloadOf, signEnvelope } from '../../src/evidence/dsse.js';
import { EvidencePredicate, PAYLOAD_TYPE } from '../../src/evidence/statement.js';
import { bundleText, readEnvelope, verifyBundle } from '../../src/evidence/verify.js';
import { createKeyring } from '../../src/keys/keyring.js';
import { canonicalBytes } from '../../src/marks/mark-spec.js';
import { runBuilt } from '../cli/built-cli.js';
import { newFolder, runCli } from '../cli/run-cli.js';

const folder = newFolder();
const path = (name: string) => join(folder, name);
const ring = ['--keyring', path('ring.json')];
/** Keys are random: at the default rate one run in a hundred would find the innocent cohort. */
const fdr = ['--fdr', '0.000001'];

async function ok(...args: string[]): Promise<string> {
	const { code, out, err } = await runCli(args);
	expect([code, err]).toEqual([0, '']);
	return out;
}
async function built(...args: string[]): Promise<string> {
	const { code, out, err } = await runBuilt(args, { folder });
	expect([code, err]).toEqual([0, '']);
	return out;
}
/** Builds a bundle of a plan. */
async function seal(name: string, plan: object): Promise<void> {
	writeFileSync(path('plan.json'), JSON.stringify(plan));
	const build = ['evidence', 'build', 'plan.json', ...ring, '--key', 'keys.json', '--log', 'log'];
	await built(...build, '--out', name, '--quiet');
}
/** What a stranger with the files and the keys says of each check. */
async function checksOf(name: string): Promise<Map<string, string>> {
	const verify = ['evidence', 'verify', name, '--corpus', '.', '--key', 'keys.json', '--json'];
	const { checks } = JSON.parse(await built(...verify)) as { checks: { name: string; status: string }[] };
	return new Map(checks.map((check) => [check.name, check.status]));
}
const bundle = () => readFileSync(path('bundle.json'));
interface Row {
	readonly kind: string;
	readonly name: string;
	readonly found: boolean;
}
const namesIn = (groups: readonly Row[], kind: string) =>
	groups.filter((row) => row.kind === kind && row.found).map(({ name }) => name);

beforeAll(async () => {
	await ok('keys', 'create', ...ring, '--unsealed', '--quiet', '--account-layer');
	for (const cohort of ['farms', 'resellers']) await ok('keys', 'add', ...ring, '--cohort', cohort);
	await ok('keys', 'commit', ...ring, '--log', path('log'));
	await ok('keys', 'open', ...ring, '--epoch', '0', '--out', path('keys.json'));
	writeFileSync(path('accounts.txt'), Array.from({ length: 500 }, (_, i) => `account-${i}\n`).join(''));
	writeFileSync(path('served.txt'), 'account-3\naccount-40\n');
	const served = ['--accounts', path('served.txt'), '--cohort', 'farms'];
	writeFileSync(path('marked.jsonl'), await ok('generate', '--count', '12', ...ring, ...served));
	writeFileSync(path('plain.jsonl'), await ok('generate', '--count', '12', '--quiet'));
	const trace = (suspect: string, file: string) => ({
		...{ suspect, command: 'trace' },
		args: [{ file }, '--accounts', { file: 'accounts.txt' }, ...fdr],
	});
	await seal('bundle.json', {
		title: 'Two datasets',
		suspects: ['rival', 'other'].map((name) => ({ name, released: null })),
		tests: [trace('rival', 'marked.jsonl'), trace('other', 'plain.jsonl')],
	});
}, 120_000);

test('says which accounts and cohorts, and the name of nobody else', async () => {
	const { valid, findings, predicate } = await verifyBundle(bundle());
	expect(valid).toBe(true);
	const [rival, other] = findings;
	expect(rival).toMatchObject({ suspect: 'rival', command: 'trace', verdict: 'marked', scored: 12 });
	expect(namesIn(rival.groups, 'account').sort()).toEqual(['account-3', 'account-40']);
	expect(namesIn(rival.groups, 'cohort')).toEqual(['farms']);
	expect(other).toMatchObject({ suspect: 'other', verdict: 'no-evidence', log10P: 0 });
	expect(other.groups.filter(({ found }) => found)).toEqual([]);
	// The strongest account, corrected for all 500 and for the two tests of the bundle.
	const strongest = Math.min(
		...rival.groups.filter(({ kind }) => kind === 'account').map((row) => row.log10P),
	);
	expect(rival.log10PCorrected).toBeCloseTo(strongest + Math.log10(500 * 2), 9);
	// Every key that was used: the account layer, the deployment's draw that gates it, and the cohorts.
	expect(predicate?.marks.map(({ spec }) => spec.layer).sort()).toEqual([
		...['account', 'cohort', 'cohort', 'deployment'],
	]);
});

test('is computed again with files and keys', async () => {
	const checks = await checksOf('bundle.json');
	for (const name of ['commitments', 'results', 'files', 'keys', 'recomputation'])
		expect(checks.get(name), name).toBe('passed');
});

test('the page names them, and says what a name is', async () => {
	await ok('evidence', 'report', path('bundle.json'), '--out', path('report.html'), '--quiet');
	const page = readFileSync(path('report.html'), 'utf8');
	for (const name of ['account-3', 'account-40']) expect(page).toContain(`<bdi>${name}</bdi>`);
	expect(page).not.toContain('account-4<');
	expect(page).toMatch(/at most 10⁻⁶ are wrong on average, over all tests of the bundle/);
	expect(page).toContain('that it is found does not say who passed its answers on');
});

test('cohorts of answers too, with those that are not suspected beside them', async () => {
	const args = [
		'--suspect',
		{ file: 'marked.jsonl' },
		'--control-cohort',
		'resellers',
		'--held-out-keys',
		'9',
	];
	await seal('answers.json', {
		title: 'Answers',
		suspects: [{ name: 'rival', released: null }],
		tests: [{ suspect: 'rival', command: 'radioactivity', args: [...args, ...fdr] }],
	});
	const { findings } = await verifyBundle(readFileSync(path('answers.json')));
	expect(namesIn(findings[0].groups, 'cohort')).toEqual(['farms']);
	expect(findings[0].groups.map(({ kind, name }) => [kind, name])).toContainEqual([
		'control cohort',
		'resellers',
	]);
	expect((await checksOf('answers.json')).get('recomputation')).toBe('passed');
});

/** A result of the first test, changed and signed by somebody. */
async function withResult(change: (result: Record<string, unknown>) => object) {
	const statement = JSON.parse(
		Buffer.from(payloadOf(readEnvelope(bundle(), 'the bundle'))).toString('utf8'),
	) as {
		predicate: unknown;
	};
	const predicate = EvidencePredicate.parse(statement.predicate);
	const [first, ...rest] = predicate.tests;
	const tests = [{ ...first, result: [change(first.result[0])] }, ...rest];
	const payload = canonicalBytes({ ...statement, predicate: { ...predicate, tests } });
	const signer = createKeyring({ unsealed: true }, new Uint8Array(32).fill(8));
	return verifyBundle(Buffer.from(bundleText(signEnvelope(PAYLOAD_TYPE, payload, signer))));
}
test.each<[string, (result: Record<string, unknown>) => object, RegExp]>([
	[
		'an account that the p-value does not bear',
		(result) => ({
			...result,
			accounts: [
				{ account: 'account-7', records: 1, named: 0, log10P: -3, log10PAdjusted: -3, epochs: [0, 0] },
			],
		}),
		/finds account "account-7", but its p-value does not reach the false discovery rate/,
	],
	[
		'a key that nobody committed to',
		(result) => ({ ...result, marks: [{ mark: 'ab'.repeat(32), epoch: 0, searchBits: 0 }] }),
		/tests a mark that the bundle does not name/,
	],
	['no number of accounts', (result) => ({ ...result, hypotheses: 0 }), /is not what its command prints/],
])('%s is refused', async (_, change, sentence) => {
	const { valid, checks } = await withResult(change);
	expect(valid).toBe(false);
	expect(checks.filter(({ status }) => status === 'failed')).toMatchObject([
		{ code: 'results-contradict', detail: expect.stringMatching(sentence) },
	]);
});
test('an account that is found by itself is not found any more beside too many other tests', async () => {
	const { findings } = await withResult((result) => ({
		...result,
		// At the rate to the letter: one test could find it, two cannot.
		accounts: [
			{ account: 'account-7', records: 1, named: 0, log10P: -6, log10PAdjusted: -6, epochs: [0, 0] },
		],
	}));
	expect(findings[0].groups.find(({ name }) => name === 'account-7')?.found).toBe(false);
	expect(findings[0].verdict).toBe('no-evidence');
});
