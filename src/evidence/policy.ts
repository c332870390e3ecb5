/**
 * What a policy requires of evidence about a dataset or a model, before that is used.
 *
 * @module
 */
import { z } from 'zod';
import { hexOf } from '../input.js';
import { Verdict } from '../verify/test-result.js';
import { TEST_COMMANDS, type TestCommandName } from './commands.js';

/** A policy, as a file. */
export const Policy = z.strictObject({
	format: z.literal('touchmark-policy'),
	version: z.literal(1),
	/** SHA-256 of files that each of the tests must have read. */
	subjects: z.array(hexOf(32)).min(1),
	/** Public keys: so many of these must have signed. */
	signers: z.strictObject({ keys: z.array(hexOf(32)).min(1), least: z.int().min(1) }),
	/** Tests that must have been run, each for these marks where any are named. */
	tests: z
		.array(
			z.strictObject({
				command: z.enum(Object.keys(TEST_COMMANDS) as [TestCommandName, ...TestCommandName[]]),
				marks: z.array(hexOf(32)).default([]),
			}),
		)
		.min(1),
	/** What the tests may say. */
	verdicts: z.array(Verdict).min(1),
	/** Evidence that was made earlier does not count. */
	notBefore: z.iso.datetime().optional(),
});
export type Policy = z.infer<typeof Policy>;
