/** Keys out of a ring into other systems' configurations, and back. */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { randomStream } from '../../src/embed/random.js';
import { HfConfig, hfMark } from '../../src/marks/hf-config.js';
import type { Mark } from '../../src/marks/mark.js';
import { VllmConfig, vllmMark } from '../../src/marks/vllm-config.js';
import { newFolder, runCli } from './run-cli.js';

const folder = newFolder();
const path = (name: string) => join(folder, name);
const ring = path('ring.json');
const run = async (...args: string[]) => {
	const outcome = await runCli([...args, '--keyring', ring]);
	expect(outcome.err).not.toMatch(/^error/m);
	expect(outcome.code).toBe(0);
	return outcome;
};
const json = (text: string) => JSON.parse(text) as Record<string, unknown>;

/** What a fleet with this mark would write: draws or tilts over a flat distribution. */
function written(mark: Mark, length: number, vocabSize: number): number[] {
	const random = randomStream('fleet');
	const { contextWidth } = mark.spec;
	const tokens = Array.from({ length: contextWidth + 1 }, (_, i) => 3 + i);
	while (tokens.length < length) {
		const context = contextWidth === 0 ? [] : tokens.slice(-contextWidth);
		const logits = Float32Array.from({ length: vocabSize }, () => 3 * random.next());
		if (mark.spec.channel === 'choice') tokens.push(mark.scheme.draw?.(context, logits, random) ?? 0);
		else {
			mark.scheme.tilt?.(context, logits);
			tokens.push(logits.indexOf(Math.max(...logits)));
		}
	}
	return tokens;
}

beforeAll(async () => {
	await run('keys', 'create', '--unsealed');
	await run('keys', 'add', '--for', 'hf-kgw', '--vocab-size', '500');
	await run('keys', 'commit', '--log', path('keys.log'));
});

