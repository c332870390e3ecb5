/**
 * The library's tokenizer, its merges in a table of ours: as the library holds them, a text and an entry of a map each,
 * they are most of a tokenizer's memory and of the time that opening it takes.
 *
 * @module
 */
import { Tokenizer as HuggingFace } from '@huggingface/tokenizers';
import { type Merge, type MergeTable, mergeTable } from './merge-table.js';

/** What is used of the library's tokenizer. (Its own declarations do not resolve under `NodeNext`.) */
export interface LibraryTokenizer {
	encode(text: string, options?: { add_special_tokens: boolean }): { ids: number[] };
	decode(
		ids: number[],
		options: { skip_special_tokens: boolean; clean_up_tokenization_spaces: boolean },
	): string;
	get_vocab(withAddedTokens: boolean): ReadonlyMap<string, number>;
	readonly normalizer: ((text: string) => string) | null;
	readonly pre_tokenizer: Step | null;
	readonly model: Model;
	readonly post_processor:
		| ((tokens: string[], pair: null, special: boolean) => { tokens: readonly string[] })
		| null;
}

/** A step of a pre-tokenizer. */
export interface Step {
	pre_tokenize(text: string | string[], options?: { section_index: number }): string[];
}

/** A model: pieces to tokens. */
export interface Model {
	(pieces: string[]): string[];
	readonly tokens_to_ids: ReadonlyMap<string, number>;
	readonly unk_token_id?: number | undefined;
	readonly fuse_unk: boolean;
}

/** One that joins pairs. */
export interface BpeModel extends Model {
	/** Ranks by pairs in JSON: what the library asks. */
	bpe_ranks: { get(pair: string): number | undefined };
	readonly ignore_merges: boolean;
	readonly end_of_word_suffix?: string | null;
	readonly continuing_subword_suffix?: string | null;
}

/** The library's tokenizer, and its merges where they are in a table. */
export interface OpenedLibrary {
	readonly tokenizer: LibraryTokenizer;
	readonly merges: MergeTable | null;
}

/**
 * Opens what a tokenizer.json describes.
 *
 * @throws Error of the library when it is not a tokenizer
 */
export function openLibrary(json: object): OpenedLibrary {
	const { model } = json as { model: { merges?: unknown; vocab?: unknown } };
	const { merges } = model;
	if (Array.isArray(merges)) {
		const own = { ...model, merges: [] };
		const tokenizer = libraryOf({ ...json, model: own });
		const bpe = tokenizer.model;
		const table = isBpe(bpe) && !bpe.end_of_word_suffix && !bpe.continuing_subword_suffix;
		const found = table ? mergeTable(merges as readonly Merge[], bpe.tokens_to_ids) : null;
		if (isBpe(bpe) && found !== null) {
			bpe.bpe_ranks = ranksOf(found, bpe.tokens_to_ids);
			own.vocab = {};
			return { tokenizer, merges: found };
		}
	}
	return { tokenizer: libraryOf(json), merges: null };
}

/** Whether a model joins pairs. */
export function isBpe(model: Model): model is BpeModel {
	return 'bpe_ranks' in model;
}

function libraryOf(json: object): LibraryTokenizer {
	return new HuggingFace(json, {}) as unknown as LibraryTokenizer;
}

/** A table as the library asks for ranks. */
function ranksOf(table: MergeTable, ids: ReadonlyMap<string, number>): BpeModel['bpe_ranks'] {
	return {
		get(pair) {
			const [left, right] = (JSON.parse(pair) as [string, string]).map((token) => ids.get(token));
			return left === undefined || right === undefined ? undefined : table.rank(left, right);
		},
	};
}
