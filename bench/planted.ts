/**
 * Marked records planted among a million others: how many are found, how many of those reported are wrong, and what is said
 * of the corpus as a whole.
 *
 * @module
 */
import { execFile } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { LENGTH_CLASSES } from '../src/benchmark/lengths.js';
import { plantedShare } from '../src/benchmark/planted-windows.js';
import { embeddedTokenizer } from '../src/generate/embedded.js';
import { commitMarks } from '../src/ledger/commit-marks.js';
import { parseState } from '../src/scan/state.js';
import { type PlantedRecord, plantedSets } from './planted-records.js';
import type { Bench, Row } from './rows.js';
import { recordsOf } from './scan-corpus.js';

const LEVEL = 1e-4;
const FDR = 0.05;
/** Median length of a record that is cut, in tokens of a large vocabulary: a hundred tokens of the embedded one, on average. */
const MEDIAN = 40;
/** Bytes that are written at once. */
const PIECE = 2 ** 22;
/** What a scan says that the bench asks. */
interface Scanned {
	readonly records: number;
	readonly tokens: number;
	readonly seconds: number;
	readonly log10P: number;
	readonly verdict: string;
	readonly flagged: number;
	readonly markedAtLeast: number;
	readonly shareLower95: number;
}

/** One scan beside the truth. */
interface Trial {
	readonly scanned: Scanned;
	/** Of the planted records, in their order. */
	readonly found: readonly boolean[];
	/** Reported records that were not planted. */
	readonly wrong: number;
	/** Share of the planted records' windows among the distinct ones, the larger of the marks' shares. */
	readonly share: number;
}

function classOf({ tokens }: PlantedRecord): number {
	return LENGTH_CLASSES.findIndex(([from, to]) => tokens.length >= from && tokens.length < to);
}

/** Writes real records as token ids, a list a line. @returns tokens in all */
async function writeBase(path: string, count: number, corpus: string | undefined): Promise<number> {
	const { encode } = embeddedTokenizer();
	const file = openSync(path, 'w');
	let tokens = 0;
	let piece = '';
	const options = { median: MEDIAN, ...(corpus === undefined ? {} : { corpus }) };
	for await (const { text } of recordsOf(count, 'planted', options)) {
		const ids = encode(text);
		tokens += ids.length;
		piece += `[${ids.join(',')}]\n`;
		if (piece.length < PIECE) continue;
		writeSync(file, piece);
		piece = '';
	}
	writeSync(file, piece);
	closeSync(file);
	return tokens;
}

async function trial(
	folder: string,
	base: string,
	keyring: string,
	planted: readonly PlantedRecord[],
): Promise<Trial> {
	const path = join(folder, 'planted.jsonl');
	const out = join(folder, 'out');
	writeFileSync(path, planted.map(({ id, tokens }) => `${JSON.stringify({ id, tokens })}\n`).join(''));
	try {
		const { stdout } = await promisify(execFile)(
			process.execPath,
			[
				...['dist/cli/main.js', 'scan', base, ...(planted.length === 0 ? [] : [path]), '--tokens'],
				...['--keyring', keyring, '--level', String(LEVEL), '--fdr', String(FDR)],
				...['--out', out, '--json', '--quiet'],
			],
			{ maxBuffer: 2 ** 28 },
		);
		const scanned = JSON.parse(stdout) as Scanned;
		const flagged = new Set(
			readFileSync(join(out, 'flagged.jsonl'), 'utf8')
				.split('\n')
				.filter((line) => line !== '')
				.map((line) => (JSON.parse(line) as { record: string }).record),
		);
		const found = planted.map(({ id }) => flagged.has(id));
		const right = found.filter(Boolean).length;
		const state = parseState(JSON.parse(readFileSync(join(out, 'state.json'), 'utf8')), 'state');
		const share = plantedShare(
			planted.map(({ tokens }) => tokens),
			state,
		);
		return { scanned, found, wrong: scanned.flagged - right, share };
	} finally {
		rmSync(out, { recursive: true, force: true });
	}
}

function mean(values: readonly number[]): number {
	return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}

