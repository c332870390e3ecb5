/**
 * Encodes text piece by piece, with exactly the ids of the library's own `encode`.
 *
 * A tokenizer cuts text at added tokens, normalizes what lies between them, cuts that into pieces, and gives each
 * piece to its model, which takes nearly all the time. Where ids depend on the piece alone, a piece seen before needs
 * no second look. Pipelines of which that cannot be said are left to the library.
 *
 * @module
 */
import { addedTokenFinder, codeUnit } from './added-tokens.js';
import {
	isBpe,
	type LibraryTokenizer,
	type Model,
	type OpenedLibrary,
	type Step,
} from './library-tokenizer.js';
import type { MergeTable } from './merge-table.js';
import { PieceCache } from './piece-cache.js';

/** An entry of `added_tokens` in a tokenizer.json. */
export interface AddedToken {
	readonly id: number;
	readonly content: string;
	readonly special: boolean;
	readonly normalized?: boolean | undefined;
	readonly lstrip?: boolean | undefined;
	readonly rstrip?: boolean | undefined;
}

interface SequenceStep extends Step {
	readonly tokenizers: readonly (Step | null)[];
}

interface ByteLevelStep extends Step {
	readonly add_prefix_space: boolean;
	readonly use_regex: boolean;
	readonly pattern: RegExp;
	readonly byte_encoder: Readonly<Record<number, string>>;
	readonly text_encoder: TextEncoder;
}

/** How a section of text becomes pieces, and a piece what the model reads. */
interface Cut {
	pieces(text: string, section: number): readonly string[];
	toModel(piece: string): string[];
}

/** Stands for a space in vocabularies that mark where words begin. */
const WORD_MARK = '▁';
/** What stands before a word mark, inside a token. */
const BEFORE_MARK = /[^▁](?=▁)/g;

/**
 * An encoder that remembers pieces.
 *
 * @param library the library's tokenizer
 * @param added its added tokens, as tokenizer.json lists them
 * @returns null when ids of this pipeline may depend on more than the piece
 */
export function piecewiseEncoder(
	{ tokenizer, merges }: OpenedLibrary,
	added: readonly AddedToken[],
): ((text: string) => number[]) | null {
	const { model, normalizer } = tokenizer;
	// Unigram is left out: it joins unknown characters across pieces.
	const wordPiece = 'max_input_chars_per_word' in model && model.unk_token_id !== undefined;
	if (!(isBpe(model) || wordPiece) || !passesThrough(tokenizer)) return null;

	const inNormalized = (token: AddedToken) => normalizer !== null && (token.normalized ?? !token.special);
	if (added.some((token) => inNormalized(token) && normalizer?.(token.content) !== token.content))
		return null;
	const addedIds = new Map(added.map((token) => [token.content, token.id]));
	const finder = (wanted: (token: AddedToken) => boolean) =>
		addedTokenFinder(added.filter(wanted).map((token) => token.content));
	const beforeNormalization = finder((token) => !inNormalized(token));
	/** These take more than their own characters, or only show after normalization: the library's to place. */
	const awkward = finder((token) => inNormalized(token) || token.lstrip === true || token.rstrip === true);

	const cut = cutOf(tokenizer, merges);
	const unknown = model.unk_token_id;
	const fused = model.fuse_unk ? unknown : undefined;
	const idsOf = modelIds(model, merges);
	const cache = new PieceCache((piece) => cut.toModel(piece).flatMap(idsOf));

	/** Appends the ids of what lies between two added tokens. False: leave the text to the library. */
	const section = (text: string, index: number, out: number[]): boolean => {
		const normal = normalizer === null ? text : normalizer(text);
		if (normal === '') return true;
		if (normalizer !== null && (addedIds.has(normal) || awkward.next(normal, 0) !== null)) return false;
		let last: number | undefined;
		const push = (id: number) => {
			if (id !== fused || id !== last) out.push(id);
			last = id;
		};
		for (const piece of cut.pieces(normal, index)) {
			const ids = cache.get(piece);
			if (typeof ids === 'number') push(ids);
			else for (const id of ids) push(id);
		}
		return true;
	};

	const encode = (text: string): number[] | null => {
		if (awkward.next(text, 0) !== null) return null;
		const out: number[] = [];
		let from = 0;
		let index = 0;
		for (let found = beforeNormalization.next(text, 0); found !== null; ) {
			if (found.at > from && !section(text.slice(from, found.at), index++, out)) return null;
			out.push(addedIds.get(found.content) as number);
			index++;
			from = found.at + found.content.length;
			found = beforeNormalization.next(text, from);
		}
		const rest = text.slice(from);
		return rest !== '' && !section(rest, index, out) ? null : out;
	};

	return (text) => encode(text) ?? tokenizer.encode(text, { add_special_tokens: false }).ids;
}

