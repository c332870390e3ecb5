/**
 * Who is found among many hypotheses of which some are true, over fresh draws of the others: power and false discoveries.
 *
 * @module
 */
import { benjaminiHochbergLog } from '../src/stats/false-discovery.js';
import { holmLog } from '../src/stats/index.js';

/** False discovery rates that are told. */
export const RATES = [0.01, 0.1] as const;

/** Chance of any wrong name at which `named` is told. */
export const FAMILY = 1e-6;

/** Means over draws. */
export interface Found {
	/** For each of {@link RATES}: share of the true ones that are found, and share of those found that are wrong. */
	readonly rates: readonly { readonly power: number; readonly wrong: number }[];
	/** Share of the true ones that Holm's correction names at {@link FAMILY}. */
	readonly named: number;
}

/**
 * Finds.
 *
 * @param guilty ln p of the true ones
 * @param innocent ln p of all others in a fresh draw
 */
export function findAmong(guilty: readonly number[], draws: number, innocent: () => number[]): Found {
	const sums = RATES.map(() => ({ power: 0, wrong: 0 }));
	let named = 0;
	for (let draw = 0; draw < draws; draw++) {
		const all = [...guilty, ...innocent()];
		const adjusted = benjaminiHochbergLog(all);
		for (const [i, rate] of RATES.entries()) {
			const found = adjusted.map((logP) => logP <= Math.log(rate));
			const right = found.slice(0, guilty.length).filter(Boolean).length;
			const count = found.filter(Boolean).length;
			sums[i].power += right / guilty.length / draws;
			sums[i].wrong += count === 0 ? 0 : (count - right) / count / draws;
		}
		const corrected = holmLog(all).slice(0, guilty.length);
		named += corrected.filter((logP) => logP <= Math.log(FAMILY)).length / guilty.length / draws;
	}
	return { rates: sums, named };
}

/** Means over students. */
export function meanOf(all: readonly Found[]): Found {
	const mean = (value: (one: Found) => number) => all.reduce((sum, one) => sum + value(one), 0) / all.length;
	return {
		rates: RATES.map((_, i) => ({
			power: mean(({ rates }) => rates[i].power),
			wrong: mean(({ rates }) => rates[i].wrong),
		})),
		named: mean(({ named }) => named),
	};
}
