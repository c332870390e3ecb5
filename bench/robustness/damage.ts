/**
 * What an attack takes from a text's tokens: what no scheme can read any more.
 *
 * @module
 */

/** Distinct runs of `width` ids. */
function runsOf(ids: readonly number[], width: number): Set<string> {
	const count = Math.max(0, ids.length - width + 1);
	return new Set(Array.from({ length: count }, (_, i) => ids.slice(i, i + width).join()));
}

/** Share of the distinct runs of `width` ids that a changed text has no more. */
export function lostShare(before: readonly number[], after: readonly number[], width: number): number {
	const runs = runsOf(before, width);
	const left = runsOf(after, width);
	let lost = 0;
	for (const run of runs) if (!left.has(run)) lost++;
	return lost / Math.max(1, runs.size);
}
