/**
 * How fast marks are put in and found, beside the systems that people have.
 *
 * @module
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { loadTokenizer } from '../src/corpus/load-tokenizer.js';
import type { Tokenizer } from '../src/corpus/tokenizer.js';
import { createMarker } from '../src/embed/marker.js';
import { randomStream } from '../src/embed/random.js';
import { embeddedTokenizer } from '../src/generate/embedded.js';
import { HfConfig, hfMark } from '../src/marks/hf-config.js';
import { bindMark, type Mark } from '../src/marks/mark.js';
import type { MarkSpec } from '../src/marks/mark-spec.js';
import { VllmConfig, vllmMark } from '../src/marks/vllm-config.js';
import { scratchRow } from '../src/prf/kernel.js';
import { detect } from '../src/verify/detect.js';
import { specOf } from './fresh-marks.js';
import { type Peer, startPeers, versions } from './peer-process.js';
import { smollm2Logits, widened } from './real-logits.js';
import { type Bench, median, type Row } from './rows.js';
import { tokenizerFile, VOCABULARIES } from './tokenizers/vocabularies.js';

const V = 128_256;
const BOOKS = 'bench/distillation/books';
/** Characters of a stretch of text. */
const STRETCH = 200_000;
const chacha = { prf: 'chacha8-v1', contextWidth: 4 } as const;
const bound = (part: Pick<MarkSpec, 'scheme' | 'prf' | 'contextWidth'> & Partial<MarkSpec>): Mark =>
	bindMark(specOf(part), new Uint8Array(32).fill(7));
const MARKS = {
	kgw: bound({ ...chacha, contextWidth: 1, scheme: { name: 'kgw', gamma: 0.25, delta: 2 } }),
	'kgw-half': bound({ ...chacha, contextWidth: 1, scheme: { name: 'kgw', gamma: 0.5, delta: 2 } }),
	gumbel: bound({ ...chacha, scheme: { name: 'gumbel' } }),
	dual: bound({ ...chacha, scheme: { name: 'dual_key_gumbel', alpha: 0.1 } }),
	synthid: bound({ ...chacha, scheme: { name: 'synthid', depth: 30 } }),
	unigram: bound({ ...chacha, contextWidth: 0, scheme: { name: 'unigram', gamma: 0.5, delta: 2 } }),
	philox: vllmMark(VllmConfig.parse({ algorithm: 'gumbel', key: '42' })),
	'philox-dual': vllmMark(VllmConfig.parse({ algorithm: 'dual_key_gumbel', key: '42' })),
};
const HF_KGW = {
	greenlist_ratio: 0.25,
	bias: 2,
	hashing_key: 15485863,
	seeding_scheme: 'lefthash',
	context_width: 1,
};
const HF_SYNTHID = {
	ngram_len: 5,
	keys: Array.from({ length: 30 }, (_, i) => 11 + 31 * i),
	sampling_table_size: 65_536,
	sampling_table_seed: 0,
	context_history_size: 1024,
};
const random = randomStream('speed');

/** What was asked of a row: at most so many µs, at least so many tokens/s, or so many times its peer. */
interface Goal {
	readonly row: string;
	readonly kind: 'µs' | 'tokens/s' | 'times';
	readonly value: number;
	/** Why it is missed, where it is. */
	readonly why?: string;
}

