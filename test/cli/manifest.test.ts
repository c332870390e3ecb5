/** Signed manifests on the command line: written beside texts, held against them, by whoever knows the signer. */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { jsonLines as lines, newFolder, runCli } from './run-cli.js';

const folder = newFolder();
const path = (name: string) => join(folder, name);
const detect = (...args: string[]) => runCli(['detect', '--json', '--quiet', ...args]);
const RING = ['--keyring', path('ring.json')];

async function ok(...args: string[]): Promise<string> {
	const { code, out, err } = await runCli(args);
	expect([code, err]).toEqual([0, expect.not.stringContaining('error')]);
	return out;
}

let samples: { id: string; text: string; receipt: { id: string; time: string } }[];

beforeAll(async () => {
	await ok('keys', 'create', '--unsealed', '--account-layer', '--quiet', ...RING);
	await ok('keys', 'add', '--cohort', 'farms', ...RING);
	await ok('keys', 'commit', '--log', path('log'), ...RING);
	await ok('keys', 'create', '--unsealed', '--quiet', '--keyring', path('other.json'));
	writeFileSync(path('accounts.txt'), 'pseudonym-of-alice\npseudonym-of-bob\n');
	const options = ['--count', '3', '--max-tokens', '112', '--seed', 'manifest', '--quiet'];
	const layers = ['--accounts', path('accounts.txt'), '--cohort', 'farms'];
	const out = await ok('generate', ...options, ...layers, ...RING, '--manifest', path('manifests.jsonl'));
	writeFileSync(path('answers.jsonl'), out);
	samples = lines(out);
	const { publicKey } = JSON.parse(readFileSync(path('ring.json'), 'utf8'));
	const trust = { format: 'touchmark-trust', version: 1, signers: [{ name: 'provider', publicKey }] };
	writeFileSync(path('trust.json'), JSON.stringify(trust));
	const stranger = JSON.parse(readFileSync(path('other.json'), 'utf8')).publicKey;
	const others = { ...trust, signers: [{ name: 'somebody else', publicKey: stranger }] };
	writeFileSync(path('others.json'), JSON.stringify(others));
}, 120_000);

