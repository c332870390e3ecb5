/**
 * An e-process for weighted sums: scores come one after another, each enters once, and the evidence may be looked at
 * whenever one likes.
 *
 * For each θ of a grid that is fixed beforehand, M_t(θ) = exp Σ_{i ≤ t} (θWᵢxᵢ − κ(θWᵢ)), κ as in `score-law.ts`. Where
 * Wᵢ is fixed before xᵢ is looked at (it may depend on scores before it) E[M_t | past] ≤ M_{t−1}; so does the mean of
 * M_t(θ) over the grid, E_t. By Ville's inequality (1939, "Étude critique de la notion de collectif")
 * P(E_t ≥ 1/α for some t) ≤ α: to reach 1/α once, at whatever time, is a rejection at level α, and one over the largest
 * E so far is a p-value at any time. E_t itself is an e-value at any stopping time; its largest value so far is *not*:
 * its expectation exceeds 1.
 *
 * Tokens of one list of exact size: given the colours that have entered, the rest of the list is again a uniformly
 * random set, of what is left of it. Their κ is that of `exact-size-lists.ts` for what is left.
 *
 * Each step is rounded down to a multiple of 2^-32, which lowers E_t, by 2.4e-5 nats in 100,000 steps. Sums of such
 * numbers are exact: the same bits in any order, and those of disjoint pairs add up (not so over lists of exact
 * size, whose steps depend on what went before).
 *
 * @module
 */
import { logListMoment } from './exact-size-lists.js';
import { logMean } from './log-mean.js';
import {
	checkLaw,
	type ExactLists,
	largestTilt,
	logMomentBound,
	type ScoreLaw,
	tiltedCumulants,
} from './score-law.js';

/** An e-process. */
export interface EProcess {
	/** Scores that have entered. */
	readonly count: number;
	/** ln of the e-value of all that has entered; 0 at first. */
	readonly logE: number;
	/**
	 * The largest `logE` so far, ≥ 0. e^−highest is a p-value at any time (Ville); e^highest is no e-value. It changes
	 * at the end of each `enter` and `merge`.
	 */
	readonly highest: number;
	/**
	 * Enters scores of pairs that have not entered before.
	 *
	 * @param weights |W| ≤ 1, fixed before these scores were looked at
	 * @param scores nats or counts: those of a scheme, divided by 2^32
	 * @param lists for lists of exact size: the number of the list of each, the same in all calls and merged processes
	 * @throws RangeError for a weight above 1 or a score that is not finite; nothing has entered then
	 */
	enter(weights: ArrayLike<number>, scores: ArrayLike<number>, lists?: ArrayLike<number>): void;
	/**
	 * Enters all that entered another process of the same law and grid, of other pairs, with weights that depend on no
	 * score here, and whose own depend on none there. The other is not changed.
	 *
	 * @throws RangeError for another law, or lists that both have
	 */
	merge(other: EProcess): void;
	/** A copy of the state, for `merge`. */
	state(): EProcessState;
}

/** What an e-process has added up. */
export interface EProcessState {
	readonly law: ScoreLaw;
	/** Σ (θWx − κ(θW)) for each θ of the grid, in units of 2^-32, whole numbers. */
	readonly sums: readonly number[];
	readonly count: number;
	/** How many tokens of each list have entered, and how many of them are green. */
	readonly drawn: ReadonlyMap<number, { readonly tokens: number; readonly green: number }>;
}

const UNIT = 2 ** 32;
/** More than rounding can have raised a step, in units. */
const ROUNDING = 2 ** -8;

/** θ·sd(x) of the grid: 4·2^(−k/2), k = 0 … 22. */
const POINTS = 23;

/**
 * The grid of an e-process: multiples of one over a score's standard deviation, from 4 down to 0.002 in steps of √2,
 * without those beyond 0.95 of where κ ends, which is put in their place. With 1,000 to 1,000,000 weights of about
 * 0.01 to 1 the best θ for evidence of 5 to 400 nats lies among them; it is missed by at most a factor of 2^¼, which
 * costs 3.5 % of the nats at the best, and the average over 23 at most 3.1 nats.
 */
export function eProcessGrid(law: ScoreLaw): number[] {
	const deviation = Math.sqrt(tiltedCumulants(law, 0).variance);
	const end = 0.95 * largestTilt(law);
	const points = Array.from({ length: POINTS }, (_, k) => (4 * Math.sqrt(2 ** -k)) / deviation);
	const within = points.filter((theta) => theta < end && theta < Infinity);
	return end < Infinity && within.length < POINTS ? [end, ...within] : within;
}

