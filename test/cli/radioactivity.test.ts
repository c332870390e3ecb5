/** `touchmark radioactivity` in its three modes, on files as a user would have them, and what it refuses. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { createMarker } from '../../src/embed/marker.js';
import {
	type EmbeddedModel,
	embeddedModel,
	embeddedPrompts,
	embeddedTokenizer,
} from '../../src/generate/embedded.js';
import { sampleTexts } from '../../src/generate/sample.js';
import { predictAlong } from '../../src/model/predict.js';
import { newFolder, type Outcome, runCli } from './run-cli.js';

const folder = newFolder();
const path = (name: string) => join(folder, name);
const write = (name: string, rows: readonly object[]): string => {
	writeFileSync(path(name), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
	return path(name);
};
const tokenizer = embeddedTokenizer();

/** Records of a model that uses no mark. */
function ask(
	model: EmbeddedModel,
	from: number,
	texts: number,
	maxTokens = 96,
): { prompt: string; text: string }[] {
	const transformer = embeddedModel(model);
	const samples = sampleTexts({
		...{ model: transformer, tokenizer, maxTokens, seed: 'cli' },
		marker: createMarker({
			...{ marks: [], vocabSize: transformer.vocabSize, specialTokens: tokenizer.specialTokens },
		}),
		prompts: embeddedPrompts().slice(from, from + texts),
	});
	return [...samples].map(({ prompt, text }) => ({ prompt, text }));
}

/** What an API with log-probabilities says along texts. */
function readings(model: EmbeddedModel, texts: readonly string[]): object[] {
	const ids = texts.map((text) => tokenizer.encode(text));
	const rows: object[] = [];
	predictAlong([embeddedModel(model)], ids, 1e-4, (text, at, [{ tokens, of }]) => {
		const top = [...tokens].sort((a, b) => of(b) - of(a)).slice(0, 20);
		rows.push({
			...{ id: `${text}-${at}`, prefix: ids[text].slice(0, at) },
			top: top.map((token) => [token, Number(Math.log(of(token)).toFixed(4))]),
		});
	});
	return rows;
}

const radioactivity = (...args: string[]): Promise<Outcome> =>
	runCli([
		...['radioactivity', '--keyring', 'models/keys/keyring.json', '--tokenizer', 'models/teacher'],
		...['--held-out-keys', '19', '--quiet', ...args],
	]);
async function result(...args: string[]) {
	const { code, out, err } = await radioactivity(...args, '--json');
	expect(err).toBe('');
	expect(code).toBe(0);
	expect(out.trimEnd()).not.toContain('\n');
	return JSON.parse(out);
}
async function refused(...args: string[]): Promise<string> {
	const { code, out, err } = await radioactivity(...args);
	expect({ code, out }).toEqual({ code: 2, out: '' });
	expect(err.trimEnd()).not.toContain('\n');
	expect(err).not.toMatch(/\n\s+at /);
	return err;
}

beforeAll(() => {
	write('exposure.jsonl', ask('teacher', 0, 40));
	// Many short texts: the model reads all of a prefix for each reading.
	const probes = ask('teacher', 64, 8, 48).map(({ text }) => ({ text }));
	write('probes.jsonl', probes);
	for (const model of ['student-marked', 'student-unmarked', 'teacher', 'base'] as const) {
		write(`${model}.jsonl`, ask(model, 128, 16));
		write(
			`${model}-readings.jsonl`,
			readings(
				model,
				probes.map(({ text }) => text),
			),
		);
	}
});

/** Flags of a mode for one suspect, the unmarked teacher as reference. */
const MODES = {
	closed: (suspect: string) => ['--suspect', path(`${suspect}.jsonl`), '--reference', 'teacher'],
	grey: (suspect: string) => [
		...['--mode', 'grey', '--suspect', path(`${suspect}-readings.jsonl`), '--reference', 'teacher'],
	],
	open: (suspect: string) => [
		...['--mode', 'open', '--suspect', suspect, '--reference', 'teacher', '--probe', path('probes.jsonl')],
	],
} as const;
const exposed = () => ['--traffic', path('exposure.jsonl')];

