/**
 * Sampling on all cores.
 *
 * @module
 */
import { availableParallelism } from 'node:os';
import Tinypool from 'tinypool';
import type { Sample } from './sample.js';
import type { LikelihoodTask, LongTextTask, SampleTask } from './worker.js';

/** Texts in a task: one batch of the forward pass. */
const TASK = 64;
/** Long texts in a task: these advance until the longest is done. */
const LONG_TASK = 16;

/** A pool of sampling threads. */
export interface SamplingPool {
	/**
	 * One text a prompt, in order; the result does not depend on the number of threads.
	 *
	 * @param done called with the number of texts after each finished batch
	 */
	sample(task: Omit<SampleTask, 'firstIndex'>, done?: (texts: number) => void): Promise<Sample[]>;
	/** Log-probabilities, nats, of the tokens of each text under a shipped model, in order. */
	likelihoods(task: LikelihoodTask, done?: (texts: number) => void): Promise<number[][]>;
	/**
	 * Ids of texts of any length, in order; what belongs to one does not depend on the others.
	 *
	 * @param done called with the number of texts after each finished batch
	 */
	longTexts(task: LongTextTask, done?: (texts: number) => void): Promise<number[][]>;
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
	/** Runs parts of at most `size` items, and puts their results together in order. */
	async function inParts<T>(
		items: number,
		run: (from: number, to: number) => Promise<T[]>,
		done: ((count: number) => void) | undefined,
		size = TASK,
	): Promise<T[]> {
		const starts = Array.from({ length: Math.ceil(items / size) }, (_, i) => i * size);
		const parts = await Promise.all(
			starts.map(async (from) => {
				const part = await run(from, from + size);
				done?.(part.length);
				return part;
			}),
		);
		return parts.flat();
	}
	return {
		sample: (task, done) =>
			inParts<Sample>(
				task.prompts.length,
				(from, to) => {
					const prompts = task.prompts.slice(from, to);
					const starts = task.starts?.slice(from, to);
					return pool.run({
						...task,
						prompts,
						firstIndex: from,
						...(starts === undefined ? {} : { starts }),
					});
				},
				done,
			),
		likelihoods: (task, done) =>
			inParts<number[]>(
				task.texts.length,
				(from, to) => pool.run({ ...task, texts: task.texts.slice(from, to) }, { name: 'likelihood' }),
				done,
			),
		async longTexts(task, done) {
			const { requests } = task;
			// Those of like length together, so that hardly a row runs on unread.
			const order = [...requests.keys()].sort((a, b) => requests[a].length - requests[b].length);
			const drawn = await inParts<number[]>(
				requests.length,
				(from, to) => {
					const some = order.slice(from, to).map((i) => requests[i]);
					return pool.run({ ...task, requests: some }, { name: 'longText' });
				},
				done,
				LONG_TASK,
			);
			const texts = new Array<number[]>(requests.length);
			for (const [i, number] of order.entries()) texts[number] = drawn[i];
			return texts;
		},
		close: () => pool.destroy(),
	};
}
