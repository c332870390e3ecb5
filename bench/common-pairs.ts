/**
 * One key meets many records: how far the count of false positives strays, with and without phrases that many share.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import Tinypool from 'tinypool';
import { loadTokenizer } from '../src/corpus/load-tokenizer.js';
import type { Tokenizer } from '../src/corpus/tokenizer.js';
import { embeddedTokenizer } from '../src/generate/embedded.js';
import { bindMark } from '../src/marks/mark.js';
import { band, repositoryTexts } from './calibration.js';
import { corpusFiles } from './corpus-files.js';
import { specOf } from './fresh-marks.js';
import { attainedSizes, type KeyCounts, type KeyTask } from './key-counts.js';
import { type PairCorpus, pairCorpus, type TokenRecord } from './pair-corpus.js';
import type { Bench, Row } from './rows.js';
import { tokenizerFile } from './tokenizers/vocabularies.js';

/** Records that a window may occur in and still be scored per record. */
const MOST = 10;
const RECORD_LEVEL = 1e-2;
const GROUP_LEVEL = 1e-4;
const GOAL = 1.2;
/** Most keys of a task: tables of critical sums are made once a task. */
const TASK = 50;

const chacha = { prf: 'chacha8-v1' } as const;
const kgw = { name: 'kgw', gamma: 0.25, delta: 2 } as const;
const MARKS = [
	...[1, 2, 4].map((width) => ({
		name: `w${width}`,
		spec: specOf({ scheme: kgw, contextWidth: width, ...chacha }),
	})),
	{ name: 'gumbel-w4', spec: specOf({ scheme: { name: 'gumbel' }, contextWidth: 4, ...chacha }) },
];

/** The files of a folder, each a group, as ids. */
function corpusGroups(folder: string, { encode }: Tokenizer): TokenRecord[][] {
	return corpusFiles(folder).map(({ records }) =>
		records.map(
			({ prompt = '', text }): TokenRecord => ({
				prompt: encode(prompt),
				tokens: Uint32Array.from(encode(text)),
			}),
		),
	);
}

function repositoryGroups(): TokenRecord[][] {
	return Object.values(repositoryTexts(200)).map((records) =>
		records.map(({ tokens }) => ({ prompt: [], tokens: Uint32Array.from(tokens) })),
	);
}

/** Mean and standard deviation. */
function spreadOf(values: readonly number[]): { mean: number; deviation: number } {
	const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
	const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
	return { mean, deviation: Math.sqrt(squares / (values.length - 1)) };
}

/** Sum of attained sizes and of their variances over records of these many pairs. */
function binomialOf(
	counts: Iterable<number>,
	sizeOf: (n: number) => number,
): { mean: number; deviation: number } {
	let mean = 0;
	let variance = 0;
	for (const count of counts) {
		const size = sizeOf(count);
		mean += size;
		variance += size * (1 - size);
	}
	return { mean, deviation: Math.sqrt(variance) };
}

