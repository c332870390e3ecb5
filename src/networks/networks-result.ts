/**
 * The result of a search for networks.
 *
 * @module
 */
import { z } from 'zod';

/**
 * What is said of an account of a candidate group.
 *
 * - `in-step`: its hours follow the group's by more than chance, at the false discovery rate.
 * - `no-evidence`: they do not; that clears nobody.
 * - `too-little-data`: no order of its days could have reached the rate.
 */
export const StepVerdict = z.enum(['in-step', 'no-evidence', 'too-little-data']);
export type StepVerdict = z.infer<typeof StepVerdict>;

/** An account of a candidate group. */
export const NetworkAccount = z.object({
	account: z.string(),
	requests: z.int().min(1),
	/** Runs of hours in a row with requests. */
	sessions: z.int().min(1),
	/** Mean similarity of its prompts to those of its neighbours in the group; an order, no probability. */
	sharedPrompts: z.number().min(0),
	/** Of the timing, an upper bound. */
	log10P: z.number().max(0),
	/** Adjusted for the false discovery rate over all accounts tested; null where there was too little to test. */
	log10PAdjusted: z.number().max(0).nullable(),
	/** First and last day, UTC. */
	days: z.tuple([z.iso.date(), z.iso.date()]),
	/** Suspect data sets that name it. */
	datasets: z.array(z.string()),
	verdict: StepVerdict,
});
export type NetworkAccount = z.infer<typeof NetworkAccount>;

/** A group of accounts. */
const Group = z.object({
	/** From 1, the largest first. */
	id: z.int().min(1),
	accounts: z.array(NetworkAccount),
});

/** Everything that was found. */
export const NetworksResult = z.object({
	/** Accounts in step with their candidate group, by group; three or more. */
	networks: z.array(Group),
	/** Groups by prompts and data sets alone, three accounts or more, with all accounts that were tested. */
	candidates: z.array(Group.extend({ network: z.int().nullable() })),
	accounts: z.int().min(0),
	requests: z.int().min(0),
	/** Accounts whose timing was tested. */
	hypotheses: z.int().min(0),
	fdr: z.number(),
	/** Share of prompt fingerprints that was looked at: 1, or less where there were too many to hold. */
	fingerprintShare: z.number(),
	/** Ties between accounts of one candidate group: neighbours by prompts and data sets. */
	ties: z.array(z.object({ a: z.string(), b: z.string(), similarity: z.number() })),
});
export type NetworksResult = z.infer<typeof NetworksResult>;