const GOALS: readonly Goal[] = [
	{ row: 'embed-kgw@128256', kind: 'µs', value: 100 },
	{
		row: 'embed-kgw@128256',
		kind: 'times',
		value: 20,
		why: 'γ = ¼ takes eight keystream bits a token; γ = ½ takes one',
	},
	{ row: 'embed-kgw-half@128256', kind: 'times', value: 20 },
	{ row: 'embed-gumbel@128256', kind: 'µs', value: 300 },
	{ row: 'embed-synthid-top1024@128256', kind: 'µs', value: 300 },
	{ row: 'embed-synthid-top1024@128256', kind: 'times', value: 20 },
	{ row: 'embed-synthid-full@128256', kind: 'times', value: 20 },
	{ row: 'detect-gumbel', kind: 'tokens/s', value: 1e7, why: 'records of 512 tokens; longer ones reach it' },
	{ row: 'detect-philox', kind: 'tokens/s', value: 1e7 },
	{ row: 'detect-unigram', kind: 'tokens/s', value: 1e7 },
	{ row: 'detect-gumbel', kind: 'times', value: 10 },
	{ row: 'detect-philox', kind: 'times', value: 10 },
	{ row: 'detect-gumbel-markllm', kind: 'times', value: 100 },
	{ row: 'detect-kgw', kind: 'times', value: 100 },
	{ row: 'detect-synthid', kind: 'times', value: 100 },
	{
		row: 'detect-unigram',
		kind: 'times',
		value: 100,
		why: 'MarkLLM looks each id up in a mask; at 512 tokens our set of pairs, interval and tail are most of the time',
	},
	{ row: 'detect-unigram-65536', kind: 'times', value: 100 },
	{ row: 'detect-kgw-transformers', kind: 'times', value: 10 },
	{
		row: 'detect-kgw-transformers-selfhash',
		kind: 'times',
		value: 10,
		why: 'nearly every token has a seed of its own, and a seed costs γV outputs of the twister whoever draws them',
	},
	{
		row: 'detect-synthid-transformers',
		kind: 'times',
		value: 10,
		why: 'upstream takes two means; a third of our time is the exact interval of 15,000 bits',
	},
	...['embedded', ...VOCABULARIES].map(
		(name): Goal => ({
			row: `text-new-${name}`,
			kind: 'times',
			value: 1 / 1.3,
			why: 'with few ids a text is tokenized at millions of tokens a second, no slower than it is scored',
		}),
	),
];

/** One line on each goal whose row was measured. */
function goalNotes(rows: readonly Row[]): string[] {
	return GOALS.flatMap(({ row: name, kind, value, why }) => {
		const row = rows.find((one) => one.case === name);
		if (row === undefined) return [];
		const got = kind === 'times' ? row.ratio : row.ours;
		const met = kind === 'µs' ? got <= value : got >= value;
		const show = (number: number) => Number(number.toPrecision(3)).toLocaleString('en');
		const asked = `${kind === 'µs' ? 'at most' : 'at least'} ${show(value)} ${kind === 'times' ? `times ${row.peerName}` : kind}`;
		return [`\`${name}\`: ${asked}; ${show(got)}, ${met ? 'met' : `missed (${why ?? 'see the table'})`}.`];
	});
}

/** One side of a comparison: seconds for a run, and what a run counts. */
interface Side {
	readonly name: string;
	run(): Promise<{ seconds: number; count: number }>;
	drop?(): Promise<void>;
}

const ours = (count: number, work: () => void): Side => ({
	name: 'ours',
	async run() {
		const begun = performance.now();
		work();
		return { seconds: (performance.now() - begun) / 1000, count };
	},
});

async function theirs(peer: Peer, name: string, request: object): Promise<Side> {
	const prepared = await peer.setup(name, request);
	return {
		name,
		async run() {
			const { seconds, tokens } = await prepared.run();
			return { seconds, count: tokens };
		},
		drop: () => prepared.drop(),
	};
}

/** Median seconds per unit of each side, run in turn. */
async function compare(repeats: number, sides: readonly Side[]): Promise<number[]> {
	const times = sides.map((): number[] => []);
	// The compiler needs a few runs of our side; peers warm up in their setup.
	for (const side of sides)
		for (let warm = 0; warm < (side.drop === undefined ? 8 : 1); warm++) await side.run();
	for (let repeat = 0; repeat < repeats; repeat++)
		for (const [i, side] of sides.entries()) {
			const { seconds, count } = await side.run();
			times[i].push(seconds / count);
		}
	for (const side of sides) await side.drop?.();
	return times.map(median);
}

const perStep = (name: string, mine: number, peer: number, peerName: string): Row => ({
	case: name,
	ours: 1e6 * mine,
	peer: 1e6 * peer,
	peerName,
	unit: 'µs a step',
	ratio: peer / mine,
});
const perSecond = (name: string, mine: number, peer: number, peerName: string): Row => ({
	case: name,
	ours: 1 / mine,
	peer: 1 / peer,
	peerName,
	unit: 'tokens/s',
	ratio: peer / mine,
});

