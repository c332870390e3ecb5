/**
 * What the bench `robustness` found, and where it is kept: `bench/results/robustness-curves.json`.
 *
 * @module
 */
import { join } from 'node:path';
import { writeWhole } from '../../src/output.js';

/** One point of an attack on texts of one scheme and length. */
export interface Measured {
	readonly attack: string;
	readonly label: string;
	readonly at: number;
	/** Tokens that the texts had. */
	readonly length: number;
	/** Share of the texts with p ≤ 1e-6. */
	readonly found: number;
	/** Median log10 p. */
	readonly log10P: number;
	/** The same share by the peer. */
	readonly peer?: number;
}

/** Everything about one scheme. */
export interface SchemeCurves {
	readonly name: string;
	readonly title: string;
	readonly peerName?: string;
	readonly points: readonly Measured[];
}

/** Students of attacked texts: `length` is that of the training texts, `found` a share of the students. */
export interface StudentCurves {
	readonly mark: string;
	readonly points: readonly Measured[];
}

/** What an attack does to the tokens of a text: shares of its tokens, of its pairs and of its runs of five that are gone. */
export interface Damage {
	readonly attack: string;
	readonly label: string;
	readonly tokens: number;
	readonly pairs: number;
	readonly fives: number;
}

/** The record. */
export interface Curves {
	readonly texts: number;
	readonly students: number;
	readonly schemes: readonly SchemeCurves[];
	readonly inheritance: readonly StudentCurves[];
	readonly damage: readonly Damage[];
}

const FILE = join(import.meta.dirname, '../results/robustness-curves.json');

export function keepCurves(curves: Curves): void {
	writeWhole(FILE, `${JSON.stringify(curves, null, 1)}\n`);
}
