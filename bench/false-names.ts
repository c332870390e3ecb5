/**
 * Records that no account was served, held against 24,000 codewords each, under fresh keys round after round.
 *
 * @module
 */
import { randomStream } from '../src/embed/random.js';
import { newTrace } from '../src/verify/trace.js';
import type { NullRecord } from './calibration.js';
import { freshLayers } from './fresh-marks.js';
import { ACCOUNTS } from './traced-texts.js';

/** What came of it. */
export interface FalseNames {
	readonly tests: number;
	readonly keys: number;
	/** Records that name somebody at this level, corrected for all accounts. */
	readonly named: Readonly<Record<'1e-9' | '1e-2', number>>;
	/** Least corrected log10 p. */
	readonly least: number;
}

/**
 * Traces every record, gate or none, under fresh keys until there were so many tests.
 *
 * @param done called after each round with the tests so far
 */
export function falseNames(
	records: readonly NullRecord[],
	atLeast: number,
	done?: (tests: number) => void,
): FalseNames {
	const random = randomStream('false-names');
	let tests = 0;
	let keys = 0;
	let least = 0;
	const named = { '1e-9': 0, '1e-2': 0 };
	while (tests < atLeast) {
		const trace = newTrace({ marks: freshLayers(random), accounts: ACCOUNTS, level: 1e-2, gate: 1 });
		keys++;
		for (const { tokens, prompt } of records) {
			const found = trace.add({ id: '', tokens, given: prompt }).named[0]?.log10PCorrected;
			tests++;
			if (found === undefined) continue;
			least = Math.min(least, found);
			named['1e-2']++;
			if (found <= -9) named['1e-9']++;
		}
		done?.(tests);
	}
	return { tests, keys, named, least };
}