/** Steps of marking alone, on a row that is in place already, as the embed session has it. */
function marking(mark: Mark, rows: readonly Float32Array[], steps: number): Side {
	const row = scratchRow(rows[0].length);
	const width = mark.spec.contextWidth;
	return {
		name: 'ours',
		async run() {
			let seconds = 0;
			for (let step = 0; step < steps; step++) {
				row.set(rows[step % rows.length]);
				const context = Array.from({ length: width }, (_, i) => 1000 * i + step);
				const begun = performance.now();
				if (mark.spec.channel === 'shape') mark.scheme.tilt?.(context, row);
				else mark.scheme.draw?.(context, row, random);
				seconds += (performance.now() - begun) / 1000;
			}
			return { seconds, count: steps };
		},
	};
}

/** Whole steps of the embed session: load, check, mark, draw. */
function session(marks: readonly Mark[], rows: readonly Float32Array[], steps: number): Side {
	return ours(steps, () => {
		const marker = createMarker({ marks, vocabSize: rows[0].length, unkeyedShare: 0 });
		const generation = marker.start({ seed: 'speed' });
		for (let step = 0; step < steps; step++) marker.step([generation], rows[step % rows.length]);
	});
}

/** Only the k likeliest tokens, as after top-k; the row keeps its width. */
function topOf(row: Float32Array, k: number): Float32Array {
	const edge = Float32Array.from(row).sort()[row.length - k];
	return row.map((logit) => (logit >= edge ? logit : -Infinity));
}

