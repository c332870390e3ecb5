/**
 * The result of an exposure test.
 *
 * @module
 */
import { z } from 'zod';
import { Verdict } from './test-result.js';

/**
 * What is tested: the ranks of |d| where the served answer is preferred (the headline); how often it is; |d| itself, at
 * most 2 medians each; how often it is, requests without a pair counted as if it were not (the headline if there are
 * any).
 */
export const ExposureStatistic = z.enum(['signed-rank', 'sign', 'clipped-sum', 'sign-missing-lost']);
export type ExposureStatistic = z.infer<typeof ExposureStatistic>;

/** One group of pairs under the headline statistic. */
export const ExposureRow = z.object({
	/** Pairs, ties included. */
	pairs: z.int().min(0),
	/** Pairs whose scores or texts are equal; they are not tested. */
	ties: z.int().min(0),
	/** Pairs whose served answer scored higher. */
	servedPreferred: z.int().min(0),
	log10P: z.number().max(0),
	/** After Holm's correction over the rows of its table; for rows that accuse, then for `hypotheses` too. */
	log10PCorrected: z.number().max(0),
});
export type ExposureRow = z.infer<typeof ExposureRow>;

/** What could not be checked and is taken on trust. */
export const ExposureAssumption = z.enum([
	/** The second answer was drawn afterwards: both are taken to be equally likely to have been served. */
	'exchangeable-redraw',
	/** Streamed answers: both texts are taken to be what the committed seeds give; whoever has the model can replay them. */
	'answers-drawn-from-seeds',
	/** No log was given: coins are taken to be fair and fixed beforehand. */
	'coins-fair-and-fixed',
	/** No log was given: no pair is taken to have been left out. */
	'all-pairs-given',
	/** Scores came from elsewhere: whoever measured is taken not to have known the coins. */
	'scores-made-without-coins',
	/** Pairs were left out by a declared rule, taken to treat both texts alike and to be older than the coins. */
	'symmetric-rule',
	/** Pairs were left out because of a list of texts, taken not to depend on the coins. */
	'served-elsewhere-without-coins',
	/**
	 * The log holds other accounts too, or some are named as controls: who is suspected is taken to have been chosen before
	 * any coin or score was seen.
	 */
	'accounts-chosen-beforehand',
]);
export type ExposureAssumption = z.infer<typeof ExposureAssumption>;

/** The result; the row at its top is that of all pairs of accounts that are no controls. */
export const ExposureResult = ExposureRow.extend({
	statistic: ExposureStatistic,
	/** log10 of an e-value of these pairs; it may be multiplied with that of other pairs. */
	log10E: z.number(),
	/** Suspects and measures that the verdict is corrected for. */
	hypotheses: z.int().min(1),
	/** Every statistic that is valid for these data; only the headline decides. */
	tests: z.array(z.object({ statistic: ExposureStatistic, log10P: z.number().max(0) })),
	effect: z.object({
		/** Share of pairs whose served answer is preferred, its value without exposure, and a 95 % interval. */
		mean: z.number().nullable(),
		expected: z.literal(0.5),
		ci95: z.tuple([z.number(), z.number()]).nullable(),
	}),
	accounts: z.array(
		ExposureRow.extend({
			account: z.string(),
			/** Adjusted for the false discovery rate over all these accounts, then for `hypotheses`. */
			log10PAdjusted: z.number().max(0),
			/** Whether it is below the false discovery rate; of none where a verdict is withheld. */
			found: z.boolean(),
		}),
	),
	/** False discovery rate of the accounts that are found. */
	fdr: z.number(),
	controls: z.object({
		/** Accounts that are not suspected. */
		accounts: z.array(ExposureRow.extend({ account: z.string() })),
		/** Models older than the exchanges, with the digest of their scores. */
		models: z.array(ExposureRow.extend({ model: z.string(), scoresDigest: z.string() })),
	}),
	/** Pairs left out before any coin was seen: a text occurs in another pair too, or was served elsewhere. */
	dropped: z.object({ repeated: z.int().min(0), leaked: z.int().min(0) }),
	/** Requests of the trial without a pair, accounts that are no controls. */
	missing: z.int().min(0),
	rule: z.string().nullable(),
	/** Seeded pairs whose served text was not what its seed gave again. */
	replayMismatches: z.int().min(0),
	/** SHA-256 of pairs, scores and coins, each in canonical JSON, ascending by id. */
	pairsDigest: z.string(),
	scoresDigest: z.string(),
	coinsDigest: z.string(),
	assumptions: z.array(ExposureAssumption),
	/**
	 * Why no verdict is given: a model that cannot know the answers prefers the served ones too, or the order of the
	 * texts tells the coin (a measure of nothing but the side would have been found, or nearly). Either way the measure may
	 * have known it.
	 */
	withheld: z.array(z.enum(['control-model-found', 'order-tells-coin'])),
	/** Other explanations: accounts that are not suspected show it too, so that the answers came another way. */
	alternatives: z.array(z.enum(['other-accounts'])),
	level: z.number(),
	/** Probability of a verdict at this level if the served answer were preferred in two of three pairs. */
	power: z.number().min(0).max(1),
	verdict: Verdict,
});
export type ExposureResult = z.infer<typeof ExposureResult>;
