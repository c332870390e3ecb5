/**
 * The records of a trial out of a log.
 *
 * @module
 */
import { existsSync, readFileSync } from 'node:fs';
import { badInput } from '../errors.js';
import { checked, parseJson } from '../input.js';
import { ArmRecord } from '../marks/arm.js';
import { verifyLog } from './log.js';

/**
 * Reads every record of the arm channel: from a log with its signed head beside it, which is checked, or from a file of
 * bare records, one a line.
 *
 * @throws TouchmarkError `bad-input` that names file, line and field
 */
export function readArmRecords(path: string): ArmRecord[] {
	if (existsSync(`${path}.head.json`))
		return verifyLog(path).entries.flatMap((entry) => (entry.type === 'arm-record' ? entry.record : []));
	if (!existsSync(path)) throw badInput(`${path}: does not exist; give the log of the trial`);
	return readFileSync(path, 'utf8')
		.split('\n')
		.flatMap((line, i) =>
			line.trim() === '' ? [] : checked(ArmRecord, parseJson(line, `${path}:${i + 1}`), `${path}:${i + 1}`),
		);
}
