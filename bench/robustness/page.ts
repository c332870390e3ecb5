/**
 * The tables of `docs/robustness.md`, between two comments of that page.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { writeWhole } from '../../src/output.js';
import { DEFAULT_LEVEL } from '../../src/verify/test-result.js';
import type { Curves, Measured, SchemeCurves } from './curves.js';
import { ATTACKS } from './grid.js';
import { ANSWERS, MARKED_TEXTS, TRAINING_TOKENS } from './students.js';

const PAGE = 'docs/robustness.md';
const BLOCK = /<!-- robustness:tables -->[\s\S]*<!-- \/robustness:tables -->/;

const share = (value: number) => value.toFixed(2);
/** log10 p in few digits. */
const evidence = (value: number) => (value > -10 ? value.toFixed(1) : value.toFixed(0)).replace('-', '−');

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
	const lines = [head, head.map(() => '---'), ...rows];
	return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

const cellOf = ({ found, log10P }: Measured) =>
	log10P === undefined ? share(found) : `${share(found)} (${evidence(log10P)})`;

/** A scheme and, where it is not the usual one, its level. */
const nameOf = ({ name, level }: SchemeCurves) =>
	level === DEFAULT_LEVEL ? `\`${name}\`` : `\`${name}\`, p ≤ ${level}`;

function attackTable({ name, points, least = 0 }: (typeof ATTACKS)[number], curves: Curves): string {
	const lengths = [200, 400].filter((length) => length >= least);
	const rows = curves.schemes.flatMap((scheme) => {
		const of = (length: number) =>
			points.flatMap(({ label }) =>
				scheme.points.filter((one) => one.attack === name && one.label === label && one.length === length),
			);
		const ours = lengths.map((length) => [nameOf(scheme), String(length), ...of(length).map(cellOf)]);
		const theirs = of(200).flatMap(({ peer }) => (peer === undefined ? [] : [share(peer)]));
		return theirs.length === 0
			? ours
			: [...ours, [`_${scheme.peerName?.split(', ')[0] ?? ''}_`, '200', ...theirs]];
	});
	const damage = points.map(({ label }) => {
		const one = curves.damage.find((entry) => entry.attack === name && entry.label === label);
		return one === undefined ? '–' : [one.tokens, one.pairs, one.fives].map(share).join(' / ');
	});
	return `### ${name}\n\n${table(
		['scheme', 'tokens', ...points.map(({ label }) => label)],
		[...rows, ['_gone: tokens / pairs / runs of 5_', String(lengths[0]), ...damage]],
	)}`;
}

function studentTable({ inheritance, students }: Curves): string {
	const [first] = inheritance;
	const rows = first.points.map(({ attack, label }, i) => [
		attack,
		label,
		...inheritance.map(({ points }) => cellOf(points[i])),
	]);
	return (
		`### Students\n\n${students} students a mark, each of ${MARKED_TEXTS} marked and attacked texts and ${MARKED_TEXTS} unmarked ones of ${TRAINING_TOKENS} tokens, ` +
		`asked for ${ANSWERS} answers; share of them found, and the median log10 p.\n\n` +
		table(['attack', 'strength', ...inheritance.map(({ mark }) => `\`${mark}\``)], rows)
	);
}

/** Writes the tables into the page. */
export function writeTables(curves: Curves): void {
	const tables = [...ATTACKS.map((attack) => attackTable(attack, curves)), studentTable(curves)];
	const page = readFileSync(PAGE, 'utf8');
	const block = `<!-- robustness:tables -->\n${tables.join('\n\n')}\n<!-- /robustness:tables -->`;
	writeWhole(
		PAGE,
		page.replace(BLOCK, () => block),
	);
}
