/**
 * What every measurement of a student needs: models to compare with, texts to probe with, and traffic to count.
 *
 * @module
 */
import { join } from 'node:path';
import type { Tokenizer } from '../../src/corpus/tokenizer.js';
import { embeddedModel, embeddedPrompts, embeddedTokenizer } from '../../src/generate/embedded.js';
import { type Sample, sampleTexts } from '../../src/generate/sample.js';
import { loadTransformer, type Transformer } from '../../src/model/transformer.js';
import { type ContextCounts, countContexts } from '../../src/verify/residuals.js';
import { REFERENCES, TRAINING_PROMPTS } from './cells.js';
import { markerOf } from './marks.js';
import { folderOf, textsOf } from './students.js';

const PROBES = 512;
/** Of an answer. */
export const MAX_TOKENS = 112;
/** References that come first: those that nobody has to train. */
export const UNTRAINED = 2;

/** What every measurement needs. */
export interface Ground {
	readonly work: string;
	/** Teacher and base, then students of unmarked text. */
	readonly references: readonly Transformer[];
	/** Texts of the unmarked teacher, prompts included, that no student has seen. */
	readonly probes: readonly (readonly number[])[];
	/** Ids of each prompt. */
	readonly promptLength: number;
	/** Contexts of unmarked text that is neither a probe nor a reference's. */
	readonly exposure: (contextWidth: number) => ContextCounts;
}

/** Prompts that no training text answers, over and over. */
export function probingPrompts(count: number): string[] {
	const kept = embeddedPrompts().slice(TRAINING_PROMPTS);
	return Array.from({ length: count }, (_, i) => kept[i % kept.length]);
}

/** Unmarked texts of a model that answer prompts, the probing ones unless others are given. */
export function* answersOf(
	model: Transformer,
	count: number,
	seed: string,
	prompts: readonly string[] = probingPrompts(count),
	tokenizer: Tokenizer = embeddedTokenizer(),
): Generator<Sample> {
	yield* sampleTexts({
		model,
		tokenizer,
		marker: markerOf(undefined, seed, { vocabSize: model.vocabSize, specialTokens: tokenizer.specialTokens }),
		prompts,
		maxTokens: MAX_TOKENS,
		seed,
	});
}

export function studentAt(work: string, name: string): Transformer {
	return loadTransformer(folderOf(work, name));
}

/** References, probes and exposure. @param work the folder of the grid @param count of probes */
export function groundOf(work: string, count = PROBES): Ground {
	const probes = [...answersOf(embeddedModel('teacher'), count, 'distillation/probes')];
	const traffic = textsOf(join(work, 'texts', 'unmarked-ref-2.jsonl')).map(({ tokens }) => tokens);
	const counts = new Map<number, ContextCounts>();
	return {
		work,
		references: [
			embeddedModel('teacher'),
			embeddedModel('base'),
			...REFERENCES.map(({ name }) => studentAt(work, name)),
		],
		probes: probes.map(({ promptTokens, tokens }) => [...promptTokens, ...tokens]),
		promptLength: probes[0].promptTokens.length,
		exposure(width) {
			const known = counts.get(width) ?? countContexts(traffic, width);
			counts.set(width, known);
			return known;
		},
	};
}
