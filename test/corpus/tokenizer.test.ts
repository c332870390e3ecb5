import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Tokenizer as HuggingFace } from '@huggingface/tokenizers';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openLibrary } from '../../src/corpus/library-tokenizer.js';
import { loadTokenizer } from '../../src/corpus/load-tokenizer.js';
import { PieceCache } from '../../src/corpus/piece-cache.js';
import { type AddedToken, piecewiseEncoder } from '../../src/corpus/piecewise.js';
import { embeddedTokenizer, MODELS } from '../../src/generate/embedded.js';
import { put } from './files.js';
import { awkwardText } from './text.js';

/** Letters that stand for bytes in byte-level vocabularies. */
const BYTE_LETTERS = [
	...Array.from({ length: 94 }, (_, i) => i + 0x21),
	...Array.from({ length: 12 }, (_, i) => i + 0xa1),
	...Array.from({ length: 82 }, (_, i) => i + 0xae),
	...Array.from({ length: 68 }, (_, i) => i + 0x100),
].map((code) => String.fromCharCode(code));

function vocabulary(tokens: Iterable<string>): Record<string, number> {
	return Object.fromEntries([...new Set(tokens)].map((token, id) => [token, id]));
}

function bpe(letters: readonly string[], merges: readonly [string, string][], more: object = {}): object {
	const vocab = vocabulary([...letters, ...merges.map(([left, right]) => left + right)]);
	return { type: 'BPE', vocab, merges, unk_token: null, byte_fallback: false, fuse_unk: false, ...more };
}

function pipeline(parts: object): object {
	return {
		added_tokens: [],
		normalizer: null,
		pre_tokenizer: null,
		post_processor: null,
		decoder: null,
		...parts,
	};
}

function added(id: number, content: string, more: object = {}): object {
	return { id, content, special: true, single_word: false, lstrip: false, rstrip: false, ...more };
}

const byteMerges: [string, string][] = [
	['Ġ', 'a'],
	['a', 'b'],
	['Ġ', 'ab'],
	['Ċ', 'Ċ'],
	['ä', '¸'],
	['ä¸', 'Ń'],
	['x', 'x'],
	['xx', 'xx'],
];
const wordLetters = [
	..."▁abxé中\n123s'<|>.",
	...Array.from({ length: 256 }, (_, i) => `<0x${i.toString(16).toUpperCase().padStart(2, '0')}>`),
	'<unk>',
];
const wordMerges: [string, string][] = [
	['▁', '▁'],
	['▁', 'a'],
	['a', 'b'],
	['▁a', 'b'],
	['>', '▁a'],
	['x', 'x'],
	['\n', '\n'],
];
const split = (pattern: string, more: object = {}) => ({
	type: 'Split',
	pattern: { Regex: pattern },
	behavior: 'Isolated',
	invert: false,
	...more,
});
const byteLevel = (use_regex: boolean, add_prefix_space = false) => ({
	type: 'ByteLevel',
	add_prefix_space,
	trim_offsets: true,
	use_regex,
});
const sequence = (...pretokenizers: object[]) => ({ type: 'Sequence', pretokenizers });
const WORDS =
	"(?i:'s|'t)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

