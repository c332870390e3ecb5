/**
 * The results of a trace: one a record, and one for all of them.
 *
 * @module
 */
import { z } from 'zod';
import { CohortResult } from './cohort-results.js';

/** An account that a record names. */
export const NamedAccount = z.object({
	account: z.string(),
	epoch: z.int(),
	log10P: z.number().max(0),
	/** After correction for all accounts and epochs. */
	log10PCorrected: z.number().max(0),
});
export type NamedAccount = z.infer<typeof NamedAccount>;

/** What one record says. */
export const TracedRecord = z.object({
	id: z.string(),
	tokens: z.int().min(0),
	/** The strongest test of a deployment's choice mark; records that do not pass the gate are not traced. */
	gate: z.object({ epoch: z.int(), scored: z.int(), log10P: z.number().max(0), passed: z.boolean() }),
	/** Accounts whose codeword fits, strongest first. */
	named: z.array(NamedAccount),
});
export type TracedRecord = z.infer<typeof TracedRecord>;

/** What all records say. */
export const TraceResult = z.object({
	records: z.int().min(0),
	/** Records that the gate let pass. */
	gated: z.int().min(0),
	/** Records that name an account by themselves. */
	named: z.int().min(0),
	/** Accounts below the false discovery rate, strongest first. */
	accounts: z.array(
		z.object({
			account: z.string(),
			/** Records that fit it: some may fit by chance. */
			records: z.int(),
			/** Of them, those that name it by themselves. */
			named: z.int(),
			log10P: z.number().max(0),
			/** Adjusted for the false discovery rate over all accounts. */
			log10PAdjusted: z.number().max(0),
			/** First and last epoch in which it shows. */
			epochs: z.tuple([z.int(), z.int()]),
		}),
	),
	/** Every cohort, strongest first. */
	cohorts: z.array(CohortResult),
	/** Accounts searched times epochs, for a record that is named; accounts for the list. */
	hypotheses: z.int().min(1),
	/** Marks of the account layer and those of the deployment that gate them, with what each pays for a search of its key. */
	marks: z.array(z.object({ mark: z.string(), epoch: z.int(), searchBits: z.int().min(0) })).min(1),
	fdr: z.number(),
	level: z.number(),
});
export type TraceResult = z.infer<typeof TraceResult>;
