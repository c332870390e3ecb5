/**
 * What a tally says under each law of a scheme's scores: p-value, e-value, effect, power. One place that knows
 * all laws; everything else asks it.
 *
 * @module
 */

import type { Mark } from '../marks/mark.js';
import { SCORE_UNIT } from '../schemes/fixed-log.js';
import type { NullLaw } from '../schemes/scheme.js';
import {
	bernoulliInterval,
	bernoulliPower,
	exponentialMeanInterval,
	exponentialPower,
	logBinomialUpperTail,
	logEBernoulli,
	logECumulant,
	logEExponential,
	logGammaSumUpperTail,
	logGammaUpperTail,
	logWeightedBernoulliUpperTail,
} from '../stats/index.js';
import { exp, expm1, log1p } from '../stats/portable.js';
import { scoreOf, type Tally } from './tally.js';

/** ln P(score this high | null), rigorous for every n. */
export function logPValue(tally: Tally, law: NullLaw): number {
	const { scored } = tally;
	if (scored === 0) return 0;
	const score = scoreOf(tally);
	switch (law.kind) {
		case 'bernoulli':
			return logBinomialUpperTail(Number(tally.sum / BigInt(SCORE_UNIT)), scored * law.trials, law.p);
		case 'weighted-bernoulli':
			return logWeightedBernoulliUpperTail(
				law.weights.map((weight) => ({ weight, p: law.p, count: scored })),
				score,
			);
		case 'exponential':
			return logGammaUpperTail(scored, Math.max(0, score - scored * law.shift));
		case 'held-out':
			return 0;
		case 'two-exponentials':
			return logGammaSumUpperTail(scored, law.a, law.b, Math.max(0, score - scored * law.shift));
	}
}

/** ln of a mixture e-value: under the null its expectation is at most 1. */
export function logEValue(tally: Tally, law: NullLaw): number {
	const { scored } = tally;
	const score = scoreOf(tally);
	switch (law.kind) {
		case 'bernoulli':
			return logEBernoulli(score, scored * law.trials, law.p);
		case 'exponential':
			return logEExponential(Math.max(0, score - scored * law.shift), scored);
		case 'held-out':
			return 0;
		case 'weighted-bernoulli':
			return logECumulant(score, scored, Math.max(...law.weights), (theta) =>
				law.weights.reduce((sum, weight) => sum + log1p(law.p * expm1(theta * weight)), 0),
			);
		case 'two-exponentials': {
			const { a, b } = law;
			const lowered = Math.max(0, score - scored * law.shift);
			return logECumulant(lowered, scored, Math.max(a, b), (theta) => -log1p(-a * theta) - log1p(-b * theta));
		}
	}
}

/** Mean score, its value under the null, and a 95 % interval of the mean where one is known. */
export interface Effect {
	readonly mean: number | null;
	readonly expected: number;
	readonly ci95: [number, number] | null;
}

/** Effect of a tally: green share, share of ones, or nats a pair. */
export function effectOf(tally: Tally, law: NullLaw): Effect {
	const { scored } = tally;
	const score = scoreOf(tally);
	const empty = scored === 0;
	switch (law.kind) {
		case 'bernoulli': {
			const trials = scored * law.trials;
			return {
				mean: empty ? null : score / trials,
				expected: law.p,
				ci95: empty ? null : bernoulliInterval(score, trials, 0.95),
			};
		}
		case 'weighted-bernoulli': {
			const total = law.weights.reduce((sum, weight) => sum + weight, 0);
			return { mean: empty ? null : score / (scored * total), expected: law.p, ci95: null };
		}
		case 'exponential':
			return {
				mean: empty ? null : score / scored,
				expected: 1,
				ci95: empty ? null : exponentialMeanInterval(score, scored, 0.95),
			};
		case 'held-out':
			return { mean: null, expected: 0, ci95: null };
		case 'two-exponentials':
			return { mean: empty ? null : score / scored, expected: law.a + law.b, ci95: null };
	}
}

/** What the power of a test is stated for: marked text itself, or text by a student of it. */
export type Strength = 'marked-text' | 'student';

/**
 * Nominal strength, the mean effect that power and `too-little-data` are stated for (measured on the embedded
 * models, docs/statistics.md).
 */
export function nominalMean(mark: Mark, strength: Strength): number {
	const { scheme } = mark.spec;
	const marked = strength === 'marked-text';
	switch (scheme.name) {
		case 'gumbel':
			return marked ? 1.5 : 1.03;
		case 'dual_key_gumbel':
			// Half a nat from the key that drew, none from the other.
			return 1 + (marked ? 0.5 : 0.03) * Math.max(scheme.alpha, 1 - scheme.alpha);
		case 'exp-edit':
			return 0;
		case 'synthid':
			return 0.5 + (marked ? 0.5 : scheme.depth < 5 ? 0.1 : 0.03) / Math.max(5, scheme.depth);
		case 'kgw':
		case 'unigram':
		case 'adfp': {
			// A bias of λ by what a proxy would learn makes green as likely as this delta does (embedded models).
			const full = scheme.name === 'adfp' ? log1p(scheme.lambda / 16) : scheme.delta;
			// One list for all contexts: frequent words are written whatever their colour, so distinct tokens show less.
			const delta = full / (!marked ? 16 : scheme.name === 'unigram' ? 3 : 2);
			return (scheme.gamma * exp(delta)) / (1 + scheme.gamma * (exp(delta) - 1));
		}
	}
}

/**
 * Probability of reaching a level at nominal strength. For two exponentials that of one is given, which is lower;
 * for weighted layers that of the plain sum.
 *
 * @param logLevel natural logarithm
 */
export function powerOf(scored: number, mark: Mark, strength: Strength, logLevel: number): number {
	if (scored === 0) return 0;
	const law = mark.scheme.null;
	const mean = nominalMean(mark, strength);
	switch (law.kind) {
		case 'bernoulli':
			return bernoulliPower(scored * law.trials, law.p, mean, logLevel);
		case 'weighted-bernoulli':
			return bernoulliPower(scored * law.weights.length, law.p, mean, logLevel);
		case 'held-out':
			return 0;
		case 'exponential':
		case 'two-exponentials':
			return exponentialPower(scored, mean, logLevel);
	}
}
