/**
 * The null hypothesis, measured: real unmarked text, a fresh key for every test.
 *
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { randomStream } from '../src/embed/random.js';
import { embeddedTokenizer } from '../src/generate/embedded.js';
import { bindMark } from '../src/marks/mark.js';
import type { MarkSpec } from '../src/marks/mark-spec.js';
import {
	logBernoulliAttainableSize,
	logBinomialLowerTail,
	logBinomialUpperTail,
} from '../src/stats/index.js';
import { logPValue } from '../src/verify/null-law.js';
import { newPairSet, type PairSet } from '../src/verify/pairs.js';
import { tallyPairs } from '../src/verify/tally.js';
import { corpusFiles } from './corpus-files.js';
import { freshKey, specOf } from './fresh-marks.js';
import { type InnocentRates, innocentRates, WAYS } from './innocents.js';
import type { Bench, Row } from './rows.js';
import { SEQUENTIAL_LEVELS, sequentialRates, studentAnswers } from './sequential-nulls.js';

/** One record: what was asked, and the text to test. */
export interface NullRecord {
	readonly prompt: readonly number[];
	readonly tokens: readonly number[];
}

/** Rates of rejection over many tests. */
export interface NullRates {
	readonly tests: number;
	/** For each level: rejections, and what an exact test of this kind is expected to reject. */
	readonly levels: readonly {
		readonly level: number;
		readonly rejected: number;
		readonly expected: number;
	}[];
	/** p-value of a Kolmogorov–Smirnov test against the uniform law; only for continuous scores. */
	readonly ksP: number | null;
}

const LEVELS = [1e-2, 1e-3];

/**
 * Tests groups of records under fresh keys.
 *
 * @param groups each group is tested together, as one suspect; a group of one is a document
 * @param tests number of tests; group i mod groups.length is tested i-th, always under a key of its own
 */
export function calibrate(
	groups: readonly (readonly NullRecord[])[],
	spec: MarkSpec,
	tests: number,
	seed: string,
): NullRates {
	const random = randomStream(`calibration/${seed}`);
	const sets = new Map<number, PairSet>();
	const logPs: number[] = [];
	const expected = LEVELS.map(() => 0);
	const attainable = new Map<number, number[]>();
	let continuous = false;
	for (let test = 0; test < tests; test++) {
		const index = test % groups.length;
		let pairs = sets.get(index);
		if (pairs === undefined) {
			pairs = newPairSet(spec);
			for (const { prompt, tokens } of groups[index]) pairs.add(tokens, prompt);
			sets.set(index, pairs);
		}
		const mark = bindMark(spec, freshKey(spec, random));
		const tally = tallyPairs(pairs, mark);
		const law = mark.scheme.null;
		continuous = law.kind === 'exponential' || law.kind === 'two-exponentials';
		logPs.push(logPValue(tally, law));
		let sizes = attainable.get(tally.scored);
		if (sizes === undefined) {
			sizes = LEVELS.map((level) =>
				law.kind === 'bernoulli'
					? Math.exp(logBernoulliAttainableSize(tally.scored * law.trials, law.p, Math.log(level)))
					: tally.scored > 0
						? level
						: 0,
			);
			attainable.set(tally.scored, sizes);
		}
		sizes.forEach((size, i) => {
			expected[i] += size;
		});
	}
	return {
		tests,
		levels: LEVELS.map((level, i) => ({
			level,
			rejected: logPs.filter((logP) => logP <= Math.log(level)).length,
			expected: expected[i] / tests,
		})),
		ksP: continuous ? kolmogorovP(logPs.map(Math.exp)) : null,
	};
}

/** Asymptotic p-value of the Kolmogorov–Smirnov statistic against U(0, 1) (Kolmogorov 1933). */
export function kolmogorovP(values: readonly number[]): number {
	const sorted = [...values].sort((a, b) => a - b);
	const n = sorted.length;
	let distance = 0;
	sorted.forEach((value, i) => {
		distance = Math.max(distance, (i + 1) / n - value, value - i / n);
	});
	const x = distance * (Math.sqrt(n) + 0.12 + 0.11 / Math.sqrt(n));
	if (x < 0.2) return 1;
	let sum = 0;
	for (let k = 1; k <= 100; k++) sum += 2 * (-1) ** (k - 1) * Math.exp(-2 * k * k * x * x);
	return Math.min(1, Math.max(0, sum));
}

