/**
 * The null hypothesis of every scheme, under fresh keys: rates at record size, and the spread of z at a million
 * distinct pairs.
 *
 * @module
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { randomStream } from '../src/embed/random.js';
import { embeddedTokenizer } from '../src/generate/embedded.js';
import { bindMark } from '../src/marks/mark.js';
import type { NullLaw } from '../src/schemes/scheme.js';
import { testAligned } from '../src/verify/aligned.js';
import { newPairSet, type PairSet } from '../src/verify/pairs.js';
import { scoreOf, type Tally, tallyPairs } from '../src/verify/tally.js';
import { band, calibrate, corpusRecords, type NullRecord, repositoryTexts } from './calibration.js';
import { freshKey, type SchemeCase, schemeCases, specOf } from './fresh-marks.js';
import type { Bench, Row } from './rows.js';

/** Vocabulary of the embedded tokenizer, of which permutations are made. */
const V = 2048;
const PAIRS = 1_000_000;
const LEVELS = [1e-2, 1e-3];

/** Mean and variance of one score. */
function moments(law: NullLaw): [mean: number, variance: number] | undefined {
	switch (law.kind) {
		case 'bernoulli':
			return [law.trials * law.p, law.trials * law.p * (1 - law.p)];
		case 'weighted-bernoulli':
			return [
				law.p * law.weights.reduce((sum, weight) => sum + weight, 0),
				law.p * (1 - law.p) * law.weights.reduce((sum, weight) => sum + weight ** 2, 0),
			];
		case 'exponential':
			return [1, 1];
		case 'two-exponentials':
			return [law.a + law.b, law.a ** 2 + law.b ** 2];
		case 'held-out':
			return undefined;
	}
}

function zOf(tally: Tally, law: NullLaw): number {
	const [mean, variance] = moments(law) ?? [0, 1];
	return (scoreOf(tally) - tally.scored * mean) / Math.sqrt(tally.scored * variance);
}

/** Ids of everything that is at hand, until there are enough distinct pairs at this width. */
function largeSet(width: number, corpus: string | undefined): PairSet {
	const tokenizer = embeddedTokenizer();
	const pairs = newPairSet({ contextWidth: width, start: 'skip' });
	const books = readdirSync('bench/distillation/books').map((name) => join('bench/distillation/books', name));
	const languages = readdirSync('bench/corpus')
		.filter((name) => name.endsWith('.txt'))
		.map((name) => join('bench/corpus', name));
	const more =
		corpus !== undefined && existsSync(corpus)
			? readdirSync(corpus)
					.filter((name) => /\.(txt|jsonl)(\.gz)?$/.test(name))
					.map((name) => join(corpus, name))
			: [];
	for (const path of [...languages, ...books, ...more]) {
		if (pairs.size >= PAIRS) break;
		const bytes = readFileSync(path);
		const text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
		for (let at = 0; at < text.length && pairs.size < PAIRS; at += 200_000)
			pairs.add(tokenizer.encode(text.slice(at, at + 200_000)));
	}
	return pairs;
}

/** Standard deviation around 0, and its band: the χ² law of the sum of squares, by the Wilson–Hilferty cube. */
function spreadBand(tests: number, error: number): [low: number, high: number] {
	// The normal quantile of error/2 by Newton's steps on a bound: the band need not be exact to more than a percent.
	let z = Math.sqrt(-2 * Math.log(error / 2));
	z -= (Math.log(z) + 0.5 * Math.log(2 * Math.PI)) / z;
	const at = (sign: number) =>
		Math.max(0, 1 - 2 / (9 * tests) + sign * z * Math.sqrt(2 / (9 * tests))) ** 1.5;
	return [at(-1), at(1)];
}

