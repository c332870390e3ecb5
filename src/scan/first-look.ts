/**
 * Which records deserve a second look under a mark. Most of a scan would be scoring pairs of records that have nothing to
 * show; so of a long record half of the pairs are scored, and the rest of a span only where that half is promising.
 *
 * The public hash says which half, and no key. What is passed over counts as e = 0, which is never too much: an e-value
 * that is 0 by a rule more is still one. What it costs in power, `npm run bench -- first-look` measures.
 *
 * @module
 */
import type { Mark } from '../marks/mark.js';
import { newPairSet } from '../verify/pairs.js';
import { scoreList } from '../verify/tally.js';
import { CONSPICUOUS, isAbove, momentsOf, SHORTEST, someMember } from './evidence.js';
import { ROWS, type Windows } from './windows.js';

/** Standard deviations above the mean from which the half of a span is promising. */
const PROMISING = 2.25;

/** A text and what its author was given. */
export interface ScoredText {
	readonly tokens: ArrayLike<number>;
	readonly given: readonly number[];
}

/** Says of a text, by its number, whether it deserves a second look; valid until there is another look. */
export type FirstLook = (text: number) => boolean;

/** Memory that is the same each time: running sums of scores in units of 2^-32, one entry more than there are scores. */
let sums = new Float64Array(0);
const scores = new Float64Array(ROWS);

/**
 * Looks at many records at once, repeated windows and all.
 *
 * @param windows of the records
 * @param count how many records
 * @param textOf the same records, for marks whose effective pair is less than the window
 */
export function firstLook(
	mark: Mark,
	windows: Windows,
	count: number,
	textOf: (text: number) => ScoredText,
): FirstLook {
	const { scheme, spec } = mark;
	if (scheme.effective !== undefined || scheme.mostPairs !== undefined)
		return lookAtLists(
			mark,
			Array.from({ length: count }, (_, i) => textOf(i)),
		);
	if (sums.length <= windows.size) sums = new Float64Array(windows.size + 1);
	return spec.selector === 'keyed' ? lookAtCovered(mark, windows) : lookAtHalves(mark, windows);
}

/** @param starts where the sums of a text begin; those of the last end where those of one more text would begin */
function lookAtSums(mark: Mark, running: Float64Array, starts: (text: number) => number): FirstLook {
	const moments = momentsOf(mark.scheme.null);
	return (text) => {
		const first = starts(text);
		return someMember(starts(text + 1) - first, (from, to) =>
			isAbove(CONSPICUOUS, to - from, running[first + to] - running[first + from], moments),
		);
	};
}

function lookAtLists(mark: Mark, texts: readonly ScoredText[]): FirstLook {
	const lists = texts.map(({ tokens, given }) => {
		const pairs = newPairSet(mark.spec);
		pairs.add(tokens, given);
		return scoreList(pairs, mark);
	});
	const starts = new Uint32Array(texts.length + 1);
	lists.forEach((list, i) => {
		starts[i + 1] = starts[i] + list.length;
	});
	const all = new Float64Array(starts[texts.length] + 1);
	let at = 0;
	for (const list of lists) for (const score of list) all[at + 1] = all[at++] + score;
	return lookAtSums(mark, all, (text) => starts[text]);
}

function lookAtCovered(mark: Mark, windows: Windows): FirstLook {
	const { size, starts, places } = windows;
	/** How many windows before each are covered. */
	const before = new Uint32Array(size + 1);
	let kept = 0;
	for (let from = 0; from < size; from += ROWS) {
		const count = Math.min(ROWS, size - from);
		const rows = windows.rowsAt(places.subarray(from, from + count));
		const covered = mark.coversRows(rows, count);
		mark.scheme.scores(rows, count, scores);
		for (let i = 0; i < count; i++) {
			before[from + i] = kept;
			if (covered[i] === 1) sums[kept + 1] = sums[kept++] + scores[i];
		}
	}
	before[size] = kept;
	return lookAtSums(mark, sums, (text) => before[starts[text]]);
}

function lookAtHalves(mark: Mark, windows: Windows): FirstLook {
	const { starts } = windows;
	const { places, rest, before } = windows.halves(SHORTEST);
	const count = places.length;
	for (let from = 0; from < count; from += ROWS) {
		const to = Math.min(count, from + ROWS);
		mark.scheme.scores(windows.rowsAt(places.subarray(from, to)), to - from, scores);
		for (let i = from; i < to; i++) sums[i + 1] = sums[i] + scores[i - from];
	}
	const moments = momentsOf(mark.scheme.null);
	return (text) => {
		const first = starts[text];
		return someMember(starts[text + 1] - first, (from, to) => {
			const [start, stop] = [first + from, first + to];
			const [begin, end] = [before[start], before[stop]];
			const half = sums[end] - sums[begin];
			if (!isAbove(PROMISING, end - begin, half, moments)) return false;
			const others = rest.subarray(start - begin, stop - end);
			return isAbove(CONSPICUOUS, to - from, half + sumAt(mark, windows, others), moments);
		});
	};
}

/** Sum of the scores of the windows that begin at these places. */
function sumAt(mark: Mark, windows: Windows, places: Uint32Array): number {
	let sum = 0;
	for (let from = 0; from < places.length; from += ROWS) {
		const some = places.subarray(from, from + ROWS);
		mark.scheme.scores(windows.rowsAt(some), some.length, scores);
		for (let i = 0; i < some.length; i++) sum += scores[i];
	}
	return sum;
}
