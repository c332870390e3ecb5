/**
 * A suspect's predictions at places of texts beside those of references, whatever tokenizer each has. Nothing here is
 * given a key.
 *
 * Everything is said in tokens of the mark. A model with another tokenizer is read where both tokenizers cut the text, and
 * of what it may say next only what is a token of the mark counts (`corpus/token-strings.ts`).
 *
 * @module
 */
import { type Reading, readReadings } from '../corpus/readings.js';
import { sharedBoundaries } from '../corpus/shared-boundaries.js';
import { tokenStrings, tokensAfter } from '../corpus/token-strings.js';
import type { Tokenizer } from '../corpus/tokenizer.js';
import { badInput } from '../errors.js';
import { predictAlong } from '../model/predict.js';
import { listedPrediction, newResiduals, type PairWeights } from '../verify/residuals.js';
import { isSameTokenizer, type OwnModel } from './own-models.js';
import type { Traffic } from './suspects.js';

/** A place where the suspect was read. */
export interface Place {
	/** Ids before it. */
	readonly prefix: readonly number[];
	/** What the suspect listed. */
	readonly tokens: readonly number[];
	/** Its probability of each. */
	readonly suspect: readonly number[];
	/** For each reference, its probability of each. */
	readonly given: readonly (readonly number[])[];
}

/** The weights of what was read. @throws TouchmarkError `bad-input` for a prefix without a context */
export function weightsAt(
	places: readonly Place[],
	contextWidth: number,
	references: number,
	traffic: Traffic,
): PairWeights {
	const residuals = newResiduals('readings', contextWidth, references, traffic(contextWidth));
	for (const { prefix, tokens, suspect, given } of places)
		residuals.addReading(
			prefix,
			listedPrediction(tokens, suspect),
			given.map((one) => listedPrediction(tokens, one)),
		);
	return residuals.weights();
}

/** Tokens that a model is asked about at a place of a text, all in its own ids; null for tokens that it does not have. */
interface Question {
	readonly text: number;
	readonly at: number;
	readonly tokens: readonly (number | null)[];
}

/** Probabilities that a model gives, for each question one a token. */
function ask({ model }: OwnModel, texts: readonly (readonly number[])[], questions: readonly Question[]) {
	const nameOf = (text: number, at: number) => `${text}:${at}`;
	const answers = new Map<string, number[]>();
	const asked = new Map(questions.map((question) => [nameOf(question.text, question.at), question]));
	predictAlong(
		[model],
		texts,
		1,
		(text, at, [{ of }]) => {
			const name = nameOf(text, at);
			const tokens = asked.get(name)?.tokens ?? [];
			answers.set(
				name,
				tokens.map((token) => (token === null ? 0 : of(token))),
			);
		},
		(text, at) => asked.has(nameOf(text, at)),
	);
	return questions.map(({ text, at }) => answers.get(nameOf(text, at)) ?? []);
}

/** Ids that another tokenizer has for tokens of the mark; null where no token of it has the same text. */
function translation(tokenizer: Tokenizer, other: Tokenizer): (token: number) => number | null {
	const ids = new Map(tokenStrings(other).map((string, id) => [string, id]));
	ids.delete('');
	const strings = tokenStrings(tokenizer);
	return (token) => ids.get(strings[token]) ?? null;
}

/** Places of readings of an API. @throws TouchmarkError `bad-input` for readings of a reference that do not match */
export async function readPlaces(
	readings: readonly Reading[],
	references: readonly (OwnModel | string)[],
	tokenizer: Tokenizer,
): Promise<Place[]> {
	const listed = readings.map(({ tokens }) => tokens.filter((token) => token !== null));
	const given: number[][][] = [];
	for (const reference of references)
		given.push(
			typeof reference === 'string'
				? await ofFile(reference, readings, listed, tokenizer)
				: ofModel(reference, readings, listed, tokenizer),
		);
	return readings.map(({ prefix, tokens, probabilities }, i) => ({
		prefix,
		tokens: listed[i],
		suspect: probabilities.filter((_, j) => tokens[j] !== null),
		given: given.map((all) => all[i]),
	}));
}

