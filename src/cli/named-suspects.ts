/**
 * Suspects and controls by name, from flags; and the table of what was found.
 *
 * @module
 */
import { badInput } from '../errors.js';
import type { SuspectsResult } from '../verify/suspects.js';

/** What was given for one suspect or control. */
export interface NamedPaths {
	readonly name: string;
	readonly paths: readonly string[];
}

/** NAME=PATH; what has a slash before the sign is a path. */
const NAMED = /^([^=/\\]+)=(.+)$/;

/**
 * Paths by name, in the order of the names; several paths of one name are one suspect.
 *
 * @param suspects values of --suspect: all with a name, or none
 * @param controls values of --control
 * @returns null for one suspect without a name
 * @throws TouchmarkError `bad-input` for paths with and without names, or a name of both a suspect and a control
 */
export function namedSuspects(
	suspects: readonly string[],
	controls: readonly string[],
): { readonly suspects: readonly NamedPaths[]; readonly controls: readonly NamedPaths[] } | null {
	if (controls.length === 0 && !suspects.some((value) => NAMED.test(value))) return null;
	return { suspects: byName(suspects, '--suspect'), controls: byName(controls, '--control') };
}

function byName(values: readonly string[], flag: string): NamedPaths[] {
	const named = new Map<string, string[]>();
	for (const value of values) {
		const [, name, path] = NAMED.exec(value) ?? [];
		if (name === undefined)
			throw badInput(
				`${flag}: "${value}" has no name; with several suspects or controls give each as NAME=PATH`,
			);
		named.set(name, [...(named.get(name) ?? []), path]);
	}
	return [...named].map(([name, paths]) => ({ name, paths }));
}

/** The table in words. */
export function describeSuspects({
	suspects,
	controls,
	hypotheses,
	level,
	withheld,
}: SuspectsResult): string {
	type Row = SuspectsResult['suspects'][number];
	const cells = (row: Row, last: string): string[] => [
		row.suspect,
		...[row.log10P, row.log10PCorrected].map((value) => value.toFixed(1)),
		row.power.toFixed(2),
		`${row.heldOut.rank} of ${row.heldOut.count + 1}`,
		last,
	];
	const verdictOf = ({ verdict, alternatives }: Row) =>
		alternatives.length > 0 ? `${verdict}; cannot rule out: ${alternatives.join(', ')}` : verdict;
	const rows = [
		['suspect', 'log10 p', 'corrected', 'power', 'rank', 'verdict'],
		...suspects.map((row) => cells(row, verdictOf(row))),
		...controls.map((row) =>
			cells(row, row.found ? 'control, FOUND' : `control, not found (at ${row.level})`),
		),
	];
	const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
	const table = rows.map((row) =>
		row
			.map((cell, column) => cell.padEnd(widths[column]))
			.join('  ')
			.trimEnd(),
	);
	const why =
		withheld.length > 0
			? ['no finding is printed: a control looks marked, so something other than training is at work']
			: [];
	return `${[`verdicts at level ${level}, corrected for ${hypotheses} hypotheses`, ...table, ...why].join('\n')}\n`;
}
