/** Suspects with another tokenizer than the mark's: shipped models whose vocabulary was cut to its first half. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { band } from '../../bench/calibration.js';
import { freshKey, specOf } from '../../bench/fresh-marks.js';
import { type OwnModel, openModel } from '../../src/cli/own-models.js';
import { alignedPlaces, weightsAt } from '../../src/cli/places.js';
import { tokenizerOf } from '../../src/corpus/tokenizer.js';
import { createMarker } from '../../src/embed/marker.js';
import { randomStream } from '../../src/embed/random.js';
import { embeddedModel, embeddedPrompts, embeddedTokenizer, MODELS } from '../../src/generate/embedded.js';
import { sampleTexts } from '../../src/generate/sample.js';
import { bindMark } from '../../src/marks/mark.js';
import { tokenLogProbabilities } from '../../src/model/likelihood.js';
import { predictAlong } from '../../src/model/predict.js';
import { newWeightedTest } from '../../src/verify/weighted.js';
import { cutModel, cutTokenizer } from '../cut-vocabulary.js';
import { newFolder, runCli } from './run-cli.js';

const SIZE = 1024;
const folder = newFolder();
const tokenizer = embeddedTokenizer();
const cut = tokenizerOf(new TextEncoder().encode(cutTokenizer(SIZE)), 'cut');
const write = (name: string, rows: readonly object[]): string => {
	const path = join(folder, name);
	writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
	return path;
};
const marked = cutModel(folder, 'student-marked', SIZE);
const unmarked = cutModel(folder, 'student-unmarked', SIZE);
const older = cutModel(folder, 'base', SIZE);
let probes: { prompt: string; text: string }[];
let probing: string;

beforeAll(() => {
	const teacher = embeddedModel('teacher');
	const samples = sampleTexts({
		...{ model: teacher, tokenizer, maxTokens: 100, seed: 'other-tokenizer' },
		marker: createMarker({ marks: [], vocabSize: teacher.vocabSize, specialTokens: tokenizer.specialTokens }),
		prompts: embeddedPrompts().slice(0, 4),
	});
	probes = [...samples].map(({ prompt, text }) => ({ prompt, text }));
	probing = write('probes.jsonl', probes);
});

/** What an API says before each word: strings of its own tokenizer. */
function readingsInText(name: string, path: string): string {
	const rows: object[] = [];
	const prefixes = probes
		.slice(0, 2)
		.flatMap(({ prompt, text }) =>
			[...text.matchAll(/(?<=\w)(?= \w)/g)].map(({ index }) => prompt + text.slice(0, index)),
		);
	const texts = prefixes.map((prefix) => [...cut.encode(prefix), 0]);
	predictAlong(
		[openModel(path, tokenizer).model],
		texts,
		1e-4,
		(i, _, [{ tokens, of }]) => {
			const top = [...tokens].sort((a, b) => of(b) - of(a)).slice(0, 20);
			rows.push({
				...{ id: i, prefix: prefixes[i] },
				top: top.map((token) => [cut.decode([token]), Math.log(of(token))]),
			});
		},
		(text, at) => at === texts[text].length - 1,
	);
	return write(name, rows);
}
const run = (...args: string[]) =>
	runCli([
		...['radioactivity', '--keyring', 'models/keys/keyring.json', '--tokenizer', 'models/teacher'],
		...['--held-out-keys', '19', '--quiet', ...args, '--json'],
	]);
async function found(...args: string[]) {
	const { code, out, err } = await run(...args);
	expect({ code, err }).toEqual({ code: 0, err: '' });
	return JSON.parse(out);
}

describe('open', () => {
	const open = (suspect: string, ...references: string[]) =>
		found('--mode', 'open', '--suspect', suspect, '--probe', probing, '--reference', ...references);
	it('the marked student is found against the teacher, and against a base that has its tokenizer', async () => {
		for (const references of [['teacher'], [older], ['teacher', older]]) {
			const result = await open(marked, ...references);
			expect(result).toMatchObject({ mode: 'open', verdict: 'trained-on-marked' });
			expect(result.log10P).toBeLessThan(-8);
			expect(result.weights[0].coefficients).toHaveLength(references.length);
			expect(result.weights[0].observations).toBeGreaterThan(100);
		}
	});
	it('the unmarked one is not', async () => {
		const result = await open(unmarked, 'teacher', older);
		expect(['no-evidence', 'too-little-data']).toContain(result.verdict);
		expect(result.log10P).toBeGreaterThan(-4);
	});
});

describe('grey, readings in text', () => {
	it('the marked student is found, whatever the reference is: model of either tokenizer, or readings', async () => {
		const readings = readingsInText('marked.jsonl', marked);
		const scores: number[] = [];
		for (const reference of ['teacher', older, readingsInText('older.jsonl', older)]) {
			const result = await found('--mode', 'grey', '--suspect', readings, '--reference', reference);
			expect(result).toMatchObject({ mode: 'grey', verdict: 'trained-on-marked' });
			scores.push(result.score);
		}
		// The model and its own readings say the same, but for tokens that are not among the likeliest.
		expect(Math.abs(scores[2] / scores[1] - 1)).toBeLessThan(0.25);
	});
	it('the unmarked one is not', async () => {
		const readings = readingsInText('unmarked.jsonl', unmarked);
		const result = await found('--mode', 'grey', '--suspect', readings, '--reference', 'teacher', older);
		expect(result.log10P).toBeGreaterThan(-4);
	});
});

