/**
 * Corrections for having asked more than one question. Natural logarithms of p-values in and out.
 *
 * @module
 */
import { ln } from './portable.js';

function checkLogP(logP: number): void {
	if (!(logP <= 0)) throw new RangeError(`logP must be a logarithm ≤ 0, not ${logP}`);
}

/**
 * Bonferroni's correction, ln of min(1, p · hypotheses · 2^searchBits).
 *
 * @param hypotheses how many were tested, ≥ 1
 * @param searchBits ≥ 0: a key that nobody committed to beforehand may have been searched for, and pays
 *   for every key that the search could have tried (32 for a green list's seed, 64 for vLLM's keys)
 */
export function bonferroniLog(logP: number, hypotheses: number, searchBits = 0): number {
	checkLogP(logP);
	if (!(hypotheses >= 1 && hypotheses < Infinity)) {
		throw new RangeError(`hypotheses must be a finite number ≥ 1, not ${hypotheses}`);
	}
	if (!(searchBits >= 0 && searchBits < Infinity)) {
		throw new RangeError(`searchBits must be a finite number ≥ 0, not ${searchBits}`);
	}
	return Math.min(0, logP + ln(hypotheses) + searchBits * Math.LN2);
}

/**
 * Holm's step-down adjustment, "A simple sequentially rejective multiple test procedure" (1979): rejecting
 * what is at most ln α keeps the chance of any false rejection at most α, whatever the dependence.
 *
 * @returns adjusted logarithms, ≤ 0, in the order of the input
 */
export function holmLog(logPs: readonly number[]): number[] {
	logPs.forEach(checkLogP);
	const order = logPs.map((_, i) => i).sort((a, b) => (logPs[a]! < logPs[b]! ? -1 : 1));
	const adjusted = new Array<number>(logPs.length);
	let largest = -Infinity;
	order.forEach((index, rank) => {
		largest = Math.max(largest, Math.min(0, logPs[index]! + ln(logPs.length - rank)));
		adjusted[index] = largest;
	});
	return adjusted;
}
