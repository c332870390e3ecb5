/**
 * Tests of a weighted sum T = Σ Wᵢxᵢ of independent scores with weights of either sign that do not depend on the key.
 *
 * With κ(θ) ≥ ln E e^(θT) (`score-law.ts`; over lists of exact size `exact-size-lists.ts`), for every θ ≥ 0
 *
 *     P(T ≥ t) ≤ e^(κ(θ) − θt)   (Chernoff 1952)   and   E e^(θT − κ(θ)) ≤ 1.
 *
 * - `logP` takes the least of the first over θ: each θ gives a bound of the same probability, so the least is one, and
 *   an optimum found to a few digits is no less rigorous. What Chernoff's bound gives away is taken back as far as the
 *   Berry–Esseen theorem proves it (`weighted-bernoulli.ts`, `weighted-exponentials.ts`); over lists of exact size the
 *   independent bound times Π max ρ, where that is less. Equal weights have exact tails.
 * - `logE` averages the second over a grid of θ that was fixed with the weights (Robbins 1970, "Statistical methods
 *   related to the law of the iterated logarithm"): zⱼ/sd(T), zⱼ = ½·60^(j/20), j = 0 … 20, without those that come
 *   within 2 % of where κ ends. It is less than the best θ would give: 1.5 nats at 2 to 4 standard deviations, 2.8 at 8 to
 *   12, 4.1 at 20 to 30 (docs/statistics.md).
 * - `estimateLogP` is no bound.
 *
 * A sum is made before any score is known, from weights alone: nothing here can adapt to the key.
 *
 * @module
 */
import { type CondensedWeights, condenseWeights, countWeights } from './condensed-weights.js';
import { DEVIATES } from './deviates.js';
import { logListExcess, logListMoment } from './exact-size-lists.js';
import { logGammaSumUpperTail } from './gamma-sum.js';
import { logMean } from './log-mean.js';
import { exp, ln } from './portable.js';
import { saddlepointLogTail } from './saddlepoint.js';
import {
	checkLaw,
	type ExactLists,
	largestTilt,
	logMomentBound,
	type ScoreLaw,
	tiltedCumulants,
} from './score-law.js';
import { logGammaUpperTail } from './tails.js';
import { logWeightedBernoulliUpperTail } from './weighted-bernoulli.js';
import { exponentialFactor } from './weighted-exponentials.js';

/** A weighted sum under the null, before it is observed. */
export interface WeightedSum {
	/** Number of weights, zeros included. */
	readonly count: number;
	/** Of T under the null; for exponential scores as if exactly Exp(1). */
	readonly mean: number;
	/** The same for its standard deviation; within one list of exact size as if independent. */
	readonly deviation: number;
	/** The θ that the e-value averages over. */
	readonly grid: readonly number[];
	/** An upper bound of ln E e^(θT), θ ≥ 0. */
	logMoment(theta: number): number;
	/**
	 * ln of an upper bound of P(T ≥ observed), ≤ 0.
	 *
	 * @param observed a finite number, from {@link weightedScore}
	 */
	logP(observed: number): number;
	/** ln of the e-value. Never −∞. */
	logE(observed: number): number;
	/** ln of a saddlepoint estimate of P(T ≥ observed): for plans and plots, never evidence. */
	estimateLogP(observed: number): number;
}

/** Lowers an observed sum by this share of Σ|Wᵢ|·E xᵢ + |T|, more than rounding can have raised it. */
const ROUNDING = 1e-12;
const LARGEST_WEIGHT = 1e100;
/** Groups of weighted yes/no scores above which their tail is Chernoff's. */
const MOST_GROUPS = 400_000;
/** Steps of the search for Chernoff's θ; each leaves 0.62 of the interval. */
const STEPS = 28;
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/**
 * T = Σ weights[i]·scores[i], by compensated summation (Neumaier 1974): within 2^-50 of Σ|weights[i]·scores[i]|.
 *
 * @param scores nats or counts: those of a scheme, divided by 2^32
 */
export function weightedScore(weights: ArrayLike<number>, scores: ArrayLike<number>): number {
	if (weights.length !== scores.length)
		throw new RangeError(`there are ${weights.length} weights for ${scores.length} scores`);
	let sum = 0;
	let lost = 0;
	for (let i = 0; i < weights.length; i++) {
		const term = weights[i] * scores[i];
		const next = sum + term;
		lost += Math.abs(sum) >= Math.abs(term) ? sum - next + term : term - next + sum;
		sum = next;
	}
	return sum + lost;
}

