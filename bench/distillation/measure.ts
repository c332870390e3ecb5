/**
 * Measures how much evidence of inheritance the students of the grid give, query by query, beside published procedures.
 *
 *     npx tsx bench/distillation/measure.ts [--work DIR] [--mark NAME] [--rho SHARE] [--closed SEEDS]
 *
 * With `--mark` and `--rho` only students of that mark and share; text is asked of the first SEEDS seeds (default all). What is measured already
 * (`measured/`) is left as it is.
 *
 * @module
 */
import { parseArgs } from 'node:util';
import type { Mark } from '../../src/marks/mark.js';
import { askStudent } from './asking.js';
import { ALL, type Cell } from './cells.js';
import { groundOf, studentAt } from './ground.js';
import { type MarkName, marksOf } from './marks.js';
import { fileOf, readMeasured, save } from './measured.js';
import { readStudents } from './reading.js';
import { isTrained, say, WORK } from './students.js';
import { groupsOf } from './together.js';

/** A student to be measured for one of its marks. */
interface Task {
	readonly cell: Cell & { readonly mark: MarkName };
	readonly mark: Mark;
	readonly path: string;
}

function tasksOf(work: string, only: { readonly mark?: string; readonly rho?: string }): Task[] {
	return ALL.flatMap((cell) => {
		const { mark: name } = cell;
		if (name === undefined || cell.seed.startsWith('other') || (only.mark ?? name) !== name) return [];
		if (only.rho !== undefined && Number(only.rho) !== cell.rho) return [];
		if (!isTrained(work, cell.name)) return [];
		return marksOf(name, cell.seed).map((mark) => ({
			cell: { ...cell, mark: name },
			mark,
			path: fileOf(cell.name, name, mark.spec.channel),
		}));
	});
}

function main(): void {
	const { values } = parseArgs({
		options: {
			work: { type: 'string', default: WORK },
			mark: { type: 'string' },
			rho: { type: 'string' },
			closed: { type: 'string', default: '10' },
		},
	});
	const ground = groundOf(values.work);
	const waiting = tasksOf(values.work, values).filter(({ path }) => readMeasured(path)?.open === undefined);
	for (const group of groupsOf(waiting, ({ mark }) => mark.spec.contextWidth)) {
		const students = group.map(({ cell, mark }) => ({ model: studentAt(values.work, cell.name), mark }));
		readStudents(ground, students, group[0].mark.spec.contextWidth).forEach((curves, j) => {
			const { cell, mark, path } = group[j];
			const { channel } = mark.spec;
			save(path, {
				...{ cell: cell.name, mark: cell.mark, channel, rho: cell.rho, seed: cell.seed },
				...curves,
			});
			say(`${cell.name} ${channel}: ${JSON.stringify(curves.grey['weighted+students']?.at(-2))}`);
		});
	}
	const asked = tasksOf(values.work, values)
		.filter(({ cell, mark }) => Number(cell.seed) <= Number(values.closed) && mark.spec.channel === 'shape')
		.sort((a, b) => b.cell.rho - a.cell.rho || Number(a.cell.seed) - Number(b.cell.seed));
	for (const { cell, mark, path } of asked) {
		const measured = readMeasured(path);
		if (measured === undefined || measured.closed !== undefined) continue;
		const student = studentAt(values.work, cell.name);
		const closed = askStudent(ground, student, mark, `distillation/asked/${cell.name}`);
		save(path, { ...measured, closed });
		say(`${cell.name} closed: ${JSON.stringify(closed['weighted+students']?.at(-1))}`);
	}
}

main();
