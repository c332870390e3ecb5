/**
 * Records that cannot be read: left out, counted, and the first of them named; with `--strict` one ends the command.
 *
 * @module
 */
import type { Broken } from '../corpus/lines.js';
import { type CommonOptions, type Edge, warn } from './edge.js';

/** Records that are named one by one. */
const NAMED = 20;

/** What was left out. */
export interface BrokenRecords {
	/** So many so far. */
	readonly count: number;
	/** Counts and names one; undefined with `--strict`. */
	readonly tell: Broken | undefined;
	/** Says how many were not named. */
	end(): void;
}

/** None yet. */
export function newBrokenRecords(
	edge: Edge,
	flags: CommonOptions & { readonly strict?: boolean },
): BrokenRecords {
	let count = 0;
	return {
		get count() {
			return count;
		},
		tell: flags.strict
			? undefined
			: (problem) => {
					if (count++ < NAMED) warn(edge, flags, `${problem.message}; the record is left out`);
				},
		end() {
			if (count > NAMED) warn(edge, flags, `… and ${count - NAMED} more`);
		},
	};
}