export const bench: Bench = {
	about:
		'`touchmark scan` over token ids of 1,000,000 real records (books, six languages, code and, with `--corpus`, model outputs, each cut ' +
		'anew until the count is reached; quick: 20,000), and 0, 10, 100 or 1,000 records behind them that the embedded model wrote under the ' +
		'default marks of a ring: 30 to 400 tokens, log-uniform. Each of 20 seeds (quick: 3) has keys and records of its own. `found@k`: share of ' +
		'the k planted records that are reported, in all and by tokens. `false@k`: share of the reported records that were not planted, mean of ' +
		'the scans; peer: the stated rate. `marked-at-least@k`: scans whose lower bound of marked records among the reported ones held; ' +
		'`share-lower@k`: whose lower bound of the share of marked windows held; peer of both: 95 % of the scans. `corpus@k`: scans that find the ' +
		'corpus marked at 1e-4; peer for 0: none. `smallest-p@0`: −log10; peer: 4.',
	async run({ quick, corpus }) {
		const records = quick ? 20_000 : 1_000_000;
		const counts = quick ? [0, 10, 100] : [0, 10, 100, 1000];
		const seeds = Array.from({ length: quick ? 3 : 20 }, (_, i) => `planted-${i}`);
		const folder = mkdtempSync(join(tmpdir(), 'touchmark-planted-bench-'));
		try {
			const base = join(folder, 'base.jsonl');
			let began = performance.now();
			const lap = () => {
				const seconds = (performance.now() - began) / 1000;
				began = performance.now();
				return seconds;
			};
			const tokens = await writeBase(base, records, corpus);
			console.log(records, 'records', tokens, 'tokens', lap(), 's');
			const sets = await plantedSets(Math.max(...counts), seeds);
			console.log('planted', lap(), 's');
			const trials = new Map(counts.map((count) => [count, [] as Trial[]]));
			for (const [i, { ring, records: planted }] of sets.entries()) {
				const keyring = join(folder, `ring-${i}.json`);
				// What is marked is under keys that were committed before: a verdict does not pay for a search.
				await commitMarks(join(folder, `log-${i}`), ring);
				writeFileSync(keyring, JSON.stringify(ring.toFile()));
				for (const [count, done] of trials) {
					const one = await trial(folder, base, keyring, planted.slice(0, count));
					done.push(one);
					const right = one.found.filter(Boolean).length;
					console.log(seeds[i], count, 'found', right, 'wrong', one.wrong, 'share', one.share, one.scanned);
				}
			}

			const rows: Row[] = [];
			const row = (name: string, ours: number, peer: number, peerName: string, unit: string, less = false) =>
				rows.push({
					...{ case: name, ours, peer, peerName, unit },
					ratio: less ? (ours > 0 ? peer / ours : Number.MAX_SAFE_INTEGER) : peer > 0 ? ours / peer : 0,
				});
			const n = seeds.length;
			for (const [count, done] of trials) {
				const scans = `scans of ${n}`;
				const marked = done.filter(({ scanned }) => scanned.verdict === 'marked').length;
				const wrong = done.map(({ wrong, scanned }) => wrong / Math.max(1, scanned.flagged));
				if (count === 0) {
					row('corpus@0', marked, 0, 'goal', scans, true);
					const least = Math.min(...done.map(({ scanned }) => scanned.log10P));
					row('smallest-p@0', least === 0 ? 0 : -least, 4, 'the level', '−log10 p', true);
					row('false@0', mean(wrong), FDR, 'stated rate', 'share of reported', true);
					continue;
				}
				const hits = done.flatMap(({ found }, i) =>
					found.map((hit, j) => ({ hit, kind: classOf(sets[i].records[j]) })),
				);
				const shareOf = (some: typeof hits) => some.filter(({ hit }) => hit).length / some.length;
				row(`found@${count}`, shareOf(hits), 1, `all ${hits.length}`, 'share of planted');
				for (const [kind, [from, to]] of LENGTH_CLASSES.entries()) {
					const some = hits.filter((one) => one.kind === kind);
					if (some.length > 0)
						row(
							`found@${count}-${from}-${to - 1}`,
							shareOf(some),
							1,
							`all ${some.length}`,
							'share of planted',
						);
				}
				row(`false@${count}`, mean(wrong), FDR, 'stated rate', 'share of reported', true);
				const right = (one: Trial) => one.found.filter(Boolean).length;
				const held = done.filter((one) => one.scanned.markedAtLeast <= right(one)).length;
				row(`marked-at-least@${count}`, held, 0.95 * n, '95 %', `${scans}; holds`);
				const below = done.filter(({ scanned, share }) => scanned.shareLower95 <= share).length;
				row(`share-lower@${count}`, below, 0.95 * n, '95 %', `${scans}; holds`);
				row(`corpus@${count}`, marked, n, 'all', scans);
			}
			const notes = [...trials].map(([count, done]) => {
				const figures = (of: (one: Trial) => number) => mean(done.map(of)).toPrecision(3);
				return (
					`${count} planted, means: ${figures(({ scanned }) => scanned.flagged)} reported, ${figures(({ wrong }) => wrong)} of them wrong, ` +
					`at least ${figures(({ scanned }) => scanned.markedAtLeast)} said to be marked; planted share of distinct windows ${figures(({ share }) => share)}, ` +
					`lower bound ${figures(({ scanned }) => scanned.shareLower95)}; log10 p ${figures(({ scanned }) => scanned.log10P)}; ` +
					`${figures(({ scanned }) => scanned.seconds)} s a scan.`
				);
			});
			return {
				rows,
				notes: [`${tokens.toLocaleString('en')} tokens without the planted records.`, ...notes],
			};
		} finally {
			rmSync(folder, { recursive: true, force: true });
		}
	},
};
