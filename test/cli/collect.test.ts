/** Collecting as an investigator does it: the command line against a suspect that fails. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { FAULTS, type SuspectOptions, type SuspectServer, startSuspect } from '../../bench/suspect-server.js';
import { readReadings } from '../../src/corpus/readings.js';
import { embeddedPrompts, embeddedTokenizer } from '../../src/generate/embedded.js';
import { runBuilt } from './built-cli.js';
import { newFolder, runCli } from './run-cli.js';

const folder = newFolder();
const path = (name: string) => join(folder, name);
const read = (name: string) => readFileSync(path(name), 'utf8');
const lines = (text: string) =>
	text
		.trimEnd()
		.split('\n')
		.map((line) => JSON.parse(line));
const SECRET = 'sk-planted-4242-secret';
const ENV = { OPENAI_API_KEY: SECRET, ANTHROPIC_API_KEY: SECRET };
const FAST = ['--back-off', '0.01', '--attempts', '12'];
/** All but answers that never come, which take their time. */
const KINDS = FAULTS.filter((fault) => fault !== 'slow');

const faults = (seed: string, share: number) => ({ seed, share, kinds: KINDS });

const servers: SuspectServer[] = [];
async function suspect(options: SuspectOptions = {}): Promise<SuspectServer> {
	const server = await startSuspect(options);
	servers.push(server);
	return server;
}
afterEach(async () => {
	for (const server of servers.splice(0)) await server.close();
});

/** Runs collect into a folder of this test. */
const collect = (server: SuspectServer, out: string, ...args: string[]) =>
	runCli(
		[
			'collect',
			'--endpoint',
			server.url,
			'--model',
			'suspect',
			'--out',
			path(out),
			'--json',
			...FAST,
			...args,
		],
		ENV,
	);

beforeAll(async () => {
	writeFileSync(path('prompts.txt'), embeddedPrompts().slice(0, 24).join('\n'));
	const ring = ['--keyring', path('ring.json'), '--unsealed'];
	expect((await runCli(['keys', 'create', ...ring])).code).toBe(0);
});

