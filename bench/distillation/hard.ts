/**
 * Trains and measures students of rivals who did not train politely, one after another; what is there already is left as
 * it is.
 *
 *     TOUCHMARK_PYTHON=python3 npx tsx bench/distillation/hard.ts [--work DIR] [--only train|measure]
 *
 * @module
 */
import { parseArgs } from 'node:util';
import { groundOf } from './ground.js';
import { HARD_CELLS, type HardCell, studentOf } from './hard-cells.js';
import { measuredHard, saveHard } from './hard-measured.js';
import { marksFor, measureCells } from './hard-measuring.js';
import { trainHard, trainTunedReferences } from './hard-training.js';
import { trainOtherReferences } from './other-base.js';
import { isTrained, say, WORK } from './students.js';
import { groupsOf } from './together.js';

/** What cells must share to be read in one pass: probing texts, references, context width. */
function passOf(cell: HardCell): string {
	const probes = ['language', 'tokenizer', 'known-tuning'].includes(cell.kind) ? cell.kind : 'usual';
	return `${probes} ${marksFor(cell)[0].spec.contextWidth}`;
}

const { values } = parseArgs({
	options: { work: { type: 'string', default: WORK }, only: { type: 'string' } },
});
const { work, only } = values;
if (only !== 'measure') {
	trainOtherReferences(work);
	trainTunedReferences(work);
	for (const cell of HARD_CELLS) trainHard(work, cell);
}
if (only !== 'train') {
	const ground = groundOf(work);
	const waiting = HARD_CELLS.filter(
		(cell) => isTrained(work, studentOf(cell).name) && measuredHard(cell.name) === undefined,
	);
	for (const group of groupsOf(waiting, passOf)) {
		let begun = performance.now();
		for (const measured of measureCells(work, ground, group)) {
			saveHard(measured);
			say(`measured ${measured.cell}, ${((performance.now() - begun) / 1000).toFixed(0)} s`);
			begun = performance.now();
		}
	}
}
