/**
 * The records of a trial out of a log.
 *
 * @module
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { badInput } from '../errors.js';
import { checked, parseJson } from '../input.js';
import { ArmRecord } from '../marks/arm.js';
import { readLog } from './read-log.js';

/**
 * Reads every record of the arm channel: from a log, which is checked against its signed head, or from a file of bare
 * records, one a line.
 *
 * @throws TouchmarkError `bad-input` that names file, line and field; `failed` for a log that does not agree with its head
 */
export function readArmRecords(path: string): ArmRecord[] {
	if (!existsSync(path)) throw badInput(`${path}: does not exist; give the log of the trial`);
	if (statSync(path).isDirectory()) return readLog(path, ['arm-record']).entries.map(({ record }) => record);
	return readFileSync(path, 'utf8')
		.split('\n')
		.flatMap((line, i) =>
			line.trim() === '' ? [] : checked(ArmRecord, parseJson(line, `${path}:${i + 1}`), `${path}:${i + 1}`),
		);
}