describe('generate --manifest, detect --manifest', () => {
	it('says of each text what was signed, beside what its mark says', async () => {
		const { code, out } = await detect(path('answers.jsonl'), ...RING, '--manifest', path('manifests.jsonl'));
		expect(code).toBe(0);
		const results = lines(out);
		const specs = lines(await ok('keys', 'list', ...RING, '--json'));
		const deployment = specs.filter(({ spec }) => spec.layer === 'deployment').map(({ id }) => id);
		expect(results).toHaveLength(3);
		for (const [i, result] of results.entries())
			expect(result).toMatchObject({
				verdict: 'marked',
				manifest: {
					status: 'valid',
					code: 'ok',
					says: {
						digitalSourceType: 'http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia',
						generator: 'touchmark teacher',
						deployment: 'default',
						time: samples[i].receipt.time,
						receipt: samples[i].receipt.id,
						marks: deployment,
					},
				},
			});
	});

	it('names neither account nor cohort', () => {
		const payloads = lines(readFileSync(path('manifests.jsonl'), 'utf8')).map(({ payload }) =>
			Buffer.from(payload, 'base64').toString('utf8'),
		);
		for (const payload of payloads) expect(payload).not.toMatch(/pseudonym|alice|bob|farms/);
	});

	it('tells changed texts, texts without a manifest, and signers that are not trusted', async () => {
		const [first, second, third] = samples;
		const records = [
			first,
			{ ...second, text: `${second.text} ` },
			{ id: 'unsigned', text: `Before it: ${third.text}` },
			{ id: 'renamed', text: third.text },
		];
		writeFileSync(path('changed.jsonl'), records.map((record) => `${JSON.stringify(record)}\n`).join(''));
		const manifests = ['--manifest', path('manifests.jsonl')];
		const found = async (...trust: string[]) =>
			lines((await detect(path('changed.jsonl'), ...RING, ...manifests, ...trust)).out).map(
				({ manifest: { status, code } }) => [status, code],
			);
		const expected = [
			['valid', 'ok'],
			['invalid', 'subject-differs'],
			['absent', 'no-manifest'],
			['valid', 'ok'],
		];
		expect(await found()).toEqual(expected);
		expect(await found('--trust', path('trust.json'))).toEqual(expected);
		expect(await found('--trust', path('others.json'))).toEqual([
			['invalid', 'signer-not-trusted'],
			['invalid', 'signer-not-trusted'],
			['absent', 'no-manifest'],
			['invalid', 'signer-not-trusted'],
		]);
	});

	it('holds one file against one manifest, byte by byte', async () => {
		const [manifest] = readFileSync(path('manifests.jsonl'), 'utf8').split('\n');
		writeFileSync(path('one.json'), `${manifest}\n`);
		const verdict = async (text: string | Uint8Array, json: string) => {
			writeFileSync(path('answer.txt'), text);
			writeFileSync(path('held.json'), json);
			const { code, out } = await detect(path('answer.txt'), ...RING, '--manifest', path('held.json'));
			expect(code).toBe(0);
			return lines(out)[0].manifest.code;
		};
		const { text } = samples[0];
		expect(await verdict(text, manifest)).toBe('ok');
		expect(await verdict(`${text}\n`, manifest)).toBe('subject-differs');
		expect(await verdict(`\uFEFF${text}`, manifest)).toBe('subject-differs');
		expect(await verdict(text, manifest.replace('"keyid":"', '"keyid":"0'))).toBe('malformed-envelope');
		expect(await verdict(text, manifest.replace(/"sig":"./, '"sig":"_'))).toBe('malformed-envelope');
		expect(await verdict(text, '{}')).toBe('malformed-envelope');
	});

	it('warns of manifests that cannot be read among others', async () => {
		const [first, ...rest] = readFileSync(path('manifests.jsonl'), 'utf8').split('\n');
		writeFileSync(path('torn.jsonl'), [first.slice(0, -9), ...rest].join('\n'));
		const { out, err } = await runCli([
			...['detect', '--json', path('answers.jsonl'), ...RING, '--manifest', path('torn.jsonl')],
		]);
		expect(lines(out).map(({ manifest }) => manifest.status)).toEqual(['absent', 'valid', 'valid']);
		expect(err).toMatch(/1 of 3 manifests cannot be read.*torn\.jsonl:1: malformed-envelope/);
	});

	it('refuses what cannot be meant', async () => {
		const manifest = ['--manifest', path('manifests.jsonl')];
		const vllm = ['--vllm-config', '{"algorithm":"gumbel","key":"42","context_width":4}'];
		writeFileSync(path('ids.jsonl'), '[1,2,3,4,5,6]\n');
		writeFileSync(path('empty.jsonl'), '\n');
		writeFileSync(path('nobody.json'), '{"format":"touchmark-trust","version":1}');
		for (const [args, reason] of [
			[['detect', '--tokens', path('ids.jsonl'), ...RING, ...manifest], /cannot be held against token ids/],
			[
				['detect', path('answers.jsonl'), ...vllm, '--tokenizer', 'models/teacher', ...manifest],
				/whose manifests are believed/,
			],
			[['detect', path('answers.jsonl'), ...RING, '--manifest', path('empty.jsonl')], /holds no manifest/],
			[
				['detect', path('answers.jsonl'), ...RING, ...manifest, '--trust', path('nobody.json')],
				/names nobody/,
			],
			[['generate', ...manifest], /give --keyring FILE/],
		] as const) {
			const { code, err } = await runCli(args);
			expect([code, err]).toEqual([2, expect.stringMatching(reason)]);
		}
	});
});

describe('manifest sign, manifest verify', () => {
	it('signs texts that others generated, for readers without a key of the marks', async () => {
		writeFileSync(path('note.txt'), 'A text that a model wrote.\r\n');
		const made = ['--generator', 'our-model-2', '--deployment', 'default', '--out', path('signed.jsonl')];
		const out = await ok('manifest', 'sign', path('answers.jsonl'), path('note.txt'), ...RING, ...made);
		expect(out).toMatch(/4 manifests signed by [0-9a-f]{64}/);
		const verify = ['manifest', 'verify', '--manifest', path('signed.jsonl'), '--trust', path('trust.json')];
		const checked = await runCli([...verify, '--json', '--', path('answers.jsonl'), path('note.txt')]);
		expect(checked.code).toBe(0);
		const results = lines(checked.out);
		expect(results.map(({ manifest }) => manifest.code)).toEqual(['ok', 'ok', 'ok', 'ok']);
		expect(results[0].manifest.says).toMatchObject({ generator: 'our-model-2', deployment: 'default' });
		copyFileSync(path('note.txt'), path('copy.txt'));
		expect((await runCli([...verify, '--', path('copy.txt')])).out).toBe(
			`copy.txt: manifest valid (made by our-model-2, ${results[3].manifest.says.time})\n`,
		);
		writeFileSync(path('copy.txt'), 'A text that a person wrote.\n');
		const changed = await runCli([...verify, '--', path('copy.txt')]);
		expect([changed.code, changed.out]).toEqual([1, 'copy.txt: no manifest\n']);
		writeFileSync(path('note.txt'), 'A text that a person wrote.\n');
		const named = await runCli([...verify, '--', path('note.txt')]);
		expect([named.code, named.out]).toEqual([1, 'note.txt: manifest invalid (subject-differs)\n']);
	});

	it('states no marks of a deployment that the ring does not have', async () => {
		const made = ['--generator', 'g', '--deployment', 'nowhere', '--out', path('unwritten.jsonl')];
		const { code, err } = await runCli(['manifest', 'sign', path('answers.jsonl'), ...RING, ...made]);
		expect([code, err]).toEqual([2, expect.stringMatching(/no mark of "nowhere"/)]);
	});
});
