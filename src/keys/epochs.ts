/**
 * Epochs of a key ring: the next period's keys, and one period's keys for somebody else.
 *
 * @module
 */
import { badInput } from '../errors.js';
import type { MarkSpec } from '../marks/mark-spec.js';
import type { Keyring } from './keyring.js';
import type { OpenedMark } from './opened-mark.js';

/** Marks of each deployment's latest epoch: those that are embedded now. */
export function currentMarks(marks: readonly MarkSpec[]): MarkSpec[] {
	const latest = new Map<string, number>();
	for (const { deployment, epoch } of marks)
		latest.set(deployment, Math.max(epoch, latest.get(deployment) ?? 0));
	return marks.filter(({ deployment, epoch }) => epoch === latest.get(deployment));
}

/**
 * Adds the marks and arms of each deployment's latest epoch again, one epoch on, with keys of their own.
 *
 * @returns the marks that were added
 */
export function rotateKeys(ring: Keyring): MarkSpec[] {
	const arms = ring.arms;
	const added = currentMarks(ring.marks).map(({ commitment: _, ...template }) =>
		ring.add({ ...template, epoch: template.epoch + 1 }),
	);
	for (const deployment of new Set(arms.map((arm) => arm.deployment))) {
		const epochs = arms.filter((arm) => arm.deployment === deployment).map(({ epoch }) => epoch);
		ring.addArm(deployment, Math.max(...epochs) + 1);
	}
	return added;
}

/**
 * Every mark of one epoch with its key, and nothing that gives another epoch's. Holds secrets.
 *
 * @throws TouchmarkError `bad-input` when the ring has no mark of this epoch
 */
export function openEpoch(ring: Keyring, epoch: number): OpenedMark[] {
	const marks = ring.marks.filter((spec) => spec.epoch === epoch);
	if (marks.length === 0) throw badInput(`this key ring has no mark of epoch ${epoch}`);
	return marks.map((spec) => ring.open(spec));
}
