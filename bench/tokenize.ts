/**
 * How fast text becomes token ids, and that they are the right ones.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { Tokenizer as HuggingFace } from '@huggingface/tokenizers';
import fc from 'fast-check';
import { get_encoding } from 'tiktoken';
import { loadTokenizer } from '../src/corpus/load-tokenizer.js';
import { tiktokenTokenizer } from '../src/corpus/tiktoken.js';
import { awkwardText } from '../test/corpus/text.js';
import { type Bench, interleave, median, type Row } from './rows.js';
import { documents, namedTexts } from './tokenizers/texts.js';
import { tokenizerFile, VOCABULARIES } from './tokenizers/vocabularies.js';

const DOCUMENT = 4000;
const HUGGING_FACE = '@huggingface/tokenizers, plain encode';
const WASM = 'tiktoken (WebAssembly)';

type Encode = (text: string) => ArrayLike<number>;

interface Contender {
	readonly name: string;
	readonly peerName: string;
	/** A new encoder that has seen no text. */
	ours(): Promise<Encode>;
	peer(): Encode;
}

function huggingFace(name: (typeof VOCABULARIES)[number] | 'embedded'): Contender {
	const file = tokenizerFile(name);
	return {
		name,
		peerName: HUGGING_FACE,
		ours: async () => loadTokenizer(file).encode,
		peer() {
			const tokenizer = new HuggingFace(JSON.parse(readFileSync(file, 'utf8')), {});
			return (text) => tokenizer.encode(text, { add_special_tokens: false }).ids;
		},
	};
}

const tiktoken: Contender = {
	name: 'tiktoken:o200k_base',
	peerName: WASM,
	ours: async () => (await tiktokenTokenizer('o200k_base')).encode,
	peer() {
		const encoding = get_encoding('o200k_base');
		return (text) => encoding.encode_ordinary(text);
	},
};

function megabytesOf(texts: readonly string[]): number {
	return Buffer.byteLength(texts.join('')) / 1e6;
}

function speed(megabytes: number, milliseconds: number): number {
	return megabytes / (milliseconds / 1000);
}

/** Time of one pass of a new encoder. */
function once(encode: Encode, texts: readonly string[]): number {
	const begun = performance.now();
	for (const text of texts) encode(text);
	return performance.now() - begun;
}

function assertSame(name: string, ours: Encode, peer: Encode, texts: readonly string[]): void {
	for (const text of texts) {
		const [a, b] = [ours(text), peer(text)];
		if (a.length !== b.length || Array.from(a).some((id, i) => id !== b[i]))
			throw new Error(`${name}: other ids than the peer's for ${JSON.stringify(text)}`);
	}
}

export const bench: Bench = {
	about:
		'Text to token ids on one core, in documents of 4,000 characters: English novels, and (`others`) code, Chinese, ' +
		'Arabic and German together. Cold: the first pass of a tokenizer just loaded. Next: text that it has not seen, ' +
		'after other text by the same authors, as in a long scan. Warm: later passes over the same text. Medians of ' +
		'seven, the two in turn. Each tokenizer is checked first: its ids must be the peer’s for every document and ' +
		'every fuzzed string, or the bench fails.',
	async run({ quick, corpus }) {
		const repeats = quick ? 3 : 7;
		const [english, ...others] = namedTexts(quick ? 20_000 : 120_000, corpus);
		// Every other document of each book is read first, the rest comes after it in as many parts as repeats.
		const novels = documents(english.text, DOCUMENT);
		const unseen = novels.filter((_, i) => i % 2 === 1);
		const parts = Array.from({ length: repeats }, (_, part) => unseen.filter((_, i) => i % repeats === part));
		const sets = [
			{ name: 'english', texts: novels.filter((_, i) => i % 2 === 0) },
			{ name: 'others', texts: others.flatMap(({ text }) => documents(text.slice(0, 40_000), DOCUMENT)) },
		];
		const fuzzed = fc.sample(awkwardText, { numRuns: quick ? 2000 : 20_000, seed: 4 });
		const known = fuzzed.map((text) => text.replace(/[\u{10000}-\u{10FFFF}]|\p{Cn}/gu, ''));
		const rows: Row[] = [];
		for (const contender of [huggingFace('embedded'), ...VOCABULARIES.map(huggingFace), tiktoken]) {
			const { name, peerName } = contender;
			const row = (text: string, [ours, peer]: number[]) =>
				rows.push({ case: `${name}/${text}`, ours, peer, peerName, unit: 'MB/s', ratio: ours / peer });
			const ours = await contender.ours();
			const peer = contender.peer();
			assertSame(name, ours, peer, contender === tiktoken ? known : fuzzed);
			for (const set of sets) {
				assertSame(name, ours, peer, set.texts);
				if (set.name === 'english') {
					const speeds = parts.map((part) =>
						[ours, peer].map((encode) => speed(megabytesOf(part), once(encode, part))),
					);
					row(
						'english-next',
						[0, 1].map((i) => median(speeds.map((pair) => pair[i]))),
					);
					assertSame(name, ours, peer, unseen);
				}
				const megabytes = megabytesOf(set.texts);
				const cold: [number[], number[]] = [[], []];
				for (let repeat = 0; repeat < repeats; repeat++) {
					cold[0].push(once(await contender.ours(), set.texts));
					cold[1].push(once(contender.peer(), set.texts));
				}
				row(
					`${set.name}-cold`,
					cold.map((times) => speed(megabytes, median(times))),
				);
				const warm = await interleave(
					repeats,
					[ours, peer].map((encode) => () => {
						for (const text of set.texts) encode(text);
					}),
				);
				row(
					`${set.name}-warm`,
					warm.map((time) => speed(megabytes, time)),
				);
			}
		}
		return {
			rows,
			notes: [
				`With every tokenizer, ids equal the peer's for every document and for ${fuzzed.length.toLocaleString('en')} ` +
					'fuzzed strings (byte order marks, next-line characters, lone surrogates, special tokens, long runs).',
			],
		};
	},
};
