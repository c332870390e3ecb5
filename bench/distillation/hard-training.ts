/**
 * Training of hard students. Texts and students are kept once they are whole, and not made again.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadTokenizer } from '../../src/corpus/load-tokenizer.js';
import { embeddedModel, embeddedPrompts, embeddedTokenizer, MODELS } from '../../src/generate/embedded.js';
import { sampleTexts } from '../../src/generate/sample.js';
import { loadTransformer } from '../../src/model/transformer.js';
import { BUDGET, REFERENCES, TRAINING_PROMPTS } from './cells.js';
import { REST } from './exposed.js';
import {
	BEGINNING,
	type HardCell,
	type Kind,
	PAIRS,
	REDRAWN,
	SHARE,
	sourceOf,
	studentOf,
} from './hard-cells.js';
import { markerOf } from './marks.js';
import { otherBase } from './other-base.js';
import { beginnings, likelierHalf, lossOf, ofText, redrawn, reencoded, substituted } from './rewrites.js';
import {
	folderOf,
	isTrained,
	keep,
	keepTexts,
	say,
	type Text,
	type Training,
	teacherTexts,
	textsOf,
	train,
} from './students.js';
import { trialFile } from './trials.js';

/** Marked texts, and the others. */
const MARKED = Math.round(SHARE * BUDGET.texts);
const OTHERS = BUDGET.texts - MARKED;
/** The base's books as the teacher's tokenizer writes them have 12,756 windows: as many tokens as the budget. */
const BOOK_EPOCHS = 1.285;

/** Seed of the trial whose served answers are in a cell's texts. */
export const trialSeed = ({ seed, mark }: HardCell): string => (mark === null ? 'hard-innocent' : seed);
/** Seed of the other key of a student with two. */
export const secondKey = (seed: string): string => `${seed}-second`;

/** Beginning of a file of texts. */
interface Part {
	readonly path: string;
	readonly from?: number;
	readonly count: number;
}

const textsIn = ({ path, from, count }: Part): Text[] => textsOf(path, from, count);

/** The texts with the trial and the mark in them. */
function markedParts(work: string, cell: HardCell): Part[] {
	const { mark } = cell;
	const served = { path: trialFile(work, trialSeed(cell), PAIRS, mark ?? undefined), count: PAIRS };
	const more = MARKED - PAIRS;
	// No student has another's unmarked texts as its own: the innocents' come after the rest, from the same file.
	if (mark === null)
		return [served, { path: teacherTexts(work, undefined, REST, BUDGET.texts), from: OTHERS, count: more }];
	if (cell.kind !== 'two-keys')
		return [served, { path: teacherTexts(work, mark, cell.seed, more), count: more }];
	const half = Math.round(MARKED / 2);
	return [
		served,
		{ path: teacherTexts(work, mark, cell.seed, half - PAIRS), count: half - PAIRS },
		{ path: teacherTexts(work, mark, secondKey(cell.seed), half), count: half },
	];
}

/** The rewrite of a kind; undefined where texts stay as they are. */
function rewriteOf(work: string, kind: Kind): ((texts: readonly Text[], seed: string) => Text[]) | undefined {
	const tokenizer = embeddedTokenizer();
	const base = () => embeddedModel('base');
	switch (kind) {
		case 'paraphrase':
			return (texts, seed) => redrawn(base(), texts, REDRAWN, `hard/redrawn/${seed}`);
		case 'paraphrase-rules':
			return (texts, seed) =>
				ofText(tokenizer, texts, (text, i) => substituted(text, `hard/substituted/${seed}/${i}`));
		case 'tokenizer':
			return (texts) => reencoded(tokenizer, loadTokenizer(otherBase(work)), texts);
		case 'filtered':
			return (texts) => likelierHalf(base(), texts);
		case 'truncated':
			return (texts) => beginnings(texts, BEGINNING.length, BEGINNING.together);
		default:
			return undefined;
	}
}