/** The weights of each list, zeros left out. */
export function weightsByList(weights: ArrayLike<number>, lists: ArrayLike<number>): Map<number, number[]> {
	const grouped = new Map<number, number[]>();
	for (let i = 0; i < weights.length; i++) {
		const weight = weights[i];
		if (weight === 0) continue;
		const list = grouped.get(lists[i]);
		if (list === undefined) grouped.set(lists[i], [weight]);
		else list.push(weight);
	}
	return grouped;
}

/** Σ of terms and of their sizes times 1e-13: an upper bound of the sum as it would be without rounding. */
function sumUpwards(count: number, term: (i: number) => number): number {
	let sum = 0;
	let sizes = 0;
	for (let i = 0; i < count; i++) {
		const value = term(i);
		sum += value;
		sizes += Math.abs(value);
	}
	return sum + 1e-13 * sizes;
}

/** The least value of a function that was found, and where. */
interface Least {
	readonly theta: number;
	readonly value: number;
}

/** The θ > 0 below `limit` near which a convex function is least, by golden section in ln s, θ = s/(1 + s/limit). */
function leastOver(f: (theta: number) => number, start: number, limit: number): Least {
	const thetaOf = (u: number) => exp(u) / (1 + exp(u) / limit);
	const at = (u: number) => f(thetaOf(u));
	const middle = ln(start);
	let low = middle - 2;
	let high = middle + 2;
	for (let tries = 0; tries < 30 && at(high) < at(high - 1); tries++) high += 3;
	for (let tries = 0; tries < 30 && at(low) < at(low + 1); tries++) low -= 3;
	let left = high - GOLDEN * (high - low);
	let right = low + GOLDEN * (high - low);
	let [below, above] = [at(left), at(right)];
	for (let step = 0; step < STEPS; step++) {
		if (below < above) {
			[high, right, above] = [right, left, below];
			left = high - GOLDEN * (high - low);
			below = at(left);
		} else {
			[low, left, below] = [left, right, above];
			right = low + GOLDEN * (high - low);
			above = at(right);
		}
	}
	return below < above ? { theta: thetaOf(left), value: below } : { theta: thetaOf(right), value: above };
}

/** Exact tails of equal positive weights; undefined otherwise. */
function logEqualTail(law: ScoreLaw, counts: ReadonlyMap<number, number>, observed: number) {
	const [entry, ...others] = counts;
	if (entry === undefined || others.length > 0 || entry[0] < 0) return undefined;
	const [weight, count] = entry;
	const x = observed / weight;
	if (law.kind === 'exponential') return logGammaUpperTail(count, Math.max(0, x - count * law.shift));
	if (law.kind === 'two-exponentials')
		return logGammaSumUpperTail(count, law.a, law.b, Math.max(0, x - count * law.shift));
	return undefined;
}

/** ln of a bound of the tail of weighted yes/no scores; undefined where that does not apply. */
function logBernoulliTail(law: ScoreLaw, counts: ReadonlyMap<number, number>, observed: number) {
	if (law.kind === 'exponential' || law.kind === 'two-exponentials') return undefined;
	const layers = law.kind === 'bernoulli' ? [1] : law.weights;
	if (counts.size * layers.length > MOST_GROUPS) return undefined;
	const trials = law.kind === 'bernoulli' ? law.trials : 1;
	const groups = [...counts].flatMap(([weight, count]) =>
		layers.map((layer) => ({ weight: weight * layer, p: law.p, count: count * trials })),
	);
	return logWeightedBernoulliUpperTail(groups, observed);
}

/**
 * Prepares the test of T = Σ weights[i]·xᵢ.
 *
 * Cost: 100,000 distinct weights take 0.05 s, and `logP` 0.01 s for exponential scores, 0.15 s for yes/no scores; over
 * lists of exact size of 20 tokens each 0.4 s, and `logP` 0.5 to 0.9 s. `logE` takes no time.
 *
 * @param law of each score
 * @param weights of either sign, at most 1e100 in size, fixed without the key; at most 1e7 of them
 * @param lists for laws with lists of exact size: a number for each weight that says which list its score is from
 *   (the effective context)
 * @throws RangeError for a law out of range, a weight out of range, or missing lists
 */
