/**
 * What one student of the grid gave, kept in the repository: `measured/CELL.json`.
 *
 * @module
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Mark } from '../../src/marks/mark.js';
import { logPValue } from '../../src/verify/null-law.js';
import type { PairSet } from '../../src/verify/pairs.js';
import type { PairWeights } from '../../src/verify/residuals.js';
import { tallyPairs } from '../../src/verify/tally.js';
import { testWeighted } from '../../src/verify/weighted.js';
import type { MarkName } from './marks.js';
import { keep } from './students.js';

/** One test at one number of queries. */
export interface Point {
	/** Calls, positions, or tokens. */
	readonly queries: number;
	readonly log10P: number;
	/** Absent for procedures without e-values. */
	readonly log10E?: number;
}

/** What one student gave: ours, and the published procedures on the same queries. */
export interface Measured {
	readonly cell: string;
	readonly mark: MarkName;
	/** Which of the marks of a pair of channels. */
	readonly channel: 'shape' | 'choice';
	readonly rho: number;
	readonly seed: string;
	/** `weighted`: with the unmarked teacher and the base as references; `weighted+students`: and students of unmarked text. */
	readonly grey?: Curves<'weighted' | 'weighted+students' | 'reading mode' | 'one token a context'>;
	readonly open?: Curves<'weighted' | 'weighted+students' | 'reading mode'>;
	readonly closed?: Curves<'weighted' | 'weighted+students' | 'distinct and filtered'>;
}
export type Curves<Name extends string> = Readonly<Partial<Record<Name, readonly Point[]>>>;

const DECISION = { level: 1e-6, hypotheses: 1, searchBits: 0 } as const;

/** The test of weights at a number of queries. */
export function weightedPoint(queries: number, weights: PairWeights, mark: Mark): Point {
	const { log10P, log10E } = testWeighted(weights, mark, DECISION);
	return { queries, log10P, log10E };
}

/** The exact test of plain scores. */
export function plainPoint(queries: number, pairs: PairSet, mark: Mark): Point {
	return { queries, log10P: logPValue(tallyPairs(pairs, mark), mark.scheme.null) / Math.LN10 };
}

/** The file of one measurement. */
export function fileOf(name: string, mark: MarkName, channel: string): string {
	const both = mark.includes('+') ? `-${channel}` : '';
	return join(import.meta.dirname, 'measured', `${name}${both}.json`);
}

export function readMeasured(path: string): Measured | undefined {
	return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Measured) : undefined;
}

export function save(path: string, measured: Measured): void {
	const rounded = JSON.stringify(measured, (_, value: unknown) =>
		typeof value === 'number' ? Number(value.toPrecision(6)) : value,
	);
	keep(path, `${rounded}\n`);
}

/** A way in. */
export type Way = 'grey' | 'open' | 'closed';

/** log10 e, or −log10 p where there is no e-value. */
export const evidence = ({ log10P, log10E }: Point): number => log10E ?? -log10P;

/** A mark, or one channel of two, at one share: its students. */
export interface Cell {
	readonly name: string;
	readonly rho: number;
	readonly seeds: readonly Measured[];
}

/** The curves of one procedure over the students that have been measured so. */
export function curvesOf({ seeds }: Cell, way: Way, procedure: string): (readonly Point[])[] {
	return seeds.flatMap((one) => {
		const curves = one[way] as Readonly<Record<string, readonly Point[]>> | undefined;
		const points = curves?.[procedure] ?? [];
		return points.length === 0 ? [] : [points];
	});
}
