/**
 * Controlled exposure: was this suspect trained on these served answers? A keyed coin chose which answer of each pair was
 * served. For any function f of the suspect and a text, an innocent suspect prefers the served answer with probability
 * one half, because it cannot know the coin. Conditions of exactness: docs/statistics.md.
 *
 * The order is part of the interface: pairs are admitted, measured, the digest of the scores is fixed, and only then does
 * anything see a coin.
 *
 * @example
 * const trial = newExposure({ pairs, records });
 * const scored = trial.measure((pairs) => pairs.map(({ prompt, a, b }) => ({ a: f(prompt, a), b: f(prompt, b) })));
 * publish(scored.scoresDigest);
 * const result = scored.open(coins);
 *
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { badInput } from '../errors.js';
import type { OpenedCoin, Side } from '../marks/arm.js';
import { canonicalBytes } from '../marks/mark-spec.js';
import { benjaminiHochbergLog } from '../stats/false-discovery.js';
import {
	bernoulliInterval,
	bernoulliPower,
	bonferroniLog,
	holmLog,
	logBinomialUpperTail,
	logClippedSumTest,
	logEBernoulli,
	logESigns,
	logSignedRankTest,
	logSignTest,
} from '../stats/index.js';
import { ln, log10 } from '../stats/portable.js';
import { type Tossed, type TossedPair, tossPairs } from './exposure-coins.js';
import {
	type Admitted,
	admitPairs,
	byName,
	type ExposureInput,
	type ExposurePair,
	type ExposureScore,
	receiptOf,
} from './exposure-data.js';
import type { Measure } from './exposure-measures.js';
import type { ExposureAssumption, ExposureResult, ExposureStatistic } from './exposure-result.js';
import { DEFAULT_LEVEL, isFound, toLog10, type Verdict } from './test-result.js';

/** Share of preferred pairs that power is stated for; one epoch shows more with weights at hand. */
const NOMINAL_SHARE = 2 / 3;

/** Of trials with fair coins so many, at most, are taken for ones whose order tells the coin. */
const ORDER_LEVEL = 1e-3;

/** How to open. */
export interface OpenOptions {
	/** Default 1e-6. */
	readonly level?: number;
	/** False discovery rate of the list of accounts. Default 0.01. */
	readonly fdr?: number;
	/** How many suspects or measures are tried on these pairs. Default 1. */
	readonly hypotheses?: number;
	/** Models older than the exchanges, measured in the same way: they must stand at one half. */
	readonly controlModels?: readonly { readonly model: string; readonly scored: ScoredExposure }[];
}

/** A trial that was measured. */
export interface ScoredExposure {
	readonly scores: readonly ExposureScore[];
	/** SHA-256, to be made public before the coins are opened. */
	readonly scoresDigest: string;
	/** Opens the coins and says of each pair which answer was served, without a test. @throws as `open` */
	toss(coins: readonly OpenedCoin[]): Tossed;
	/**
	 * Opens the coins and tests.
	 *
	 * @throws TouchmarkError `bad-input` for a coin that is missing, occurs twice or does not open its commitment, a text
	 *   that is not the logged one, or another account than the logged one
	 */
	open(coins: readonly OpenedCoin[], options?: OpenOptions): ExposureResult;
}

/** A trial before it is measured. */
export interface Exposure {
	/** Pairs that will be tested. */
	readonly pairs: readonly ExposurePair[];
	/** Measures every pair; the measure sees texts only, in an order that says nothing of the coin. */
	measure(measure: Measure): ScoredExposure;
	/** Takes scores that were made elsewhere. @throws TouchmarkError `bad-input` unless each pair has one, finite */
	record(scores: readonly ExposureScore[]): ScoredExposure;
}

/**
 * Reads a trial.
 *
 * @throws TouchmarkError `bad-input` for pairs or records that contradict themselves or each other
 */