describe('an innocent suspect under fresh keys', () => {
	it('is rejected about as often as the level says', () => {
		const spec = specOf({
			scheme: { name: 'synthid', depth: 1 },
			channel: 'shape',
			prf: 'chacha8-v1',
			contextWidth: 1,
		});
		const models = [unmarked, 'teacher', older].map((name) => openModel(name, tokenizer));
		const [suspect, ...references] = models as [OwnModel & { other: typeof cut }, ...OwnModel[]];
		const texts = probes.slice(0, 2).map(({ prompt, text }) => tokenizer.encode(prompt + text));
		const places = alignedPlaces(suspect, references, texts, tokenizer);
		const test = newWeightedTest(
			weightsAt(places, 1, 2, () => undefined),
			spec,
		);
		const random = randomStream('other-tokenizer/keys');
		const KEYS = 200;
		let rejected = 0;
		for (let i = 0; i < KEYS; i++) {
			const mark = bindMark(spec, freshKey(spec, random));
			rejected += Number(test.test(mark, { level: 0.05, hypotheses: 1, searchBits: 0 }).pValue <= 0.05);
		}
		const [, high] = band(KEYS, 0.05, 1e-4);
		expect(rejected / KEYS).toBeLessThanOrEqual(high);
		// The bound is not so wide that nothing could ever be rejected.
		expect(rejected).toBeGreaterThan(0);
	});
});

describe('exposure', () => {
	it('takes the likelihoods of a suspect from its own tokenizer', async () => {
		const pairs = probes.map(({ prompt, text }, i) => ({
			...{ id: `${i}`, account: 'a', prompt, receipt: `r${i}` },
			...{ a: text.slice(0, 150), b: text.slice(150) },
		}));
		const scores = join(folder, 'scores.jsonl');
		const { code } = await runCli([
			...['exposure', '--pairs', write('pairs.jsonl', pairs), '--suspect', marked],
			...['--save-scores', scores, '--quiet'],
		]);
		expect(code).toBe(0);
		const saved = readFileSync(scores, 'utf8')
			.trim()
			.split('\n')
			.map((line) => JSON.parse(line));
		const ids = (prompt: string, text: string) => ({ prompt: cut.encode(prompt), answer: cut.encode(text) });
		const logs = tokenLogProbabilities(
			openModel(marked, tokenizer).model,
			pairs.flatMap(({ prompt, a, b }) => [ids(prompt, a), ids(prompt, b)]),
		).map((tokens) => tokens.reduce((sum, log) => sum + log, 0));
		saved.forEach(({ id, a, b }, i) => {
			expect(id).toBe(pairs[i].id);
			expect(a).toBeCloseTo(logs[2 * i], 4);
			expect(b).toBeCloseTo(logs[2 * i + 1], 4);
		});
	});
});

describe('refused in one sentence', () => {
	const third = cutModel(folder, 'base', 512);
	it.each<[what: string, args: () => string[], sentence: RegExp]>([
		[
			'a reference of a third tokenizer',
			() => ['--mode', 'open', '--suspect', marked, '--probe', probing, '--reference', third],
			/base-512: has neither the tokenizer of the mark nor the suspect's/,
		],
		[
			'a reference of another tokenizer for a suspect of the mark’s',
			() => ['--mode', 'open', '--suspect', 'base', '--probe', probing, '--reference', older],
			/base-1024: has another tokenizer than the suspect and the mark/,
		],
		[
			'closed: a reference of another tokenizer',
			() => ['--suspect', probing, '--reference', older],
			/base-1024: has another tokenizer than the mark; with --mode closed/,
		],
	])('%s', async (_what, args, sentence) => {
		const { code, out, err } = await run(...args());
		expect({ code, out }).toEqual({ code: 2, out: '' });
		expect(err).toMatch(sentence);
	});
	it('a model that has fewer tokens than its tokenizer', () => {
		const broken = cutModel(newFolder(), 'base', 608);
		writeFileSync(join(broken, 'tokenizer.json'), cutTokenizer(700));
		expect(() => openModel(broken, tokenizer)).toThrow(/vocabulary of 608 where its tokenizer has 700/);
	});
	it('another file of the same tokenizer is no other tokenizer', () => {
		const same = cutModel(newFolder(), 'base', 2048);
		writeFileSync(
			join(same, 'tokenizer.json'),
			JSON.stringify(JSON.parse(readFileSync(join(MODELS, 'teacher', 'tokenizer.json'), 'utf8'))),
		);
		expect(openModel(same, tokenizer).other).toBeNull();
	});
});
