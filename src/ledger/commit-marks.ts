/**
 * Commitments of keys, logged before their first use.
 *
 * @module
 */
import type { Keyring } from '../keys/keyring.js';
import { type ArmSpec, armId } from '../marks/arm.js';
import { type MarkSpec, markId } from '../marks/mark-spec.js';
import type { LogEntry } from './entry.js';
import { appendToLog } from './log.js';

/**
 * Commits every mark and arm of the ring that is in no log yet, and records that in the ring.
 *
 * @param log its folder
 * @returns the specs that were committed now
 * @throws TouchmarkError as {@link appendToLog} does
 */
export async function commitMarks(log: string, ring: Keyring): Promise<(MarkSpec | ArmSpec)[]> {
	const specs = [...ring.marks, ...ring.arms].filter((spec) => ring.logged(spec) === null);
	if (specs.length === 0) return [];
	const time = new Date().toISOString();
	const entries = specs.map(
		(spec): LogEntry =>
			spec.channel === 'arm'
				? { type: 'arm-commitment', version: 1, time, armId: armId(spec), spec }
				: { type: 'key-commitment', version: 1, time, markId: markId(spec), spec },
	);
	for (const [i, at] of (await appendToLog(log, entries, ring)).entries()) ring.recordLogged(specs[i], at);
	return specs;
}