/** Training texts of a cell, as `train.py` takes them, with what a paraphrase took away in a file beside. */
function samplesOf(work: string, cell: HardCell): string[] {
	const { kind, name } = cell;
	const rest: Part = { path: teacherTexts(work, undefined, REST, BUDGET.texts), count: OTHERS };
	const marked = markedParts(work, cell);
	const rewrite = rewriteOf(work, kind);
	if (rewrite === undefined) {
		if (cell.mark !== null) return [...marked, rest].map(({ path, count }) => `${path}:${count}`);
		const path = join(work, 'texts', `${name}.jsonl`);
		keepTexts(path, marked.flatMap(textsIn));
		return [path, `${rest.path}:${rest.count}`];
	}
	const write = (path: string, parts: readonly Part[], seed: string): string => {
		if (existsSync(path)) return path;
		const begun = performance.now();
		const originals = parts.flatMap(textsIn);
		const texts = rewrite(originals, seed);
		if (kind.startsWith('paraphrase'))
			keep(path.replace(/jsonl$/, 'loss.json'), `${JSON.stringify(lossOf(originals, texts))}\n`);
		keepTexts(path, texts);
		say(`${texts.length} texts, ${kind} ${seed}, ${((performance.now() - begun) / 1000).toFixed(0)} s`);
		return path;
	};
	return [
		write(join(work, 'texts', `${name}.jsonl`), marked, cell.seed),
		write(join(work, 'texts', `hard-${kind}-rest.jsonl`), [rest], 'rest'),
	];
}

function sourceFolder(work: string, cell: HardCell): string {
	return folderOf(work, (sourceOf(cell) ?? cell).name);
}

/** Texts that a student writes to the training prompts. */
function ownTexts(work: string, cell: HardCell): string {
	const path = join(work, 'texts', `${cell.name}.jsonl`);
	if (existsSync(path)) return path;
	const model = loadTransformer(sourceFolder(work, cell));
	const tokenizer = embeddedTokenizer();
	const all = embeddedPrompts();
	const { vocabSize } = model;
	const samples = sampleTexts({
		model,
		tokenizer,
		marker: markerOf(undefined, cell.seed, { vocabSize, specialTokens: tokenizer.specialTokens }),
		prompts: Array.from({ length: BUDGET.texts }, (_, i) => all[i % TRAINING_PROMPTS]),
		maxTokens: BUDGET.maxTokens,
		seed: `hard/own/${cell.seed}`,
	});
	keepTexts(path, Array.from(samples));
	return path;
}

/** How a cell's student is trained. */
function trainingOf(work: string, cell: HardCell): Training {
	const { name, kind } = cell;
	const { epochs, rate } = BUDGET;
	const usual = { name, from: join(MODELS, 'base'), epochs, rate };
	const samples = () => samplesOf(work, cell);
	switch (kind) {
		case 'second-tuning':
			return { ...usual, from: sourceFolder(work, cell), epochs: BOOK_EPOCHS };
		case 'grandchild':
			return { ...usual, samples: [ownTexts(work, cell)] };
		case 'tokenizer':
			return { ...usual, from: otherBase(work), samples: samples() };
		case 'lora':
			return { ...usual, samples: samples(), lora: 8, rate: 5e-3 };
		case 'larger':
			return { ...usual, samples: samples(), layers: 5 };
		case 'smaller':
			return { ...usual, samples: samples(), layers: 2 };
		case 'smallest':
			return { ...usual, samples: samples(), layers: 1 };
		default:
			return { ...usual, samples: samples() };
	}
}

/** Trains the student of a cell, and the one that it comes from, unless they are there. */
export function trainHard(work: string, cell: HardCell): void {
	const source = sourceOf(cell);
	if (source !== undefined) trainHard(work, source);
	if (studentOf(cell) !== cell || isTrained(work, cell.name)) return;
	train(work, trainingOf(work, cell), { ...cell, budget: BUDGET, share: SHARE });
}

/** Students of unmarked text that were tuned again: references of a provider who knows, or guesses, that it was done. */
export const TUNED_REFERENCES = REFERENCES.slice(0, 2).map(({ name }) => ({
	name: `hard-second-tuning-${name}`,
	source: name,
}));

/** Trains them unless they are there. */
export function trainTunedReferences(work: string): void {
	for (const { name, source } of TUNED_REFERENCES) {
		const from = folderOf(work, source);
		if (!isTrained(work, name))
			train(work, { name, from, epochs: BOOK_EPOCHS, rate: BUDGET.rate }, { name, budget: BUDGET });
	}
}
