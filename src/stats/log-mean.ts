/**
 * Sums and means of numbers that are known by their logarithms.
 *
 * @module
 */
import { exp, ln } from './portable.js';

/** ln of Σ e^logs; −∞ of none. */
export function logSum(logs: ArrayLike<number>): number {
	let top = -Infinity;
	for (let i = 0; i < logs.length; i++) top = Math.max(top, logs[i]);
	if (top === -Infinity || top === Infinity) return top;
	let sum = 0;
	for (let i = 0; i < logs.length; i++) sum += exp(logs[i] - top);
	return top + ln(sum);
}

/** ln of the mean of e^logs; −∞ where all are. At least one number. */
export function logMean(logs: readonly number[]): number {
	return logSum(logs) - ln(logs.length);
}
