/**
 * Records of which a key drew a share, before the first look of a scan and before the judge: for the bench and the test.
 *
 * @module
 */
import type { Mark } from '../src/marks/mark.js';
import type { BoundGroup } from '../src/scan/plan.js';
import { newShardScan } from '../src/scan/shard-scan.js';
import { newJudge } from '../src/scan/verdicts.js';

/** Tokens to choose from, each as likely: four bits of entropy a token. */
export const VOCABULARY = 16;

/** Evidence that counts: it is reported among a million records where a few hundred others are. */
export const MUCH = Math.log(1e5);

/** What became of records. */
export interface Looked {
	/** Numbers of those that are let through. */
	readonly through: ReadonlySet<number>;
	/** The evidence of each, ln of its e-value. */
	readonly logE: readonly number[];
}

/** Numbers of the records that have so much evidence, at the least. @param logE ln of each one's e-value @param least likewise */
export function withEvidence(logE: readonly number[], least: number): number[] {
	return [...logE.keys()].filter((i) => logE[i] >= least);
}

/**
 * @param mark a draw of context width 4
 * @param pairs of each record
 * @param share of tokens that the key draws
 * @param uniform in [0, 1)
 */
export function lookedAt(
	mark: Mark,
	pairs: number,
	share: number,
	count: number,
	uniform: () => number,
): Looked {
	const anyToken = () => Math.floor(uniform() * VOCABULARY);
	const logits = new Float32Array(VOCABULARY);
	const texts = Array.from({ length: count }, () => {
		const ids = Array.from({ length: 4 }, anyToken);
		while (ids.length < pairs + 4)
			ids.push(
				uniform() < share
					? (mark.scheme.draw?.(ids.slice(-4), logits.fill(0), { next: uniform }) ?? 0)
					: anyToken(),
			);
		return ids;
	});
	const judged = { mark, searchBits: 0, shape: 0 };
	const groups: BoundGroup[] = [
		{
			...{ number: 0, tokenizer: null, fingerprint: null, marks: [judged], judges: [judged] },
			shapes: [{ contextWidth: 4, start: 'skip', narrow: false }],
		},
	];
	const through = new Set<number>();
	const scan = newShardScan(groups, {
		candidate: ({ record }) => through.add(Number(record)),
		tooLarge(message) {
			throw new RangeError(message);
		},
		cells: () => undefined,
	});
	scan.add(texts.map((tokens, i) => ({ id: String(i), tokens })));
	scan.finish();
	const judge = newJudge(groups, () => false);
	const logE = texts.map((tokens) => judge.judge({ group: 0, first: 0, tokens, left: [] }).logE);
	return { through, logE };
}
