/**
 * Detection on threads behind a queue of bounded length, so that the event loop stays free to refuse what is too much.
 *
 * @module
 */
import Tinypool from 'tinypool';
import { badInput } from '../errors.js';
import type { DetectResult } from '../verify/detect.js';
import type { DetectRequest } from './answers.js';
import type { Limits } from './limits.js';
import { Refusal } from './problems.js';
import type { DetectOutcome, DetectTask, WorkerSetup } from './worker.js';

/** A result, and what it took. */
export interface Detection {
	readonly result: DetectResult;
	/** Tokens of the text. */
	readonly tokens: number;
	/** Time in the thread. */
	readonly seconds: number;
}

/** Threads that detect. */
export interface DetectionPool {
	/**
	 * Detects.
	 *
	 * @param asker id of the API key; nobody may have more than half of the queue
	 * @throws Refusal `overloaded`, `rate-limited`, `too-slow`, `bad-request`
	 */
	detect(request: DetectRequest, asker: string): Promise<Detection>;
	/** Requests that wait or are being worked on. */
	readonly waiting: number;
	/** Ends the threads. */
	close(): Promise<void>;
}

/** Starts the threads. Resolves when they are ready. @throws TouchmarkError `bad-input` for marks of another tokenizer */
export async function openDetectionPool(
	setup: WorkerSetup,
	threads: number,
	limits: Limits,
): Promise<DetectionPool> {
	const pool = new Tinypool({
		filename: new URL('./worker.js', import.meta.url).href,
		minThreads: threads,
		maxThreads: threads,
		workerData: setup,
	});
	const { queue, answerMs } = limits;
	const share = Math.ceil(queue / 2);
	const perAsker = new Map<string, number>();
	let waiting = 0;

	const run = (task: DetectTask) => pool.run(task) as Promise<DetectOutcome>;
	const warmUp: DetectTask = {
		request: { text: 'The first text takes longest.' },
		until: Number.POSITIVE_INFINITY,
	};
	const begun = await Promise.all(Array.from({ length: threads }, () => run(warmUp)));
	for (const outcome of begun)
		if (outcome.kind === 'refused') {
			await pool.destroy();
			throw badInput(outcome.message);
		}

	function enter(asker: string): void {
		if (waiting >= queue)
			throw new Refusal('overloaded', 'too many requests wait already; try again in a moment', 1);
		const own = perAsker.get(asker) ?? 0;
		if (own >= share) throw new Refusal('rate-limited', `this key has ${share} requests in work already`, 1);
		perAsker.set(asker, own + 1);
		waiting++;
	}
	function leave(asker: string): void {
		waiting--;
		const own = (perAsker.get(asker) ?? 1) - 1;
		if (own > 0) perAsker.set(asker, own);
		else perAsker.delete(asker);
	}

	return {
		async detect(request, asker) {
			enter(asker);
			const late = new Refusal('too-slow', `there was no answer within ${answerMs / 1000} s; try again`, 1);
			const task: DetectTask = { request, until: Date.now() + answerMs };
			// A place in the queue is given back when the thread is done, not when nobody waits any more.
			const working = run(task).finally(() => leave(asker));
			let timer: NodeJS.Timeout | undefined;
			const deadline = new Promise<never>((_, reject) => {
				timer = setTimeout(() => reject(late), answerMs);
			});
			try {
				const outcome = await Promise.race([working, deadline]);
				if (outcome.kind === 'late') throw late;
				if (outcome.kind === 'refused') throw new Refusal('bad-request', outcome.message);
				return outcome;
			} finally {
				clearTimeout(timer);
				// It may still fail when nobody waits for it.
				working.catch(() => undefined);
			}
		},
		get waiting() {
			return waiting;
		},
		close: () => pool.destroy(),
	};
}