export const bench: Bench = {
	about:
		`False positives at p ≤ ${RECORD_LEVEL} among single records of real text, counted for each of 1,000 keys that were never deployed. ` +
		'`std-ratio`: standard deviation of that count over keys, against that of independent records of the same attained sizes ' +
		`(√Σ a(1 − a)); before: all distinct windows of a record; after: those that occur in at most ${MOST} records of the corpus. ` +
		'`mean-rate`: share of all records and keys; peer: upper edge of the band around the attained size, from the measured spread over ' +
		'keys, family-wise 99.9 %. `models`: accusations of whole models (all of its records, each window once, without contexts of ' +
		`the prompt) at ${GROUP_LEVEL}; peer: upper edge of the binomial band. \`smallest-p\`: −log10; peer: 8. ` +
		'`w`: green lists of γ = ¼, and gumbel, chacha8-v1, context width.',
	async run({ quick, corpus }) {
		const keys = quick ? 20 : 1_000;
		const real = existsSync('bench/tokenizers/node_modules');
		const tokenizer = real ? loadTokenizer(tokenizerFile('llama3_1')) : embeddedTokenizer();
		const groups = corpus === undefined ? repositoryGroups() : corpusGroups(corpus, tokenizer);
		const records = groups.flat().length;
		const tokens = groups.flat().reduce((sum, record) => sum + record.tokens.length, 0);
		console.log(groups.length, 'groups', records, 'records', tokens, 'tokens');
		const threads = Math.min(8, availableParallelism());
		const pool = new Tinypool({
			filename: new URL('./key-counts-thread.mjs', import.meta.url).href,
			minThreads: threads,
			maxThreads: threads,
		});

		const rows: Row[] = [];
		const missed: string[] = [];
		/** Two bands a mark for rates, one for accusations. */
		const error = 1e-3 / (3 * MARKS.length);
		const add = (row: Omit<Row, 'ratio'>, least = 0) => {
			if (row.ours > row.peer || row.ours < least) missed.push(row.case);
			rows.push({ ...row, ratio: row.ours > 0 ? row.peer / row.ours : Number.MAX_SAFE_INTEGER });
		};
		let known: PairCorpus | undefined;
		const notes: string[] = [];
		for (const { name, spec } of MARKS) {
			const pairs: PairCorpus =
				known?.contextWidth === spec.contextWidth ? known : pairCorpus(groups, spec.contextWidth, MOST);
			known = pairs;
			const begun = performance.now();
			const size = Math.min(TASK, Math.ceil(keys / threads));
			const tasks = Array.from({ length: Math.ceil(keys / size) }, (_, i): KeyTask => {
				const [from, to] = [i * size, Math.min(keys, (i + 1) * size)];
				const levels = { recordLevel: RECORD_LEVEL, groupLevel: GROUP_LEVEL };
				return { corpus: pairs, spec, seed: `common-pairs/${name}`, from, to, ...levels };
			});
			const found = (await Promise.all(tasks.map((task) => pool.run(task) as Promise<KeyCounts[]>))).flat();
			const seconds = (performance.now() - begun) / 1000;

			const law = bindMark(spec, new Uint8Array(32)).scheme.null;
			const sizeOf = attainedSizes(law, RECORD_LEVEL);
			const { starts } = pairs.records;
			const whole = Array.from(pairs.rare, (_, i) => starts[i + 1] - starts[i]);
			const share = pairs.rare.reduce((sum, count) => sum + count, 0) / starts[starts.length - 1];
			for (const [when, counts, sizes] of [
				['before', found.map(({ all }) => all), whole],
				['after', found.map(({ rare }) => rare), pairs.rare],
			] as const) {
				const expected = binomialOf(sizes, sizeOf);
				const { mean, deviation } = spreadOf(counts);
				const ratio = deviation / expected.deviation;
				console.log(name, when, 'mean', mean, expected.mean, 'sd', deviation, expected.deviation, ratio);
				add({
					case: `std-ratio@${name}-${when}`,
					ours: ratio,
					peer: GOAL,
					peerName: `goal; ${keys} keys, ${records} records`,
					unit: 'times the binomial',
				});
				const half = (-normalQuantile(error / 2) * deviation) / Math.sqrt(keys);
				const [low, high] = [(expected.mean - half) / records, (expected.mean + half) / records];
				add(
					{
						case: `mean-rate@${name}-${when}`,
						ours: mean / records,
						peer: high,
						peerName: `upper edge of [${low.toPrecision(4)}, ${high.toPrecision(4)}], attained ${(expected.mean / records).toPrecision(4)}`,
						unit: 'share rejected',
					},
					low,
				);
			}
			const groupSizeOf = attainedSizes(law, GROUP_LEVEL);
			const scored = groups.map((_, i) => pairs.groups.starts[i + 1] - pairs.groups.starts[i]);
			const attained = scored.reduce((sum, count) => sum + groupSizeOf(count), 0) / groups.length;
			const tests = keys * groups.length;
			const [low, high] = band(tests, attained, error);
			add(
				{
					case: `models@${name}`,
					ours: found.reduce((sum, { accusations }) => sum + accusations, 0),
					peer: Math.round(high * tests),
					peerName: `upper edge of [${Math.round(low * tests)}, ${Math.round(high * tests)}], ${tests} tests`,
					unit: `accusations at ${GROUP_LEVEL.toExponential()}`,
				},
				Math.round(low * tests),
			);
			add({
				case: `smallest-p@${name}`,
				ours: found.reduce((most, { smallest }) => Math.max(most, -smallest), 0),
				peer: 8,
				peerName: 'no accusation at 1e-8',
				unit: '−log10 p of a model',
			});
			console.log(
				name,
				'distinct',
				pairs.size,
				'of',
				starts[starts.length - 1],
				'seconds',
				seconds.toFixed(1),
			);
			notes.push(
				`${name}: ${pairs.size} distinct windows in the corpus, ${starts[starts.length - 1]} over its records, ` +
					`${(100 * share).toPrecision(3)} % of them in at most ${MOST} records; ${seconds.toFixed(0)} s on ${threads} threads.`,
			);
		}
		await pool.destroy();
		const after = missed.filter((name) => !name.endsWith('-before'));
		return {
			rows,
			notes: [
				after.length === 0
					? 'All figures after the rule, and of models, lie within their goals and bands.'
					: `Outside: ${after.join(', ')}.`,
				`Text in ${real && corpus !== undefined ? "Llama 3.1's vocabulary" : 'the embedded vocabulary of 2,048'}; ${tokens} tokens.`,
				...notes,
			],
		};
	},
};

/** The normal quantile of a small probability (negative), by Newton's steps on the tail's bound: good to a percent. */
function normalQuantile(probability: number): number {
	let z = Math.sqrt(-2 * Math.log(probability));
	for (let i = 0; i < 4; i++)
		z = Math.sqrt(-2 * (Math.log(probability) + Math.log(z) + 0.5 * Math.log(2 * Math.PI)));
	return -z;
}
