/**
 * Numbers given as flags.
 *
 * @module
 */
import { badInput } from '../errors.js';

/** A parser for error rates in (0, 1). */
export function parseRate(flag: string): (value: string) => number {
	return (value) => {
		const rate = Number(value);
		if (!(rate > 0 && rate < 1)) throw badInput(`${flag}: must be a number between 0 and 1, such as 1e-6`);
		return rate;
	};
}

/** The error rate of a verdict. */
export const parseLevel = parseRate('--level');

/** A parser for integers in [low, high]. */
export function parseInteger(flag: string, low: number, high: number): (value: string) => number {
	return (value) => {
		const number = /^\d+$/.test(value) ? Number(value) : Number.NaN;
		if (!(number >= low && number <= high))
			throw badInput(`${flag}: must be an integer from ${low} to ${high}`);
		return number;
	};
}

/** A parser for numbers above 0, or from `low` where it is given. */
export function parsePositive(flag: string, low?: number): (value: string) => number {
	return (value) => {
		const number = value.trim() === '' ? Number.NaN : Number(value);
		if (!(low === undefined ? number > 0 : number >= low) || number === Infinity)
			throw badInput(`${flag}: must be a number ${low === undefined ? 'above 0' : `from ${low}`}`);
		return number;
	};
}
