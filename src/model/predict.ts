/**
 * What models predict along given texts, several models side by side.
 *
 * @module
 */
import { badInput } from '../errors.js';
import type { Transformer } from './transformer.js';

/** A next-token distribution. It is overwritten by the next step: read it while it is shown. */
export interface NextToken {
	/** Tokens of at least the least probability that was asked for, ascending. */
	readonly tokens: readonly number[];
	/** Probability of any token. */
	of(token: number): number;
}

/** Rows that advance together. */
const BATCH = 64;

/**
 * Shows what each model predicts before every token of every text.
 *
 * @param models of one vocabulary
 * @param texts token ids; the first token of a text is never predicted
 * @param leastListed tokens less likely than this are not listed
 * @param visit called with the number of the text, the position of the token that is predicted, and one prediction a model
 * @param wanted positions that need not be shown may be left out
 * @throws TouchmarkError `bad-input` for models of several vocabularies
 */
export function predictAlong(
	models: readonly Transformer[],
	texts: readonly (readonly number[])[],
	leastListed: number,
	visit: (text: number, at: number, predictions: readonly NextToken[]) => void,
	wanted: (text: number, at: number) => boolean = () => true,
): void {
	const vocabSize = models[0]?.vocabSize ?? 0;
	if (models.some((model) => model.vocabSize !== vocabSize))
		throw badInput(
			'the models have vocabularies of different sizes; they must share the tokenizer of the mark',
		);
	const pieces = texts.flatMap((ids, text) => piecesOf(ids, text, models));
	// Pieces of like length go together, so that few rows idle.
	pieces.sort((a, b) => a.ids.length - b.ids.length || a.text - b.text || a.start - b.start);
	const shown = models.map(() => newNextToken(vocabSize));
	for (let start = 0; start < pieces.length; start += BATCH) {
		const group = pieces.slice(start, start + BATCH);
		const batches = models.map((model) => model.newBatch(group.length));
		const longest = group[group.length - 1].ids.length;
		for (let at = 1; at < longest; at++) {
			const ids = Int32Array.from(group, (piece) => piece.ids[Math.min(at, piece.ids.length) - 1]);
			const logits = batches.map((batch) => batch.step(ids));
			group.forEach((piece, row) => {
				const position = piece.start + at;
				if (at >= piece.ids.length || at < piece.shownFrom || !wanted(piece.text, position)) return;
				logits.forEach((all, j) => {
					shown[j].load(all.subarray(row * vocabSize, (row + 1) * vocabSize), leastListed);
				});
				visit(piece.text, position, shown);
			});
		}
	}
}

/** What a model was given, and what it answered, as token ids. */
interface Answered {
	readonly prompt: readonly number[];
	readonly answer: readonly number[];
}

/**
 * Shows what each model predicts before the tokens of answers: of those only whose context lies in the answer and does not
 * occur in the prompt, since such contexts say nothing of who answered. Without a context, tokens of the prompt count for
 * none of the answer.
 *
 * @param contextWidth ids before a token that are its context
 * @param visit called with the context, the token that was written, and one prediction a model
 * @throws TouchmarkError as {@link predictAlong}
 */
export function predictAnswers(
	models: readonly Transformer[],
	exchanges: readonly Answered[],
	contextWidth: number,
	leastListed: number,
	visit: (context: readonly number[], token: number, predictions: readonly NextToken[]) => void,
): void {
	const texts = exchanges.map(({ prompt, answer }) => [...prompt, ...answer]);
	const words = Math.max(1, contextWidth);
	const given = exchanges.map(({ prompt }) => {
		const rows = new Set<string>();
		for (let at = 0; at + words <= prompt.length; at++) rows.add(prompt.slice(at, at + words).join());
		return rows;
	});
	predictAlong(
		models,
		texts,
		leastListed,
		(text, at, predictions) => {
			visit(texts[text].slice(at - contextWidth, at), texts[text][at], predictions);
		},
		(text, at) => {
			const start = at - contextWidth;
			return (
				start >= exchanges[text].prompt.length &&
				!given[text].has(texts[text].slice(start, start + words).join())
			);
		},
	);
}

/** A stretch of a text that every model can attend to. */
interface Piece {
	readonly text: number;
	readonly ids: readonly number[];
	/** Where it begins in the text. */
	readonly start: number;
	/** Its first positions were shown with the piece before. */
	readonly shownFrom: number;
}

/** A long text in pieces that overlap by half, so that each position has at least half a window before it. */
function piecesOf(ids: readonly number[], text: number, models: readonly Transformer[]): Piece[] {
	const most = Math.min(...models.map((model) => model.maxLength)) + 1;
	const half = most >> 1;
	const pieces: Piece[] = [{ text, ids: ids.slice(0, most), start: 0, shownFrom: 1 }];
	for (let start = most - half; start + half < ids.length; start += most - half)
		pieces.push({ text, ids: ids.slice(start, start + most), start, shownFrom: half });
	return pieces;
}

/** Room for one distribution. */
function newNextToken(vocabSize: number): NextToken & { load(logits: Float32Array, least: number): void } {
	const probabilities = new Float64Array(vocabSize);
	let tokens: number[] = [];
	return {
		get tokens() {
			return tokens;
		},
		of: (token) => probabilities[token],
		load(logits, least) {
			let top = -Infinity;
			for (let i = 0; i < vocabSize; i++) if (logits[i] > top) top = logits[i];
			let total = 0;
			for (let i = 0; i < vocabSize; i++) {
				probabilities[i] = Math.exp(logits[i] - top);
				total += probabilities[i];
			}
			tokens = [];
			for (let i = 0; i < vocabSize; i++) {
				probabilities[i] /= total;
				if (probabilities[i] >= least) tokens.push(i);
			}
		},
	};
}