export const bench: Bench = {
	about:
		"One core, everything in one run, medians of interleaved repeats. `embed`: marking one row of SmolLM2's logits, widened to the " +
		'vocabulary after @, in place as the session has it (`full`: whole vocabulary, flat logits, where no token can be left out; `top1024`: after top-k); `session`: a whole step ' +
		'of the embed session against one without a mark. `detect`: from token ids of an English novel, records of 512 (or as said), each with ' +
		'exact tail, e-value, interval and power. `text`: from text in passages of 2,000 characters, against tokenization alone; `new` ' +
		'text not seen before, as in a scan, `again` the same text over and over, when all its pieces are remembered. Peers: bench/peers.',
	async run({ quick, peers }) {
		const repeats = quick ? 3 : 9;
		const rows: Row[] = [];
		const peer = peers === undefined ? undefined : startPeers(peers);
		const say = (row: Row) => {
			console.log(
				row.case,
				row.ours.toPrecision(4),
				row.peerName,
				row.peer.toPrecision(4),
				row.ratio.toPrecision(3),
			);
			rows.push(row);
		};

		for (const vocabSize of [32_000, V]) {
			const real = smollm2Logits().map((row) => widened(row, vocabSize));
			const flat = [Float32Array.from({ length: vocabSize }, () => random.next())];
			const top = real.map((row) => topOf(row, 1024));
			const narrow = top.map((row) => row.filter((logit) => logit > -Infinity).slice(0, 1024));
			const answer = Array.from({ length: 24 }, (_, i) => 17 + 3 * i);
			const kgwPeer = async () =>
				peer === undefined
					? session([], real, 10)
					: theirs(peer, 'transformers WatermarkLogitsProcessor', {
							case: 'transformers-kgw-process',
							hf: { ...HF_KGW, vocab_size: vocabSize },
							logits: real.slice(0, 2).map((row) => [...row]),
							tokens: [answer],
						});
			for (const name of ['kgw', 'kgw-half', 'unigram'] as const) {
				const sides = [marking(MARKS[name], real, 100), await kgwPeer()];
				const [mine, other] = await compare(repeats, sides);
				say(perStep(`embed-${name}@${vocabSize}`, mine, other, sides[1].name));
			}
			const exact = hfMark(HfConfig.parse({ ...HF_KGW, vocab_size: vocabSize }));
			const exactSides = [marking(exact, real, 20), await kgwPeer()];
			const [exactMine, exactOther] = await compare(repeats, exactSides);
			say(perStep(`embed-kgw-transformers@${vocabSize}`, exactMine, exactOther, exactSides[1].name));
			for (const name of ['gumbel', 'philox', 'dual'] as const)
				for (const [kind, some] of [
					['', real],
					['-full', flat],
				] as const) {
					const sides = [
						marking(MARKS[name], some, 50),
						peer === undefined
							? session([], some, 10)
							: await theirs(peer, 'vLLM GumbelWatermarker', {
									case: 'vllm-gumbel-sample',
									vllm: { algorithm: 'gumbel', key: '42', context_width: 4 },
									logits: some.slice(0, 2).map((row) => [...row]),
									tokens: [answer.slice(0, 8)],
								}),
					];
					const [mine, other] = await compare(repeats, sides);
					say(perStep(`embed-${name}${kind}@${vocabSize}`, mine, other, sides[1].name));
				}
			// Upstream works on whole rows, whatever top-k excluded; `narrow` gives it rows of the candidates alone.
			for (const [kind, some, sent, steps] of [
				['top1024', top, top, 2],
				['top1024-narrow', top, narrow, 12],
				['full', real, real, 2],
			] as const) {
				const sides = [
					marking(MARKS.synthid, some, kind === 'full' ? 4 : 30),
					peer === undefined
						? session([], some, 10)
						: await theirs(peer, 'transformers SynthIDTextWatermarkLogitsProcessor', {
								case: 'transformers-synthid-process',
								hf: HF_SYNTHID,
								// JSON has no infinity; a logit this low has probability 0 in single precision.
								logits: sent.slice(0, 2).map((row) => Array.from(row, (logit) => Math.max(logit, -1e4))),
								tokens: [answer.slice(0, steps)],
							}),
				];
				const [mine, other] = await compare(repeats, sides);
				say(perStep(`embed-synthid-${kind}@${vocabSize}`, mine, other, sides[1].name));
			}
			for (const [name, marks] of [
				['kgw', [MARKS.kgw]],
				['gumbel', [MARKS.gumbel]],
				['both', [MARKS.kgw, MARKS.gumbel]],
			] as const) {
				const [mine, other] = await compare(repeats, [session(marks, real, 50), session([], real, 50)]);
				say(perStep(`session-${name}@${vocabSize}`, mine, other, 'session without a mark'));
			}
		}

		const tokenizer = embeddedTokenizer();
		const novel = gunzipSync(readFileSync('bench/distillation/books/dracula.txt.gz')).toString('utf8');
		const text = novel.slice(0, quick ? 200_000 : 800_000);
		const ids = tokenizer.encode(text);
		const recordsOf = (size: number, most: number) =>
			Array.from({ length: Math.min(most, Math.floor(ids.length / size)) }, (_, i) =>
				ids.slice(size * i, size * (i + 1)),
			);
		const scan = (mark: Mark, records: readonly (readonly number[])[]) =>
			ours(
				records.reduce((sum, record) => sum + record.length, 0),
				() => {
					for (const record of records) detect('', record, [mark]);
				},
			);
		const few = recordsOf(512, quick ? 4 : 12);
		const many = recordsOf(512, 1000);
		const long = recordsOf(65_536, 4);
		const hmac = bindMark(
			specOf({ ...MARKS.gumbel.spec, prf: 'hmac-sha256-v1' }),
			new Uint8Array(32).fill(7),
		);
		const against = async (
			name: string,
			mark: Mark,
			request: object | undefined,
			peerName: string,
			some = many,
		) => {
			const mine = scan(mark, some);
			const other =
				peer === undefined || request === undefined
					? scan(hmac, few)
					: await theirs(peer, peerName, { ...request, tokens: few });
			const [a, b] = await compare(repeats, [mine, other]);
			say(
				perSecond(
					name,
					a,
					b,
					peer === undefined || request === undefined ? 'hmac-sha256-v1, same test' : peerName,
				),
			);
		};
		const vllm = { case: 'vllm-gumbel-detect', vllm: { algorithm: 'gumbel', key: '42', context_width: 4 } };
		const dual = {
			case: 'vllm-dual-detect',
			vllm: { algorithm: 'dual_key_gumbel', key: '42', context_width: 4, alpha: 0.1 },
		};
		const markllm = (scheme: string) => ({ case: `markllm-${scheme}-detect`, vocab_size: 32_000 });
		const listed = { ...HF_KGW, vocab_size: 32_000 };
		await against('detect-gumbel', MARKS.gumbel, vllm, "vLLM's detector");
		await against('detect-gumbel-65536', MARKS.gumbel, vllm, "vLLM's detector, records of 512", long);
		await against('detect-gumbel-markllm', MARKS.gumbel, markllm('exp'), 'MarkLLM EXP');
		await against('detect-philox', MARKS.philox, vllm, "vLLM's detector");
		await against('detect-philox-65536', MARKS.philox, vllm, "vLLM's detector, records of 512", long);
		await against('detect-dual-philox', MARKS['philox-dual'], dual, "vLLM's detector");
		await against('detect-kgw', MARKS.kgw, markllm('kgw'), 'MarkLLM KGW');
		await against('detect-kgw-65536', MARKS.kgw, markllm('kgw'), 'MarkLLM KGW, records of 512', long);
		await against('detect-unigram', MARKS.unigram, markllm('unigram'), 'MarkLLM Unigram');
		await against(
			'detect-unigram-65536',
			MARKS.unigram,
			markllm('unigram'),
			'MarkLLM Unigram, records of 512',
			long,
		);
		await against('detect-synthid', MARKS.synthid, markllm('synthid'), 'MarkLLM SynthID');
		await against(
			'detect-kgw-transformers',
			hfMark(HfConfig.parse(listed)),
			{ case: 'transformers-kgw-detect', hf: listed, unique: true },
			'transformers WatermarkDetector',
			few,
		);
		await against(
			'detect-kgw-transformers-selfhash',
			hfMark(HfConfig.parse({ ...listed, seeding_scheme: 'selfhash', context_width: 4 })),
			{
				case: 'transformers-kgw-detect',
				hf: { ...listed, seeding_scheme: 'selfhash', context_width: 4 },
				unique: true,
			},
			'transformers WatermarkDetector',
			few,
		);
		await against(
			'detect-synthid-transformers',
			hfMark(HfConfig.parse(HF_SYNTHID)),
			{ case: 'transformers-synthid-detect', hf: HF_SYNTHID },
			'transformers g-values and means',
		);

		// Stretches of novels, a new one for each run where pieces are to be unknown.
		const books = readdirSync(BOOKS).map((name) =>
			gunzipSync(readFileSync(join(BOOKS, name))).toString('utf8'),
		);
		const stretches = books.flatMap((book) =>
			Array.from({ length: Math.floor(book.length / STRETCH) }, (_, i) =>
				book.slice(STRETCH * i, STRETCH * (i + 1)),
			),
		);
		const tokenizers: [string, Tokenizer][] = [['embedded', tokenizer]];
		if (existsSync('bench/tokenizers/node_modules'))
			for (const name of VOCABULARIES) tokenizers.push([name, loadTokenizer(tokenizerFile(name))]);
		for (const [name, chosen] of tokenizers)
			for (const known of [false, true]) {
				const side = (first: number, work: (passage: string) => readonly number[]): Side => {
					let next = first;
					return {
						name,
						async run() {
							const stretch = stretches[known ? 0 : next++ % stretches.length];
							let count = 0;
							const begun = performance.now();
							for (let at = 0; at < STRETCH; at += 2000) count += work(stretch.slice(at, at + 2000)).length;
							return { seconds: (performance.now() - begun) / 1000, count };
						},
					};
				};
				const [whole, alone] = await compare(repeats, [
					side(0, (passage) => {
						const tokens = chosen.encode(passage);
						detect('', tokens, [MARKS.gumbel]);
						return tokens;
					}),
					// Stretches of its own: neither side meets text that the other has made known.
					side(stretches.length >> 1, (passage) => chosen.encode(passage)),
				]);
				const label = known ? 'text-again' : 'text-new';
				say(perSecond(`${label}-${name}`, whole, alone, 'tokenization alone'));
			}
		peer?.stop();
		const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
		return {
			rows,
			notes: named.length > 0 ? [`Peers, one thread each: ${named.join(', ')}.`, ...goalNotes(rows)] : [],
		};
	},
};
