/**
 * What happens to texts before they are traced: they are cut, parts of them are replaced, texts of others are mixed in.
 *
 * @module
 */
import type { Uniforms } from '../src/schemes/scheme.js';
import { expectedEvidence } from './account-evidence.js';
import type { TracedText } from './traced-texts.js';

/** Of the steps with a whole context, the account layer has half, and leaves a tenth of them to chance. */
const SHARE = 0.5;
const KEYED = 0.9;
/** Ids of context. */
const WIDTH = 4;

/** A text as it is traced, and the evidence that it can be expected to have. */
export interface EditedText {
	readonly tokens: readonly number[];
	readonly account: string;
	readonly expected: number;
}

/** @param intact share of pairs that are as they were drawn */
function expectedOf(steps: readonly Float64Array[], intact: number): number {
	return expectedEvidence(steps, SHARE * KEYED * intact, SHARE * (1 - KEYED * intact));
}

/** The first `length` tokens. */
export function cut({ tokens, account, steps }: TracedText, length = tokens.length): EditedText {
	return { tokens: tokens.slice(0, length), account, expected: expectedOf(steps.slice(WIDTH, length), 1) };
}

/** With a share of its tokens replaced by others of `vocabulary`. A pair survives where none of its five ids is. */
export function replaced(
	text: TracedText,
	share: number,
	vocabulary: readonly number[],
	random: Uniforms,
): EditedText {
	const whole = cut(text);
	return {
		...whole,
		tokens: whole.tokens.map((token) =>
			random.next() < share ? vocabulary[Math.floor(vocabulary.length * random.next())] : token,
		),
		expected: expectedOf(text.steps.slice(WIDTH), (1 - share) ** (WIDTH + 1)),
	};
}

/** A part of one text, of another, or both, one after the other, at places that chance gives. */
export function mixed(one: TracedText, other: TracedText, random: Uniforms): readonly number[] {
	const part = ({ tokens }: TracedText) => {
		const length = 20 + Math.floor(random.next() * (tokens.length - 20));
		const from = Math.floor(random.next() * (tokens.length - length));
		return tokens.slice(from, from + length);
	};
	return random.next() < 0.5 ? [...part(one), ...part(other)] : [...part(other), ...part(one)];
}

/** Evidence that a name takes at a level. @param accounts that come into question */
export function neededEvidence(accounts: number, level: number): number {
	return Math.log(accounts / level);
}
