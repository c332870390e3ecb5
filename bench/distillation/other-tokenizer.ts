/**
 * Suspects with another tokenizer than the mark's: what they predict where both tokenizers cut the probing texts, in ids of
 * the mark's tokenizer. No key is known here.
 *
 * @module
 */
import type { Tokenizer } from '../../src/corpus/tokenizer.js';
import { type NextToken, predictAlong } from '../../src/model/predict.js';
import type { Transformer } from '../../src/model/transformer.js';
import { listedPrediction, type Prediction } from '../../src/verify/residuals.js';

/** A place in a text: before the token of this position. */
export interface Place {
	readonly text: number;
	readonly at: number;
}

/** Stands in decoded text where bytes are no whole character. */
const BROKEN = '\uFFFD';

/** Where each token ends, in characters from the beginning; undefined where a token is no whole text. */
function endsOf(tokenizer: Tokenizer, ids: readonly number[]): number[] | undefined {
	const parts = ids.map((id) => tokenizer.decode([id]));
	if (parts.some((part) => part.includes(BROKEN))) return undefined;
	let end = 0;
	return parts.map((part) => {
		end += part.length;
		return end;
	});
}

/** One text as both tokenizers write it. */
interface Aligned {
	readonly ids: readonly number[];
	/** Position in `ids` to position in the mark's. */
	readonly places: ReadonlyMap<number, number>;
}

function align(marks: Tokenizer, own: Tokenizer, ids: readonly number[]): Aligned {
	const theirs = own.encode(marks.decode(ids));
	const [ends, ownEnds] = [endsOf(marks, ids), endsOf(own, theirs)];
	if (ends === undefined || ownEnds === undefined) return { ids: theirs, places: new Map() };
	const byEnd = new Map(ends.map((end, i) => [end, i + 1]));
	const places = new Map<number, number>();
	for (const [i, end] of ownEnds.entries()) {
		const at = byEnd.get(end);
		if (at !== undefined && at < ids.length) places.set(i + 1, at);
	}
	return { ids: theirs, places };
}

/** The mark's token that each of the suspect's begins with; special tokens and parts of characters have none. */
function firstTokens(marks: Tokenizer, own: Tokenizer): (number | undefined)[] {
	const special = new Set(own.specialTokens);
	return Array.from({ length: own.vocabSize }, (_, id) => {
		const text = special.has(id) ? '' : own.decode([id]);
		return text === '' || text.includes(BROKEN) ? undefined : marks.encode(text)[0];
	});
}

/** Tokens that an API shows. */
const TOP = 20;

/** A prediction in ids of the mark's tokenizer: a string counts for the token that it begins with. */
function translated({ tokens, of }: NextToken, first: readonly (number | undefined)[]): Prediction {
	const sums = new Map<number, number>();
	for (const token of tokens) {
		const mark = first[token];
		if (mark !== undefined) sums.set(mark, (sums.get(mark) ?? 0) + of(token));
	}
	return listedPrediction([...sums.keys()], [...sums.values()]);
}

/** What models of the other tokenizer predict at one place: in full, and as an API shows it. */
export interface Translated {
	readonly open: Prediction;
	readonly grey: Prediction;
}

/**
 * Reads models of another tokenizer along texts.
 *
 * @param probes ids of the mark's tokenizer
 * @param visit called with a place in the mark's ids and one prediction a model
 */
export function predictTranslated(
	marks: Tokenizer,
	own: Tokenizer,
	models: readonly Transformer[],
	probes: readonly (readonly number[])[],
	visit: (place: Place, predictions: readonly Translated[]) => void,
	wanted: (place: Place) => boolean,
): void {
	const aligned = probes.map((ids) => align(marks, own, ids));
	const first = firstTokens(marks, own);
	predictAlong(
		models,
		aligned.map(({ ids }) => ids),
		1e-3,
		(text, at, predictions) => {
			const place = { text, at: aligned[text].places.get(at) as number };
			const found = predictions.map((one) => {
				const top = [...one.tokens].sort((a, b) => one.of(b) - one.of(a)).slice(0, TOP);
				return { open: translated(one, first), grey: translated({ tokens: top, of: one.of }, first) };
			});
			visit(place, found);
		},
		(text, position) => {
			const at = aligned[text].places.get(position);
			return at !== undefined && wanted({ text, at });
		},
	);
}

/** Places at which both tokenizers cut. */
export function alignedPlaces(
	marks: Tokenizer,
	own: Tokenizer,
	probes: readonly (readonly number[])[],
): (place: Place) => boolean {
	const known = probes.map((ids) => new Set(align(marks, own, ids).places.values()));
	return ({ text, at }) => known[text].has(at);
}
