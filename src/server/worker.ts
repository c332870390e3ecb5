/**
 * Detection in a thread of its own. A thread holds tokenizer and bound marks from its beginning.
 *
 * @module
 */
import Tinypool from 'tinypool';
import type { Tokenizer } from '../corpus/tokenizer.js';
import { badInput, TouchmarkError } from '../errors.js';
import type { Mark } from '../marks/mark.js';
import { bindPlan, type PlannedGroup } from '../scan/plan.js';
import { type DetectResult, detect } from '../verify/detect.js';
import type { DetectRequest } from './answers.js';

/** What all threads work with. Holds secrets: the keys of the marks. */
export interface WorkerSetup {
	/** Marks, and the tokenizer of their text. */
	readonly group: PlannedGroup;
	/** Error rate of a verdict, corrected for the number of marks. */
	readonly level: number;
}

/** One request. */
export interface DetectTask {
	readonly request: DetectRequest;
	/** Milliseconds since 1970 after which nobody waits for the answer. */
	readonly until: number;
}

/** What came of it. */
export type DetectOutcome =
	| {
			readonly kind: 'result';
			readonly result: DetectResult;
			readonly tokens: number;
			readonly seconds: number;
	  }
	| { readonly kind: 'refused'; readonly message: string }
	| { readonly kind: 'late' };

/** What a thread works with. */
interface Desk {
	readonly tokenizer: Tokenizer;
	readonly marks: readonly [Mark, ...Mark[]];
	readonly searchBits: (mark: Mark) => number;
}

const { group, level } = Tinypool.workerData as WorkerSetup;
/** A thread that cannot begin says why at its first task: one that ends would be started again and again. */
const desk: Desk | TouchmarkError = await newDesk().catch((error: unknown) => {
	if (TouchmarkError.isInstance(error)) return error;
	throw error;
});

async function newDesk(): Promise<Desk> {
	const [{ tokenizer, marks }] = await bindPlan({ groups: [group] });
	const [first, ...rest] = marks.map(({ mark }) => mark);
	if (tokenizer === null || first === undefined) throw badInput('give marks and their tokenizer');
	const bits = new Map(marks.map(({ mark, searchBits }) => [mark, searchBits]));
	return { tokenizer, marks: [first, ...rest], searchBits: (mark) => bits.get(mark) ?? 0 };
}

/** The ids of a request. @throws TouchmarkError `bad-input` for an id that the tokenizer does not have */
function idsOf(tokenizer: Tokenizer, request: DetectRequest): { ids: number[]; given: number[] } {
	if ('text' in request)
		return {
			ids: tokenizer.encode(request.text),
			given: request.prompt === undefined ? [] : tokenizer.encode(request.prompt),
		};
	const { tokens, prompt = [] } = request;
	for (const [field, ids] of Object.entries({ tokens, prompt }))
		if (ids.some((id) => id >= tokenizer.vocabSize))
			throw badInput(`field "${field}": holds an id outside of the vocabulary (${tokenizer.vocabSize} ids)`);
	return { ids: tokens, given: prompt };
}

/** Detects. */
export default function detectIn({ request, until }: DetectTask): DetectOutcome {
	if (Date.now() > until) return { kind: 'late' };
	const begun = performance.now();
	try {
		if (TouchmarkError.isInstance(desk)) throw desk;
		const { ids, given } = idsOf(desk.tokenizer, request);
		const { marks, searchBits } = desk;
		const result = detect('request', ids, marks, { level, given, searchBits });
		return { kind: 'result', result, tokens: ids.length, seconds: (performance.now() - begun) / 1000 };
	} catch (error) {
		if (!TouchmarkError.isInstance(error)) throw error;
		return { kind: 'refused', message: error.message };
	}
}
