/**
 * Means of numbers that are known by their logarithms.
 *
 * @module
 */
import { exp, ln } from './portable.js';

/** ln of the mean of e^logs; −∞ where all are. At least one number. */
export function logMean(logs: readonly number[]): number {
	const top = Math.max(...logs);
	if (top === -Infinity || top === Infinity) return top;
	return top + ln(logs.reduce((sum, log) => sum + exp(log - top), 0) / logs.length);
}