describe('a collection', () => {
	const asked = ['--prompts', path('prompts.txt'), '--max-tokens', '12', '--concurrency', '6'];

	it.each([
		['chat', []],
		['chat', ['--stream', '--top-logprobs', '2']],
		['completions', ['--samples', '2', '--seed', '7']],
		['completions', ['--stream']],
		['messages', []],
		['messages', ['--stream']],
	])('over %s %j is the same whatever fails in between', async (protocol, flags) => {
		const name = `${protocol}${flags.join('')}`;
		const args = [...asked, '--protocol', protocol, ...flags, '--keyring', path('ring.json')];
		const calm = await collect(await suspect({ apiKey: SECRET }), `calm-${name}`, ...args);
		const server = await suspect({ apiKey: SECRET, faults: faults(name, 0.35) });
		const rough = await collect(server, `rough-${name}`, ...args);
		expect([calm.code, rough.code]).toEqual([0, 0]);
		const [one, other] = [...lines(calm.out), ...lines(rough.out)];
		expect(Object.keys(server.seen.faults).length).toBeGreaterThanOrEqual(4);
		expect(other.requests.sent).toBe(server.seen.requests);
		expect(other.root).toBe(one.root);
		expect(read(`rough-${name}/records.jsonl`)).toBe(read(`calm-${name}/records.jsonl`));
		expect(lines(read(`calm-${name}/records.jsonl`))).toHaveLength(flags.includes('--samples') ? 48 : 24);
		const checked = await runCli(['transcript', path(`rough-${name}`), '--keyring', path('ring.json')]);
		expect(checked.code).toBe(0);
	});

	it('survives 20 kills: no answer lost or asked twice, nothing beyond the budget', async () => {
		writeFileSync(path('many.txt'), embeddedPrompts().slice(0, 250).join('\n'));
		const args = ['--prompts', path('many.txt'), '--max-tokens', '4', '--concurrency', '3'];
		const calm = await collect(await suspect(), 'unkilled', ...args);

		let moment = 20261125;
		const random = (below: number) => {
			moment = (moment * 1103515245 + 12345) % 2 ** 31;
			return (moment >> 8) % below;
		};
		/** Requests after which the running process is killed, and how soon. */
		let kill = (_: number) => {};
		const server = await suspect({
			faults: faults('kills', 0.3),
			onRequest: (count) => kill(count),
		});
		const command = [
			...['collect', '--endpoint', server.url, '--model', 'suspect'],
			...['--out', path('killed'), '--json', '--quiet', ...FAST, ...args],
		];
		const budget = 290;
		for (let kills = 0; kills < 20; kills++) {
			const killing = new AbortController();
			const from = server.seen.requests;
			const [after, milliseconds] = [1 + random(3), random(5)];
			kill = (count) => {
				if (count === from + after) setTimeout(() => killing.abort(), milliseconds);
			};
			const { code } = await runBuilt([...command, '--max-requests', String(budget)], {
				kill: killing.signal,
			});
			expect(code).toBe(null);
		}
		kill = () => {};
		const spent = await collect(server, 'killed', ...args, '--max-requests', String(budget));
		const [atBudget] = lines(spent.out);
		expect(spent.code).toBe(0);
		expect(atBudget.requests.sent).toBeLessThanOrEqual(budget);
		expect(server.seen.requests).toBeLessThanOrEqual(atBudget.requests.sent);
		expect(atBudget.requests.interrupted).toBeGreaterThan(0);

		const rest = await collect(server, 'killed', ...args);
		const [done] = lines(rest.out);
		expect(done).toMatchObject({ stopped: 'done', records: 250, notReached: 0 });
		expect(done.root).toBe(lines(calm.out)[0].root);
		expect(read('killed/records.jsonl')).toBe(read('unkilled/records.jsonl'));
		const answered = lines(read('killed/journal.jsonl')).filter(({ type }) => type === 'answered');
		expect(answered).toHaveLength(250);
	}, 400_000);

	it('again asks nothing and says the same', async () => {
		const server = await suspect();
		const first = await collect(server, 'twice', ...asked);
		const before = server.seen.requests;
		const second = await collect(server, 'twice', ...asked);
		expect(second.out).toBe(first.out);
		expect(server.seen.requests).toBe(before);
	});

	it('of another plan is refused', async () => {
		const server = await suspect();
		await collect(server, 'planned', ...asked);
		const { code, err } = await collect(server, 'planned', ...asked, '--temperature', '0.5');
		expect(code).toBe(2);
		expect(err).toMatch(/journal\.jsonl: was begun with other parameters/);
	});

	it('keeps to a budget in money by what the suspect bills, and goes on with a larger one', async () => {
		const server = await suspect({ faults: faults('money', 0.4) });
		const money = ['--price-in', '100', '--price-out', '1000'];
		const cost = () => (server.seen.billed.input * 100 + server.seen.billed.output * 1000) / 1e6;
		const poor = await collect(server, 'money', ...asked, ...money, '--max-cost', '0.3');
		expect(poor.code).toBe(0);
		const [summary] = lines(poor.out);
		expect(summary.stopped).toBe('budget');
		expect(summary.records).toBeGreaterThan(0);
		expect(summary.notReached).toBe(24 - summary.records);
		expect(cost()).toBeLessThanOrEqual(0.3);
		const rich = await collect(server, 'money', ...asked, ...money, '--max-cost', '5');
		expect(lines(rich.out)[0]).toMatchObject({ stopped: 'done', records: 24 });
	});

	it('never lets the API key out', async () => {
		const server = await suspect({ apiKey: SECRET, faults: faults('key', 0.5) });
		const outcomes = [
			await collect(server, 'key', ...asked, '--keyring', path('ring.json')),
			// The suspect repeats the key that it was given, in an error.
			await runCli(
				[
					...['collect', '--endpoint', server.url, '--model', 'x', '--out', path('key-wrong')],
					...asked,
					...['--api-key-env', 'OTHER', '--debug'],
				],
				{ OTHER: `${SECRET}-wrong` },
			),
		];
		expect(outcomes.map(({ code }) => code)).toEqual([0, 1]);
		expect(outcomes[1].err).toMatch(/401.*--api-key-env/);
		const files = ['key', 'key-wrong'].flatMap((out) =>
			readdirSync(path(out)).map((name) => read(join(out, name))),
		);
		expect([...files, ...outcomes.flatMap(({ out, err }) => [out, err])].join()).not.toContain(SECRET);
	});

	it('records what was declined, once', async () => {
		writeFileSync(path('declined.txt'), 'It was a\nPlease REFUSE\nThere is\n');
		for (const protocol of ['chat', 'completions', 'messages']) {
			const server = await suspect();
			const args = ['--prompts', path('declined.txt'), '--protocol', protocol, '--max-tokens', '4'];
			const { code, out } = await collect(server, `declined-${protocol}`, ...args);
			expect(code).toBe(0);
			expect(lines(out)[0]).toMatchObject({ records: 3, refusals: [{ id: '2' }] });
			expect(server.seen.requests).toBe(3);
			expect(lines(read(`declined-${protocol}/records.jsonl`))[1]).toHaveProperty('refusal');
		}
	});
});

