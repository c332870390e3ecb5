/**
 * Which share of a corpus is planted, in distinct windows: what the scan's lower bound is held against.
 *
 * @module
 */
import { type ScanState, samplesOf } from '../scan/state.js';
import { newRowSet } from '../verify/row-set.js';

/**
 * The planted share of the distinct windows, the largest over the shapes of windows. How many distinct windows there are follows from
 * the scan's sample, exactly while it holds all, else to about a fifth of a percent.
 *
 * @param planted token ids of the planted records
 * @param state of the scan that read them too
 */
export function plantedShare(planted: readonly (readonly number[])[], state: ScanState): number {
	const shares = samplesOf(state, 'state').map(({ size, high, rows }) => {
		if (size === 0) return 0;
		const windows = newRowSet(rows.length / size);
		for (const tokens of planted) windows.addWindows(Uint32Array.from(tokens));
		const all = size < state.plan.sampleSize ? size : (size * 2 ** 32) / (high[size - 1] + 1);
		return Math.min(1, windows.size / all);
	});
	return Math.max(0, ...shares);
}