/** The counts that a binomial law leaves with probability below `error` (half on each side), as rates. */
export function band(tests: number, p: number, error: number): [low: number, high: number] {
	const half = Math.log(error / 2);
	let low = Math.floor(tests * p);
	while (low > 0 && logBinomialLowerTail(low - 1, tests, p) > half) low--;
	let high = Math.ceil(tests * p);
	while (high < tests && logBinomialUpperTail(high + 1, tests, p) > half) high++;
	return [low / tests, high / tests];
}

/** Texts that the repository holds, as records of about `size` tokens. */
export function repositoryTexts(size: number): Record<string, NullRecord[]> {
	const tokenizer = embeddedTokenizer();
	const records = (text: string): NullRecord[] => {
		const ids = tokenizer.encode(text);
		return Array.from({ length: Math.floor(ids.length / size) }, (_, i) => ({
			prompt: [],
			tokens: ids.slice(i * size, (i + 1) * size),
		}));
	};
	const source = readdirSync('src', { recursive: true, encoding: 'utf8' })
		.filter((name) => name.endsWith('.ts') && !name.endsWith('.wasm.ts'))
		.sort()
		.map((name) => readFileSync(join('src', name), 'utf8'));
	const languages = readdirSync('bench/corpus')
		.filter((name) => name.endsWith('.txt'))
		.sort();
	const novel = gunzipSync(readFileSync('bench/distillation/books/dracula.txt.gz')).toString('utf8');
	return {
		english: records(novel.slice(0, 400_000)),
		'source-code': records(source.join('\n')),
		...Object.fromEntries(
			languages.map((name) => [
				name.replace('.txt', ''),
				records(readFileSync(join('bench/corpus', name), 'utf8')),
			]),
		),
	};
}

/** Records of a folder of (gzipped) JSONL files with `prompt` and `text`, by file. */
export function corpusRecords(folder: string, perFile: number): NullRecord[][] {
	const tokenizer = embeddedTokenizer();
	return corpusFiles(folder).map(({ records }) => {
		const step = Math.max(1, Math.floor(records.length / perFile));
		return records
			.filter((_, i) => i % step === 0)
			.slice(0, perFile)
			.map(
				({ prompt = '', text }): NullRecord => ({
					prompt: tokenizer.encode(prompt),
					tokens: tokenizer.encode(text),
				}),
			);
	});
}

const WIDTHS = [1, 2, 4];
const SCHEMES = ['gumbel', 'kgw'] as const;
const specs = { gumbel: { name: 'gumbel' }, kgw: { name: 'kgw', gamma: 0.25, delta: 2 } } as const;
const SEQUENTIAL_SPECS = [
	{ name: 'kgw', spec: specOf({ scheme: specs.kgw, prf: 'chacha8-v1', contextWidth: 1 }) },
	{
		name: 'synthid',
		spec: specOf({
			scheme: { name: 'synthid', depth: 4 },
			channel: 'shape',
			prf: 'chacha8-v1',
			contextWidth: 1,
		}),
	},
	{ name: 'gumbel', spec: specOf({ scheme: specs.gumbel, prf: 'chacha8-v1', contextWidth: 1 }) },
];