describe('what is collected', () => {
	it('is a suspect for radioactivity', async () => {
		const args = ['--prompts', path('prompts.txt'), '--max-tokens', '40'];
		await collect(await suspect({ model: 'student-marked' }), 'closed', ...args);
		const suspects = ['--suspect', path('closed/records.jsonl')];
		const ring = ['--keyring', 'models/keys/keyring.json'];
		const { code, out } = await runCli(['radioactivity', ...suspects, ...ring, '--json']);
		expect(code).toBe(0);
		expect(lines(out)[0].scored).toBeGreaterThan(300);
	});

	it('as log-probabilities of pairs feeds exposure as the weights do', async () => {
		const prompts = embeddedPrompts();
		const pairs = Array.from({ length: 6 }, (_, i) => ({
			id: `pair-${i}`,
			prompt: prompts[i],
			a: ` and then ${prompts[i + 10]}`,
			b: `, for ${prompts[i + 20]}`,
		}));
		writeFileSync(path('pairs.jsonl'), pairs.map((pair) => `${JSON.stringify(pair)}\n`).join(''));
		const args = ['--given', path('pairs.jsonl'), '--protocol', 'completions'];
		const { out } = await collect(await suspect({ faults: faults('g', 0.3) }), 'given', ...args);
		expect(lines(out)[0].records).toBe(12);
		const measure = async (access: string, of: string) => {
			const scores = path(`scores-${access}.jsonl`);
			const pairsOf = ['--pairs', path('pairs.jsonl'), '--suspect', of, '--access', access];
			const { code } = await runCli(['exposure', ...pairsOf, '--save-scores', scores, '--quiet']);
			expect(code).toBe(0);
			return lines(readFileSync(scores, 'utf8')) as { id: string; a: number; b: number }[];
		};
		const grey = await measure('grey', path('given/records.jsonl'));
		const open = await measure('open', 'student-unmarked');
		for (const [i, { a, b }] of grey.entries()) {
			expect(a).toBeCloseTo(open[i].a, 3);
			expect(b).toBeCloseTo(open[i].b, 3);
		}
	});

	it('as log-probabilities token by token feeds exposure as echo does', async () => {
		const words = embeddedPrompts().map((prompt) => prompt.split(' ').slice(0, 4).join(' '));
		const pairs = Array.from({ length: 4 }, (_, i) => ({
			...{ id: `pair-${i}`, prompt: i === 0 ? '' : words[i] },
			...{ a: `, said ${words[i + 10]}`, b: ` and ${words[i + 20]}` },
		}));
		writeFileSync(path('short.jsonl'), pairs.map((pair) => `${JSON.stringify(pair)}\n`).join(''));
		const args = ['--given', path('short.jsonl'), '--protocol', 'completions'];
		expect((await collect(await suspect(), 'echoed', ...args)).code).toBe(0);
		const all = ['--top-logprobs', '800', '--tokenizer', 'models/teacher', '--given-by', 'prefixes'];
		const server = await suspect({ faults: faults('t', 0.3) });
		const part = lines((await collect(server, 'tokens', ...args, ...all, '--max-requests', '30')).out)[0];
		expect(part).toMatchObject({ stopped: 'budget', requests: { sent: 30 } });
		expect(part.records).toBeLessThan(8);
		const whole = lines((await collect(server, 'tokens', ...args, ...all)).out)[0];
		expect(server.seen.requests).toBe(whole.requests.sent);
		await collect(await suspect(), 'calm-tokens', ...args, ...all);
		expect(read('tokens/records.jsonl')).toBe(read('calm-tokens/records.jsonl'));

		const [tokens, echoed] = ['tokens', 'echoed'].map((out) => lines(read(`${out}/records.jsonl`)));
		expect(whole.requests.answered).toBe(tokens.reduce((sum, { logProbs }) => sum + logProbs.length, 0));
		for (const [i, { logProbs, unlisted, ...record }] of tokens.entries()) {
			const { logProbs: own, ...other } = echoed[i];
			expect(record).toEqual(other);
			expect(logProbs).toHaveLength(own.length);
			// What is not listed is less likely than all that is.
			const above = logProbs.filter((logProb: number, at: number) => logProb > own[at] + 1e-4);
			expect(above).toHaveLength(unlisted);
			if (unlisted === 0) expect(logProbs).toEqual(own.map((logProb: number) => expect.closeTo(logProb, 4)));
		}
		expect(tokens.filter(({ unlisted }) => unlisted === 0).length).toBeGreaterThanOrEqual(4);
		const scores = path('scores-tokens.jsonl');
		const { code } = await runCli([
			...['exposure', '--pairs', path('short.jsonl'), '--suspect', path('tokens/records.jsonl')],
			...['--access', 'grey', '--save-scores', scores, '--quiet'],
		]);
		expect(code).toBe(0);
		const sides = lines(readFileSync(scores, 'utf8')).flatMap(({ a, b }) => [a, b]);
		for (const [i, score] of sides.entries()) {
			const sum = echoed[i].logProbs.reduce((one: number, other: number) => one + other);
			if (tokens[i].unlisted === 0) expect(score).toBeCloseTo(sum, 3);
			else expect(score).toBeGreaterThan(sum);
		}
	});

	it('as next tokens feeds the grey test', async () => {
		const tokenizer = embeddedTokenizer();
		const prefixes = embeddedPrompts()
			.slice(0, 40)
			.map((prompt, i) => ({ id: `p${i}`, prefix: tokenizer.encode(prompt).slice(0, 8 + (i % 8)) }));
		// The last has an end of text in it, which no text encodes to.
		prefixes.push({ id: 'special', prefix: [tokenizer.specialTokens[0], 300] });
		writeFileSync(path('prefixes.jsonl'), prefixes.map((one) => `${JSON.stringify(one)}\n`).join(''));
		const args = ['--prefixes', path('prefixes.jsonl'), '--protocol', 'completions'];
		const server = await suspect({ model: 'student-marked', faults: faults('next', 0.3) });
		const { code, out, err } = await collect(server, 'next', ...args);
		expect(code).toBe(0);
		const [summary] = lines(out);
		expect(summary.unasked).toMatchObject([{ id: 'special' }]);
		expect(summary.records).toBe(40);
		expect(err).toMatch(/1 questions cannot be asked, the first is "special": its text encodes to other ids/);
		const records = lines(read('next/records.jsonl'));
		// All that was said, in text; most of it is tokens of the mark.
		for (const [i, { prefix, top }] of records.entries()) {
			expect(tokenizer.encode(prefix)).toEqual(prefixes[i].prefix);
			expect(top).toHaveLength(20);
		}
		const readings = await readReadings(path('next/records.jsonl'), tokenizer);
		const ours = readings.flatMap(({ tokens }) => tokens).filter((token) => token !== null);
		expect(ours.length).toBeGreaterThan(0.9 * 40 * 20);
		const tested = await runCli([
			...['radioactivity', '--mode', 'grey', '--suspect', path('next/records.jsonl')],
			...['--reference', 'base', '--keyring', 'models/keys/keyring.json', '--json'],
		]);
		expect(tested.err).toBe('');
		expect(lines(tested.out)[0].mode).toBe('grey');
	});
});

