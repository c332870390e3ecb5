/**
 * Students that are read in one pass beside the references.
 *
 * @module
 */

/** Students in one pass. */
const TOGETHER = 5;

/** Groups of one key each, in the order of their first members. @param keyOf what those in one pass must share */
export function groupsOf<T>(all: readonly T[], keyOf: (one: T) => string | number): T[][] {
	const groups: T[][] = [];
	const open = new Map<string | number, T[]>();
	for (const one of all) {
		const key = keyOf(one);
		let group = open.get(key);
		if (group === undefined || group.length === TOGETHER) {
			group = [];
			open.set(key, group);
			groups.push(group);
		}
		group.push(one);
	}
	return groups;
}
