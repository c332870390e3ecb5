/**
 * What a bench reports, and how it is kept.
 *
 * @module
 */

/** One measured case beside one peer. */
export interface Row {
	readonly case: string;
	readonly ours: number;
	readonly peer: number;
	readonly peerName: string;
	readonly unit: string;
	/** Above 1: ours is better. */
	readonly ratio: number;
}

/** How a bench is run. */
export interface BenchOptions {
	/** Under a minute, for a look; not for the record. */
	readonly quick: boolean;
	/** A folder of JSONL files to use beside the repository's own texts. */
	readonly corpus?: string;
	/** A Python interpreter with the peers of `bench/peers` installed, to be timed beside. */
	readonly peers?: string;
}

/** A bench: its rows, and remarks that belong under its table. */
export interface Bench {
	/** One paragraph: what is measured and how. */
	readonly about: string;
	run(options: BenchOptions): Promise<{ rows: Row[]; notes?: string[] }>;
}

/** Median of a list. */
export function median(values: readonly number[]): number {
	const sorted = [...values].sort((a, b) => a - b);
	const middle = sorted.length >> 1;
	return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * Runs contenders in turn, several times, and gives each one's median time.
 *
 * @returns milliseconds a call, in the order of the contenders
 */
export async function interleave(
	repeats: number,
	contenders: readonly (() => void | Promise<void>)[],
): Promise<number[]> {
	const times = contenders.map((): number[] => []);
	for (const contender of contenders) await contender();
	for (let repeat = 0; repeat < repeats; repeat++)
		for (const [i, contender] of contenders.entries()) {
			const begun = performance.now();
			await contender();
			times[i].push(performance.now() - begun);
		}
	return times.map(median);
}
