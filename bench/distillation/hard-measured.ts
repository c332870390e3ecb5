/**
 * What one hard student gave, kept in the repository: `measured-hard/CELL.json`.
 *
 * @module
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { KINDS, type Kind } from './hard-cells.js';
import { MARK_NAMES } from './marks.js';
import { keep } from './students.js';

const Point = z.object({ queries: z.number(), log10P: z.number(), log10E: z.number() });
const Curves = z.object({
	grey: z.array(Point),
	open: z.array(Point),
	closed: z.array(Point).optional(),
});
/** Evidence of inheritance by the three ways in, more and more queries. */
export type HardCurves = z.infer<typeof Curves>;

/** Tests under keys, or coins, that nobody has used. */
const Fresh = z.object({
	tests: z.int(),
	/** Of them with p ≤ 1e-2, and with p ≤ 1e-6. */
	rejected: z.int(),
	accused: z.int(),
	leastLog10P: z.number(),
});
export type Fresh = z.infer<typeof Fresh>;

const Trial = z.object({
	pairs: z.int(),
	servedPreferred: z.int(),
	log10P: z.number(),
	log10E: z.number(),
	verdict: z.string(),
});

const HardMeasured = z.object({
	cell: z.string(),
	kind: z.enum(Object.keys(KINDS) as [Kind, ...Kind[]]),
	seed: z.string(),
	mark: z.enum(MARK_NAMES).nullable(),
	/** What the treatment costs the rival. */
	cost: z.object({
		/** Perplexity a token of the teacher, on its texts that no student has seen. */
		perplexity: z.number(),
		/** Share of distinct 2-grams in what the student writes. */
		distinct: z.number(),
		/** Of a paraphrase: share of tokens, and of pairs of neighbours, that are gone from the marked texts. */
		lost: z.object({ tokens: z.number(), pairs: z.number() }).optional(),
	}),
	/** One a key: that of the mark, and the second one of a student with two. */
	keys: z.array(Curves),
	/** By way in. */
	exposure: z.record(z.string(), Trial),
	/** By way in; `exposure-…` for coins. */
	fresh: z.record(z.string(), Fresh),
});
export type HardMeasured = z.infer<typeof HardMeasured>;

const FOLDER = join(import.meta.dirname, 'measured-hard');
const fileOf = (name: string) => join(FOLDER, `${name}.json`);
const read = (path: string) => HardMeasured.parse(JSON.parse(readFileSync(path, 'utf8')));

/** What was measured of a cell; undefined where it was not yet. */
export function measuredHard(name: string): HardMeasured | undefined {
	return existsSync(fileOf(name)) ? read(fileOf(name)) : undefined;
}

/** Everything that was measured. */
export function allMeasuredHard(): HardMeasured[] {
	return readdirSync(FOLDER)
		.filter((file) => file.endsWith('.json'))
		.sort()
		.map((file) => read(join(FOLDER, file)));
}

export function saveHard(measured: HardMeasured): void {
	const rounded = JSON.stringify(measured, (_, value: unknown) =>
		typeof value === 'number' ? Number(value.toPrecision(6)) : value,
	);
	keep(fileOf(measured.cell), `${rounded}\n`);
}