async function ofFile(
	path: string,
	readings: readonly Reading[],
	listed: readonly (readonly number[])[],
	tokenizer: Tokenizer,
): Promise<number[][]> {
	const byId = new Map((await readReadings(path, tokenizer)).map((reading) => [reading.id, reading]));
	return readings.map(({ id, prefix }, i) => {
		const other = byId.get(id);
		if (other === undefined) throw badInput(`${path}: has no reading with id "${id}"`);
		if (other.prefix.join() !== prefix.join())
			throw badInput(`${path}: reading "${id}" has another prefix than the suspect's`);
		// What is no token of ours keeps its share of the whole.
		const { of } = listedPrediction(
			other.tokens.map((token, j) => token ?? -1 - j),
			other.probabilities,
		);
		return listed[i].map(of);
	});
}

function ofModel(
	reference: OwnModel,
	readings: readonly Reading[],
	listed: readonly (readonly number[])[],
	tokenizer: Tokenizer,
): number[][] {
	const { other } = reference;
	const own = other === null ? (token: number) => token : translation(tokenizer, other);
	const before = readings.map(({ prefix }) =>
		other === null ? prefix : other.encode(tokenizer.decode(prefix)),
	);
	// Any next token: only what is predicted there is looked at.
	const texts = before.map((ids) => [...ids, 0]);
	const questions = before.map((ids, text) => ({ text, at: ids.length, tokens: listed[text].map(own) }));
	return ask(reference, texts, questions);
}

/** Tokens that a model gives less than this are not listed, and expected nowhere. */
export const LEAST_LISTED = 1e-3;

/**
 * Places of a model with another tokenizer, along texts in ids of the mark's.
 *
 * @param references of the tokenizer of the mark, or of the suspect's
 * @throws TouchmarkError `bad-input` for a reference of a third tokenizer
 */
export function alignedPlaces(
	suspect: OwnModel & { readonly other: Tokenizer },
	references: readonly OwnModel[],
	texts: readonly (readonly number[])[],
	tokenizer: Tokenizer,
): Place[] {
	const { model, other } = suspect;
	const third = references.find((one) => one.other !== null && !isSameTokenizer(one.other, other));
	if (third !== undefined)
		throw badInput(
			`${third.name}: has neither the tokenizer of the mark nor the suspect's; give references of one of them`,
		);
	const strings = tokenStrings(other);
	const otherTexts = texts.map((ids) => other.encode(tokenizer.decode(ids)));
	/** By ids before a place in the other tokenizer, ids before it in ours. */
	const shared = texts.map(
		(ids, i) =>
			new Map(
				sharedBoundaries({ tokenizer: other, ids: otherTexts[i] }, { tokenizer, ids }).map(([there, at]) => [
					there,
					at,
				]),
			),
	);
	const found: { text: number; at: number; there: number; ids: number[]; tokens: number[]; own: number[] }[] =
		[];
	predictAlong(
		[model],
		otherTexts,
		LEAST_LISTED,
		(text, there, [next]) => {
			const at = shared[text].get(there) as number;
			const aligned = tokensAfter(
				tokenizer,
				texts[text].slice(0, at),
				next.tokens.map((id) => strings[id]),
			);
			const kept = next.tokens.flatMap((id, i) => {
				const token = aligned[i];
				return token === null ? [] : [{ id, token }];
			});
			found.push({
				...{ text, at, there },
				ids: kept.map(({ id }) => id),
				tokens: kept.map(({ token }) => token),
				own: kept.map(({ id }) => next.of(id)),
			});
		},
		(text, there) => shared[text].has(there),
	);
	const given = references.map((reference) =>
		reference.other === null
			? ask(reference, texts, found)
			: ask(
					reference,
					otherTexts,
					found.map(({ text, there, ids }) => ({ text, at: there, tokens: ids })),
				),
	);
	return found.map(({ text, at, tokens, own }, i) => ({
		prefix: texts[text].slice(0, at),
		...{ tokens, suspect: own, given: given.map((all) => all[i]) },
	}));
}
