/**
 * The cells of the distillation grid, in the order in which they are worth having.
 *
 * @module
 */
import { MARK_NAMES, type MarkName } from './marks.js';

/** The budget of a student, fixed before any test was run. */
export const BUDGET = { texts: 8192, maxTokens: 112, epochs: 2, rate: 1e-3, batch: 16 } as const;

/** Prompts that training texts answer; the rest are kept for asking the students. */
export const TRAINING_PROMPTS = 896;

/** Texts of students with a smaller budget. */
const FEWER = 2048;

/** One student. */
export interface Cell {
	/** Folder of the student. */
	readonly name: string;
	/** Absent: no text is marked. */
	readonly mark?: MarkName;
	/** Share of the training texts that is marked. */
	readonly rho: number;
	/** Gives key, texts and order of training; nothing is shared between seeds. */
	readonly seed: string;
	/** Texts in training. */
	readonly texts: number;
	/** Folder under `models/` of the model that training starts from. */
	readonly base: string;
}

/** A student of marked text. */
function marked(mark: MarkName, rho: number, seed: number | string): Cell {
	return {
		name: `${mark}-rho${rho}-${seed}`,
		mark,
		rho,
		seed: String(seed),
		texts: BUDGET.texts,
		base: 'base',
	};
}

/** A student of the teacher's unmarked texts. */
function unmarked(seed: number | string, texts: number = BUDGET.texts): Cell {
	return { name: `unmarked-${seed}`, rho: 0, seed: String(seed), texts, base: 'base' };
}

/** What the owner of the teacher can train without a key, from texts that no suspect has. */
export const REFERENCES: readonly Cell[] = ['ref-1', 'ref-2', 'ref-3', 'ref-4'].map((seed) => unmarked(seed));

/** Students that never saw a mark; the second half had a quarter of the texts. */
export const INNOCENTS: readonly Cell[] = Array.from({ length: 12 }, (_, i) =>
	unmarked(101 + i, i < 6 ? BUDGET.texts : FEWER),
);

/** Marked under a key that no test opens. */
export const OTHER_KEYS: readonly Cell[] = [
	marked('synthid-4-h1', 1, 'other-1'),
	marked('kgw-g25-d1-h1', 1, 'other-2'),
];

/**
 * The marks that claims rest on: ten seeds each. The recommended one, and the strongest of the other kinds that kept
 * within the limits of `quality`.
 */
export const CLAIMED = [
	'synthid-1-h1',
	'kgw-g50-d1-h1',
	'synthid-4-h2',
] as const satisfies readonly MarkName[];

/** The recommended shape mark beside a choice mark. */
export const BOTH_CHANNELS = 'synthid-1-h1+gumbel-h4' satisfies MarkName;

const CANDIDATES = [
	'kgw-g50-d1-h1',
	'synthid-4-h2',
	'synthid-1-h1',
	'kgw-g25-d0.5-h1',
	'synthid-4-h1',
	'kgw-g25-d1-h1',
	'synthid-2-h1',
	'synthid-3-h1',
	'kgw-g25-d2-h1',
	'gumbel-h1',
	'synthid-2-h1-masked',
	'kgw-g25-d2-h1+gumbel-h4',
	'gumbel-h4',
	'gumbel-h2',
	'kgw-g50-d2-h1',
	'synthid-8-h1',
	'synthid-4-h1-masked',
	'kgw-g25-d2-h2',
] as const satisfies readonly MarkName[];

const SHARES = [0.1, 0.05, 0.02, 0.01, 0.3, 1] as const;
const seeds = Array.from({ length: 10 }, (_, i) => i + 1);

/** Once each, the first mention counts. */
function distinct(cells: readonly Cell[]): Cell[] {
	return [...new Map(cells.map((cell) => [cell.name, cell])).values()];
}

/** References, innocents, each candidate once, then the claims: the shares that targets name, then smaller ones mark by mark. */
export const CORE: readonly Cell[] = distinct([
	...REFERENCES,
	...INNOCENTS,
	...OTHER_KEYS,
	...CANDIDATES.map((mark) => marked(mark, 0.1, 1)),
	...[0.3, 1].map((rho) => marked(CLAIMED[0], rho, 1)),
	...[0.05, 0.1].flatMap((rho) => seeds.flatMap((seed) => CLAIMED.map((mark) => marked(mark, rho, seed)))),
	...seeds.slice(0, 5).map((seed) => marked(BOTH_CHANNELS, 0.1, seed)),
	...CLAIMED.flatMap((mark) =>
		[0.03, 0.02, 0.01].flatMap((rho) => seeds.map((seed) => marked(mark, rho, seed))),
	),
]);

/** The core, then every mark at every share, and the share 0. */
export const ALL: readonly Cell[] = distinct([
	...CORE,
	unmarked(1),
	...SHARES.flatMap((rho) => MARK_NAMES.map((mark) => marked(mark, rho, 1))),
]);
