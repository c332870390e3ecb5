import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import fc from 'fast-check';
import { get_encoding } from 'tiktoken';
import { describe, expect, it, vi } from 'vitest';
import { openTokenizer } from '../../src/corpus/open-tokenizer.js';
import { type TiktokenEncoding, tiktokenTokenizer } from '../../src/corpus/tiktoken.js';
import { embeddedTokenizer, MODELS } from '../../src/generate/embedded.js';
import { awkwardText } from './text.js';

const ENCODINGS: readonly TiktokenEncoding[] = ['o200k_base', 'cl100k_base', 'p50k_edit', 'gpt2'];

/** Both sides know the same characters only up to the older of their Unicode versions. */
const known = awkwardText.map((text) => text.replace(/[\u{10000}-\u{10FFFF}]|\p{Cn}/gu, '😀'));

describe('tiktoken vocabularies', () => {
	for (const name of ENCODINGS)
		it(`${name} gives the ids of tiktoken, and the text back`, async () => {
			const tokenizer = await tiktokenTokenizer(name);
			const reference = get_encoding(name);
			fc.assert(
				fc.property(known, (text) => {
					const ids = tokenizer.encode(text);
					expect(ids).toEqual([...reference.encode_ordinary(text)]);
					expect(tokenizer.decode(ids)).toBe(
						new TextDecoder('utf-8', { ignoreBOM: true }).decode(Buffer.from(text)),
					);
				}),
				{ numRuns: 1000, seed: 3 },
			);
		});

	it('take spelled-out special tokens for text, and leave real ones out of it', async () => {
		const tokenizer = await tiktokenTokenizer('o200k_base');
		expect(tokenizer.specialTokens).toEqual([199_999, 200_018]);
		expect(tokenizer.vocabSize).toBe(200_019);
		const ids = tokenizer.encode('<|endoftext|>');
		expect(ids.length).toBeGreaterThan(1);
		expect(tokenizer.decode([199_999, ...ids, 200_018, 200_001, 999_999])).toBe('<|endoftext|>');
	});

	it('have a fingerprint made of the published hash of the ranks', async () => {
		const pattern = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
		const form = canonicalize({
			type: 'tiktoken',
			pattern,
			ranks: '306cd27f03c1a714eca7108e03d66b7dc042abe8c258b44c199a7ed9838dd930',
			special_tokens: { '<|endoftext|>': 50256 },
		});
		const expected = createHash('sha256')
			.update(form as string)
			.digest('hex');
		expect((await tiktokenTokenizer('r50k_base')).fingerprint).toBe(expected);
		expect((await tiktokenTokenizer('gpt2')).fingerprint).toBe(expected);
		expect((await tiktokenTokenizer('p50k_base')).fingerprint).not.toBe(expected);
	});

	it('encode a long word and a long run of spaces', async () => {
		const { encode, decode } = await tiktokenTokenizer('o200k_base');
		for (const text of ['x'.repeat(300_000), ' '.repeat(1_000_000)]) expect(decode(encode(text))).toBe(text);
	});

	it('are refused in one sentence when unknown or not installed', async () => {
		await expect(openTokenizer('tiktoken:o300k')).rejects.toThrow(
			'tiktoken:o300k: is not a vocabulary; there are o200k_base, cl100k_base,',
		);
		await expect(openTokenizer('tiktoken:constructor')).rejects.toThrow('is not a vocabulary');
		vi.doMock('tiktoken/encoders/p50k_base', () => {
			throw new Error('not found');
		});
		await expect(openTokenizer('tiktoken:p50k_base')).rejects.toThrow(
			'tiktoken:p50k_base: needs the package tiktoken; install it with `npm install tiktoken`',
		);
		vi.doUnmock('tiktoken/encoders/p50k_base');
	});
});

describe('openTokenizer', () => {
	it('takes a folder or the name of a vocabulary', async () => {
		expect((await openTokenizer(`${MODELS}teacher`)).fingerprint).toBe(embeddedTokenizer().fingerprint);
		expect((await openTokenizer('tiktoken:gpt2')).encode('hello world')).toEqual([31373, 995]);
	});
});
