/**
 * Where a monotone function changes sign, to the last bit.
 *
 * @module
 */

/** Two roundings: the least that a step moves. */
const NUDGE = 2 * Number.EPSILON;

/** After so many secants the bracket is halved each time: the function resists them. */
const MOST_SECANTS = 60;

/**
 * The number closest to `outside` at which a monotone function is still ≤ 0.
 *
 * It must be ≤ 0 at `inside` and above 0 at `outside` (neither is tried). It is ≤ 0 at the number returned, so a
 * caller who puts the safe side inside stays on it. What bisection to the last bit finds, in about ten evaluations
 * where the start is good: steps that grow away from the start until they bracket the root, then false position in
 * the form of Anderson and Björck, "A new high order method of regula falsi type for computing a root of an equation"
 * (1973), which never leaves the bracket, and halving for the last bits.
 *
 * @param start a number near the root, anywhere; only speed depends on it
 * @param step how far from the root that may be, > 0
 */
export function lastBelow(
	inside: number,
	outside: number,
	excess: (x: number) => number,
	start: number,
	step: number,
): number {
	let good = inside;
	let bad = outside;
	// Not known at the ends, where they may be infinite.
	let below = -Infinity;
	let above = Infinity;
	const outwards = Math.sign(outside - inside);
	const isBetween = (x: number) => (x - good) * outwards > 0 && (bad - x) * outwards > 0;
	const narrow = (x: number): boolean => {
		const value = excess(x);
		const holds = value <= 0;
		if (holds) [good, below] = [x, value];
		else [bad, above] = [x, value];
		return holds;
	};
	if (isBetween(start)) {
		const held = narrow(start);
		let x = start;
		let stride = step;
		do {
			x += (held ? outwards : -outwards) * stride;
			stride *= 4;
		} while (isBetween(x) && narrow(x) === held);
	}
	let last: boolean | undefined;
	for (let steps = 0; ; steps++) {
		const middle = good + (bad - good) / 2;
		if (middle === good || middle === bad) return good;
		const least = NUDGE * Math.max(Math.abs(good), Math.abs(bad));
		let x = good - (below / (above - below)) * (bad - good);
		if (Math.abs(x - good) < least) x = good + outwards * least;
		if (Math.abs(bad - x) < least) x = bad - outwards * least;
		const halve = below === -Infinity || above === Infinity || steps > MOST_SECANTS || !isBetween(x);
		const [belowBefore, aboveBefore] = [below, above];
		const held = narrow(halve ? middle : x);
		// The same end moved twice: the other end's value is made less, so that the next step crosses the root.
		if (held === last) {
			if (held) above *= damping(below / belowBefore);
			else below *= damping(above / aboveBefore);
		}
		last = held;
	}
}

/** The factor of Anderson and Björck; ½ (the Illinois method) where it is not positive. */
function damping(ratio: number): number {
	return ratio < 1 ? 1 - ratio : 0.5;
}

/**
 * The integer closest to `outside` at which a monotone condition still holds; it must hold at `inside` and fail at
 * `outside` (neither is tried). By steps that double away from the start, then bisection.
 *
 * @param start an integer near it, anywhere; only speed depends on it
 */
export function bisectInteger(
	inside: number,
	outside: number,
	holds: (x: number) => boolean,
	start: number,
): number {
	let good = inside;
	let bad = outside;
	const outwards = Math.sign(outside - inside);
	const isBetween = (x: number) => (x - good) * outwards > 0 && (bad - x) * outwards > 0;
	const narrow = (x: number): boolean => {
		const held = holds(x);
		if (held) good = x;
		else bad = x;
		return held;
	};
	if (isBetween(start)) {
		const held = narrow(start);
		let x = start;
		let stride = 1;
		do {
			x += (held ? outwards : -outwards) * stride;
			stride *= 2;
		} while (isBetween(x) && narrow(x) === held);
	}
	while (Math.abs(bad - good) > 1) narrow(Math.floor((good + bad) / 2));
	return good;
}