export const bench: Bench = {
	about:
		'Rejection rates on real text that carries no mark, a fresh key for every test. `documents` tests single records, ' +
		'`closed` all records of one suspect with its prompts excluded. Peer: the upper edge of the binomial band around the ' +
		'attainable size (green lists are discrete and attain less than the nominal level), at family-wise 99.9 % over all rows. ' +
		'`sequential` stops at the first answer of the shipped unmarked student that reaches the level; it may reject less.',
	async run({ quick, corpus }) {
		const tests = quick ? 2_000 : 100_000;
		const smallTests = quick ? 500 : 10_000;
		const jobs: { name: string; groups: NullRecord[][]; tests: number; detect: boolean }[] = [];
		for (const [name, records] of Object.entries(repositoryTexts(200)))
			jobs.push({ name, groups: records.map((record) => [record]), tests: smallTests, detect: true });
		if (corpus !== undefined) {
			const files = corpusRecords(corpus, quick ? 20 : 200);
			jobs.push({ name: 'documents', groups: files.flat().map((record) => [record]), tests, detect: true });
			const suspects = files.flatMap((records) =>
				Array.from({ length: Math.floor(records.length / 20) }, (_, i) =>
					records.slice(20 * i, 20 * (i + 1)),
				),
			);
			jobs.push({ name: 'closed', groups: suspects, tests: quick ? 200 : 2_000, detect: false });
		} else {
			const suspects = Object.values(repositoryTexts(200)).map((records) => records.slice(0, 20));
			jobs.push({ name: 'closed', groups: suspects, tests: quick ? 200 : 2_000, detect: false });
		}

		const cells = jobs.flatMap((job) =>
			SCHEMES.flatMap((scheme) =>
				WIDTHS.map((width) => {
					const spec = specOf({ scheme: specs[scheme], prf: 'chacha8-v1', contextWidth: width });
					const rates = calibrate(job.groups, spec, job.tests, `${job.name}/${scheme}/${width}`);
					console.log(job.name, scheme, width, JSON.stringify(rates));
					return { job, scheme, width, rates };
				}),
			),
		);
		const real = corpus === undefined ? Object.values(repositoryTexts(128)) : corpusRecords(corpus, 20);
		const innocents = innocentRates(quick ? 140 : 2_000, real);
		const answers = studentAnswers('student-unmarked', quick ? 8 : 32, quick ? 48 : 112);
		const sequential = SEQUENTIAL_SPECS.map(({ name, spec }) => ({
			name,
			...sequentialRates(answers, spec, 2_000, name),
		}));
		const family =
			cells.length * LEVELS.length +
			2 +
			3 * innocents.length +
			WAYS.length +
			SEQUENTIAL_SPECS.length * SEQUENTIAL_LEVELS.length;
		const rows: Row[] = [];
		let outside = 0;
		const add = (name: string, count: number, rejected: number, expected: number, exact = true) => {
			const [lowest, high] = band(count, expected, 1e-3 / family);
			const low = exact ? lowest : 0;
			const ours = rejected / count;
			if (ours < low || ours > high) outside++;
			rows.push({
				case: name,
				ours,
				peer: high,
				peerName: `upper edge of [${low.toPrecision(3)}, ${high.toPrecision(3)}], ${count} tests`,
				unit: 'share rejected',
				ratio: ours > 0 ? high / ours : Number.MAX_SAFE_INTEGER,
			});
		};
		for (const { job, scheme, width, rates } of cells)
			for (const { level, rejected, expected } of rates.levels)
				add(`${job.name} ${scheme} h${width}@${level.toExponential()}`, rates.tests, rejected, expected);
		for (const [name, level, chosen] of [
			['detect@1e-3', 1e-3, cells.filter((cell) => cell.job.detect)],
			['closed@1e-2', 1e-2, cells.filter((cell) => !cell.job.detect)],
		] as const) {
			const total = chosen.reduce((sum, cell) => sum + cell.rates.tests, 0);
			const at = chosen.map((cell) => ({
				tests: cell.rates.tests,
				...cell.rates.levels[LEVELS.indexOf(level)],
			}));
			add(
				name,
				total,
				at.reduce((sum, one) => sum + one.rejected, 0),
				at.reduce((sum, one) => sum + one.expected * one.tests, 0) / total,
			);
		}
		// Bounds, so that only the upper edge of a band around the level itself can be crossed.
		for (const { name, way, tests: count, rejected, e20, e100 } of innocents)
			for (const [what, level, found] of [
				['p ≤ 1e-2', 1e-2, rejected],
				['e ≥ 20', 0.05, e20],
				['e ≥ 100', 0.01, e100],
			] as const)
				add(`${way} weighted ${name}, ${what}`, count, found, level, false);
		for (const way of WAYS) {
			const some = innocents.filter((one) => one.way === way);
			const total = (of: (one: InnocentRates) => number) => some.reduce((sum, one) => sum + of(one), 0);
			if (some.length > 0)
				add(
					way === 'closed' ? 'closed weighted@1e-2' : `${way}@1e-2`,
					total(({ tests: count }) => count),
					total(({ rejected }) => rejected),
					1e-2,
					false,
				);
		}
		for (const { name, tests, rates } of sequential)
			for (const { level, rate } of rates)
				add(`sequential ${name}@${level}`, tests, rate * tests, level, false);
		const ks = cells.flatMap(({ job, width, rates }) =>
			rates.ksP === null ? [] : [{ job: job.name, width, p: rates.ksP }],
		);
		return {
			rows,
			notes: [
				`${outside} of ${family} rates lie outside their band.`,
				innocents.length > 0
					? 'Weighted tests: a fresh key each, over 12 students of unmarked text and 2 of text under another key, read along ' +
						'the unmarked teacher’s texts and along real text, which stands for a suspect’s answers too.'
					: 'No weighted tests: the students of `bench/distillation/grid.ts` are not there.',
				`Kolmogorov–Smirnov p-values of gumbel against the uniform law: ${ks.map(({ job, width, p }) => `${job} h${width} ${p.toPrecision(2)}`).join(', ')}.`,
			],
		};
	},
};