describe('keys export', () => {
	it('--vllm adds a mark that vLLM can express, says what it serves, and writes a file for its owner only', async () => {
		const out = path('vllm.json');
		const { out: text, err } = await run('keys', 'export', '--vllm', '--out', out);
		expect(err).toMatch(/was added for vllm/);
		expect(err).toMatch(/keys commit/);
		expect(text).toMatch(/identify: yes/);
		expect(text).toMatch(/inherit: no, a context of width 4 identifies and is not inherited/);
		expect(statSync(out).mode & 0o777).toBe(0o600);
		const config = readFileSync(out, 'utf8');
		expect(text).not.toContain(String(json(config).key));
		expect(json(config)).toMatchObject({ algorithm: 'gumbel', context_width: 4, prf: 'philox' });
		// A second export finds the mark that is there.
		const again = await run('keys', 'export', '--vllm', '--out', path('again.json'));
		expect(again.err).not.toMatch(/was added/);
		expect(readFileSync(path('again.json'), 'utf8')).toBe(config);
	});

	it('text by the exported configurations is found with the ring, whoever wrote it', async () => {
		await run('keys', 'commit', '--log', path('keys.log'));
		await run('keys', 'export', '--hf', '--out', path('kgw.json'));
		await run('keys', 'add', '--for', 'hf-synthid');
		await run('keys', 'commit', '--log', path('keys.log'));
		const rows = (await run('keys', 'list', '--json')).out.trimEnd().split('\n').map(json) as {
			id: string;
			spec: { prf: string };
		}[];
		const synthid = rows.find((row) => row.spec.prf === 'transformers-synthid-v1');
		await run('keys', 'export', '--hf', '--mark', synthid?.id ?? '', '--out', path('synthid.json'));
		// Exactly the arguments that transformers' classes take.
		expect(Object.keys(json(readFileSync(path('kgw.json'), 'utf8')))).toEqual([
			'greenlist_ratio',
			'bias',
			'hashing_key',
			'seeding_scheme',
			'context_width',
		]);
		const fleets = {
			gumbel: vllmMark(VllmConfig.parse(json(readFileSync(path('vllm.json'), 'utf8')))),
			kgw: hfMark(HfConfig.parse({ ...json(readFileSync(path('kgw.json'), 'utf8')), vocab_size: 500 })),
			synthid: hfMark(HfConfig.parse(json(readFileSync(path('synthid.json'), 'utf8')))),
		};
		for (const [scheme, mark] of Object.entries(fleets)) {
			const file = path(`${scheme}.jsonl`);
			writeFileSync(file, `${JSON.stringify(written(mark, 400, 500))}\n`);
			const result = json((await run('detect', '--tokens', file, '--json')).out);
			expect(result).toMatchObject({ verdict: 'marked', scheme, searchBits: 0 });
			expect(result.log10P).toBeLessThan(-20);
			expect(result.tests).toHaveLength(5);
		}
		const innocent = path('innocent.jsonl');
		writeFileSync(innocent, `[${Array.from({ length: 400 }, (_, i) => (i * i * 7) % 499)}]\n`);
		expect(json((await run('detect', '--tokens', innocent, '--json')).out).verdict).not.toBe('marked');
	});

	it('--spec opens one mark, which detects without the ring', async () => {
		const [shape] = (await run('keys', 'list', '--json')).out.trimEnd().split('\n').map(json);
		await run(
			'keys',
			'export',
			'--spec',
			'--mark',
			String(shape.id).slice(0, 12),
			'--out',
			path('spec.json'),
		);
		const opened = json(readFileSync(path('spec.json'), 'utf8'));
		expect(opened).toMatchObject({ format: 'touchmark-opened-mark', spec: shape.spec, logged: { index: 0 } });
		writeFileSync(path('ids.jsonl'), '[1,2,3,4,5,6,7,8]\n');
		const args = ['detect', '--tokens', path('ids.jsonl'), '--json'];
		const alone = await runCli([...args, '--spec', path('spec.json')]);
		const whole = json((await run(...args)).out) as { tests: { mark: string; log10P: number }[] };
		expect(json(alone.out)).toMatchObject({ mark: shape.id, searchBits: 0 });
		expect(json(alone.out).log10P).toBe(whole.tests[0].log10P);
		// Another key under the same commitment is refused.
		const key = String(opened.key);
		writeFileSync(
			path('forged.json'),
			JSON.stringify({ ...opened, key: key.replace(/^../, key.startsWith('00') ? '01' : '00') }),
		);
		const forged = await runCli([...args, '--spec', path('forged.json')]);
		expect(forged.code).toBe(2);
		expect(forged.err).toMatch(/does not open the commitment/);
		expect(forged.err).not.toContain(key.slice(2, 20));
	});

	it('prints the key on the screen only with --reveal', async () => {
		const { out } = await run('keys', 'export', '--vllm', '--reveal');
		expect(json(out)).toHaveProperty('key');
	});

	it.each([
		['--vllm', 'shape', /vLLM cannot express this mark: .*choice channel only/],
		['--vllm', 'choice', /vLLM cannot express this mark: its generator is Philox.*chacha8-v1/],
		['--hf', 'choice', /transformers cannot express this mark: .*chacha8-v1/],
	])('%s refuses our %s mark, with the reason', async (target, channel, reason) => {
		const rows = (await run('keys', 'list', '--json')).out.trimEnd().split('\n').map(json) as {
			id: string;
			spec: { prf: string; channel: string };
		}[];
		const ours = rows.find(({ spec }) => spec.prf === 'chacha8-v1' && spec.channel === channel);
		const outcome = await runCli(['keys', 'export', target, '--mark', ours?.id ?? '', '--keyring', ring]);
		expect(outcome.code).toBe(2);
		expect(outcome.err).toMatch(reason);
	});

	it('asks which of several marks is meant', async () => {
		const outcome = await runCli(['keys', 'export', '--hf', '--keyring', ring]);
		expect(outcome.code).toBe(2);
		expect(outcome.err).toMatch(/several marks can be exported.*--mark/);
	});

	it('sbw: the exported configuration finds what the ring marks, and adds the number that vLLM would give', async () => {
		const own = ['--keyring', path('sbw-ring.json')];
		const sbw = path('sbw.json');
		await runCli(['keys', 'create', '--unsealed', ...own]);
		await runCli(['keys', 'add', '--for', 'vllm-sbw', ...own]);
		const exported = await runCli(['keys', 'export', '--vllm', '--out', sbw, ...own]);
		expect(exported.err).not.toMatch(/was added/);
		const config = json(readFileSync(sbw, 'utf8'));
		expect(config).toMatchObject({
			algorithm: 'sbw',
			sbw_scheme: 'selfhash',
			sbw_gamma: 0.5,
			sbw_delta: 2,
			context_width: 4,
		});
		const file = path('sbw.jsonl');
		writeFileSync(file, `${JSON.stringify(written(vllmMark(VllmConfig.parse(config)), 400, 500))}\n`);
		const { out } = await runCli(['detect', '--tokens', file, '--vllm-config', sbw, '--json']);
		const result = json(out) as { log10P: number; upstream: { scored: number; log10P: number } };
		expect(result).toMatchObject({ verdict: 'marked', scheme: 'kgw', searchBits: 64 });
		expect(result.log10P).toBeLessThan(-30);
		expect(result.upstream.log10P).toBeLessThan(-30);
	});

	it('asks for the vocabulary that lists are permutations of', async () => {
		const outcome = await runCli(['keys', 'add', '--for', 'hf-selfhash', '--keyring', ring]);
		expect(outcome.code).toBe(2);
		expect(outcome.err).toMatch(/--vocab-size/);
	});
});

