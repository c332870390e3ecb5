/**
 * Rows of the bench `accounts` for cohorts: inherited marks.
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { randomStream } from '../src/embed/random.js';
import {
	CELLS,
	COHORTS,
	type CohortCell,
	exchangesOf,
	measureCohorts,
	measuredCohorts,
	USED,
	WAYS,
	type Way,
} from './distillation/cohort-students.js';
import { fileOf, readMeasured } from './distillation/measured.js';
import { WORK } from './distillation/students.js';
import { FAMILY, findAmong, meanOf, RATES } from './found-rows.js';
import { median, type Row } from './rows.js';

/** Draws of keys in the place of the innocent cohorts', for each student. */
const DRAWS = 1000;

/** Rows and notes. @param quick only what is measured already */
export function cohortRows(quick: boolean): { rows: Row[]; notes: string[] } {
	if (!quick) measureCohorts(WORK, CELLS);
	const all = CELLS.flatMap((cell) => measuredCohorts(WORK, cell) ?? []);
	const innocent = Object.fromEntries(
		WAYS.map((way) => [
			way,
			all.flatMap(({ [way]: { cohorts, fresh } }) => [...cohorts.slice(USED), ...fresh]),
		]),
	) as Record<Way, number[]>;
	const rows: Row[] = [];
	const notes: string[] = [];
	for (const share of [...new Set(CELLS.map((cell) => cell.share))].sort((a, b) => a - b)) {
		const cells = CELLS.filter((cell) => cell.share === share);
		const students = cells.flatMap((cell) => {
			const measured = measuredCohorts(WORK, cell);
			return measured === undefined ? [] : [{ cell, measured }];
		});
		if (students.length === 0) continue;
		const name = `cohorts of ${exchangesOf(cells[0])} (${share} of all texts each)`;
		for (const way of WAYS) {
			const found = meanOf(
				students.map(({ cell, measured }) => foundOf(cell, measured[way].cohorts, innocent[way])),
			);
			for (const [i, rate] of RATES.entries()) {
				rows.push({
					case: `found@${rate}, ${name}, ${way}`,
					ours: found.rates[i].power,
					peer: found.named,
					peerName: `named at ${FAMILY} by Holm's correction`,
					unit: 'share of the cohorts used',
					ratio: found.named === 0 ? 1 : found.rates[i].power / found.named,
				});
				rows.push({
					case: `wrong@${rate}, ${name}, ${way}`,
					ours: found.rates[i].wrong,
					peer: rate,
					peerName: 'most that it may be',
					unit: 'share of those found',
					ratio: found.rates[i].wrong === 0 ? 1 : rate / found.rates[i].wrong,
				});
			}
			const evidence = -median(students.flatMap(({ measured }) => measured[way].cohorts.slice(0, USED)));
			const undivided = undividedEvidence(share, way);
			if (undivided !== undefined)
				rows.push({
					case: `evidence, ${name}, ${way}`,
					ours: evidence,
					peer: undivided.evidence,
					peerName: `one mark on all contexts, ${share} of the texts, ${undivided.students} students`,
					unit: '−log10 p, median',
					ratio: evidence / undivided.evidence,
				});
			notes.push(
				`Shares of ${share}, ${way}, ${students.length} students: −log10 p of the cohorts used ${students
					.map(({ measured }) => listOf(measured[way].cohorts.slice(0, USED)))
					.join(
						'; ',
					)}; of the deployment’s mark ${listOf(students.map(({ measured }) => measured[way].deployment))}.`,
			);
		}
	}
	for (const way of WAYS) {
		const below = (level: number) => innocent[way].filter((log10P) => log10P <= Math.log10(level)).length;
		notes.push(
			`Keys that the student never met, ${way}: of ${innocent[way].length} p-values ${below(0.1)} are ≤ 0.1, ${below(0.01)} ≤ 0.01, ${below(0.001)} ≤ 0.001. As many sets of ${COHORTS - USED} as are disjoint: ${Math.floor(innocent[way].length / (COHORTS - USED))}, so that \`wrong@0.1\` has a standard error of up to ${Math.sqrt((0.09 * (COHORTS - USED)) / innocent[way].length).toFixed(2)}.`,
		);
	}
	return { rows, notes };
}

const listOf = (log10Ps: readonly number[]) => log10Ps.map((log10P) => (0 - log10P).toFixed(1)).join(', ');

/** Power and false discoveries of one student. @param innocent log10 p of keys that the tested student never met */
function foundOf({ share, seed }: CohortCell, cohorts: readonly number[], innocent: readonly number[]) {
	const random = randomStream(`accounts/cohorts/${share}/${seed}`);
	const natural = (log10P: number) => log10P * Math.LN10;
	const pool = innocent.map(natural);
	return findAmong(cohorts.slice(0, USED).map(natural), DRAWS, () => {
		const left = [...pool];
		return Array.from({ length: COHORTS - USED }, () => {
			const [drawn] = left.splice(Math.floor(random.next() * left.length), 1);
			return drawn;
		});
	});
}

/** Queries of the students of the grid that stand beside ours. */
const QUERIES: Readonly<Record<Way, number>> = { open: 10_000, grey: 10_000, closed: 100_000 };

/** What students show whose marked texts, as large a share, carry one mark on all contexts; undefined where none was measured. */
function undividedEvidence(share: number, way: Way): { evidence: number; students: number } | undefined {
	const evidence = Array.from({ length: 10 }, (_, i) => {
		const path = fileOf(`synthid-1-h1-rho${share}-${i + 1}`, 'synthid-1-h1', 'shape');
		const curves = existsSync(path) ? readMeasured(path)?.[way] : undefined;
		return curves?.['weighted+students']?.find(({ queries }) => queries === QUERIES[way])?.log10P;
	}).filter((log10P) => log10P !== undefined);
	return evidence.length === 0 ? undefined : { evidence: -median(evidence), students: evidence.length };
}