describe('what cannot be collected is one sentence', () => {
	const asked = ['--prompts', path('prompts.txt')];
	const cases: [what: string, args: string[], sentence: RegExp][] = [
		['two questions', [...asked, '--given', path('prompts.txt')], /give one of --prompts/],
		['chat for given text', ['--given', path('prompts.txt')], /only --protocol completions/],
		[
			'log-probabilities of messages',
			[...asked, '--protocol', 'messages', '--top-logprobs', '2'],
			/no log-prob/,
		],
		['a seed for messages', [...asked, '--protocol', 'messages', '--seed', '1'], /has no seed/],
		[
			'tokens of no tokenizer',
			['--given', path('prompts.txt'), '--protocol', 'completions', '--given-by', 'prefixes'],
			/--given-by prefixes: needs --tokenizer/,
		],
		['a way to ask for no text', [...asked, '--given-by', 'prefixes'], /--given-by: has a meaning/],
		['money without prices', [...asked, '--max-cost', '1'], /--price-in/],
		[
			'money without a bound',
			[
				...asked,
				...['--max-cost', '1', '--price-in', '1', '--price-out', '1', '--parameters', '{"max_tokens":null}'],
			],
			/bound/,
		],
		['a field that bills more', [...asked, '--parameters', '{"n":3}'], /field "n"/],
		['a key that is not set', [...asked, '--api-key-env', 'NOWHERE'], /NOWHERE is not set/],
		['an empty file', ['--prompts', path('nothing.txt')], /nothing\.txt/],
	];
	it.each(cases)('%s', async (_what, args, sentence) => {
		writeFileSync(path('nothing.txt'), '\n');
		const server = await suspect();
		const { code, err } = await collect(server, 'refused', ...args, '--quiet');
		expect(code).toBe(2);
		expect(err.trimEnd().split('\n')).toHaveLength(1);
		expect(err).toMatch(sentence);
		expect(server.seen.requests).toBe(0);
	});

	it.each(['ftp://x', 'https://user:pw@host/v1', 'https://host/v1?key=1', 'nowhere'])(
		'endpoint %s',
		async (url) => {
			const args = [
				'collect',
				'--endpoint',
				url,
				'--model',
				'x',
				'--out',
				path('refused'),
				...asked,
				'--quiet',
			];
			const { code, err } = await runCli(args);
			expect(code).toBe(2);
			expect(err).toMatch(/^error: --endpoint: must/);
			expect(err).not.toMatch(/pw/);
		},
	);

	it('an endpoint that is not there, after its attempts; another kind of path, at once', async () => {
		const server = await suspect();
		const { url } = server;
		const at = (endpoint: string, out: string) =>
			runCli([
				...['collect', '--endpoint', endpoint, '--model', 'x', '--out', path(out), '--quiet', ...asked],
				...['--attempts', '2', '--back-off', '0.01'],
			]);
		const elsewhere = await at(`${url}/v2`, 'elsewhere');
		expect(elsewhere).toMatchObject({
			code: 1,
			err: 'error: the endpoint refuses the request (404): no such path\n',
		});
		await servers.pop()?.close();
		const gone = await at(url, 'gone');
		expect(gone.code).toBe(1);
		expect(gone.err).toMatch(/5 questions in a row have no answer after 2 attempts each.*ECONNREFUSED/);
	});
});