describe('detect --hf-config', () => {
	it("adds upstream's own numbers", async () => {
		for (const name of ['transformers-kgw-reference', 'transformers-synthid-reference']) {
			const { cases } = JSON.parse(readFileSync(`test/vectors/${name}.json`, 'utf8')) as {
				cases: { hf: object; tokens: number[]; expect: Record<string, number> }[];
			};
			const [one] = cases;
			writeFileSync(path('hf.jsonl'), `${JSON.stringify(one.tokens)}\n`);
			writeFileSync(path('hf.json'), JSON.stringify(one.hf));
			for (const config of [JSON.stringify(one.hf), path('hf.json')]) {
				const { code, out } = await runCli([
					'detect',
					'--tokens',
					path('hf.jsonl'),
					'--hf-config',
					config,
					'--json',
				]);
				expect(code).toBe(0);
				const upstream = json(out).upstream as Record<string, number>;
				for (const [key, value] of Object.entries(one.expect))
					if (typeof value === 'number') expect(upstream[key]).toBeCloseTo(value, 9);
			}
		}
	});
	it.each([
		['{"greenlist_ratio":0.5}', /field "vocab_size".*vocabulary/],
		['{"greenlist_ratio":1.5,"vocab_size":100}', /field "greenlist_ratio"/],
		['{"ngram_len":5,"keys":[]}', /field "keys"/],
		['{"ngram_len":5,"keys":[1],"hash":"sha256"}', /field "hash"/],
		['{"ngram_len":5,"keys":[18446744073709551615]}', /decimal string/],
		['{"vocab_size":100,"colour":1}', /colour/],
	])('refuses %s', async (config, reason) => {
		writeFileSync(path('some.jsonl'), '[1,2,3]\n');
		const outcome = await runCli(['detect', '--tokens', path('some.jsonl'), '--hf-config', config]);
		expect(outcome.code).toBe(2);
		expect(outcome.err).toMatch(reason);
	});
});

describe('detect with token entropies', () => {
	it('declares a second test for green lists, from ids or from text', async () => {
		const text = (await runCli(['generate', '--count', '1', '--seed', 'entropy'])).out;
		const { tokens } = json(text) as { tokens: number[] };
		const entropies = tokens.map((_, i) => 1 + (i % 3));
		writeFileSync(path('weighted.jsonl'), `${JSON.stringify({ tokens, h: entropies })}\n`);
		const flags = ['--entropy-field', 'h', '--entropy-weighting', 'sweet:1.5', '--keyring', ring, '--json'];
		const result = json((await runCli(['detect', '--tokens', path('weighted.jsonl'), ...flags])).out) as {
			tests: { statistic: string; scheme: string }[];
			hypotheses: number;
		};
		expect(
			result.tests.filter(({ statistic }) => statistic === 'entropy-weighted').map(({ scheme }) => scheme),
		).toEqual(['kgw']);
		expect(result.hypotheses).toBe(result.tests.length);
		writeFileSync(path('short.jsonl'), `${JSON.stringify({ tokens, h: [1] })}\n`);
		const short = await runCli(['detect', '--tokens', path('short.jsonl'), ...flags]);
		expect(short.code).toBe(2);
		expect(short.err).toMatch(/1 entropies for \d+ tokens/);
	});
});
