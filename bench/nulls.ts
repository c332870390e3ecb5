/**
 * The null hypothesis of every scheme, under fresh keys, at record size.
 *
 * @module
 */
import { randomStream } from '../src/embed/random.js';
import { bindMark } from '../src/marks/mark.js';
import { testAligned } from '../src/verify/aligned.js';
import { band, calibrate, corpusRecords, type NullRecord, repositoryTexts } from './calibration.js';
import { freshKey, type SchemeCase, schemeCases, specOf } from './fresh-marks.js';
import type { Bench, Row } from './rows.js';

/** Vocabulary of the embedded tokenizer, of which permutations are made. */
const V = 2048;
const LEVELS = [1e-2, 1e-3];

export const bench: Bench = {
	about:
		'Rates of rejection on single records of real text that carries no mark, a fresh key for every test: every scheme, widths ' +
		'1 and 4, vocabulary 2,048. Peer: the upper edge of the band at family-wise 99.9 % over all rows; tests that give an ' +
		'upper bound (weighted layers, lists of exact size, tables) may lie below their band.',
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

		const family = cells.length * LEVELS.length + 2;
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
					`${name}@${level.toExponential()}`,
					rejected / tests,
					band(tests, expected, 1e-3 / family),
					`${tests} tests`,
					'share rejected',
					exact,
				);
		for (const level of [0.01, 0.1])
			add(
				`exp-edit@${level}`,
				ranks.filter((p) => p <= level).length / aligned,
				band(aligned, level, 1e-3 / family),
				`${aligned} tests, rank among 99 held-out keys`,
				'share rejected',
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
