/**
 * Trains the students of the distillation bench, one after another; what is there already is left as it is.
 *
 *     TOUCHMARK_PYTHON=python3 npx tsx bench/distillation/grid.ts --cells quality|core|all [--work DIR]
 *
 * @module
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { bench as quality } from '../quality.js';
import { ALL, type Cell, CORE } from './cells.js';
import { keep, say, student, WORK } from './students.js';

const { values } = parseArgs({
	options: { cells: { type: 'string' }, work: { type: 'string', default: WORK } },
});
const CHOICES: Readonly<Record<string, readonly Cell[]>> = { quality: [], core: CORE, all: ALL };
const cells = CHOICES[values.cells ?? ''];
if (cells === undefined) {
	console.error(`give --cells ${Object.keys(CHOICES).join('|')}`);
	process.exit(2);
}
if (values.cells !== 'core' && !existsSync(join(values.work, 'quality.json')))
	keep(
		join(values.work, 'quality.json'),
		`${JSON.stringify(await quality.run({ quick: false }), null, 1)}\n`,
	);
for (const [i, cell] of cells.entries()) {
	student(values.work, cell);
	if ((i + 1) % 10 === 0 || i + 1 === cells.length) say(`${i + 1} of ${cells.length} students`);
}
