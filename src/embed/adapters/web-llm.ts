/**
 * Adapter for WebLLM (0.2.86): a logit processor that decides each token.
 *
 * The host calls it after its grammar mask and before `logit_bias`, penalties, temperature and top-p. The chosen
 * token is left so far above all others that none of these changes it; temperature, top-k and top-p are therefore
 * given here (`sampling`), and the log-probabilities that the host then reports are those of a certain token.
 *
 * The host does not show the prompt. The choice channel can then not leave out contexts that the prompt holds:
 * where an answer repeats its prompt, the same question gets the same continuation more often, and a verifier must
 * be given the prompt to leave those contexts out, as `detect` does with `given`.
 *
 * Nor does it say when an answer ends by length: call `finish` after each answer. One answer at a time.
 *
 * @example
 * const processor = webLlmProcessor(marker, { endTokens: [2], sampling: { temperature: 0.8 } });
 * const engine = await CreateMLCEngine(model, { logitProcessorRegistry: new Map([[model, processor]]) });
 * const answer = await engine.chat.completions.create({ messages });
 * const [receipt] = processor.finish();
 *
 * @module
 */
import type { Generation, Marker, StartOptions } from '../marker.js';
import type { Receipt } from '../receipt.js';

/** A processor in the sense of WebLLM's `LogitProcessor`. */
export interface WebLlmProcessor {
	/** @returns the same array, changed */
	processLogits(logits: Float32Array): Float32Array;
	processSampledToken(token: number): void;
	/** Called when the host forgets its conversation. */
	resetState(): void;
	/** Ends the answer in progress. @returns receipts of all answers since the last call, in their order */
	finish(): Receipt[];
}

/** What every answer brings. */
export interface WebLlmOptions extends Omit<StartOptions, 'id' | 'prompt'> {
	/** Answers are named `id/0`, `id/1`, … */
	readonly id?: string;
	/** Ids that end an answer. */
	readonly endTokens?: Iterable<number>;
}

/**
 * Logit of the tokens that were not chosen, beside 0. Finite, because WebGPU need not know infinities; its softmax
 * is 0 at every temperature that the host takes.
 */
const LOSER = -1e4;

/**
 * @param marker its vocabulary must be as large as the host's logits, padding included
 * @param options for every answer
 */
export function webLlmProcessor(marker: Marker, options: WebLlmOptions = {}): WebLlmProcessor {
	const { endTokens, id, seed, ...request } = options;
	const ends = new Set(endTokens);
	const receipts: Receipt[] = [];
	let answers = 0;
	let generation: Generation | undefined;
	let left = false;

	function start(): Generation {
		const answer = answers++;
		left = false;
		return marker.start({
			...request,
			...(id === undefined ? {} : { id: `${id}/${answer}` }),
			...(seed === undefined ? {} : { seed: `${seed}/${answer}` }),
		});
	}
	function end(how: 'finish' | 'abort'): void {
		if (generation === undefined) return;
		receipts.push(generation[how]());
		generation = undefined;
	}

	return {
		processLogits(logits) {
			generation ??= start();
			if (left) return logits;
			const [token] = marker.step([generation], logits);
			logits.fill(LOSER);
			logits[token] = 0;
			return logits;
		},
		processSampledToken(token) {
			// Without an answer the host replays one that it resumes: ours begins with the first new token.
			if (generation === undefined) return;
			// A token that we did not choose takes the answer out of our hands.
			if (generation.tokens.at(-1) !== token) left = true;
			else if (ends.has(token)) end('finish');
		},
		resetState() {
			end('abort');
		},
		finish() {
			end('finish');
			return receipts.splice(0);
		},
	};
}