export function newWeightedSum(
	law: ScoreLaw,
	weights: ArrayLike<number>,
	lists?: ArrayLike<number>,
): WeightedSum {
	checkLaw(law);
	if (weights.length > 1e7) throw new RangeError(`at most 1e7 weights, not ${weights.length}`);
	for (let i = 0; i < weights.length; i++)
		if (!(Math.abs(weights[i]) <= LARGEST_WEIGHT))
			throw new RangeError(`weight ${i} must be at most ${LARGEST_WEIGHT} in size, not ${weights[i]}`);
	const counts = countWeights(weights);
	const condensed = condenseWeights(counts);
	const one = tiltedCumulants(law, 0);
	let total = 0;
	let sizes = 0;
	let squares = 0;
	let heaviest = 0;
	for (const [weight, count] of counts) {
		total += count * weight;
		sizes += count * Math.abs(weight);
		squares += count * weight * weight;
		heaviest = Math.max(heaviest, weight);
	}
	const mean = total * one.mean;
	const deviation = Math.sqrt(squares * one.variance);
	const limit = heaviest > 0 ? largestTilt(law) / heaviest : Infinity;

	const exact = law.kind === 'bernoulli' ? law.lists : undefined;
	if (exact !== undefined && lists?.length !== weights.length)
		throw new RangeError('scores from lists of exact size need the number of the list of each');
	const listed = exact === undefined ? undefined : groupLists(exact, weights, lists as ArrayLike<number>);
	const logMoment = listed?.logMoment ?? momentOf(law, condensed);

	const grid = DEVIATES.map((z) => z / deviation).filter(
		(theta) => theta <= 0.98 * limit && theta < Infinity,
	);
	const moments = grid.map(logMoment);
	const lowered = (observed: number) => {
		if (!(Math.abs(observed) < Infinity))
			throw new RangeError(`observed must be a finite number, not ${observed}`);
		return observed - ROUNDING * (sizes * one.mean + Math.abs(observed));
	};

	return {
		count: weights.length,
		mean,
		deviation,
		grid,
		logMoment,
		logP(observed) {
			const t = lowered(observed);
			if (counts.size === 0) return t > 0 ? -Infinity : 0;
			const bernoulli = logBernoulliTail(law, counts, t);
			const best = Math.min(
				0,
				logEqualTail(law, counts, t) ?? 0,
				bernoulli === undefined ? 0 : bernoulli + (listed?.logExcess ?? 0),
			);
			if (t <= mean || best === -Infinity || !(deviation > 0)) return best;
			const chernoff = (theta: number) => {
				const log = logMoment(theta);
				return log - theta * t + 1e-15 * (Math.abs(log) + Math.abs(theta * t));
			};
			const { theta, value } = leastOver(chernoff, (t - mean) / (deviation * deviation), limit);
			const factor =
				law.kind === 'exponential' || law.kind === 'two-exponentials'
					? exponentialFactor(law, counts, t, theta)
					: 1;
			return Math.min(best, factor < 1 ? value + ln(factor) : value);
		},
		logE(observed) {
			if (grid.length === 0) return 0;
			const t = lowered(observed);
			return logMean(grid.map((theta, j) => theta * t - moments[j]));
		},
		estimateLogP: (observed) => saddlepointLogTail(law, condensed, observed),
	};
}

function momentOf(law: ScoreLaw, { weights, masses }: CondensedWeights): (theta: number) => number {
	return (theta) => sumUpwards(weights.length, (i) => masses[i] * logMomentBound(law, theta * weights[i]));
}

/** The bound over lists, and by how much they can raise a tail. */
function groupLists(exact: ExactLists, weights: ArrayLike<number>, lists: ArrayLike<number>) {
	const groups = [...weightsByList(weights, lists).values()].map((list) => Float64Array.from(list));
	return {
		logMoment: (theta: number) => sumUpwards(groups.length, (i) => logListMoment(groups[i], exact, theta)),
		logExcess: sumUpwards(groups.length, (i) => logListExcess(groups[i].length, exact)),
	};
}
