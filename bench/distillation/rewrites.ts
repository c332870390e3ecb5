/**
 * What a rival can do to the teacher's texts before training on them. Nothing here knows a key.
 *
 * @module
 */
import type { Tokenizer } from '../../src/corpus/tokenizer.js';
import { randomStream } from '../../src/embed/random.js';
import { tokenLogProbabilities } from '../../src/model/likelihood.js';
import type { Transformer } from '../../src/model/transformer.js';
import { replacedBySynonym, synonymsOf } from '../robustness/synonyms.js';
import type { Text } from './students.js';

/** Rows that advance together. */
const BATCH = 64;
/** Ends a text; never drawn and never replaced. */
const END = 0;

/**
 * A second model rewrites: each token is drawn again with probability `share`, from what the model expects after the
 * text as rewritten so far.
 *
 * @param share from 0 to 1
 */
export function redrawn(model: Transformer, texts: readonly Text[], share: number, seed: string): Text[] {
	const found: Text[] = [];
	for (let at = 0; at < texts.length; at += BATCH) {
		const rows = texts.slice(at, at + BATCH).map(({ promptTokens, tokens }, i) => ({
			ids: [...promptTokens, ...tokens],
			from: promptTokens.length,
			random: randomStream(`${seed}/${at + i}`),
		}));
		const batch = model.newBatch(rows.length);
		const longest = Math.max(...rows.map(({ ids }) => ids.length));
		for (let position = 1; position < longest; position++) {
			const logits = batch.step(Int32Array.from(rows, ({ ids }) => ids[position - 1] ?? END));
			for (const [row, { ids, from, random }] of rows.entries()) {
				if (position < from || position >= ids.length || ids[position] === END) continue;
				if (random.next() >= share) continue;
				const own = logits.subarray(row * model.vocabSize, (row + 1) * model.vocabSize);
				ids[position] = drawn(own, random.next()) || ids[position];
			}
		}
		found.push(
			...rows.map(({ ids, from }) => ({ promptTokens: ids.slice(0, from), tokens: ids.slice(from) })),
		);
	}
	return found;
}

/** A token by its logits. @param uniform in [0, 1) */
function drawn(logits: Float32Array, uniform: number): number {
	const top = logits.reduce((most, logit) => Math.max(most, logit), -Infinity);
	let left = uniform * logits.reduce((sum, logit) => sum + Math.exp(logit - top), 0);
	for (let token = 0; token < logits.length; token++) {
		left -= Math.exp(logits[token] - top);
		if (left < 0) return token;
	}
	return logits.length - 1;
}

/**
 * A rule rewrites: every word that has synonyms becomes another one with probability ½, and the two halves of a sentence
 * with one comma change places with probability ½.
 */
export function substituted(text: string, seed: string): string {
	const random = randomStream(seed);
	const halves = text.replace(/([^,.;:!?“”"\n]{12,}), ([^,.;:!?“”"\n]{12,})(?=[.;!?])/g, (all, one, two) =>
		random.next() < 0.5 ? `${two}, ${one}` : all,
	);
	return halves.replace(/(?<![\p{L}’'])\p{L}+(?![\p{L}’'])/gu, (word) =>
		synonymsOf(word) === undefined || random.next() < 0.5 ? word : replacedBySynonym(word, random),
	);
}

/** Applies a rule for text to each answer, which keeps its number of tokens at most. */
export function ofText(
	tokenizer: Tokenizer,
	texts: readonly Text[],
	rule: (text: string, index: number) => string,
): Text[] {
	return texts.map(({ promptTokens, tokens }, i) => ({
		promptTokens,
		tokens: tokenizer.encode(rule(tokenizer.decode(tokens), i)).slice(0, tokens.length),
	}));
}

/** The half of the texts that a model finds likeliest, a token. */
export function likelierHalf(model: Transformer, texts: readonly Text[]): Text[] {
	const logs = tokenLogProbabilities(
		model,
		texts.map(({ promptTokens, tokens }) => ({ prompt: promptTokens, answer: tokens })),
	);
	const mean = logs.map((own) => own.reduce((sum, log) => sum + log, 0) / Math.max(1, own.length));
	const order = texts.map((_, i) => i).sort((i, j) => mean[j] - mean[i]);
	const kept = new Set(order.slice(0, Math.ceil(texts.length / 2)));
	return texts.filter((_, i) => kept.has(i));
}

/** Beginnings of answers, several with their prompts to a window, so that training sees no padding. */
export function beginnings(texts: readonly Text[], length: number, together: number): Text[] {
	const found: Text[] = [];
	for (let at = 0; at < texts.length; at += together) {
		const [first, ...others] = texts.slice(at, at + together);
		const more = others.flatMap(({ promptTokens, tokens }) => [...promptTokens, ...tokens.slice(0, length)]);
		found.push({ promptTokens: first.promptTokens, tokens: [...first.tokens.slice(0, length), ...more] });
	}
	return found;
}

/** The same texts as another tokenizer writes them. */
export function reencoded(from: Tokenizer, to: Tokenizer, texts: readonly Text[]): Text[] {
	return texts.map(({ promptTokens, tokens }) => ({
		promptTokens: [],
		tokens: to.encode(from.decode([...promptTokens, ...tokens])),
	}));
}

/** What a rewrite took away. */
export interface Loss {
	/** Share of the tokens of the originals that are gone. */
	readonly tokens: number;
	/** Share of their pairs of neighbouring tokens that are gone: what a mark of width 1 is in. */
	readonly pairs: number;
}

/** Compares answers with their rewritten forms, text by text, as multisets. */
export function lossOf(originals: readonly Text[], rewritten: readonly Text[]): Loss {
	const share = (width: number) => {
		let kept = 0;
		let all = 0;
		for (const [i, { tokens }] of originals.entries()) {
			const left = new Map<string, number>();
			const other = rewritten[i].tokens;
			for (let at = 0; at + width <= other.length; at++) {
				const key = other.slice(at, at + width).join();
				left.set(key, (left.get(key) ?? 0) + 1);
			}
			for (let at = 0; at + width <= tokens.length; at++) {
				const key = tokens.slice(at, at + width).join();
				const count = left.get(key) ?? 0;
				all++;
				if (count === 0) continue;
				kept++;
				left.set(key, count - 1);
			}
		}
		return 1 - kept / Math.max(1, all);
	};
	return { tokens: share(1), pairs: share(2) };
}
