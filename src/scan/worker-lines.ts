/**
 * What a worker process prints, a JSON object a line, and what is read again where everything comes together.
 *
 * First pass: candidates as they come, numbered within their shard, and last the shard's state. Second pass: counts of cells,
 * and last what was counted, without which counts are not believed: too few would let common windows be scored.
 *
 * @module
 */
import { z } from 'zod';
import { MAX_TOKEN_ID } from '../corpus/documents.js';
import { hexOf } from '../input.js';
import { COUNT_MEMORY, cellsOf, MOST_PLACES } from './counting/counts.js';

const Count = z.int().min(0);
const Ids = z.array(z.int().min(0).max(MAX_TOKEN_ID)).readonly();

/** A candidate. */
export const CandidateLine = z.strictObject({
	shard: z.string().min(1),
	/** 0 for the shard's first candidate, and so on. */
	number: Count,
	candidate: z.strictObject({
		record: z.string(),
		part: Count,
		group: Count,
		first: Count,
		tokens: Ids,
		left: z.array(z.array(Count).readonly()).readonly(),
	}),
});
export type CandidateLine = z.infer<typeof CandidateLine>;

/** Cells and what they came to, some at a time; cells that nothing fell into are left out. */
export const CountsLine = z.strictObject({
	counts: z.array(
		z.tuple([
			z
				.int()
				.min(0)
				.max(cellsOf(COUNT_MEMORY.most) - 1),
			z
				.int()
				.min(1)
				.max(MOST_PLACES + 1),
		]),
	),
});
export type CountsLine = z.infer<typeof CountsLine>;

/** What was counted. */
export const CountedLine = z.strictObject({
	counted: z.strictObject({
		shard: z.string().min(1),
		/** Text that is known to be innocent, of which there is no state. */
		background: z.boolean(),
		records: Count,
		skipped: Count,
		/** SHA-256 of the cells that were asked for: all counts must be of the same ones. */
		cells: hexOf(32),
	}),
});
export type CountedLine = z.infer<typeof CountedLine>;