describe.each(Object.entries(MODES))('%s', (mode, flags) => {
	it('finds the marked student, in the fields that scripts rely on', async () => {
		const found = await result(...flags('student-marked'), ...exposed());
		expect(found).toMatchObject({
			mode,
			mark: expect.stringMatching(/^[0-9a-f]{64}$/),
			hypotheses: mode === 'closed' ? 2 : 1,
			scored: expect.any(Number),
			score: expect.any(Number),
			log10P: expect.any(Number),
			log10E: expect.any(Number),
			heldOut: { count: 19, rank: 1, pValue: 1 / 20 },
			effect: { mean: found.score, expected: 0, ci95: null },
			alternatives: mode === 'open' ? [] : ['relay'],
			verdict: 'trained-on-marked',
			weights: [{ contextWidth: 1, digest: expect.stringMatching(/^[0-9a-f]{64}$/) }],
			tokenizer: tokenizer.fingerprint,
		});
		expect(found.log10P).toBeLessThan(-8);
		expect(found.log10E).toBeGreaterThan(6);
		expect(found.weights[0].coefficients).toHaveLength(1);
		expect(found.weights[0].observations).toBeGreaterThan(200);
	});
	it('records its weights before a key is opened, and takes no others', async () => {
		const said = await radioactivity(...flags('student-unmarked'), '--weights-only', '1', '--json');
		const { digest, contextWidth } = JSON.parse(said.out);
		expect(contextWidth).toBe(1);
		const found = await result(...flags('student-unmarked'), '--weights-digest', digest);
		expect(found.weights[0].digest).toBe(digest);
		expect(await refused(...flags('base'), '--weights-digest', digest)).toMatch(/which was not recorded/);
	});
	it('does not find the unmarked student', async () => {
		const found = await result(...flags('student-unmarked'), ...exposed());
		expect(['no-evidence', 'too-little-data']).toContain(found.verdict);
		expect(found.log10P).toBeGreaterThan(-4);
		expect(found.alternatives).toEqual([]);
	});
	it('says it in words, and ends with 3 where that is asked for', async () => {
		const { code, out } = await radioactivity(...flags('student-marked'), '--fail-on-detect');
		expect(code).toBe(3);
		expect(out).toMatch(/^verdict: trained-on-marked at level 0.000001/);
		expect(out.includes('cannot rule out: relay')).toBe(mode !== 'open');
		expect(out).toMatch(/weighted sum \d+\.\d standard deviations above the null's mean/);
		expect(out).toMatch(/rank 1 of 20 keys/);
	});
});

describe('references', () => {
	const grey = (...references: string[]) =>
		result(
			'--mode',
			'grey',
			'--suspect',
			path('student-marked-readings.jsonl'),
			'--reference',
			...references,
		);

	it('readings do as well as the model that they come from', async () => {
		const [model, file] = [await grey('teacher'), await grey(path('teacher-readings.jsonl'))];
		expect(file.verdict).toBe('trained-on-marked');
		expect(Math.abs(file.score / model.score - 1)).toBeLessThan(0.15);
		expect(file.weights[0].coefficients[0]).toBeCloseTo(model.weights[0].coefficients[0], 1);
	});
	it('keep the order in which they were given, models and readings', async () => {
		const file = path('teacher-readings.jsonl');
		const [one, other] = [await grey(file, 'base'), await grey('base', file)];
		expect(one.weights[0].coefficients).toHaveLength(2);
		const swapped = [...other.weights[0].coefficients].reverse();
		one.weights[0].coefficients.forEach((share: number, i: number) => {
			expect(share).toBeCloseTo(swapped[i], 6);
		});
		expect(one.weights[0].coefficients[0]).toBeGreaterThan(one.weights[0].coefficients[1] + 0.05);
	});
	it('and text that holds no pair: too little, in words too', async () => {
		const short = write('short-text.jsonl', [{ text: 'a' }]);
		for (const references of [[], ['--reference', 'teacher']]) {
			const { code, out } = await radioactivity('--suspect', short, ...references);
			expect(code).toBe(0);
			expect(out).toMatch(/^verdict: too-little-data/);
			expect(out).toMatch(/0 pairs, nothing to score, log10 p 0\.0, rank 20 of 20 keys/);
		}
	});
	it('closed without one: plain scores, no weights', async () => {
		const found = await result('--suspect', path('student-unmarked.jsonl'));
		expect(found).toMatchObject({ mode: 'closed', statistic: 'sum', weights: [] });
	});
});

describe('several suspects', () => {
	const named = (name: string, model: string) => `${name}=${path(`${model}.jsonl`)}`;
	const two = () => ['--suspect', named('rival', 'student-marked'), named('other', 'base')];
	const older = () => ['--control', named('older', 'teacher')];

	it('one row each, corrected for all of them; controls beside', async () => {
		const found = await result(...two(), ...older(), '--reference', 'teacher', ...exposed());
		const alone = await result(...MODES.closed('student-marked'), ...exposed(), '--hypotheses', '2');
		const [rival, other] = found.suspects;
		expect({ ...rival, tokenizer: tokenizer.fingerprint }).toEqual({ suspect: 'rival', ...alone });
		expect(rival.verdict).toBe('trained-on-marked');
		expect(rival.nulls).toMatchObject([{ length: 19 }, { length: 19 }]);
		expect(other).toMatchObject({ suspect: 'other', hypotheses: 4 });
		expect(['no-evidence', 'too-little-data']).toContain(other.verdict);
		expect(found).toMatchObject({ hypotheses: 4, level: 1e-6, withheld: [] });
		expect(found.controls).toMatchObject([{ suspect: 'older', found: false, hypotheses: 2 }]);
	});
	it('several files of one name are one suspect', async () => {
		const halves = ['student-marked', 'student-unmarked'];
		const found = await result('--suspect', ...halves.map((model) => named('both', model)));
		const { suspects } = found;
		const alone = await result('--suspect', ...halves.map((model) => path(`${model}.jsonl`)));
		expect({ ...suspects[0], tokenizer: tokenizer.fingerprint }).toEqual({ suspect: 'both', ...alone });
		expect(suspects).toHaveLength(1);
	});
	it('in words: a table', async () => {
		const { code, out } = await radioactivity(...two(), ...older(), '--fail-on-detect');
		expect(code).toBe(3);
		const lines = out.trimEnd().split('\n');
		expect(lines).toHaveLength(5);
		expect(lines[0]).toBe('verdicts at level 0.000001, corrected for 4 hypotheses');
		expect(lines[2]).toMatch(/^rival +-\d+\.\d +-\d.* +1 of 20 +trained-on-marked; cannot rule out: relay$/);
		expect(lines[4]).toMatch(/^older .*control, not found \(at 0\.001\)$/);
	});
	it('a control that is found: a warning, and no finding', async () => {
		const guilty = ['--control', named('older', 'student-marked')];
		const args = [...two().slice(0, 2), ...guilty, '--fail-on-detect'];
		const { code, out, err } = await runCli([
			...['radioactivity', '--keyring', 'models/keys/keyring.json', '--tokenizer', 'models/teacher'],
			...['--held-out-keys', '19', ...args],
		]);
		expect(code).toBe(0);
		expect(err).toMatch(/^warning: control "older" looks marked/m);
		expect(out).toMatch(/^rival .*too-little-data$/m);
		expect(out).toMatch(/^older .*control, FOUND$/m);
		expect(out).toMatch(/^no finding is printed: a control looks marked/m);
		expect((await result(...args)).withheld).toEqual(['control-model-found']);
	});
	it('weights of each are recorded before a key is opened', async () => {
		const given = [...two(), ...older(), '--reference', 'teacher'];
		const { weights } = JSON.parse((await radioactivity(...given, '--weights-only', '1', '--json')).out);
		expect(weights.map(({ suspect }: { suspect: string }) => suspect)).toEqual(['rival', 'other', 'older']);
		const digests = weights.map(({ digest }: { digest: string }) => digest);
		expect((await result(...given, '--weights-digest', ...digests)).suspects).toHaveLength(2);
		expect(await refused(...given, '--weights-digest', digests[0])).toMatch(/which was not recorded/);
	});
});

describe('cohorts of a ring', () => {
	const ring = ['--keyring', path('cohorts.json')];
	const ok = async (...args: string[]) => {
		const { code, out } = await runCli(args);
		expect(code).toBe(0);
		return out;
	};
	/** Keys are random: at the default rate one run in a hundred would find an innocent cohort. */
	const test = (...args: string[]) => [
		...['radioactivity', ...ring, '--suspect', path('farms.jsonl'), '--held-out-keys', '9'],
		...['--fdr', '0.000001', '--quiet', ...args],
	];
	beforeAll(async () => {
		await ok('keys', 'create', ...ring, '--unsealed', '--quiet');
		for (const cohort of ['farms', 'resellers']) await ok('keys', 'add', ...ring, '--cohort', cohort);
		await ok('keys', 'commit', ...ring, '--log', path('log'));
		writeFileSync(path('farms.jsonl'), await ok('generate', '--count', '48', ...ring, '--cohort', 'farms'));
	});

	it('are tested one by one', async () => {
		const found = JSON.parse(await ok(...test('--json')));
		expect(found).toMatchObject({ hypotheses: 4, fdr: 1e-6, controls: { cohorts: [] } });
		expect(found.cohorts.map((one: { cohort: string; found: boolean }) => [one.cohort, one.found])).toEqual([
			['farms', true],
			['resellers', false],
		]);
	});
	it('and apart where they are not suspected, also under keys that were opened', async () => {
		await ok('keys', 'open', ...ring, '--epoch', '0', '--out', path('opened.json'));
		const args = test('--control-cohort', 'farms');
		const said = await ok(...args);
		expect(said).toMatch(/; cannot rule out: .*other-cohorts/);
		expect(said).toMatch(/0 of 1 cohorts found/);
		expect(said).toMatch(
			/1 of 1 control cohorts found at false discovery rate 0.000001\n +cohort farms, epoch 0:/,
		);
		const opened = args.map((one) => (one === '--keyring' ? '--spec' : one.replace('cohorts', 'opened')));
		expect(await ok(...opened)).toBe(said);
	});
	it('are refused as controls when the ring has none of that name', async () => {
		const { code, err } = await runCli(test('--control-cohort', 'nobody'));
		expect(code).toBe(2);
		expect(err).toMatch(/no mark is cohort "nobody"'s/);
	});
});

describe('refused in one sentence', () => {
	const closed = () => ['--suspect', path('teacher.jsonl')];
	it.each<[what: string, args: () => string[], sentence: RegExp]>([
		['a mode that is none', () => [...closed(), '--mode', 'sideways'], /--mode.*closed, grey, open/],
		['no suspect', () => ['--mode', 'closed'], /--suspect/],
		['grey without reference', () => [...closed(), '--mode', 'grey'], /--reference: is needed/],
		[
			'open without reference',
			() => ['--mode', 'open', '--suspect', 'base', '--probe', path('probes.jsonl')],
			/--reference: is needed/,
		],
		[
			'open without probe',
			() => ['--mode', 'open', '--suspect', 'base', '--reference', 'teacher'],
			/--probe: is needed/,
		],
		[
			'open with two suspects',
			() => [...MODES.open('base'), '--suspect', 'base', 'teacher'],
			/--suspect: must be one model/,
		],
		[
			'a name for one suspect only',
			() => ['--suspect', `rival=${path('base.jsonl')}`, path('teacher.jsonl')],
			/--suspect: ".*teacher\.jsonl" has no name; .*NAME=PATH/,
		],
		[
			'a control beside a suspect without a name',
			() => [...closed(), '--control', `older=${path('base.jsonl')}`],
			/--suspect: ".*teacher\.jsonl" has no name/,
		],
		[
			'a suspect that is its own control',
			() => ['--suspect', `x=${path('base.jsonl')}`, '--control', `x=${path('teacher.jsonl')}`],
			/two suspects or controls are called "x"/,
		],
		['closed with probe', () => [...closed(), '--probe', path('probes.jsonl')], /--probe: has a meaning/],
		['traffic for nothing', () => [...closed(), ...exposed()], /--traffic: has a meaning/],
		[
			'a reference that is no model',
			() => [...closed(), '--reference', path('teacher-readings.jsonl')],
			/teacher-readings\.jsonl: is neither the folder of a model/,
		],
		[
			'nine references',
			() => [...closed(), '--reference', ...new Array<string>(9).fill('teacher')],
			/1 to 8 references/,
		],
		['traffic that is not there', () => [...MODES.closed('base'), '--traffic', path('no')], /no: /],
		['a suspect of text for grey', () => [...MODES.grey('base'), '--suspect', path('base.jsonl')], /field/],
		[
			'a reference that lacks a reading',
			() => {
				write('few.jsonl', readings('teacher', ['It was a dark night']));
				return ['--mode', 'grey', ...MODES.grey('base').slice(2, 4), '--reference', path('few.jsonl')];
			},
			/few\.jsonl: has no reading with id/,
		],
		[
			'a reading whose prefix is too short',
			() => {
				write('short.jsonl', [{ id: 'x', prefix: [], top: [[5, -1]] }]);
				return ['--mode', 'grey', '--suspect', path('short.jsonl'), '--reference', 'teacher'];
			},
			/reading "x": its prefix has 0 ids/,
		],
		[
			'a reading of another vocabulary',
			() => {
				write('other.jsonl', [{ id: 'x', prefix: [1], top: [[5000, -1]] }]);
				return ['--mode', 'grey', '--suspect', path('other.jsonl'), '--reference', 'teacher'];
			},
			/other\.jsonl:1: field "top\.0\.0": is a token id outside the vocabulary of 2048/,
		],
		[
			'another prefix than the suspect’s',
			() => {
				write('one.jsonl', [{ id: 'x', prefix: [1, 2], top: [[5, -1]] }]);
				write('two.jsonl', [{ id: 'x', prefix: [1, 3], top: [[5, -1]] }]);
				return ['--mode', 'grey', '--suspect', path('one.jsonl'), '--reference', path('two.jsonl')];
			},
			/two\.jsonl: reading "x" has another prefix/,
		],
	])('%s', async (_what, args, sentence) => {
		expect(await refused(...args())).toMatch(sentence);
	});
});