export function newExposure(input: ExposureInput): Exposure {
	const admitted = admitPairs(input);
	const { pairs } = admitted;

	function scored(given: readonly ExposureScore[], here: boolean): ScoredExposure {
		const byId = byName(given, 'score', ({ id }) => id);
		const scores = pairs.map(({ id }) => {
			const score = byId.get(id);
			if (score === undefined) throw badInput(`pair "${id}" has no score; every pair needs one`);
			if (!(Math.abs(score.a) < Infinity && Math.abs(score.b) < Infinity))
				throw badInput(`score "${id}": must be two finite numbers`);
			return score;
		});
		const scoresDigest = digestById(scores);
		const toss = (coins: readonly OpenedCoin[]) => tossPairs(admitted, input.pairs, scores, coins);
		return {
			scores,
			scoresDigest,
			toss,
			open(coins, options = {}) {
				const models = (options.controlModels ?? []).map(({ model, scored: control }) => ({
					model,
					scoresDigest: control.scoresDigest,
					tossed: tossPairs(admitted, input.pairs, control.scores, coins),
				}));
				return {
					...testTrial(input, toss(coins), models, options),
					dropped: { repeated: admitted.repeated, leaked: admitted.leaked },
					rule: input.rule ?? null,
					pairsDigest: digestById(input.pairs),
					scoresDigest,
					coinsDigest: digestById(coins),
					assumptions: assumptionsOf(input, admitted, here),
				};
			},
		};
	}

	return {
		pairs,
		measure(measure) {
			const swapped = pairs.map(({ a, b }) => hashOf(b) < hashOf(a));
			const found = measure(
				pairs.map(({ prompt, a, b }, i) => (swapped[i] ? { prompt, a: b, b: a } : { prompt, a, b })),
			);
			const scores = pairs.map(({ id }, i) => {
				const { a, b } = found[i];
				return swapped[i] ? { id, a: b, b: a } : { id, a, b };
			});
			return scored(scores, true);
		},
		record: (scores) => scored(scores, false),
	};
}

function hashOf(text: string): string {
	return bytesToHex(sha256(utf8ToBytes(text)));
}

function digestById(rows: readonly { readonly id: string }[]): string {
	const sorted = [...rows].sort((one, other) => (one.id < other.id ? -1 : 1));
	return bytesToHex(sha256(canonicalBytes(sorted)));
}

function assumptionsOf(input: ExposureInput, admitted: Admitted, here: boolean): ExposureAssumption[] {
	const logged = admitted.records !== undefined;
	const seeded = admitted.pairs.some((pair) => admitted.records?.get(receiptOf(pair))?.mode === 'seeded');
	const held: [ExposureAssumption, boolean][] = [
		['exchangeable-redraw', input.retrospective ?? false],
		['answers-drawn-from-seeds', seeded],
		['coins-fair-and-fixed', !logged && !input.retrospective],
		['all-pairs-given', !logged],
		['scores-made-without-coins', !here],
		['symmetric-rule', input.rule !== undefined],
		['served-elsewhere-without-coins', admitted.leaked > 0],
		['accounts-chosen-beforehand', admitted.otherAccounts || (input.controlAccounts?.length ?? 0) > 0],
	];
	return held.filter(([, holds]) => holds).map(([name]) => name);
}

/** A group of pairs, and how many requests of it have none. */
interface Group {
	readonly pairs: readonly TossedPair[];
	readonly missing: number;
}

/** Statistics of a group; the first is the headline. Natural logarithms. */
function statisticsOf({ pairs, missing }: Group): [ExposureStatistic, number][] {
	const signed = pairs.flatMap((pair) => pair.signed ?? []);
	const preferred = signed.filter(({ positive }) => positive).length;
	// Whatever the reason that a pair is missing, the full trial has at least this many preferred and at most these pairs.
	if (missing > 0)
		return [['sign-missing-lost', logBinomialUpperTail(preferred, signed.length + missing, 0.5)]];
	return [
		['signed-rank', logSignedRankTest(signed)],
		['sign', logSignTest(signed)],
		['clipped-sum', logClippedSumTest(signed, 2)],
	];
}

function logEOf({ pairs, missing }: Group): number {
	const signed = pairs.flatMap((pair) => pair.signed ?? []);
	if (missing === 0) return logESigns(signed);
	return logEBernoulli(signed.filter(({ positive }) => positive).length, signed.length + missing, 0.5);
}

function rowOf(group: Group) {
	const ties = group.pairs.filter(({ signed }) => signed === null).length;
	return {
		pairs: group.pairs.length,
		ties,
		servedPreferred: group.pairs.filter(({ signed }) => signed?.positive).length,
		log10P: toLog10(statisticsOf(group)[0][1]),
	};
}

/** The same pairs under a measure that prefers this side of each. */
function preferring(side: Side, { pairs, missing }: Group): Group {
	return {
		pairs: pairs.map((pair) => ({
			...pair,
			signed: pair.signed && { ...pair.signed, positive: pair.served === side },
		})),
		missing,
	};
}

