/**
 * The false discovery rate: of the rows that are reported, which share is wrong on average.
 *
 * @module
 */
import { ln } from './portable.js';

/**
 * Adjusted p-values of Benjamini and Hochberg, "Controlling the false discovery rate" (1995): reporting the rows that are
 * at most ln α keeps the false discovery rate at most α where the p-values of true nulls are independent of each other.
 *
 * @param logPs natural logarithms, ≤ 0; rows that are not listed have p = 1
 * @param hypotheses how many were tested, at least as many as are listed
 * @returns adjusted logarithms, ≤ 0, in the order of the input
 */
export function benjaminiHochbergLog(logPs: readonly number[], hypotheses = logPs.length): number[] {
	const order = logPs.map((_, i) => i).sort((a, b) => logPs[b] - logPs[a]);
	const adjusted = new Array<number>(logPs.length);
	let least = 0;
	order.forEach((index, i) => {
		const rank = logPs.length - i;
		least = Math.min(least, logPs[index] + ln(hypotheses / rank));
		adjusted[index] = least;
	});
	return adjusted;
}

/**
 * Adjusted p-values of Benjamini and Yekutieli, "The control of the false discovery rate in multiple testing under dependency"
 * (Annals of Statistics 2001, theorem 1.3): those of Benjamini and Hochberg times 1 + 1/2 + … + 1/hypotheses. They hold however the
 * p-values depend on each other.
 *
 * @param logPs natural logarithms, ≤ 0; rows that are not listed have p = 1
 * @param hypotheses how many were tested, at least as many as are listed
 * @returns adjusted logarithms, ≤ 0, in the order of the input
 */
export function benjaminiYekutieliLog(logPs: readonly number[], hypotheses = logPs.length): number[] {
	let harmonic = 0;
	for (let i = hypotheses; i >= 1; i--) harmonic += 1 / i;
	return benjaminiHochbergLog(logPs, hypotheses).map((logP) => Math.min(0, logP + ln(Math.max(1, harmonic))));
}
