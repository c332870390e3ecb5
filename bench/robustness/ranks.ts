/**
 * Texts that are judged by their rank among held-out keys, in threads.
 *
 * @module
 */
import { availableParallelism } from 'node:os';
import Tinypool from 'tinypool';
import { randomStream } from '../../src/embed/random.js';
import type { Mark } from '../../src/marks/mark.js';
import { ALIGNED_HELD_OUT, heldOutMarks } from '../../src/verify/aligned.js';
import { schemesFor } from './schemes.js';

/** The p-value of a text that no held-out key fits as well: none is lower. */
export const RANK_LEVEL = 1 / (ALIGNED_HELD_OUT + 1);

type Ids = readonly number[];

/** Texts of one key, as plain data; `seed` gives the random numbers that the key is made of. */
export interface RankTask {
	readonly scheme: string;
	readonly vocabSize: number;
	readonly seed: string;
	readonly texts: readonly Ids[];
}

/**
 * Whether each text's p-value, (1 + held-out keys that fit as well) / (1 + held-out keys), is {@link RANK_LEVEL}. All texts are
 * ranked against the same keys, each until one of them fits as well.
 */
export function ranksFirst(texts: readonly Ids[], mark: Mark): boolean[] {
	const align = ({ scheme }: Mark, ids: Ids, least?: number): number => {
		if (scheme.align === undefined) throw new TypeError('this mark is not found by alignment');
		return scheme.align(ids, least);
	};
	const scores = texts.map((ids) => align(mark, ids));
	const first = texts.map(() => true);
	for (const other of heldOutMarks(texts.flat(), mark))
		for (const [i, ids] of texts.entries())
			if (first[i] && align(other, ids, scores[i]) >= scores[i]) first[i] = false;
	return first;
}

/** One task, in its thread. */
export function rankTask({ scheme, vocabSize, seed, texts }: RankTask): boolean[] {
	const known = schemesFor(vocabSize).find(({ name }) => name === scheme);
	if (known === undefined) throw new TypeError(`no scheme ${scheme}`);
	return ranksFirst(texts, known.keyed(randomStream(seed)).marks[0]);
}

/** Whether each text of each task ranks first, in order. */
export async function rankedFirst(tasks: readonly RankTask[]): Promise<boolean[][]> {
	const threads = availableParallelism();
	const pool = new Tinypool({
		filename: new URL('./ranks-thread.mjs', import.meta.url).href,
		minThreads: threads,
		maxThreads: threads,
	});
	try {
		return await Promise.all(tasks.map((task): Promise<boolean[]> => pool.run(task)));
	} finally {
		await pool.destroy();
	}
}
