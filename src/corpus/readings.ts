/**
 * Readings out of files: what a model said comes next, as an API with log-probabilities returns it.
 *
 * @module
 */
import { z } from 'zod';
import { badInput } from '../errors.js';
import { checked } from '../input.js';
import { readJsonLines } from './documents.js';
import { tokensAfter } from './token-strings.js';
import type { Tokenizer } from './tokenizer.js';

const LogProbability = z.number().max(1e-6, 'is a log-probability above 0');
const Id = z.union([z.string(), z.number()]);
const SOME = 'must list at least one token';

/** One line: the ids that the model was given, and its likeliest next tokens with natural log-probabilities. */
function idsLine(vocabSize: number) {
	const Token = z
		.int({ error: 'must be an integer token id' })
		.min(0, 'is a negative token id')
		.lt(vocabSize, `is a token id outside the vocabulary of ${vocabSize}`);
	return z.looseObject({
		id: Id,
		prefix: z.array(Token),
		top: z.array(z.tuple([Token, LogProbability])).min(1, SOME),
	});
}

/** The same in text, of a model with whatever tokenizer. */
const TextLine = z.looseObject({
	id: Id,
	prefix: z.string(),
	top: z.array(z.tuple([z.string({ error: 'must be a token as text' }), LogProbability])).min(1, SOME),
});

/** A reading of one model. */
export interface Reading {
	readonly id: string;
	readonly prefix: readonly number[];
	/** What was listed; null for a string of another tokenizer that is no token of ours after this prefix. */
	readonly tokens: readonly (number | null)[];
	/** Of each. */
	readonly probabilities: readonly number[];
}

/**
 * The readings of a file, in its order.
 *
 * @param tokenizer of the mark
 * @throws TouchmarkError `bad-input` that names file, line and field: also for probabilities that add up to more than 1,
 *   a token listed twice, or an id that occurs twice
 */
export async function readReadings(path: string, tokenizer: Tokenizer): Promise<Reading[]> {
	const IdsLine = idsLine(tokenizer.vocabSize);
	const readings: Reading[] = [];
	const ids = new Set<string>();
	for await (const { value, line } of readJsonLines(path)) {
		const where = `${path}:${line.number}`;
		const reading = isInText(value)
			? textReading(checked(TextLine, value, where), where, tokenizer)
			: idsReading(checked(IdsLine, value, where), where);
		if (reading.probabilities.reduce((sum, p) => sum + p, 0) > 1.001)
			throw badInput(`${where}: field "top": probabilities add up to more than 1`);
		if (ids.has(reading.id)) throw badInput(`${where}: field "id": occurs twice`);
		ids.add(reading.id);
		readings.push(reading);
	}
	return readings;
}

function isInText(value: unknown): boolean {
	return typeof value === 'object' && value !== null && 'prefix' in value && typeof value.prefix === 'string';
}

const probabilitiesOf = (top: readonly (readonly [unknown, number])[]) =>
	top.map(([, logProbability]) => Math.exp(logProbability));

function idsReading({ id, prefix, top }: z.output<ReturnType<typeof idsLine>>, where: string): Reading {
	const tokens = top.map(([token]) => token);
	if (new Set(tokens).size !== tokens.length) throw badInput(`${where}: field "top": lists a token twice`);
	return { id: String(id), prefix, tokens, probabilities: probabilitiesOf(top) };
}

function textReading(
	{ id, prefix, top }: z.output<typeof TextLine>,
	where: string,
	tokenizer: Tokenizer,
): Reading {
	const ids = tokenizer.encode(prefix);
	if (tokenizer.decode(ids) !== prefix)
		throw badInput(`${where}: field "prefix": the tokenizer of the mark does not give this text back`);
	const strings = top.map(([string]) => string);
	return {
		id: String(id),
		prefix: ids,
		tokens: tokensAfter(tokenizer, ids, strings),
		probabilities: probabilitiesOf(top),
	};
}
