/**
 * Bisection to the last bit.
 *
 * @module
 */

/**
 * The number closest to `outside` at which a monotone condition still holds.
 *
 * The condition must hold at `inside` and fail at `outside` (neither is tried). It does hold at the number
 * returned, so a caller who puts the safe side inside stays on it.
 */
export function bisect(inside: number, outside: number, holds: (x: number) => boolean): number {
	let good = inside;
	let bad = outside;
	for (;;) {
		const middle = good + (bad - good) / 2;
		if (middle === good || middle === bad) return good;
		if (holds(middle)) good = middle;
		else bad = middle;
	}
}

/** The same among integers. */
export function bisectInteger(inside: number, outside: number, holds: (x: number) => boolean): number {
	let good = inside;
	let bad = outside;
	while (Math.abs(bad - good) > 1) {
		const middle = Math.floor((good + bad) / 2);
		if (holds(middle)) good = middle;
		else bad = middle;
	}
	return good;
}