/** Ids that a model gives one of its pieces. */
function modelIds(model: Model, merges: MergeTable | null): (piece: string) => number[] {
	const ids = model.tokens_to_ids;
	const library = (piece: string) =>
		model([piece]).map((token) => ids.get(token) ?? (model.unk_token_id as number));
	if (!isBpe(model) || merges === null) return library;
	return (piece) => {
		const whole = model.ignore_merges ? ids.get(piece) : undefined;
		if (whole !== undefined) return [whole];
		const parts: number[] = [];
		for (const character of piece) {
			const id = ids.get(character);
			if (id === undefined) return library(piece);
			parts.push(id);
		}
		return merges.apply(parts);
	};
}

function isSequence(step: Step): step is SequenceStep {
	return 'tokenizers' in step;
}

function isByteLevel(step: Step | undefined): step is ByteLevelStep {
	return step !== undefined && 'byte_encoder' in step;
}

/** Whether the post-processor leaves tokens as they are when no special tokens are asked for. */
function passesThrough({ post_processor }: LibraryTokenizer): boolean {
	if (post_processor === null) return true;
	try {
		const { tokens } = post_processor(['a', 'b'], null, false);
		return tokens.length === 2 && tokens[0] === 'a' && tokens[1] === 'b';
	} catch {
		return false;
	}
}

/** Where to cut. Every step of a pre-tokenizer works on each piece by itself, so any step may be the last one. */
function cutOf({ pre_tokenizer, model }: LibraryTokenizer, merges: MergeTable | null): Cut {
	const steps = flattened(pre_tokenizer);
	const end = steps.at(-1);
	if (isByteLevel(end)) return byteLevelCut(steps.slice(0, -1), end);
	const pieces = run(steps);
	const boundary = wordBoundary(model, merges);
	return {
		pieces:
			boundary === null
				? pieces
				: (text, section) => pieces(text, section).flatMap((piece) => piece.split(boundary)),
		toModel: (piece) => [piece],
	};
}

/** The last step maps bytes to letters, which is most of the work of cutting: it is left to pieces not yet seen. */
function byteLevelCut(before: readonly Step[], end: ByteLevelStep): Cut {
	const pieces = run(before);
	if (!end.use_regex) return { pieces, toModel: (piece) => end.pre_tokenize(piece) };
	const cut = (text: string) =>
		(end.add_prefix_space && !text.startsWith(' ') ? ` ${text}` : text).match(end.pattern) ?? [];
	return {
		pieces: before.length === 0 ? cut : (text, section) => pieces(text, section).flatMap(cut),
		toModel: (piece) => [
			Array.from(end.text_encoder.encode(piece), (byte) => end.byte_encoder[byte]).join(''),
		],
	};
}

function flattened(step: Step | null): Step[] {
	if (step === null) return [];
	return isSequence(step) ? step.tokenizers.flatMap(flattened) : [step];
}

/** Runs the steps as the library does. */
function run(steps: readonly Step[]): Cut['pieces'] {
	return (text, section) =>
		steps.reduce<string[]>((pieces, step) => step.pre_tokenize(pieces, { section_index: section }), [text]);
}

/**
 * Where words begin, as a pattern: before word marks, except where some merge reaches over that place. A text's
 * merges are then those of its words. For vocabularies that put a mark before each word and do not cut otherwise.
 */
function wordBoundary(model: Model, merges: MergeTable | null): RegExp | null {
	if (!isBpe(model) || model.ignore_merges || !model.tokens_to_ids.has(WORD_MARK) || merges === null)
		return null;
	const bridges = new Set([WORD_MARK]);
	const tokens = new Map([...model.tokens_to_ids].map(([token, id]) => [id, token]));
	for (const pair of merges.pairs())
		for (const [unit] of pair
			.map((id) => tokens.get(id))
			.join('')
			.match(BEFORE_MARK) ?? [])
			bridges.add(unit);
	return new RegExp(`(?<=[^${[...bridges].map(codeUnit).join('')}])(?=${WORD_MARK})`);
}
