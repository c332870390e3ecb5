/**
 * The false discovery rate: of the rows that are reported, which share is wrong on average.
 *
 * @module
 */
import { exp, ln } from './portable.js';

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

/**
 * The e-BH procedure (Wang and Ramdas, "False discovery rate control with e-values", 2022): reporting the R rows of the
 * largest e-values, R the greatest number whose R-th e-value is at least hypotheses / (α·R), keeps the false discovery rate
 * at most α, however the e-values depend on each other.
 *
 * @param logEs natural logarithms, from the largest on; rows that are not listed have e = 0
 * @param hypotheses how many were tested, at least as many as are listed
 * @param level α
 * @returns R
 */
export function eBenjaminiHochberg(logEs: ArrayLike<number>, hypotheses: number, level: number): number {
	let reported = 0;
	for (let rank = 1; rank <= logEs.length; rank++)
		if (logEs[rank - 1] >= ln(hypotheses) - ln(level) - ln(rank)) reported = rank;
	return reported;
}

/**
 * A lower bound of the number of true discoveries among the rows of the largest e-values, which holds with probability
 * 1 − α however they depend on each other (Vovk and Wang, "Confidence and discoveries with e-values", 2023: closed
 * testing by arithmetic means).
 *
 * If more than j of the R reported rows were null, then with the nulls among the rows that are not reported they would be a
 * set of nulls whose mean e-value is, at the least, that of the j + 1 smallest reported ones and all others at 0. A mean
 * of 1/α or more has probability at most α.
 *
 * @param logEs natural logarithms of the reported rows, from the largest on
 * @param hypotheses how many were tested
 */
export function trueDiscoveries(logEs: ArrayLike<number>, hypotheses: number, level: number): number {
	const reported = logEs.length;
	const limit = -ln(level);
	let sum = 0;
	// ln of a sum that may overflow: kept as a multiple of e^shift.
	let shift = -Infinity;
	for (let nulls = 1; nulls <= reported; nulls++) {
		const logE = logEs[reported - nulls];
		if (logE > shift) {
			sum = shift === -Infinity ? 0 : sum * exp(shift - logE);
			shift = logE;
		}
		sum += exp(logE - shift);
		if (shift + ln(sum) >= limit + ln(hypotheses - reported + nulls)) return reported - nulls + 1;
	}
	return 0;
}