export const bench: Bench = {
	about:
		'Every scheme on real text that carries no mark, a fresh key for every test, widths 1 and 4, vocabulary 2,048. `record`: ' +
		'rates of rejection on single records. `million`: standard deviation of z over keys on a million distinct windows ' +
		'(fewer effective pairs where windows share a seed). Peer: the upper edge of the band at family-wise 99.9 % over all ' +
		'rows; tests that give an upper bound (weighted layers, lists of exact size, tables) may lie below their band.',
	async run({ quick, corpus }) {
		const records: NullRecord[] =
			corpus === undefined
				? Object.values(repositoryTexts(200)).flat()
				: corpusRecords(corpus, quick ? 20 : 200).flat();
		const groups = records.map((record) => [record]);
		const cells: { name: string; tests: number; rates: ReturnType<typeof calibrate>; exact: boolean }[] = [];
		const cases: { width: number; one: SchemeCase }[] = [1, 4].flatMap((width) =>
			schemeCases(width, V).map((one) => ({ width, one })),
		);
		for (const { width, one } of cases) {
			const tests = quick ? 500 : one.permutation ? 5_000 : 100_000;
			const rates = calibrate(groups, one.spec, tests, `nulls/${one.name}/${width}`);
			const name = `${one.name} h${one.spec.contextWidth}`;
			console.log(name, JSON.stringify(rates));
			cells.push({ name, tests, rates, exact: one.exact });
		}

		// By alignment: short records and a short key, since a test takes as many alignments as there are held-out keys.
		const aligned = quick ? 50 : 1_000;
		const random = randomStream('nulls/exp-edit');
		const spec = specOf({
			scheme: { name: 'exp-edit', keyLength: 48 },
			prf: 'chacha8-v1',
			contextWidth: 0,
		});
		const ranks = Array.from({ length: aligned }, (_, i) => {
			const mark = bindMark(spec, freshKey(spec, random));
			const tokens = records[i % records.length].tokens.slice(0, 32);
			return testAligned(tokens, mark, { level: 1e-6, hypotheses: 1, searchBits: 0 }).pValue;
		});

		const spreads: { name: string; keys: number; deviation: number; exact: boolean; scored: number }[] = [];
		for (const width of [1, 4]) {
			const pairs = largeSet(width, corpus);
			for (const { one } of cases.filter((some) => some.width === width)) {
				if (one.name === 'unigram' || one.name === 'gumbel-hmac') continue;
				// Vocabulary-sized outputs a pair: a million of them would take hours, and tell what kgw-meta tells.
				if (one.name === 'gumbel-meta') continue;
				const keys = quick ? 3 : one.permutation ? 5 : one.name === 'synthid-30-deepmind' ? 20 : 200;
				let squares = 0;
				let scored = 0;
				for (let key = 0; key < keys; key++) {
					const mark = bindMark(one.spec, freshKey(one.spec, random));
					const tally = tallyPairs(pairs, mark);
					squares += zOf(tally, mark.scheme.null) ** 2;
					scored = tally.scored;
				}
				const deviation = Math.sqrt(squares / keys);
				const name = `${one.name} h${one.spec.contextWidth}`;
				console.log('million', name, pairs.size, scored, deviation.toFixed(3), 'keys', keys);
				spreads.push({ name, keys, deviation, exact: one.exact, scored });
			}
		}

		const family = cells.length * LEVELS.length + spreads.length + 2;
		const rows: Row[] = [];
		const outside: string[] = [];
		const add = (
			name: string,
			ours: number,
			[low, high]: [number, number],
			what: string,
			unit: string,
			exact = true,
		) => {
			if (ours > high || (exact && ours < low)) outside.push(name);
			rows.push({
				case: name,
				ours,
				peer: high,
				peerName: `upper edge of [${exact ? low.toPrecision(3) : '0'}, ${high.toPrecision(3)}], ${what}`,
				unit,
				ratio: ours > 0 ? high / ours : Number.MAX_SAFE_INTEGER,
			});
		};
		for (const { name, tests, rates, exact } of cells)
			for (const { level, rejected, expected } of rates.levels)
				add(
					`record ${name}@${level.toExponential()}`,
					rejected / tests,
					band(tests, expected, 1e-3 / family),
					`${tests} tests`,
					'share rejected',
					exact,
				);
		for (const level of [0.01, 0.1])
			add(
				`record exp-edit@${level}`,
				ranks.filter((p) => p <= level).length / aligned,
				band(aligned, level, 1e-3 / family),
				`${aligned} tests, rank among 99 held-out keys`,
				'share rejected',
			);
		for (const { name, keys, deviation, exact, scored } of spreads)
			add(
				`million ${name}`,
				deviation,
				spreadBand(keys, 1e-3 / family),
				`${keys} keys, ${scored} pairs`,
				'sd of z',
				exact,
			);
		const ks = cells.flatMap(({ name, rates }) =>
			rates.ksP === null ? [] : [`${name} ${rates.ksP.toPrecision(2)}`],
		);
		return {
			rows,
			notes: [
				`${outside.length} of ${family} figures lie outside their band${outside.length > 0 ? `: ${outside.join(', ')}` : ''}.`,
				`Kolmogorov–Smirnov p-values of continuous scores against the uniform law: ${ks.join(', ')}.`,
			],
		};
	},
};
