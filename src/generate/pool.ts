/**
 * Sampling on all cores.
 *
 * @module
 */
import { availableParallelism } from 'node:os';
import Tinypool from 'tinypool';
import type { Sample } from './sample.js';
import type { SampleTask } from './worker.js';

/** Texts in a task: one batch of the forward pass. */
const TASK = 64;

/** A pool of sampling threads. */
export interface SamplingPool {
	/**
	 * One text a prompt, in order; the result does not depend on the number of threads.
	 *
	 * @param done called with the number of texts after each finished batch
	 */
	sample(task: Omit<SampleTask, 'firstIndex'>, done?: (texts: number) => void): Promise<Sample[]>;
	/** Ends the threads. */
	close(): Promise<void>;
}

/** @param threads default: one a core, at most 8 */
export function newSamplingPool(threads = Math.min(8, availableParallelism())): SamplingPool {
	const pool = new Tinypool({
		filename: new URL('./worker.js', import.meta.url).href,
		minThreads: threads,
		maxThreads: threads,
	});
	return {
		async sample(task, done) {
			const starts = Array.from({ length: Math.ceil(task.prompts.length / TASK) }, (_, i) => i * TASK);
			const parts = await Promise.all(
				starts.map(async (firstIndex) => {
					const prompts = task.prompts.slice(firstIndex, firstIndex + TASK);
					const part: Sample[] = await pool.run({ ...task, prompts, firstIndex });
					done?.(part.length);
					return part;
				}),
			);
			return parts.flat();
		},
		close: () => pool.destroy(),
	};
}
