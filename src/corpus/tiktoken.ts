/**
 * Text to token ids and back, with OpenAI's vocabularies.
 *
 * The optional package `tiktoken` holds the vocabularies. Its WebAssembly encoder gives the same ids and is not used:
 * it remembers no pieces, takes quadratic time over a long word and traps on a long run of spaces.
 *
 * @module
 */
import { Tokenizer as HuggingFace } from '@huggingface/tokenizers';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import canonicalize from 'canonicalize';
import { z } from 'zod';
import { badInput } from '../errors.js';
import { checked } from '../input.js';
import { mergeAll } from './merges.js';
import { PieceCache } from './piece-cache.js';
import type { Tokenizer } from './tokenizer.js';

/** Name of a vocabulary. */
export type TiktokenEncoding =
	| 'o200k_base'
	| 'cl100k_base'
	| 'p50k_edit'
	| 'p50k_base'
	| 'r50k_base'
	| 'gpt2';

const SOURCES: Readonly<Record<TiktokenEncoding, () => Promise<{ default: unknown }>>> = {
	o200k_base: () => import('tiktoken/encoders/o200k_base'),
	cl100k_base: () => import('tiktoken/encoders/cl100k_base'),
	p50k_edit: () => import('tiktoken/encoders/p50k_edit'),
	p50k_base: () => import('tiktoken/encoders/p50k_base'),
	r50k_base: () => import('tiktoken/encoders/r50k_base'),
	gpt2: () => import('tiktoken/encoders/gpt2'),
};

const Vocabulary = z.object({
	/** Cuts text into pieces. */
	pat_str: z.string(),
	special_tokens: z.record(z.string(), z.int().min(0)),
	/** Lines of `! FIRST_RANK TOKEN TOKEN …`, tokens in base64. */
	bpe_ranks: z.string(),
});

/**
 * A tokenizer with one of OpenAI's vocabularies. Needs the package `tiktoken`.
 *
 * Text that spells a special token is ordinary text. The fingerprint is the SHA-256 of the RFC 8785 form of
 * `{ pattern, ranks, special_tokens, type: "tiktoken" }`, where `ranks` is the SHA-256 of the vocabulary as OpenAI
 * publishes it (a `.tiktoken` file: lines of token in base64, space, id, in the order of ids). It names what fixes
 * the ids; `gpt2` and `r50k_base`, which are the same, share it.
 *
 * @throws TouchmarkError `bad-input` when there is no such vocabulary or `tiktoken` is not installed
 */
export async function tiktokenTokenizer(name: string): Promise<Tokenizer> {
	const where = `tiktoken:${name}`;
	if (!Object.hasOwn(SOURCES, name))
		throw badInput(`${where}: is not a vocabulary; there are ${Object.keys(SOURCES).join(', ')}`);
	let module: { default: unknown };
	try {
		module = await SOURCES[name as TiktokenEncoding]();
	} catch (error) {
		throw badInput(`${where}: needs the package tiktoken; install it with \`npm install tiktoken\``, error);
	}
	const vocabulary = checked(Vocabulary, module.default, where);
	const tokens = tokensById(vocabulary.bpe_ranks);
	const special = vocabulary.special_tokens;

	const ranks = new Map<string, number>();
	tokens.forEach((token, id) => {
		ranks.set(Buffer.from(token, 'base64').toString('latin1'), id);
	});
	const bytesById = new Map([...ranks].map(([bytes, id]) => [id, bytes]));
	const cache = new PieceCache((piece) => mergeBytes(Buffer.from(piece, 'utf8').toString('latin1'), ranks));
	const cut = splitter(vocabulary.pat_str);
	const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

	return {
		encode(text) {
			const out: number[] = [];
			for (const piece of cut(text)) {
				const ids = cache.get(piece);
				if (typeof ids === 'number') out.push(ids);
				else for (const id of ids) out.push(id);
			}
			return out;
		},
		decode: (ids) => utf8.decode(Buffer.from(ids.map((id) => bytesById.get(id) ?? '').join(''), 'latin1')),
		vocabSize: Math.max(tokens.length, ...Object.values(special).map((id) => id + 1)),
		specialTokens: Object.values(special).sort((a, b) => a - b),
		fingerprint: fingerprint(vocabulary.pat_str, tokens, special),
	};
}

/** Ids of a piece; bytes are written as one character each (latin1), and every single byte is a token. */
function mergeBytes(bytes: string, ranks: ReadonlyMap<string, number>): number[] {
	const whole = ranks.get(bytes);
	if (whole !== undefined) return [whole];
	const starts = mergeAll(bytes.length, {
		rank: (left, _right, end) => ranks.get(bytes.slice(left, end)) ?? Infinity,
		join() {},
	});
	return starts.map((start, i) => ranks.get(bytes.slice(start, starts[i + 1])) as number);
}

/** Tokens in base64, by id; some ids may have none. */
function tokensById(lines: string): string[] {
	const tokens: string[] = [];
	for (const line of lines.split('\n')) {
		const [, first, ...listed] = line.split(' ');
		listed.forEach((token, i) => {
			tokens[Number(first) + i] = token;
		});
	}
	return tokens;
}

function fingerprint(pattern: string, tokens: readonly string[], special: Record<string, number>): string {
	const file = tokens.map((token, id) => `${token} ${id}\n`).join('');
	const ranks = bytesToHex(sha256(utf8ToBytes(file)));
	const form = canonicalize({ pattern, ranks, special_tokens: special, type: 'tiktoken' });
	return bytesToHex(sha256(utf8ToBytes(form as string)));
}

/** Cuts text by a pattern, which the library translates to JavaScript's dialect (`\s` is not the same in both). */
function splitter(pattern: string): (text: string) => readonly string[] {
	const { pre_tokenizer } = new HuggingFace(
		{
			added_tokens: [],
			normalizer: null,
			pre_tokenizer: { type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false },
			model: { type: 'BPE', vocab: {}, merges: [] },
			post_processor: null,
			decoder: null,
		},
		{},
	) as { pre_tokenizer: { pre_tokenize(text: string): string[] } };
	return (text) => pre_tokenizer.pre_tokenize(text);
}
