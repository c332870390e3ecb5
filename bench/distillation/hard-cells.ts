/**
 * Students of rivals who did not train politely, in the order in which they are worth having.
 *
 * @module
 */
import { CLAIMED } from './cells.js';
import type { MarkName } from './marks.js';

/** The mark of hard students unless another is named, and its share of their texts. */
export const MARK: MarkName = CLAIMED[0];
export const SHARE = 0.3;
/** Marked texts that are served answers of a trial, so that one student shows inheritance and exposure. */
export const PAIRS = 512;
/** Of them, the first so many are measured. */
export const MEASURED_PAIRS = 256;
/** Share of tokens that the second model draws again. */
export const REDRAWN = 0.3;
/** Share of the model before training in a neutralised one. */
export const NEUTRALISED = 0.5;
/** Tokens of an answer that a truncating rival keeps, and how many such answers fill a window. */
export const BEGINNING = { length: 28, together: 3 } as const;
/** Ids of the tokenizer that the teacher does not have. */
export const OTHER_VOCABULARY = 3072;

/** What each kind of rival does. */
export const KINDS = {
	plain: 'nothing: the students that the others are compared with',
	paraphrase: 'a second model (the base) draws 30 % of the tokens of all texts again',
	tokenizer: 'another tokenizer (3,072 ids, from the base’s books) and a base model of its own',
	'second-tuning': 'a second fine-tuning on as many tokens of the base’s books',
	'known-tuning': 'the same, beside two references of the provider that were tuned in the same way',
	'paraphrase-rules': 'synonyms for half of the words that have any, halves of sentences change places',
	neutralised: 'at inference, logits half those of the model before training',
	language: 'nothing, but the suspect is probed with German and French',
	lora: 'low-rank fine-tuning, rank 8 on attention and MLP, rate 5e-3',
	truncated: 'the first 28 of 112 tokens of each text',
	filtered: 'the half of the texts that the base finds likeliest',
	'two-keys': 'half of the marked texts under another key: of another teacher, or of the next epoch',
	grandchild: 'a student of the plain student’s own texts',
	larger: 'two more layers than the teacher',
	smaller: 'one layer less than the teacher',
	smallest: 'two layers less than the teacher',
} as const;
export type Kind = keyof typeof KINDS;

/** One student as it is measured. */
export interface HardCell {
	readonly name: string;
	readonly kind: Kind;
	/** Gives key, texts and order of training; the unmarked texts are the same for all. */
	readonly seed: string;
	/** Of a share of the texts; null: the student is innocent. */
	readonly mark: MarkName | null;
}

function cell(kind: Kind, seed: number | 'innocent', mark: MarkName = MARK): HardCell {
	const other = mark === MARK ? '' : `-${mark}`;
	return {
		...{ name: `hard-${kind}${other}-${seed}`, kind, seed: String(seed) },
		mark: seed === 'innocent' ? null : mark,
	};
}

/** Kinds that come from the student of another kind. */
const SOURCES: Readonly<Partial<Record<Kind, Kind>>> = {
	'second-tuning': 'plain',
	'known-tuning': 'second-tuning',
	neutralised: 'plain',
	language: 'plain',
	grandchild: 'plain',
};

/** The cell of the same seed that a student comes from; undefined where it comes from the base. */
export function sourceOf(cell: HardCell): HardCell | undefined {
	const kind = SOURCES[cell.kind];
	return kind && { ...cell, kind, name: cell.name.replace(`hard-${cell.kind}`, `hard-${kind}`) };
}

/** Kinds that look at the student of another kind in another way: no training, and exposure is not measured again. */
export const SAME_STUDENT: readonly Kind[] = ['language', 'known-tuning'];

/** The cell whose student is looked at, of kinds that are not trained themselves. */
export function studentOf(cell: HardCell): HardCell {
	const untrained = cell.kind === 'neutralised' || SAME_STUDENT.includes(cell.kind);
	return (untrained && sourceOf(cell)) || cell;
}

/** Kinds on which claims rest: ten seeds each. */
export const CLAIMED_KINDS = ['paraphrase', 'tokenizer', 'second-tuning'] as const satisfies readonly Kind[];
const kinds = Object.keys(KINDS) as Kind[];
const seeds = Array.from({ length: 10 }, (_, i) => i + 1);

/** Kinds that have a second student, and those that need no training of their own and have three. */
const TWICE = ['paraphrase-rules', 'two-keys', 'lora', 'filtered', 'truncated', 'grandchild'] as const;
const THRICE = ['neutralised', 'language'] as const;

/** Marks that the recommended one is compared with under the treatments that weaken it most. */
const OTHER_MARKS = CLAIMED.slice(1);
/** Seed after which they come. */
const ENOUGH_FOR_NOW = 3;

/** All cells: each kind once, then innocents of the same treatments, then more seeds, and other marks among them. */
export const HARD_CELLS: readonly HardCell[] = [
	...kinds.map((kind) => cell(kind, 1)),
	...(['plain', ...CLAIMED_KINDS] as const).map((kind) => cell(kind, 'innocent')),
	...seeds.slice(1).flatMap((seed) => {
		const some: readonly Kind[] = [...(seed <= 3 ? THRICE : []), ...(seed === 2 ? TWICE : [])];
		const others = seed === ENOUGH_FOR_NOW ? OTHER_MARKS : [];
		return [
			...(['plain', ...CLAIMED_KINDS, 'known-tuning', ...some] as const).map((kind) => cell(kind, seed)),
			...others.flatMap((mark) =>
				(['plain', 'paraphrase', 'second-tuning'] as const).map((kind) => cell(kind, 1, mark)),
			),
		];
	}),
];