const PIPELINES: Record<string, object> = {
	'bytes, cut by themselves': pipeline({
		pre_tokenizer: byteLevel(true),
		model: bpe(BYTE_LETTERS, byteMerges),
		added_tokens: [added(600, '<|end|>')],
	}),
	'bytes with a space before': pipeline({
		pre_tokenizer: byteLevel(true, true),
		model: bpe(BYTE_LETTERS, byteMerges),
	}),
	'split, then bytes': pipeline({
		normalizer: { type: 'NFC' },
		pre_tokenizer: sequence(split(WORDS), byteLevel(false)),
		model: bpe(BYTE_LETTERS, byteMerges, { ignore_merges: true }),
		post_processor: byteLevel(true),
		added_tokens: [
			added(600, '<|end|>', { normalized: false }),
			added(601, '<|en', { normalized: false }),
			added(602, '<tool>', { special: false }),
		],
	}),
	'matches kept, in parentheses, then bytes with a space before each': pipeline({
		pre_tokenizer: sequence(split(WORDS, { behavior: 'Removed', invert: true }), byteLevel(false, true)),
		model: bpe(BYTE_LETTERS, byteMerges),
	}),
	'three cuts, then bytes that cut again': pipeline({
		pre_tokenizer: sequence(
			split('\\p{N}{1,3}'),
			split('[一-龥]+'),
			{ type: 'Digits', individual_digits: true },
			byteLevel(true),
		),
		model: bpe(BYTE_LETTERS, byteMerges),
		normalizer: { type: 'Sequence', normalizers: [] },
		added_tokens: [
			added(600, '<|end|>', { lstrip: true, rstrip: true }),
			added(601, '<tool>', { special: false, normalized: true }),
		],
	}),
	'word marks, a merge over one of them, unknown bytes': pipeline({
		normalizer: { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
		pre_tokenizer: split(' ', { pattern: { String: ' ' }, behavior: 'MergedWithPrevious' }),
		model: bpe(wordLetters, wordMerges, { unk_token: '<unk>', byte_fallback: true, fuse_unk: true }),
		post_processor: {
			type: 'TemplateProcessing',
			single: [{ SpecialToken: { id: '<|end|>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
			pair: [],
			special_tokens: {},
		},
		added_tokens: [added(600, '<|end|>'), added(601, '\n\n', { special: false, normalized: false })],
	}),
	'word marks, unknown characters fused': pipeline({
		normalizer: {
			type: 'Sequence',
			normalizers: [
				{ type: 'Prepend', prepend: '▁' },
				{ type: 'Replace', pattern: { String: ' ' }, content: '▁' },
			],
		},
		model: bpe(wordLetters, wordMerges, { unk_token: '<unk>', fuse_unk: true }),
		added_tokens: [added(0, '<unk>', { normalized: false }), added(600, '<|end|>', { normalized: false })],
	}),
	'word marks on the first section only': pipeline({
		pre_tokenizer: { type: 'Metaspace', replacement: '▁', prepend_scheme: 'first', split: false },
		model: bpe(wordLetters, wordMerges, { unk_token: '<unk>' }),
		added_tokens: [added(600, '<|end|>')],
	}),
	'cuts at spaces, unknown characters fused over them': pipeline({
		pre_tokenizer: { type: 'WhitespaceSplit' },
		model: bpe(wordLetters, wordMerges, { unk_token: '<unk>', fuse_unk: true }),
	}),
	'a suffix where words end': pipeline({
		pre_tokenizer: { type: 'WhitespaceSplit' },
		model: bpe([...wordLetters, 'a</w>', 'b</w>'], [...wordMerges, ['a', 'b</w>']], {
			end_of_word_suffix: '</w>',
		}),
	}),
	'compatible characters that normalize to added tokens': pipeline({
		normalizer: { type: 'NFKC' },
		pre_tokenizer: byteLevel(true),
		model: bpe(BYTE_LETTERS, byteMerges),
		added_tokens: [
			added(600, '<tool>', { normalized: false }),
			added(601, '<|end|>', { normalized: true, special: false }),
		],
	}),
	'BERT, lower case': pipeline({
		normalizer: { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, lowercase: true },
		pre_tokenizer: { type: 'BertPreTokenizer' },
		model: {
			type: 'WordPiece',
			vocab: vocabulary(['[UNK]', ...'abxs12中', '##a', '##b', '##x', 'ab', '##ab', '[MASK]']),
			unk_token: '[UNK]',
			continuing_subword_prefix: '##',
			max_input_chars_per_word: 20,
		},
		post_processor: { type: 'BertProcessing', sep: ['[SEP]', 1], cls: ['[CLS]', 2] },
		added_tokens: [added(600, '[MASK]', { lstrip: true, normalized: false })],
	}),
};

const UNIGRAM = pipeline({
	pre_tokenizer: { type: 'WhitespaceSplit' },
	model: {
		type: 'Unigram',
		vocab: [
			['<unk>', 0],
			['a', -1],
		],
		unk_id: 0,
	},
});

function addedTokens(json: object): readonly AddedToken[] {
	return (json as { added_tokens: readonly AddedToken[] }).added_tokens;
}

function bothWays(json: object): { fast: (text: string) => number[]; plain: (text: string) => number[] } {
	const tokenizer = new HuggingFace(json, {});
	const fast = piecewiseEncoder(openLibrary(json), addedTokens(json));
	expect(fast).not.toBeNull();
	return {
		fast: (text) => fast?.(text) ?? [],
		plain: (text) => tokenizer.encode(text, { add_special_tokens: false }).ids,
	};
}

describe('piecewise encoding gives the ids of the library', () => {
	it('with the embedded tokenizer', () => {
		const path = join(MODELS, 'teacher/tokenizer.json');
		const { plain } = bothWays(JSON.parse(readFileSync(path, 'utf8')));
		const { encode } = embeddedTokenizer();
		fc.assert(
			fc.property(awkwardText, (text) => {
				expect(encode(text)).toEqual(plain(text));
			}),
			{ numRuns: 2000, seed: 1 },
		);
	});

	for (const [name, json] of Object.entries(PIPELINES))
		it(`in a pipeline with ${name}`, () => {
			const { fast, plain } = bothWays(json);
			fc.assert(
				fc.property(awkwardText, (text) => {
					expect(fast(text)).toEqual(plain(text));
				}),
				{ numRuns: 1000, seed: 2 },
			);
		});

	it('or leaves the pipeline alone', () => {
		const repeated = pipeline({
			pre_tokenizer: byteLevel(true),
			model: bpe(BYTE_LETTERS, byteMerges),
			post_processor: {
				type: 'TemplateProcessing',
				single: [{ Sequence: { id: 'A' } }, { Sequence: { id: 'A' } }],
			},
		});
		for (const json of [UNIGRAM, repeated]) expect(piecewiseEncoder(openLibrary(json), [])).toBeNull();
		const changed = pipeline({
			normalizer: { type: 'Lowercase' },
			pre_tokenizer: byteLevel(true),
			model: bpe(BYTE_LETTERS, byteMerges),
			added_tokens: [added(600, '<|End|>', { normalized: true })],
		});
		expect(piecewiseEncoder(openLibrary(changed), addedTokens(changed))).toBeNull();
	});
});

describe('the piece cache', () => {
	it('remembers no more than two generations, and all of the latest one', () => {
		const asked: string[] = [];
		const cache = new PieceCache((piece) => {
			asked.push(piece);
			return [piece.length, 0];
		}, 100);
		for (let i = 0; i < 1000; i++) {
			expect(cache.get(`piece ${i}`)).toEqual([`piece ${i}`.length, 0]);
			expect(cache.size).toBeLessThanOrEqual(200);
		}
		for (let i = 900; i < 1000; i++) cache.get(`piece ${i}`);
		expect(asked.length).toBe(1000);
		cache.get('piece 0');
		expect(asked.length).toBe(1001);
	});

	it('does not remember long pieces, and copies those that it remembers', () => {
		const cache = new PieceCache((piece) => [...piece].map((letter) => letter.charCodeAt(0)));
		cache.get('x'.repeat(65));
		expect(cache.size).toBe(0);
		const halves = 'a piece with half a character \ud800 in it';
		expect(cache.get(halves)).toEqual([...halves].map((letter) => letter.charCodeAt(0)));
		expect(cache.size).toBe(1);
	});
});

describe('loadTokenizer', () => {
	it('decodes to the very text, spaces before punctuation included', () => {
		const { encode, decode } = embeddedTokenizer();
		for (const text of ["wait , what ? it 's", ' a  b\n', '\uFEFFa', ''])
			expect(decode(encode(text))).toBe(text);
	});

	it('encodes with a pipeline that is left alone', () => {
		const { encode } = loadTokenizer(put('unigram.json', JSON.stringify(UNIGRAM)));
		expect(encode('a b a')).toEqual([1, 0, 1]);
	});
});
