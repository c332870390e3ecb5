/**
 * `touchmark scan` through the built command line: what is planted is found and nothing else, whatever the threads, the
 * order of the files and the moments at which it is killed; what is hostile is named and does no harm.
 */
import { cpSync, existsSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { beforeAll, describe, expect, it } from 'vitest';
import { plantedRecords } from '../../bench/planted-records.js';
import { createMarker } from '../../src/embed/marker.js';
import { embeddedTokenizer } from '../../src/generate/embedded.js';
import { createKeyring, type Keyring } from '../../src/keys/keyring.js';
import { defaultMarks } from '../../src/marks/defaults.js';
import { newPairSet } from '../../src/verify/pairs.js';
import { scoreOf, tallyPairs } from '../../src/verify/tally.js';
import { randomSource } from '../stats/random.js';
import { type Ended, runBuilt } from './built-cli.js';
import { newFolder } from './run-cli.js';

const folder = newFolder();
const path = (...names: string[]) => join(folder, ...names);
const { vocabSize, fingerprint, decode } = embeddedTokenizer();
const AT = { index: 0, time: '2026-11-24T00:00:00.000Z', leaf: 'ee'.repeat(32) };

/** A key ring whose marks were committed, in a file. */
function ringFile(name: string, ring: Keyring): string {
	for (const spec of ring.marks) ring.recordLogged(spec, AT);
	writeFileSync(path(name), JSON.stringify(ring.toFile()));
	return path(name);
}
function newRing(first: number): Keyring {
	const ring = createKeyring(
		{ unsealed: true },
		Uint8Array.from({ length: 32 }, (_, i) => first + i),
	);
	for (const template of defaultMarks('acme', fingerprint)) ring.add(template);
	return ring;
}
const ring = newRing(1);
const ringPath = ringFile('ring.json', ring);
const otherPath = ringFile('other.json', newRing(100));

const marker = createMarker({ marks: ring.marks.map((spec) => ring.bind(spec, 'embed')), vocabSize });
const logits = new Float32Array(vocabSize);
function marked(length: number, seed: string): number[] {
	const generation = marker.start({ seed });
	for (let i = 0; i < length; i++) marker.step([generation], logits);
	return [...generation.tokens];
}
const uniform = randomSource(11);
const unmarked = (length: number) => Array.from({ length }, () => Math.floor(uniform() * vocabSize));

/** Writes records: of ids one list a line, of texts objects. Gives the path. */
function put(name: string, records: readonly unknown[]): string {
	writeFileSync(path(name), records.map((record) => `${JSON.stringify(record)}\n`).join(''));
	return path(name);
}

interface Span {
	readonly pairs: number;
	readonly score: number;
	readonly tokens: readonly [number, number];
}

/** Runs the built command; SIGKILL after some milliseconds, or once something is so. */
async function cli(args: readonly string[], killAfter?: number | (() => boolean)): Promise<Ended> {
	const killing = new AbortController();
	const kill = () => killing.abort();
	const timers = [
		...(typeof killAfter === 'number' ? [setTimeout(kill, killAfter)] : []),
		...(typeof killAfter === 'function' ? [setInterval(() => killAfter() && kill(), 5)] : []),
	];
	try {
		return await runBuilt(['scan', ...args], { kill: killing.signal });
	} finally {
		for (const timer of timers) clearTimeout(timer);
	}
}
const ids = ['--tokens', '--keyring', ringPath];
async function json(...args: string[]) {
	const { code, out, err } = await cli([...args, '--json', '--quiet']);
	expect({ code, err }, args.join(' ')).toEqual({ code: 0, err: '' });
	return JSON.parse(out);
}
const linesOf = (...names: string[]) =>
	readFileSync(path(...names), 'utf8')
		.split('\n')
		.filter((line) => line !== '')
		.map((line) => JSON.parse(line));

/** Some records, 12 of which are marked, and one long one with a marked passage. */
const PASSAGE = 9000;
const PER_FILE = 200;
const records = Array.from({ length: 6 * PER_FILE }, () => unmarked(100));
const planted = Array.from({ length: 12 }, (_, i) => 17 + 92 * i);
for (const i of planted) records[i] = marked(150, `planted ${i}`);
const long = [...unmarked(PASSAGE), ...marked(300, 'passage'), ...unmarked(PASSAGE)];
const files = Array.from({ length: 6 }, (_, i) =>
	put(`part-${i}.jsonl`, [...records.slice(PER_FILE * i, PER_FILE * (i + 1)), ...(i === 3 ? [long] : [])]),
);
/** Ids are the bytes at which lines begin. */
const idOf = (i: number) => {
	let byte = 0;
	for (let at = i - (i % PER_FILE); at < i; at++) byte += JSON.stringify(records[at]).length + 1;
	return String(byte);
};
/** Flags of the scan that several tests look at. */
const flags = [...ids, '--held-out-keys', '19', '--json', '--quiet'];

describe('scan', () => {
	let ended: Ended;
	beforeAll(async () => {
		const more = ['--workers', '1', '--fail-on-detect', '--flagged', path('found.parquet')];
		ended = await cli([...files, ...flags, ...more, '--out', path('found')]);
	});

	it('reports the marked records and nobody else, says where, and in how many windows at least', async () => {
		expect(ended).toMatchObject({ code: 3, err: '' });
		const found = JSON.parse(ended.out);
		expect(found).toMatchObject({ records: 1201, skipped: 0, judged: 1201, flagged: 13, verdict: 'marked' });
		expect(found.markedAtLeast).toBeGreaterThan(8);
		expect(found.markedAtLeast).toBeLessThanOrEqual(13);
		const windows = records.length * 96 + long.length;
		expect(found.shareLower95).toBeGreaterThan(0);
		expect(found.shareLower95).toBeLessThanOrEqual((12 * 150 + 300) / windows);
		for (const { heldOut } of found.tests) expect(heldOut).toMatchObject({ count: 19, rank: 1 });
		const flagged = linesOf('found', 'flagged.jsonl');
		expect(new Set(flagged.map(({ shard, record }) => `${shard} ${record}`))).toEqual(
			new Set([
				...planted.map((i) => `${files[Math.floor(i / PER_FILE)]} ${idOf(i)}`),
				`${files[3]} ${Number(idOf(4 * PER_FILE - 1)) + JSON.stringify(records[4 * PER_FILE - 1]).length + 1}`,
			]),
		);
		const passage = flagged.find(({ marks }) => marks[0].scored > 10_000);
		const [first, last] = passage.marks[0].span.tokens;
		expect(first).toBeGreaterThan(PASSAGE - 200);
		expect(last).toBeLessThan(PASSAGE + 500);
		expect(Math.min(last, PASSAGE + 300) - Math.max(first, PASSAGE)).toBeGreaterThan(200);
	});

	it('finds nothing under another key, and --fail-on-detect says so to scripts', async () => {
		const args = [...files, '--tokens', '--level', '1e-4', '--fail-on-detect', '--quiet', '--json'];
		const none = await cli([...args, '--keyring', otherPath]);
		expect(none.code).toBe(0);
		expect(JSON.parse(none.out)).toMatchObject({ flagged: 0, markedAtLeast: 0, verdict: 'no-evidence' });
		expect(ended.code).toBe(3);
	});

	it('gives the same state and the same lines for any number of threads and any order of the files', async () => {
		const written = (out: string) =>
			['state.json', 'flagged.jsonl', 'skipped.jsonl', 'result.json'].map((name) =>
				readFileSync(path(out, name), 'utf8'),
			);
		await Promise.all(
			[2, 3].map(async (workers) => {
				const paths = workers === 2 ? [...files].reverse() : files;
				const out = `workers-${workers}`;
				const { code } = await cli([...paths, ...flags, '--out', path(out), '--workers', String(workers)]);
				expect(code).toBe(0);
				expect(written(out)).toEqual(written('found'));
			}),
		);
	});

	it('--exact scores what all distinct pairs score, one by one', async () => {
		const { tests } = await json(...files, ...ids, '--exact');
		const sampled = linesOf('found', 'result.json')[0].tests;
		for (const [i, spec] of ring.marks.entries()) {
			const pairs = newPairSet(spec);
			for (const tokens of [...records, long]) pairs.add(tokens);
			const tally = tallyPairs(pairs, ring.bind(spec, 'verify'));
			expect(tests[i]).toMatchObject({ scored: tally.scored, score: scoreOf(tally) });
		}
		expect(sampled.some(({ scored }: { scored: number }, i: number) => scored < tests[i].scored)).toBe(true);
	});

	it('does not score for a record what many have in common, in the corpus or in a background', async () => {
		const boilerplate = marked(120, 'boilerplate');
		const letters = Array.from({ length: 40 }, () => [...unmarked(60), ...boilerplate, ...unmarked(60)]);
		const many = put('many.jsonl', letters);
		expect(await json(many, ...ids)).toMatchObject({ judged: 40, flagged: 0 });
		// Without the other copies the same record is reported, unless a background has them.
		const one = put('one.jsonl', letters.slice(0, 1));
		expect(await json(one, ...ids)).toMatchObject({ judged: 1, flagged: 1 });
		const innocent = put('innocent.jsonl', letters.slice(1, 20));
		expect(await json(one, ...ids, '--background', innocent)).toMatchObject({ records: 1, flagged: 0 });
	});

	it('writes the reported records as Parquet too, and again for a scan that has ended', async () => {
		const args = [...files, ...flags, '--out', path('found')];
		expect(await cli([...args, '--flagged', path('again.parquet'), '--resume'])).toMatchObject({ code: 0 });
		for (const name of ['found.parquet', 'again.parquet']) {
			const rows = await parquetReadObjects({ file: await asyncBufferFromFile(path(name)) });
			const lines = linesOf('found', 'flagged.jsonl');
			expect(lines).toHaveLength(13);
			expect(rows).toEqual(
				lines.flatMap(({ shard, record, part, log10E, marks }) =>
					marks.map((one: { mark: string; log10E: number; scored: number; span: Span }) => ({
						...{ shard, record, part, log10E, mark: one.mark, markLog10E: one.log10E, scored: one.scored },
						...{ spanPairs: one.span.pairs, spanScore: one.span.score },
						...{ firstToken: one.span.tokens[0], lastToken: one.span.tokens[1] },
					})),
				),
			);
		}
		const { code, err } = await cli([...args, '--flagged', path('flagged.xlsx')]);
		expect({ code, err }).toMatchObject({ code: 2, err: expect.stringMatching(/must end in \.parquet/) });
	});

	it('estimates the marked share by what was served', async () => {
		const mixed = Array.from({ length: 600 }, (_, i) =>
			i % 10 < 3 ? marked(100, `share ${i}`) : unmarked(100),
		);
		const corpus = put('mixed.jsonl', mixed);
		const sample = put(
			'served.jsonl',
			Array.from({ length: 40 }, (_, i) => marked(80, `served ${i}`)),
		);
		const estimated = await json(corpus, ...ids, '--served-sample', sample);
		expect(Math.abs(estimated.shareEstimate - 0.3)).toBeLessThan(0.05);
		expect(estimated.shareLower95).toBeLessThan(0.3);
		for (const [name, lines, problem] of [
			['few.jsonl', [marked(500, 'few')], /too few to estimate a share; give at least 1000/],
			['innocent-sample.jsonl', [unmarked(3000)], /does not score above unmarked text/],
		] as const) {
			const { code, out, err } = await cli([corpus, ...ids, '--json', '--served-sample', put(name, lines)]);
			expect({ code, err }).toEqual({ code: 0, err: expect.stringMatching(problem) });
			expect(JSON.parse(out)).not.toHaveProperty('shareEstimate');
		}
	});

	it('looks for marked text in texts, and scores no context that was given', async () => {
		const { ring: textRing, records: texts } = plantedRecords(8, 'scan-corpus');
		const flags = ['--keyring', ringFile('text-ring.json', textRing), '--level', '1e-4'];
		const longest = [...texts].sort((a, b) => b.tokens.length - a.tokens.length)[0];
		const plain = Array.from({ length: 30 }, (_, i) => ({ id: `plain ${i}`, text: decode(unmarked(80)) }));
		const quoted = { id: 'quoted', prompt: `Say this again: ${longest.text}`, text: longest.text };
		const answers = put('quoted.jsonl', [...plain, quoted]);
		expect(await json(answers, ...flags)).toMatchObject({ records: 31, flagged: 0, verdict: 'no-evidence' });
		const own = put('own.jsonl', [...plain, { ...quoted, id: 'own', prompt: 'Say something.' }]);
		expect(await json(own, ...flags, '--out', path('own'))).toMatchObject({ flagged: 1 });
		expect(linesOf('own', 'flagged.jsonl')).toMatchObject([{ shard: own, record: 'own', part: 0 }]);
	});

	it('--strict ends at the first broken record in the order of the corpus; otherwise it is named', async () => {
		const torn = path('torn.jsonl');
		writeFileSync(torn, `[1,2,3]\n[1,2,"x"]\n${JSON.stringify(unmarked(50))}\n[4`);
		const later = path('torn-later.jsonl');
		writeFileSync(later, '{\n');
		const strict = await cli([torn, later, ...ids, '--strict', '--workers', '2']);
		expect(strict).toMatchObject({ code: 2, out: '' });
		expect(strict.err).toMatch(/^[^\n]*torn-later\.jsonl[^\n]*\n$/);
		const lenient = await cli([torn, later, ...ids, '--json', '--out', path('torn')]);
		expect(lenient.code).toBe(0);
		expect(JSON.parse(lenient.out)).toMatchObject({ records: 2, skipped: 3 });
		expect(linesOf('torn', 'skipped.jsonl').map(({ shard }) => shard)).toEqual([later, torn, torn]);
		expect(lenient.err).toMatch(/torn\.jsonl at byte 8/);
	});
});

describe('a scan that is killed', () => {
	const corpus = path('killed');
	const NAMES = ['state.json', 'flagged.jsonl', 'skipped.jsonl', 'result.json'];
	const args = (out: string) => [corpus, ...ids, '--out', path(out), '--exact', '--workers', '2', '--quiet'];
	const bytes = (out: string) => NAMES.map((name) => readFileSync(path(out, name), 'utf8'));
	/** Shards that a checkpoint holds. */
	const kept = (out: string): number => {
		const checkpoint = path(out, 'work', 'checkpoint.json');
		return existsSync(checkpoint) ? JSON.parse(readFileSync(checkpoint, 'utf8')).shards.length : 0;
	};
	let seconds = 0;

	beforeAll(async () => {
		mkdirSync(corpus);
		const distinct = 4;
		// So many that threads count two files together, and then one after another.
		for (let i = 0; i < 14; i++) {
			const file = join(corpus, `${String(i).padStart(2, '0')}.jsonl`);
			if (i >= distinct) {
				cpSync(join(corpus, `0${i % distinct}.jsonl`), file);
				continue;
			}
			const lines = Array.from({ length: 290 }, () => JSON.stringify(unmarked(200)));
			lines[7 * i + 1] = JSON.stringify(marked(200, `killed ${i}`));
			lines[100] = '[1,';
			writeFileSync(file, `${lines.join('\n')}\n`);
		}
		const began = performance.now();
		expect(await cli(args('whole'))).toMatchObject({ code: 0 });
		seconds = (performance.now() - began) / 1000;
	});

	it('at 20 random moments, and resumed, gives the same bytes', async () => {
		const random = randomSource(20);
		let run = 0;
		let resumed = 0;
		let redone = 0;
		for (let kills = 0; kills < 20; ) {
			const out = `killed-${run}`;
			const before = kept(out);
			// The first loses what it did, the second keeps some of it; the others fall where they may.
			const moment =
				kills === 0
					? () => existsSync(path(out, 'work', 'plan.json'))
					: resumed === 0 && run < 5
						? () => kept(out) > before
						: 1000 * (0.2 + 0.6 * seconds * random());
			const { code } = await cli([...args(out), '--resume'], moment);
			if (code === 0) {
				expect(bytes(out)).toEqual(bytes('whole'));
				expect(existsSync(path(out, 'work'))).toBe(false);
				run++;
				continue;
			}
			expect(code).toBe(null);
			kills++;
			if (kept(out) > before) resumed++;
			else redone++;
		}
		expect(await cli([...args(`killed-${run}`), '--resume'])).toMatchObject({ code: 0 });
		expect(bytes(`killed-${run}`)).toEqual(bytes('whole'));
		// Both must have happened: work that was kept, and work that was lost.
		expect(Math.min(resumed, redone)).toBeGreaterThan(0);
	}, 600_000);

	it('is resumed with the same flags and files only, and not unasked', async () => {
		const begun = path('unfinished', 'work', 'plan.json');
		expect(await cli(args('unfinished'), () => existsSync(begun))).toMatchObject({ code: null });
		expect(existsSync(begun)).toBe(true);
		const refused = async (...more: string[]) => {
			const { code, err } = await cli([...args('unfinished'), ...more]);
			expect({ code, lines: err.split('\n').length }).toEqual({ code: 2, lines: 2 });
			return err;
		};
		expect(await refused()).toMatch(/holds an unfinished scan; go on with it \(--resume\)/);
		expect(await refused('--resume', '--strict')).toMatch(/begun with other marks, files or flags/);
		expect(await refused('--resume', files[0])).toMatch(/begun with other marks, files or flags/);
		expect(await refused('--resume', '--keyring', otherPath)).toMatch(/begun with other marks, files/);
	});

	it('lets no other process into its folder meanwhile', async () => {
		const begun = path('shared', 'work', 'plan.json');
		const one = cli(args('shared'));
		while (!existsSync(begun)) await new Promise((wait) => setTimeout(wait, 5));
		const other = await cli([...args('shared'), '--resume']);
		expect(other.err).toMatch(/another process scans into this folder/);
		expect(other.code).toBe(2);
		expect(await one).toMatchObject({ code: 0 });
		expect(bytes('shared')).toEqual(bytes('whole'));
	});

	it('prints its result again once it has one, and nothing else', async () => {
		const again = await cli([...args('whole'), '--resume', '--json']);
		const { digest: _, ...result } = linesOf('whole', 'result.json')[0];
		expect(again.code).toBe(0);
		expect(JSON.parse(again.out)).toMatchObject(result);
		expect((await cli(args('whole'))).err).toMatch(/holds the results of a scan already/);
		expect((await cli([...args('whole'), '--resume', '--fdr', '0.1'])).err).toMatch(
			/with other marks, files or flags/,
		);
	});
});

it('hostile inputs are named, do not end the scan, and take no memory', async () => {
	const hostile = path('hostile');
	mkdirSync(hostile);
	const file = (name: string, content: string | Uint8Array) => writeFileSync(join(hostile, name), content);
	const good = `${JSON.stringify({ id: 'good', text: 'The heron stands in shallow water.' })}\n`;
	file('good.jsonl', good);
	file('corrupt.jsonl.gz', gzipSync(good).fill(7, 12));
	file('truncated.jsonl.gz', gzipSync(good.repeat(5000)).subarray(0, 150));
	file('truncated.jsonl.zst', Uint8Array.from([0x28, 0xb5, 0x2f, 0xfd, 0x04, 0x58, 0x41, 0, 0, 0x68]));
	file('enormous.jsonl', '');
	truncateSync(join(hostile, 'enormous.jsonl'), 80 * 2 ** 20);
	writeFileSync(join(hostile, 'enormous.jsonl'), `\n${good}`, { flag: 'a' });
	file('latin.jsonl', Buffer.concat([Buffer.from('{"text":"\xe9t\xe9"}\n', 'latin1'), Buffer.from(good)]));
	file('utf16.jsonl', Buffer.from(good, 'utf16le'));
	file('nested.json', `${'['.repeat(1e6)}${']'.repeat(1e6)}`);
	file('nested.jsonl', `${'{"text":'.repeat(1e5)}1${'}'.repeat(1e5)}\n${good}`);
	const zeros = gzipSync(new Uint8Array(2 ** 26));
	file('bomb.jsonl.gz', Buffer.concat(Array.from({ length: 16 }, () => zeros)));
	file('bomb.json.gz', Buffer.concat(Array.from({ length: 16 }, () => zeros)));
	const absurd = Buffer.from('PAR1....PAR1');
	absurd.writeUInt32LE(0x7fffffff, 4);
	file('absurd.parquet', absurd);
	file('empty.parquet', '');
	const { code, out, err } = await cli([hostile, '--keyring', ringPath, '--json', '--out', path('named')]);
	expect(code).toBe(0);
	const result = JSON.parse(out);
	expect(result).toMatchObject({ flagged: 0, verdict: 'too-little-data' });
	// Of those that break off, what stands before the break was read.
	expect(result.records).toBeGreaterThanOrEqual(4);
	expect(result.peakRssBytes).toBeLessThan(1e9);
	const named = linesOf('named', 'skipped.jsonl').map(({ message }) => message);
	expect(named.join('\n')).not.toMatch(/internal|undefined|\bat .*\.js/);
	for (const name of [
		...['corrupt.jsonl.gz', 'truncated.jsonl.gz', 'truncated.jsonl.zst', 'enormous.jsonl', 'latin.jsonl'],
		...['utf16.jsonl', 'nested.json', 'nested.jsonl', 'bomb.jsonl.gz', 'bomb.json.gz', 'absurd.parquet'],
		'empty.parquet',
	]) {
		expect(
			named.some((message) => message.includes(`/${name}`)),
			name,
		).toBe(true);
		expect(err).toContain(`/${name}`);
	}
});