/** Rows of a table, corrected for their number and then for the hypotheses. */
function tableOf<T extends { group: Group }>(entries: readonly T[], hypotheses: number) {
	const rows = entries.map(({ group, ...name }) => ({ ...name, ...rowOf(group) }));
	const corrected = holmLog(entries.map(({ group }) => statisticsOf(group)[0][1]));
	return rows.map((row, i) => ({
		...row,
		log10PCorrected: toLog10(bonferroniLog(corrected[i], hypotheses)),
	}));
}

/** Log10 of p-values adjusted for the false discovery rate of a table, then for the hypotheses. */
function adjustedOf(groups: readonly Group[], hypotheses: number): number[] {
	const logPs = groups.map((group) => statisticsOf(group)[0][1]);
	return benjaminiHochbergLog(logPs).map((logP) => toLog10(bonferroniLog(logP, hypotheses)));
}

function testTrial(
	input: ExposureInput,
	tossed: Tossed,
	models: readonly { model: string; scoresDigest: string; tossed: Tossed }[],
	{ level = DEFAULT_LEVEL, fdr = 0.01, hypotheses = 1 }: OpenOptions,
) {
	const controlAccounts = new Set(input.controlAccounts);
	const isSuspected = (account: string | null) => account === null || !controlAccounts.has(account);
	// A missing request of an unknown account may be anybody's: it counts against every group.
	const groupOf = (some: Tossed, holds: (account: string | null) => boolean): Group => ({
		pairs: some.pairs.filter(({ account }) => holds(account)),
		missing:
			input.rule === undefined
				? some.missing.filter((account) => account === null || holds(account)).length
				: 0,
	});
	const accounts = new Set(tossed.pairs.map(({ account }) => account).filter((account) => account !== null));
	const accountGroups = (wanted: boolean) =>
		[...accounts]
			.filter((account) => isSuspected(account) === wanted)
			.sort()
			.map((account) => ({ account, group: groupOf(tossed, (other) => other === account) }));

	const all = groupOf(tossed, isSuspected);
	const statistics = statisticsOf(all);
	const [statistic, logP] = statistics[0];
	const row = rowOf(all);
	const trials = row.pairs - row.ties;
	const log10PCorrected = toLog10(bonferroniLog(logP, hypotheses));
	// Controls speak for the suspect: the number of hypotheses must not silence them.
	const controls = {
		accounts: tableOf(accountGroups(false), 1),
		models: tableOf(
			models.map(({ tossed: own, ...name }) => ({ ...name, group: groupOf(own, isSuspected) })),
			1,
		),
	};
	// The same test of side alone, so that a measure that prefers a side has the very p that withholds its verdict.
	const orderTells = (['a', 'b'] as const).some((side) => {
		const logOrder = statisticsOf(preferring(side, all))[0][1];
		return (
			logOrder <= ln(ORDER_LEVEL / 2) ||
			isFound({ log10PCorrected: toLog10(bonferroniLog(logOrder, hypotheses)) }, level)
		);
	});
	const withheld: ExposureResult['withheld'] = [
		...(controls.models.some((model) => isFound(model, level)) ? (['control-model-found'] as const) : []),
		...(orderTells ? (['order-tells-coin'] as const) : []),
	];
	const suspected = accountGroups(true);
	const adjusted = adjustedOf(
		suspected.map(({ group }) => group),
		hypotheses,
	);
	const power = bernoulliPower(trials, 0.5, NOMINAL_SHARE, ln(level / hypotheses));
	const found = isFound({ log10PCorrected }, level);
	const verdict: Verdict =
		withheld.length > 0 || (!found && power < 0.5) ? 'too-little-data' : found ? 'exposed' : 'no-evidence';
	return {
		...row,
		log10E: toLog10(logEOf(all)),
		log10PCorrected,
		statistic,
		hypotheses,
		tests: statistics.map(([name, log]) => ({ statistic: name, log10P: toLog10(log) })),
		effect: {
			mean: trials === 0 ? null : row.servedPreferred / trials,
			expected: 0.5 as const,
			ci95: trials === 0 ? null : bernoulliInterval(row.servedPreferred, trials, 0.95),
		},
		accounts: tableOf(suspected, hypotheses).map((account, i) => ({
			...account,
			log10PAdjusted: adjusted[i],
			found: withheld.length === 0 && adjusted[i] <= log10(fdr),
		})),
		fdr,
		controls,
		missing: tossed.missing.filter(isSuspected).length,
		replayMismatches: tossed.replayMismatches,
		withheld,
		alternatives: controls.accounts.some((account) => isFound(account, level))
			? (['other-accounts'] as const).slice()
			: [],
		level,
		power,
		verdict,
	};
}
