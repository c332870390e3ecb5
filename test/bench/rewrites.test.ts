import { describe, expect, it } from 'vitest';
import {
	beginnings,
	likelierHalf,
	lossOf,
	ofText,
	redrawn,
	reencoded,
	substituted,
} from '../../bench/distillation/rewrites.js';
import type { Text } from '../../bench/distillation/students.js';
import { createMarker } from '../../src/embed/marker.js';
import { embeddedModel, embeddedPrompts, embeddedTokenizer } from '../../src/generate/embedded.js';
import { sampleTexts } from '../../src/generate/sample.js';
import { tokenLogProbabilities } from '../../src/model/likelihood.js';

const tokenizer = embeddedTokenizer();
const teacher = embeddedModel('teacher');
const base = embeddedModel('base');
const { vocabSize } = teacher;
const marker = createMarker({ marks: [], vocabSize, specialTokens: tokenizer.specialTokens });
const prompts = embeddedPrompts().slice(0, 24);
const texts: Text[] = [
	...sampleTexts({ model: teacher, tokenizer, marker, prompts, maxTokens: 60, seed: 'rewrites' }),
].map(({ promptTokens, tokens }) => ({ promptTokens, tokens }));

describe('a second model rewrites', () => {
	it('changes about its share of the tokens, and more of the pairs', () => {
		const changed = redrawn(base, texts, 0.3, 'seed');
		const { tokens, pairs } = lossOf(texts, changed);
		// Some draws give the token that was there, or one that the text lost elsewhere.
		expect(tokens).toBeGreaterThan(0.15);
		expect(tokens).toBeLessThan(0.3);
		expect(pairs).toBeGreaterThan(0.35);
		expect(pairs).toBeLessThan(0.51);
		expect(changed.map((text) => text.promptTokens)).toEqual(texts.map((text) => text.promptTokens));
		expect(changed.map((text) => text.tokens.length)).toEqual(texts.map((text) => text.tokens.length));
	});

	it('leaves all as it is at share 0, and makes texts that it finds likelier at share 1', () => {
		expect(redrawn(base, texts, 0, 'seed')).toEqual(texts);
		const likelihood = (some: readonly Text[]) =>
			tokenLogProbabilities(
				base,
				some.map(({ promptTokens, tokens }) => ({ prompt: promptTokens, answer: tokens })),
			)
				.flat()
				.reduce((sum, log, _, all) => sum + log / all.length, 0);
		expect(likelihood(redrawn(base, texts, 1, 'seed'))).toBeGreaterThan(likelihood(texts) + 0.2);
	});
});

describe('rules rewrite', () => {
	const sentence = 'He said that the old man was in the house, and the young woman looked from the room.';

	it('takes synonyms and turns sentences round, the same way for the same seed', () => {
		const found = Array.from({ length: 20 }, (_, i) => substituted(sentence, `${i}`));
		expect(substituted(sentence, '3')).toBe(found[3]);
		expect(new Set(found).size).toBeGreaterThan(15);
		expect(found.some((text) => /^(and|yet|as well as) /.test(text))).toBe(true);
		expect(found.some((text) => text.includes('chamber'))).toBe(true);
	});

	it('leaves words without synonyms alone, and parts of words', () => {
		expect(substituted('Zebra’s andiron, thereof; Inn.', 'x')).toBe('Zebra’s andiron, thereof; Inn.');
	});

	it('gives no text more tokens than it had', () => {
		const changed = ofText(tokenizer, texts, (text, i) => substituted(text, `${i}`));
		for (const [i, { tokens }] of changed.entries())
			expect(tokens.length).toBeLessThanOrEqual(texts[i].tokens.length);
		expect(lossOf(texts, changed).pairs).toBeGreaterThan(0.1);
	});
});

describe('other treatments', () => {
	it('keeps the half that a model finds likelier, in order', () => {
		const odd = texts.map((text, i) =>
			i % 2 === 0 ? text : { ...text, tokens: text.tokens.map((_, j) => 100 + ((613 * j) % 1900)) },
		);
		expect(likelierHalf(base, odd)).toEqual(odd.filter((_, i) => i % 2 === 0));
	});

	it('puts beginnings together without losing a prompt', () => {
		const [first, second] = beginnings(texts.slice(0, 4), 10, 3);
		const [a, b, c, d] = texts;
		expect(first.promptTokens).toEqual(a.promptTokens);
		expect(first.tokens).toEqual([
			...a.tokens.slice(0, 10),
			...b.promptTokens,
			...b.tokens.slice(0, 10),
			...c.promptTokens,
			...c.tokens.slice(0, 10),
		]);
		expect(second).toEqual({ promptTokens: d.promptTokens, tokens: d.tokens.slice(0, 10) });
	});

	it('writes the same text with another tokenizer', () => {
		const characters = {
			...tokenizer,
			encode: (text: string) => Array.from(text, (character) => character.codePointAt(0) as number),
		};
		const [one] = reencoded(tokenizer, characters, texts);
		const { promptTokens, tokens } = texts[0];
		expect(String.fromCodePoint(...one.tokens)).toBe(tokenizer.decode([...promptTokens, ...tokens]));
	});

	it('counts what a rewrite took away as multisets', () => {
		const text = (tokens: number[]): Text => ({ promptTokens: [], tokens });
		expect(lossOf([text([1, 2, 3, 1, 2])], [text([1, 2, 4, 1, 5])])).toEqual({ tokens: 2 / 5, pairs: 3 / 4 });
	});
});