/**
 * A new e-process, with nothing entered.
 *
 * @throws RangeError for a law out of range
 *
 * @example
 * const evidence = newEProcess({ kind: 'bernoulli', p: 0.25, trials: 1 });
 * evidence.enter([0.5, -1], [1, 0]);
 * evidence.highest >= Math.log(1e6) // reached the level 1e-6, now or before
 */
export function newEProcess(law: ScoreLaw): EProcess {
	checkLaw(law);
	const grid = eProcessGrid(law);
	const sums = grid.map(() => 0);
	const exact = law.kind === 'bernoulli' ? law.lists : undefined;
	const drawn = new Map<number, { tokens: number; green: number }>();
	let count = 0;
	let logE = 0;
	let highest = 0;

	/** One step for each θ. */
	function add(score: number, logMoment: (theta: number) => number): void {
		grid.forEach((theta, j) => {
			const gain = theta * score;
			const cost = logMoment(theta);
			const size = 1 + Math.abs(gain) + Math.abs(cost);
			sums[j] = sums[j] + Math.floor((gain - cost) * UNIT - ROUNDING * size);
		});
	}
	function look(): void {
		logE = logMean(sums.map((sum) => sum / UNIT));
		highest = Math.max(highest, logE);
	}

	return {
		get count() {
			return count;
		},
		get logE() {
			return logE;
		},
		get highest() {
			return highest;
		},
		enter(weights, scores, lists) {
			check(weights, scores);
			if (exact === undefined) {
				for (let i = 0; i < weights.length; i++) {
					const weight = weights[i];
					add(weight * scores[i], (theta) => logMomentBound(law, theta * weight));
				}
			} else {
				if (lists?.length !== weights.length)
					throw new RangeError('scores from lists of exact size need the number of the list of each');
				const steps = [...pairsByList(weights, scores, lists)].map(([list, pairs]) => {
					const before = drawn.get(list) ?? { tokens: 0, green: 0 };
					const after = {
						tokens: before.tokens + pairs.weights.length,
						green: before.green + pairs.green,
					};
					checkLeft(exact, after);
					return { list, pairs, before, after };
				});
				for (const { list, pairs, before, after } of steps) {
					const left = { of: exact.of - before.tokens, green: exact.green - before.green };
					const own = Float64Array.from(pairs.weights);
					add(pairs.sum, (theta) => logListMoment(own, left, theta));
					drawn.set(list, after);
				}
			}
			count += weights.length;
			look();
		},
		merge(other) {
			const state = other.state();
			if (JSON.stringify(state.law) !== JSON.stringify(law))
				throw new RangeError('e-processes of different laws do not merge');
			for (const list of state.drawn.keys())
				if (drawn.has(list)) throw new RangeError(`list ${list} has entered both e-processes`);
			for (const [list, tokens] of state.drawn) drawn.set(list, { ...tokens });
			state.sums.forEach((sum, j) => {
				sums[j] = sums[j] + sum;
			});
			count += state.count;
			look();
		},
		state: () => ({ law, sums: [...sums], count, drawn: new Map(drawn) }),
	};
}

function check(weights: ArrayLike<number>, scores: ArrayLike<number>): void {
	if (weights.length !== scores.length)
		throw new RangeError(`there are ${weights.length} weights for ${scores.length} scores`);
	for (let i = 0; i < weights.length; i++) {
		if (!(Math.abs(weights[i]) <= 1))
			throw new RangeError(`weight ${i} must be from -1 to 1, not ${weights[i]}`);
		if (!(Math.abs(scores[i]) < Infinity))
			throw new RangeError(`score ${i} must be finite, not ${scores[i]}`);
	}
}

function checkLeft({ of, green }: ExactLists, drawn: { tokens: number; green: number }): void {
	if (drawn.tokens > of || drawn.green > green || drawn.tokens - drawn.green > of - green)
		throw new RangeError(`more tokens of a colour have entered than a list of ${green} of ${of} has`);
}

/** Weights, Σ weight·score and the number of green tokens of each list. */
function pairsByList(weights: ArrayLike<number>, scores: ArrayLike<number>, lists: ArrayLike<number>) {
	const grouped = new Map<number, { weights: number[]; sum: number; green: number }>();
	for (let i = 0; i < weights.length; i++) {
		const weight = weights[i];
		const score = scores[i];
		const list = lists[i];
		let group = grouped.get(list);
		if (group === undefined) {
			group = { weights: [], sum: 0, green: 0 };
			grouped.set(list, group);
		}
		group.weights.push(weight);
		group.sum += weight * score;
		group.green += score;
	}
	return grouped;
}
