/**
 * Readings out of files: what a model said comes next, as an API with log-probabilities returns it.
 *
 * @module
 */
import { z } from 'zod';
import { badInput } from '../errors.js';
import { checked } from '../input.js';
import { MAX_TOKEN_ID, readJsonLines } from './documents.js';

/** One line: the ids that the model was given, and its likeliest next tokens with natural log-probabilities. */
function schemaOf(vocabSize: number) {
	const Token = z
		.int({ error: 'must be an integer token id' })
		.min(0, 'is a negative token id')
		.lt(vocabSize, `is a token id outside the vocabulary of ${vocabSize}`);
	return z.looseObject({
		id: z.union([z.string(), z.number()]),
		prefix: z.array(Token),
		top: z
			.array(z.tuple([Token, z.number().max(1e-6, 'is a log-probability above 0')]))
			.min(1, 'must list at least one token'),
	});
}

/** A reading of one model. */
export interface Reading {
	readonly id: string;
	readonly prefix: readonly number[];
	readonly tokens: readonly number[];
	readonly probabilities: readonly number[];
}

/**
 * The readings of a file, in its order.
 *
 * @param vocabSize ids must be below it; without one, below 2^27
 * @throws TouchmarkError `bad-input` that names file, line and field: also for probabilities that add up to more than 1,
 *   a token listed twice, or an id that occurs twice
 */
export async function readReadings(path: string, vocabSize = MAX_TOKEN_ID + 1): Promise<Reading[]> {
	const Line = schemaOf(vocabSize);
	const readings: Reading[] = [];
	const ids = new Set<string>();
	for await (const { value, line } of readJsonLines(path)) {
		const where = `${path}:${line.number}`;
		const { id, prefix, top } = checked(Line, value, where);
		const tokens = top.map(([token]) => token);
		const probabilities = top.map(([, logProbability]) => Math.exp(logProbability));
		if (new Set(tokens).size !== tokens.length) throw badInput(`${where}: field "top": lists a token twice`);
		if (probabilities.reduce((sum, p) => sum + p, 0) > 1.001)
			throw badInput(`${where}: field "top": probabilities add up to more than 1`);
		if (ids.has(String(id))) throw badInput(`${where}: field "id": occurs twice`);
		ids.add(String(id));
		readings.push({ id: String(id), prefix, tokens, probabilities });
	}
	return readings;
}
