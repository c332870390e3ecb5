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
	/** Share of the texts that are found at the scheme's level. */
	readonly found: number;
	/** Median log10 p; absent where only ranks are known. */
	readonly log10P?: number;
	/** The same share by the peer. */
	readonly peer?: number;
}

/** Everything about one scheme. */
export interface SchemeCurves {
	readonly name: string;
	readonly title: string;
	/** p-value that a found text has at most. */
	readonly level: number;
	/** How many texts there are. */
	readonly texts: number;
	readonly peerName?: string;
	readonly points: readonly Measured[];
}

/** A point with its evidence. */
export type Weighed = Measured & { readonly log10P: number };

/** Students of attacked texts: `length` is that of the training texts, `found` a share of the students. */
export interface StudentCurves {
	readonly mark: string;
	readonly points: readonly Weighed[];
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
	readonly students: number;
	readonly schemes: readonly SchemeCurves[];
	readonly inheritance: readonly StudentCurves[];
	readonly damage: readonly Damage[];
}

const FILE = join(import.meta.dirname, '../results/robustness-curves.json');

export function keepCurves(curves: Curves): void {
	writeWhole(FILE, `${JSON.stringify(curves, null, 1)}\n`);
}
