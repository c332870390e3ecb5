/**
 * Hard students as a verifier meets them: a model, what it writes, and the texts that it is probed with.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadTokenizer } from '../../src/corpus/load-tokenizer.js';
import type { Tokenizer } from '../../src/corpus/tokenizer.js';
import { embeddedModel, embeddedTokenizer, PROMPT_TOKENS } from '../../src/generate/embedded.js';
import type { Transformer } from '../../src/model/transformer.js';
import { answersOf, type Ground, probingPrompts, studentAt } from './ground.js';
import { type HardCell, NEUTRALISED, studentOf } from './hard-cells.js';
import { TUNED_REFERENCES } from './hard-training.js';
import { otherBase } from './other-base.js';
import { HERE, type Text } from './students.js';

/** Tokens of a prompt in another tokenizer: beginnings of the usual prompts. */
const FOREIGN_PROMPT = 12;
/** Tokens of a text in another language. */
const WINDOW = 128;

/** A model whose logits lie between those of two. @param share of the other */
export function between(one: Transformer, other: Transformer, share: number): Transformer {
	const { vocabSize, maxLength } = one;
	return {
		vocabSize,
		maxLength,
		newBatch(size) {
			const batches = [one.newBatch(size), other.newBatch(size)];
			const mixed = new Float32Array(size * vocabSize);
			return {
				size,
				get length() {
					return batches[0].length;
				},
				step(ids) {
					const [a, b] = batches.map((batch) => batch.step(ids));
					for (let i = 0; i < mixed.length; i++) mixed[i] = (1 - share) * a[i] + share * b[i];
					return mixed;
				},
				reset() {
					for (const batch of batches) batch.reset();
				},
			};
		},
	};
}

/** The model of a cell. */
export function suspectOf(work: string, cell: HardCell): Transformer {
	const student = studentAt(work, studentOf(cell).name);
	return cell.kind === 'neutralised' ? between(student, embeddedModel('base'), NEUTRALISED) : student;
}

/** The tokenizer of a cell's model. */
export function tokenizerOf(work: string, { kind }: HardCell): Tokenizer {
	return kind === 'tokenizer' ? loadTokenizer(otherBase(work)) : embeddedTokenizer();
}

/** The declaration of human rights in two languages that no model has read, in windows. */
function foreignTexts(): number[][] {
	const tokenizer = embeddedTokenizer();
	return ['german', 'french'].flatMap((language) => {
		const text = readFileSync(join(HERE, `languages/declaration-${language}.txt`), 'utf8');
		const ids = tokenizer.encode(text);
		return Array.from({ length: Math.floor(ids.length / WINDOW) }, (_, i) =>
			ids.slice(i * WINDOW, (i + 1) * WINDOW),
		);
	});
}

/** What a suspect is probed with, and beside which references. */
export function groundFor(ground: Ground, { kind }: HardCell): Ground {
	if (kind === 'language') return { ...ground, probes: foreignTexts(), promptLength: 1 };
	if (kind !== 'known-tuning') return ground;
	const tuned = TUNED_REFERENCES.map(({ name }) => studentAt(ground.work, name));
	return { ...ground, references: [...ground.references, ...tuned] };
}

/** What a suspect answers, in ids of the mark's tokenizer. */
export function* writtenBy(work: string, cell: HardCell, model: Transformer, count: number): Generator<Text> {
	const seed = `hard/asked/${cell.name}`;
	const marks = embeddedTokenizer();
	const repeated = (prompts: readonly string[]) =>
		Array.from({ length: count }, (_, i) => prompts[i % prompts.length]);
	if (cell.kind === 'language') {
		const prompts = foreignTexts()
			.map((ids) => marks.decode(ids.slice(0, PROMPT_TOKENS)))
			.filter((prompt) => marks.encode(prompt).length === PROMPT_TOKENS);
		yield* answersOf(model, count, seed, repeated(prompts));
	} else if (cell.kind === 'tokenizer') {
		const own = tokenizerOf(work, cell);
		const prompts = probingPrompts(count)
			.map((prompt) => own.decode(own.encode(prompt).slice(0, FOREIGN_PROMPT)))
			.filter((prompt) => own.encode(prompt).length === FOREIGN_PROMPT);
		for (const { prompt, text } of answersOf(model, count, seed, repeated(prompts), own))
			yield { promptTokens: marks.encode(prompt), tokens: marks.encode(text) };
	} else yield* answersOf(model, count, seed);
}
